"""`make bench-peers`: the training loops of other libraries and ours, by turns, on the Penn Treebank."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from tqdm import tqdm

from wae_rnf.evaluation.provenance import note_commit, provenance

from .page import README, RESULTS
from .run import write_page
from .subprocesses import ROOT
from .timing import Figures

STEPS, ROUNDS = 60, 3
# {name: (where it is cloned from, commit)}; nothing of them belongs to this repository
SOURCES = {
    "the authors' code": ("https://github.com/kingofspace0wzz/wae-rnf-lm", "2abcf01"),
    "text-autoencoders": ("https://github.com/shentianxiao/text-autoencoders", "ef7a210"),
    "vae-lagging-encoder": ("https://github.com/jxhe/vae-lagging-encoder", "cdc4eb9"),
}
OURS = ("ours, vae", "ours, wae-rnf")
SPLITS = ("train.txt", "valid.txt", "test.txt")


def main(arguments: Sequence[str] | None = None) -> None:
    """Clones what is missing, measures all, writes results/benchmarks/peers.json.

    Args:
        arguments: of the command line; those of the program when None.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description="Training through the loops of other libraries and through ours, by turns.",
        epilog="Example: python -m benchmarks.peers data/ptb",
    )
    parser.add_argument("corpus", help="folder with the Penn Treebank's train.txt, valid.txt and test.txt")
    parser.add_argument("--folder", default="peers", help="where the libraries are cloned to (default: peers)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"steps that are timed (default: {STEPS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often each has its turn (default: {ROUNDS})")
    parser.add_argument("--threads", type=int, default=1, help="threads of each (default: 1)")
    parser.add_argument("--output", default=str(RESULTS / "peers.json"), help="file of the figures")
    options = parser.parse_args(arguments)
    if missing := [name for name in SPLITS if not Path(options.corpus, name).is_file()]:
        parser.error(f"{options.corpus} has no {missing[0]}")
    if min(options.steps, options.rounds, options.threads) < 1:
        parser.error("--steps, --rounds and --threads must be at least 1")
    note_commit()
    start, console = time.perf_counter(), Console()
    try:
        libraries = {name: clone(Path(options.folder), *source) for name, source in SOURCES.items()}
        figures = measure(libraries, Path(options.corpus).resolve(), options.steps, options.rounds, options.threads)
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or [f"it ended with {error.returncode}"]
        parser.error(f"{' '.join(error.cmd)} failed: {said[-1]}")
    except OSError as error:
        parser.error(str(error))
    figures |= provenance("cpu", seed=0, seconds=time.perf_counter() - start)
    Path(options.output).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console.print_json(data=figures)
    console.print(f"Written to {options.output}.")
    if Path(options.output).resolve() == RESULTS / "peers.json":
        write_page(RESULTS, README, console)


def clone(folder: Path, url: str, commit: str) -> Path:
    """A library's folder at a commit, cloned where it is not there yet.

    Raises:
        subprocess.CalledProcessError: git could not.
    """
    path = (folder / url.rpartition("/")[2]).resolve()
    cloning = [] if path.exists() else [["git", "clone", "--quiet", url, str(path)]]
    for command in (*cloning, ["git", "-C", str(path), "checkout", "--quiet", commit]):
        subprocess.run(command, check=True, capture_output=True, text=True)
    return path


def measure(libraries: dict[str, Path], corpus: Path, steps: int, rounds: int, threads: int) -> Figures:
    """{"loops": {name: medians}, "ratio": {name: ours, vae, in its tokens per second}}.

    Args:
        libraries: {name: folder} of other loops than ours.
        corpus: the Penn Treebank.
        steps: of each turn that are timed.
        rounds: how often each has its turn.
        threads: of each.
    """
    folders = dict.fromkeys(OURS, ROOT) | libraries
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in folders}
    for _ in range(rounds):
        for name, folder in tqdm(folders.items(), "loops", leave=False):
            turns[name].append(run_loop(name, folder, corpus, steps, threads))
    loops = {name: medians(found) for name, found in turns.items()}
    speed = {name: found["tokens_per_second"] for name, found in loops.items()}
    return {
        "steps": steps,
        "rounds": rounds,
        "threads": threads,
        "loops": loops,
        "tokens_per_second_of_each_turn": {
            name: [turn["tokens_per_second"] for turn in found] for name, found in turns.items()
        },
        "ratio": {name: speed[OURS[0]] / value for name, value in speed.items()},
    }


def run_loop(name: str, folder: Path, corpus: Path, steps: int, threads: int) -> dict[str, Any]:
    """The figures of one turn, in a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", "benchmarks.peer_loop", name, str(folder), str(corpus), str(steps)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def medians(turns: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The median of each figure that is known."""
    known = [name for name, value in turns[0].items() if value is not None]
    return {name: statistics.median(turn[name] for turn in turns) for name in known}


if __name__ == "__main__":
    main()
