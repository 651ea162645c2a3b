"""Evaluates trained models in bfloat16 and in single precision, with the same samples: results/bfloat16.json.

python -m wae_rnf.reproduction.bfloat16 runs/reproduce/ptb/wae-rnf runs/reproduce/toy/wae-rnf
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from wae_rnf.evaluation.evaluate_split import evaluate
from wae_rnf.evaluation.metrics import SplitMetrics
from wae_rnf.evaluation.metrics_files import write_record
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.evaluation.provenance import provenance
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.preparation import prepare

PRECISIONS = ("no", "bf16")
SAMPLES = 10
OUTPUT = Path("results", "bfloat16.json")  # of the checkout that this is run in


def in_both_precisions(directory: str | Path) -> dict[str, str | SplitMetrics]:
    """{"dataset", "system", precision: metrics} of one model directory on its test split."""
    options = read_run(directory)["options"]
    model, tokenizer = load_model(directory)
    corpus = load_corpus(options["dataset"], text_column=options.get("text_column"))
    test = prepare(corpus, tokenizer, max_words=model.config.max_words)["test"]
    found = {"dataset": Path(options["dataset"]).name, "system": options["system"]}
    for precision in PRECISIONS:
        with torch.autocast(model.device.type, torch.bfloat16, enabled=precision == "bf16"):
            metrics = evaluate(model, test, SAMPLES, progress=True)
        found[precision] = {name: value for name, value in metrics.items() if name != "of_sentences"}
    return found


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model_dir", nargs="+", help="directories that `wae-rnf train` left")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the file to write")
    options = parser.parse_args(argv)
    start, runs = time.perf_counter(), [in_both_precisions(directory) for directory in options.model_dir]
    write_record(options.output, {"runs": runs} | provenance("cpu", 0, time.perf_counter() - start))


if __name__ == "__main__":
    main()
