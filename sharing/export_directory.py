"""A directory of ONNX files, with all that a runtime without PyTorch needs beside them."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.json_files import write_json

from .onnx_export import export_onnx

DESCRIPTION_FILE = "model.json"


def write_export(model: WaeRnfModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> list[str]:
    """Writes the files; each aside first, so that none is ever cut short.

    Args:
        model: a [`WaeRnfModel`] in evaluation mode; weights in half precision are made single.
        tokenizer: the model's.
        folder: a `Path`, created if there is none.

    Returns:
        the files' names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".new-") as aside, quiet():
        files = export_onnx(model.float(), aside)
        tokenizer.backend_tokenizer.save(str(Path(aside, "tokenizer.json")))
        write_json(Path(aside, DESCRIPTION_FILE), description(model))
        files += ["tokenizer.json", DESCRIPTION_FILE]
        for name in files:
            os.replace(Path(aside, name), folder / name)
    return files


def description(model: WaeRnfModel) -> dict[str, Any]:
    """What a runtime has to know beside the files: sizes, special tokens, how sentences begin, end and are bounded."""
    config, generation = model.config, model.generation_config
    names = ("vocab_size", "latent_size", "hidden_size", "posterior", "kappa", "max_words")
    tokens = ("pad_token_id", "bos_token_id", "eos_token_id", "unk_token_id")
    found = {name: getattr(config, name) for name in (*names, *tokens)}
    return found | {"suppress_tokens": generation.suppress_tokens or []}


@contextmanager
def quiet() -> Iterator[None]:
    """Within it the exporter keeps its warnings about itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        yield
    logger.setLevel(level)
