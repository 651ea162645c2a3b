"""The lowest, or the newest, releases that setup.py allows, as lines for pip.

    python .ci/bounds.py lowest > requirements-lowest.txt

Run it where the package is installed. torch is the pinned one in both: a range may pull gigabytes of CUDA.
"""

import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

PINS = Path(__file__).parent.parent / "requirements.txt"
TOOLS = ("torch", "pytest", "pytest-xdist", "hypothesis")  # as pinned, whatever the releases under test


def main():
    if sys.argv[1:] not in (["lowest"], ["newest"]):
        sys.exit(f"usage: {sys.argv[0]} lowest|newest")
    pins = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line.split("==")[0] in TOOLS]
    needed = [Requirement(text) for text in requires("wae-rnf")]
    needed = [part for part in needed if part.marker is None and part.name not in TOOLS]
    print("\n".join([*pins, *(lowest(part) if sys.argv[1] == "lowest" else str(part) for part in needed)]))


def lowest(requirement):
    (bound,) = [part.version for part in requirement.specifier if part.operator == ">="]
    return f"{requirement.name}=={bound}"


if __name__ == "__main__":
    main()
