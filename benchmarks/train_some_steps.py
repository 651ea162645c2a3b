"""A program that `memory` measures: everything that training does, with few steps, on a corpus of any size."""

import contextlib
import sys
import threading
import time
from pathlib import Path

import datasets

from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run import train

EVERY = 0.02  # seconds between two looks


def anonymous() -> float:
    """MiB of this process's memory that no file backs: pages of Arrow files may go whenever they have to."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def main(folder: str, way: str, steps: int | str) -> None:
    """Trains on the sentences in `folder`; prints the most MiB, and the seconds.

    Args:
        folder: with train.txt, valid.txt and test.txt.
        way: "stored", in Arrow files, or "streamed".
        steps: of each stage.
    """
    most, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(EVERY):
            most[0] = max(most[0], anonymous())

    watcher = threading.Thread(target=watch)
    datasets.config.HF_DATASETS_CACHE = Path(folder, "cache")
    arguments = TrainArguments(
        dataset=folder, output_dir=str(Path(folder, f"{way}-{time.time()}")), streaming=way == "streamed",
        system="wae-rnf", max_steps=int(steps), embedding_size=32, hidden_size=32, eval_iwae_samples=2,
    )  # fmt: skip
    start = time.perf_counter()
    watcher.start()
    with contextlib.redirect_stdout(sys.stderr):
        train(arguments)
    done.set()
    watcher.join()
    print(most[0], time.perf_counter() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])
