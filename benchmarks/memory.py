"""Memory of training as the corpus grows: stored in Arrow files, and streamed."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from wae_rnf.tokenization.toy import corpus as toy

from .subprocesses import output_of
from .timing import Figures

SIZES = (100_000, 500_000, 2_000_000)  # sentences
SENTENCES = 20_000  # that are repeated
STEPS = 20
QUICK = {"sizes": (100,), "sentences": 100, "steps": 1}


def measure(sizes: Sequence[int] = SIZES, sentences: int = SENTENCES, steps: int = STEPS) -> Figures:
    """{"runs": {way: {sentences: {mebibytes, seconds}}}}.

    Args:
        sizes: sentences of the training split.
        sentences: how many different ones these repeat, but for a number at their end.
        steps: of each stage of training.
    """
    runs: dict[str, dict[str, dict[str, float]]] = {"stored": {}, "streamed": {}}
    with TemporaryDirectory() as folder:
        lines = [str(row["text"]) for row in toy.generate("train", sentences, seed=0)]
        for split in ("valid", "test"):
            Path(folder, f"{split}.txt").write_text("\n".join(lines[:500]))
        for size in sizes:
            with open(Path(folder, "train.txt"), "w") as file:
                for start in range(0, size, len(lines)):
                    # a vocabulary of 50,000 words and more, whatever the size
                    file.writelines(f"{line} {(start + number) % 50_000}\n" for number, line in enumerate(lines))
            for way in runs:
                printed = output_of("benchmarks.train_some_steps", folder, way, steps)
                most, seconds = printed.splitlines()[-1].split()
                runs[way][str(size)] = {"mebibytes": float(most), "seconds": float(seconds)}
    return {"runs": runs}
