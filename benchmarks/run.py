"""`make bench`: measures everything, or what is named, and writes results/benchmarks/*.json and README.md."""

import argparse
import json
import time
from importlib import import_module

from rich.console import Console

from training_wae_rnf.provenance import commit, provenance

from .report import README, RESULTS, report

PARTS = ("training_step", "evaluation", "generation", "text", "scaling", "alternatives", "memory")


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description="Speed and memory beside a plain implementation and the floor of the matrix products.",
        epilog="Example: python -m benchmarks.run training_step generation",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parts = parser.parse_args().parts or PARTS
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; choose of {', '.join(PARTS)}")
    commit()  # of the code that runs, asked before the checkout can change
    RESULTS.mkdir(parents=True, exist_ok=True)
    console = Console()
    for part in parts:
        console.print(f"[bold]{part}")
        start = time.perf_counter()
        figures = import_module(f"benchmarks.{part}").measure()
        figures |= provenance("cpu", seed=0, seconds=time.perf_counter() - start)
        (RESULTS / f"{part}.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        console.print_json(data=figures)
    README.write_text(report(), encoding="utf-8")
    console.print(f"Written to {README}.")


if __name__ == "__main__":
    main()
