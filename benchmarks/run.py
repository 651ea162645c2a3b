"""`make bench`: measures everything, or what is named, and writes results/benchmarks/*.json and README.md."""

import argparse
import json
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from rich.console import Console

from wae_rnf.evaluation.provenance import note_commit, provenance

from .page import README, RESULTS, report
from .timing import Figures

PARTS = (
    "training_step", "importance_weighting", "evaluation", "generation", "decoders", "embedding", "geodesics", "text",
    "scaling", "alternatives", "memory",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures the parts; writes a JSON file for each, and the page once there is one of every part.

    Args:
        arguments: of the command line; those of the program when None.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description="Speed and memory beside a plain implementation and the floor of the matrix products.",
        epilog="Example: python -m benchmarks.run training_step generation",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that all of it runs; needs --output")
    parser.add_argument(
        "--output", metavar="FOLDER", help="for JSON files and page; results/benchmarks and benchmarks by default"
    )
    options = parser.parse_args(arguments)
    parts = options.parts or PARTS
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; choose of {', '.join(PARTS)}")
    if options.quick and options.output is None:
        parser.error("--quick gives no figures worth keeping; name a folder for them with --output")
    results, page = (RESULTS, README) if options.output is None else places(Path(options.output))
    note_commit()
    results.mkdir(parents=True, exist_ok=True)
    console = Console()
    for part in parts:
        console.print(f"[bold]{part}")
        figures = measure(part, options.quick)
        (results / f"{part}.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        console.print_json(data=figures)
    write_page(results, page, console)


def write_page(results: Path, page: Path, console: Console) -> None:
    """Writes the page, once there are figures of every part."""
    if missing := [part for part in PARTS if not (results / f"{part}.json").exists()]:
        console.print(f"No page yet: {', '.join(missing)} not measured.")
        return
    page.write_text(report(results), encoding="utf-8")
    console.print(f"Written to {page}.")


def places(folder: Path) -> tuple[Path, Path]:
    return folder, folder / README.name


def measure(part: str, quick: bool) -> Figures:
    """A part's figures, and where they come from."""
    module, start = import_module(f"benchmarks.{part}"), time.perf_counter()
    figures = module.measure(**(module.QUICK if quick else {}))
    return figures | provenance("cpu", seed=0, seconds=time.perf_counter() - start)


if __name__ == "__main__":
    main()
