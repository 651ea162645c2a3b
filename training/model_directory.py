"""A directory that holds a run: claimed once, described by run.json, read back as model and tokenizer."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from transformers import AutoTokenizer, PretrainedConfig, logging

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel

from .arguments import TrainArguments

RUN_FILE = "run.json"
# Options that may differ when a run goes on: they do not change what is trained.
FREE_TO_CHANGE = ("output_dir", "resume", "save_steps", "keep_checkpoints", "eval_iwae_samples", "eval_max_sentences")


def check_output_dir(output_dir, options, resume=False):
    """Makes sure that `output_dir` is free for a run, or with `resume` that it holds this very run.

    Args:
        output_dir: a new or empty directory, or with `resume` that of the run to go on with.
        options: the run's options, by name.

    Raises:
        ValueError: a directory that holds something else, or a run of other options.
    """
    output_dir = Path(output_dir)
    if output_dir.exists() and not output_dir.is_dir():
        raise ValueError(f"--output_dir {output_dir} is a file; name a directory")
    if resume:
        # an option that is newer than the run had its default
        earlier = asdict(TrainArguments()) | read_run(output_dir)["options"]
        changed = [name for name in options if earlier[name] != options[name] and name not in FREE_TO_CHANGE]
        if changed:
            differences = ", ".join(f"--{name} was {earlier[name]}" for name in changed)
            raise ValueError(f"{output_dir} holds a run of other options: {differences}")
    elif (output_dir / RUN_FILE).exists():
        raise ValueError(f"--output_dir {output_dir} holds another run; go on with it by --resume, or name a new one")
    elif output_dir.exists() and any(output_dir.iterdir()):
        raise ValueError(f"--output_dir {output_dir} is not empty and holds no run of ours; name a new directory")


def write_run(output_dir, **content):
    """Makes the directory this run's: its options, and later what training took, go into run.json."""
    output_dir = Path(output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    write_json(output_dir / RUN_FILE, content)


def read_run(output_dir):
    """What run.json says.

    Raises:
        ValueError: no run there, or one that cannot be read.
    """
    path = Path(output_dir) / RUN_FILE
    if not path.exists():
        raise ValueError(f"{output_dir} holds no run: {RUN_FILE} is missing")
    run = read_json(path)
    if not isinstance(run.get("options"), dict):
        raise ValueError(f"{path} says no options: it is no {RUN_FILE} of ours")
    return run


def read_json(path):
    """A file of a JSON object.

    Raises:
        ValueError: something else in it.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no JSON object")
    return content


def write_json(path, content):
    """Writes a dictionary as JSON, aside first, so that a reader never sees half of it."""
    path = Path(path)
    aside = path.with_name(path.name + ".new")
    aside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(aside, path)


def save_model_directory(model, tokenizer, directory):
    """Writes model, configurations, code and tokenizer; each file aside first, so that none is ever cut short."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory, prefix=".new-") as aside:
        model.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
        for path in sorted(Path(aside).iterdir()):
            os.replace(path, directory / path.name)


def load_model(directory, device="cpu"):
    """The trained model and its tokenizer, from a model directory or a Hub repository.

    Returns:
        (WaeRnfModel in evaluation mode, tokenizer)

    Raises:
        ValueError: no model or no tokenizer there, or a model of another kind.
    """
    directory = str(directory)
    check_model_directory(directory)
    logging.disable_progress_bar()
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        if Path(directory, name).exists():  # not where it is a name on the Hub
            read_json(Path(directory, name))
    try:
        kind = PretrainedConfig.get_config_dict(directory)[0].get("model_type")
        if kind != WaeRnfConfig.model_type:
            raise ValueError(f"it holds a model of type {kind}, not {WaeRnfConfig.model_type}")
        model, found = WaeRnfModel.from_pretrained(
            directory, use_safetensors=True, ignore_mismatched_sizes=True, output_loading_info=True
        )
        check_weights(model, found)
    except Exception as error:  # whatever a damaged file brings about
        raise ValueError(f"no model can be loaded from {directory}: {str(error).splitlines()[0]}") from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(directory)
    except Exception as error:
        raise ValueError(f"no tokenizer can be loaded from {directory}: {str(error).splitlines()[0]}") from error
    return model.to(device).eval(), tokenizer


def check_model_directory(directory):
    """Raises ValueError for what is neither a model directory nor a name that the Hub could have."""
    if not Path(directory, "config.json").exists() and (Path(directory).exists() or str(directory).count("/") != 1):
        raise ValueError(f"{directory} is not a model directory: it has no config.json")


def check_weights(model, found):
    """Raises ValueError unless every weight was there, of its size, and finite.

    Args:
        found: what `from_pretrained` says with `output_loading_info`.
    """
    for state in ("missing", "unexpected", "mismatched"):
        if names := found[f"{state}_keys"]:
            name = min(
                name if isinstance(name, str) else name[0] for name in names
            )  # with two sizes where they differ
            raise ValueError(f"its weights do not fit its config.json: {name} is {state}")
    for name, value in model.state_dict().items():
        if value.is_floating_point() and not value.isfinite().all():
            raise ValueError(f"its weights are not finite: {name}")
