"""Where the figures of a training go beside the terminal: TensorBoard, or any other tracker of accelerate."""

from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import PreTrainedTokenizerFast

    from modeling_wae_rnf import WaeRnfModel

    from .arguments import TrainArguments

# the trackers of accelerate, and the packages that bring them: one of several is enough
TRACKERS = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    **{name: (name,) for name in (
        "aim", "clearml", "comet_ml", "dvclive", "mlflow", "swanlab", "trackio", "wandb",
    )},
}  # fmt: skip
PROJECT = "wae-rnf"
FOLDER = "tensorboard"
NUM_SAMPLES = 5  # sentences from the prior, at each validation


def trackers_of(report_to: str) -> list[str]:
    """The trackers that `--report_to` names.

    Args:
        report_to: names with commas between them, `none`, or `all` those that are installed.

    Raises:
        ValueError: a tracker that there is not, or that is not installed.

    Examples:
        >>> trackers_of("tensorboard"), trackers_of("none")
        (['tensorboard'], [])
    """
    if report_to == "none":
        return []
    if report_to == "all":
        return [name for name in TRACKERS if is_installed(name)]
    names = [name.strip() for name in report_to.split(",")]
    for name in names:
        if name not in TRACKERS:
            known = ", ".join(TRACKERS)
            raise ValueError(f"--report_to {name} is no tracker; choose none, all or some of {known}")
        if not is_installed(name):
            raise ValueError(
                f"--report_to {name} needs a package that is not installed: pip install {TRACKERS[name][0]}"
            )
    return names


def is_installed(name: str) -> bool:
    return any(find_spec(package) is not None for package in TRACKERS[name])


def start_trackers(accelerator: "Accelerator", arguments: "TrainArguments") -> None:
    """Begins the record of a run, with its options as hyper-parameters."""
    options = {name: value for name, value in asdict(arguments).items() if value is not None}
    plain = {
        name: value if isinstance(value, bool | int | float | str) else str(value) for name, value in options.items()
    }
    accelerator.init_trackers(PROJECT, config=plain)


def track(accelerator: "Accelerator", name: str, kind: str, figures: Mapping[str, float | str], step: int) -> None:
    """Records {figure: number or text} of a stage's training or validation."""
    accelerator.log({f"{name}/{kind}/{figure}": value for figure, value in figures.items()}, step=step)


def samples_in_words(model: "WaeRnfModel", tokenizer: "PreTrainedTokenizerFast", seed: int) -> str:
    """Sentences from the prior, the same z at every validation, as lines of Markdown."""
    import torch

    generator = torch.Generator(model.device).manual_seed(seed)
    ids = model.generate(num_samples=NUM_SAMPLES, generator=generator, return_dict_in_generate=False)
    assert isinstance(ids, torch.Tensor)
    return "  \n".join(tokenizer.batch_decode(ids, skip_special_tokens=True))


def finish_trackers(accelerator: "Accelerator") -> None:
    for tracker in accelerator.trackers:
        tracker.finish()
