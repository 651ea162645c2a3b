"""A directory that holds a model: written as model and tokenizer, read back."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PretrainedConfig, PreTrainedTokenizerFast, logging

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel

from .file_modes import apply_umask
from .json_files import read_json
from .model_names import check_model_dir

ASIDE = ".new-model"


def save_model_directory(model: WaeRnfModel, tokenizer: PreTrainedTokenizerFast, directory: str | Path) -> None:
    """Writes model, configurations, code and tokenizer; each file aside first, so that none is ever cut short."""
    directory = Path(directory)
    aside = directory / ASIDE
    shutil.rmtree(aside, ignore_errors=True)  # what a killed run left
    aside.mkdir(parents=True)
    try:
        model.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
        apply_umask(aside)
        for path in sorted(aside.iterdir()):
            os.replace(path, directory / path.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def load_model(
    directory: str | Path, device: torch.device | str = "cpu"
) -> tuple[WaeRnfModel, PreTrainedTokenizerFast]:
    """The trained model and its tokenizer, from a model directory or a Hub repository.

    Returns:
        (WaeRnfModel in evaluation mode, tokenizer)

    Raises:
        ValueError: no model or no tokenizer there, or a model of another kind.
    """
    directory = str(directory)
    check_model_dir(directory)
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        if Path(directory, name).exists():  # not where it is a name on the Hub
            read_json(Path(directory, name))
    try:
        kind = PretrainedConfig.get_config_dict(directory)[0].get("model_type")
        if kind != WaeRnfConfig.model_type:
            raise ValueError(f"it holds a model of type {kind}, not {WaeRnfConfig.model_type}")
        with without_progress_bar():
            # with its information it is a pair, which the annotation leaves out
            loaded: Any = WaeRnfModel.from_pretrained(
                directory, use_safetensors=True, ignore_mismatched_sizes=True, output_loading_info=True
            )
        model, found = loaded
        check_weights(model, found)
    except Exception as error:  # whatever a damaged file brings about
        raise ValueError(f"no model can be loaded from {directory}: {str(error).splitlines()[0]}") from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(directory)
        if not isinstance(tokenizer, PreTrainedTokenizerFast):
            raise ValueError(f"it is a {type(tokenizer).__name__}, not a tokenizer of the package tokenizers")
    except Exception as error:
        raise ValueError(f"no tokenizer can be loaded from {directory}: {str(error).splitlines()[0]}") from error
    return model.to(device).eval(), tokenizer


@contextmanager
def without_progress_bar() -> Iterator[None]:
    """Within it Transformers shows no progress bar; afterwards it does as before."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def check_weights(model: torch.nn.Module, found: Mapping[str, Any]) -> None:
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


def digest_of_weights(model: torch.nn.Module) -> str:
    """SHA-256 of a model's parameters and buffers, the same on every device and for every way of saving them."""
    digest = hashlib.sha256()
    for name, values in sorted(model.state_dict().items()):
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()
