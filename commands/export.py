"""The subcommand `export`: a trained model as ONNX files, with all that a runtime without PyTorch needs."""

import logging
import os
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from wae_rnf.training.centres_from import add_model_dir
from wae_rnf.training.option_parser import OptionParser

DESCRIPTION_FILE = "model.json"


def export(argv):
    """export: encoder, decoder, tokenizer and sizes into a folder."""
    parser = OptionParser(
        prog="wae-rnf export",
        description="Write a trained model as ONNX files in single precision: encoder.onnx, decoder_start.onnx, "
        f"decoder_step.onnx, with tokenizer.json and {DESCRIPTION_FILE}. A language model has no encoder.",
        epilog="Example: wae-rnf export runs/toy runs/toy-onnx",
    )
    add_model_dir(parser)
    parser.add_argument("folder", metavar="FOLDER", help="a new or empty folder for the files")
    options = parser.parse_args(argv)
    folder = Path(options.folder)
    if missing := [name for name in ("onnx", "onnxscript") if find_spec(name) is None]:
        raise ValueError(f"export needs {' and '.join(missing)}: pip install wae-rnf[onnx]")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists; name a new or empty folder")

    from wae_rnf.evaluation.model_directory import load_model

    model, tokenizer = load_model(options.model_dir)
    for name in write_export(model, tokenizer, folder):
        print(folder / name)


def write_export(model, tokenizer, folder):
    """Writes the files; each aside first, so that none is ever cut short.

    Args:
        model: a [`WaeRnfModel`] in evaluation mode; weights in half precision are made single.
        tokenizer: the model's.
        folder: a `Path`, created if there is none.

    Returns:
        the files' names.
    """
    from wae_rnf.sharing.onnx_export import export_onnx
    from wae_rnf.training.run_directory import write_json

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".new-") as aside, quiet():
        files = export_onnx(model.float(), aside)
        tokenizer.backend_tokenizer.save(str(Path(aside, "tokenizer.json")))
        write_json(Path(aside, DESCRIPTION_FILE), description(model))
        files += ["tokenizer.json", DESCRIPTION_FILE]
        for name in files:
            os.replace(Path(aside, name), folder / name)
    return files


def description(model):
    """What a runtime has to know beside the files: sizes, special tokens, how sentences begin, end and are bounded."""
    config, generation = model.config, model.generation_config
    names = ("vocab_size", "latent_size", "hidden_size", "posterior", "kappa", "max_words")
    tokens = ("pad_token_id", "bos_token_id", "eos_token_id", "unk_token_id")
    found = {name: getattr(config, name) for name in (*names, *tokens)}
    return found | {"suppress_tokens": generation.suppress_tokens or []}


@contextmanager
def quiet():
    """Within it the exporter keeps its warnings about itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        yield
    logger.setLevel(level)
