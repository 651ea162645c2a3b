"""Trains WAE-RNF and WAE-NF on toy with several seeds, and measures the geometry of each: results/geometry/toy.

python -m wae_rnf.reproduction.geometry_seeds

What is finished is not made again, and a training that was stopped goes on. `make readme` writes the tables.
"""

import argparse
from pathlib import Path
from typing import Any

from wae_rnf.evaluation.geometry_directory import geometry_of_directory
from wae_rnf.evaluation.provenance import note_commit
from wae_rnf.tokenization.corpora import TOY
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.option_files import with_preset

from .arguments import LANGUAGE_MODEL
from .findings_geometry import WITH, WITHOUT
from .reproduce import finished_run

RUNS, RESULTS = Path("runs/geometry/toy"), Path("results/geometry/toy")
SEEDS, PAIRS, STEPS = 3, 200, 21


def run_of(runs: Path, system: str, seed: int, max_steps: int | None) -> Path:
    """The directory of a run that is finished, trained with the settings of `make train` where it was not."""
    directory = runs / f"{system}-{seed}"
    own: dict[str, Any] = {"preset": TOY, "dataset": TOY, "system": system, "seed": seed, "output_dir": str(directory)}
    if max_steps is not None:
        own["max_steps"] = max_steps
    finished_run(TrainArguments(**with_preset(own)))
    return directory


def result_of(results: Path, system: str, seed: int) -> Path:
    """The file of a run's figures.

    Examples:
        >>> result_of(Path("toy"), "wae-nf", 0).name, result_of(Path("toy"), "wae-nf", 2).name
        ('wae-nf.json', 'wae-nf-seed_2.json')
    """
    return results / (f"{system}-seed_{seed}.json" if seed else f"{system}.json")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=RUNS, help=f"Directory of the runs. (default: {RUNS})")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"Folder of the figures. (default: {RESULTS})")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"Number of seeds. (default: {SEEDS})")
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"Pairs of sentences. (default: {PAIRS})")
    parser.add_argument("--max_steps", type=int, help="Steps of a training at most, to see that all of it runs.")
    options = parser.parse_args(argv)
    note_commit()
    options.results.mkdir(parents=True, exist_ok=True)
    language_model = run_of(options.runs, LANGUAGE_MODEL, 0, options.max_steps)
    for seed in range(options.seeds):
        for system in (WITH, WITHOUT):
            directory = run_of(options.runs, system, seed, options.max_steps)
            path = result_of(options.results, system, seed)
            if path.exists():
                print(f"{path} is there already: it is left as it is")
                continue
            geometry_of_directory(
                str(directory), path, TOY, language_model=str(language_model), split="test", pairs=options.pairs,
                steps=STEPS, seed=0,
            )  # fmt: skip


if __name__ == "__main__":
    main()
