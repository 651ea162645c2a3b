"""Text to token ids, and the time until there is something to train on."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from .generated_batches import SIZES, TINY, Sizes
from .subprocesses import ROOT, output_of
from .timing import Figures

SENTENCES = 42_000  # as many as the Penn Treebank's training split has
ROUNDS = 3
HELP = "from wae_rnf.commands.main import main; main(['--help'])"
QUICK = {"sentences": 40, "sizes": TINY["ptb"], "rounds": 1}


def measure(sentences: int = SENTENCES, sizes: Sizes = SIZES["ptb"], rounds: int = ROUNDS) -> Figures:
    """Tokens a second of the first preparation, and seconds from a program's start.

    Args:
        sentences: of the training split.
        sizes: of the vocabulary and the sentences.
        rounds: how often a program is started; the quickest counts.
    """
    with tempfile.TemporaryDirectory() as folder:
        tokens = write_corpus(folder, sentences, sizes)
        first = float(output_of("benchmarks.open_corpus", "prepare", folder))
        prepared = min(seconds_to_first_batch(folder) for _ in range(rounds))
    return {
        "tokens": tokens,
        "tokens_per_second": tokens / first,
        "seconds_to_first_batch_of_a_prepared_corpus": prepared,
        "seconds_to_import_the_training_program": min(
            seconds_of("-c", "import wae_rnf.training.run") for _ in range(rounds)
        ),
        "seconds_of_help": min(seconds_of("-c", HELP) for _ in range(rounds)),
    }


def write_corpus(folder: str | Path, sentences: int, sizes: Sizes, copies: int = 1) -> int:
    """train.txt, valid.txt and test.txt of these sizes; returns the scored tokens of train.txt."""
    rng = np.random.default_rng(0)
    counts = {"train": sentences, "valid": 200, "test": 200}
    tokens = 0
    for split, count in counts.items():
        rows = sizes.sentences(count, rng)
        lines = [" ".join(f"w{word}" for word in ids[1:-1]) for ids in rows]
        if split == "train":
            lines, tokens = lines * copies, copies * sum(len(ids) - 1 for ids in rows)
        Path(folder, f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tokens


def seconds_to_first_batch(folder: str | Path) -> float:
    start = time.time()
    return float(output_of("benchmarks.open_corpus", "first_batch", folder)) - start


def seconds_of(*arguments: str) -> float:
    """Seconds of `python …`, from its start to its end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - start
