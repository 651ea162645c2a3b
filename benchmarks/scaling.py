"""An epoch through the real command over 1, 2, 4 and 8 times one corpus: seconds and memory."""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wae_rnf.commands.train import train

from .generated_batches import SIZES, TINY, Sizes
from .subprocesses import output_of, peak_mb
from .text import write_corpus
from .timing import Figures

SENTENCES = 2_500
COPIES = (1, 2, 4, 8)
QUICK = {"sentences": 40, "sizes": TINY["ptb"], "copies": (1, 2)}


def measure(sentences: int = SENTENCES, sizes: Sizes = SIZES["ptb"], copies: Sequence[int] = COPIES) -> Figures:
    """{copies: {tokens, seconds, tokens_per_second, peak_memory_mb}}.

    Args:
        sentences: of the training split, of which there are copies.
        sizes: of the vocabulary and the sentences.
        copies: how many of them.
    """
    return {str(count): train_once(sentences, sizes, count) for count in copies}


def train_once(sentences: int, sizes: Sizes, copies: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        tokens = write_corpus(folder, sentences, sizes, copies)
        options = {
            "dataset": folder,
            "output_dir": str(Path(folder, "run")),
            "system": "wae",
            "num_epochs": 1,
            "eval_iwae_samples": 1,
            "eval_max_sentences": 32,
            "max_words": sizes.longest - 1,
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        memory = float(output_of("benchmarks.scaling", *flags).splitlines()[-1])
        seconds = json.loads(Path(folder, "run", "run.json").read_text(encoding="utf-8"))["training"]["seconds"]
    return {
        "tokens": tokens,
        "seconds": seconds,
        "tokens_per_second": tokens / max(seconds, 0.1),  # seconds are rounded to a tenth
        "peak_memory_mb": memory,
    }


if __name__ == "__main__":
    train(sys.argv[1:])
    print(peak_mb())
