"""The subcommand `export`: a trained model as ONNX files, with all that a runtime without PyTorch needs."""

from importlib.util import find_spec
from pathlib import Path

from wae_rnf.training.option_parser import OptionParser

from .model_argument import add_model_dir


def export(argv: list[str]) -> None:
    """export: encoder, decoder, tokenizer and sizes into a folder."""
    parser = OptionParser(
        prog="wae-rnf export",
        description="Write a trained model as ONNX files in single precision: encoder.onnx, decoder_start.onnx, "
        "decoder_step.onnx, with tokenizer.json and model.json. A language model has no encoder.",
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
    from wae_rnf.sharing.export_directory import write_export

    model, tokenizer = load_model(options.model_dir)
    for name in write_export(model, tokenizer, folder):
        print(folder / name)
