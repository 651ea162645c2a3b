"""The lowest, or the newest, releases that setup.py allows, as lines for pip.

    python .ci/bounds.py lowest > requirements-lowest.txt

Run it where the package is installed. torch is the pinned one in both: a range may pull gigabytes of CUDA.
"""

import sys
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

PINS = Path(__file__).parent.parent / "requirements.txt"
EXTRAS = ("demo", "onnx", "sentence-transformers")
TOOLS = ("torch", "pytest", "pytest-xdist", "hypothesis")  # as pinned, whatever the releases under test


def main():
    if sys.argv[1:] not in (["lowest"], ["newest"]):
        sys.exit(f"usage: {sys.argv[0]} lowest|newest")
    pins = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line.split("==")[0] in TOOLS]
    needed = [part for part in map(Requirement, requires("wae-rnf")) if is_tested(part) and part.name not in TOOLS]
    print("\n".join([*pins, *(lowest(part) if sys.argv[1] == "lowest" else newest(part) for part in needed)]))


def is_tested(requirement):
    """Whether it is one of the package, or of an extra that users install."""
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": name}) for name in EXTRAS)


def lowest(requirement):
    (bound,) = [part.version for part in requirement.specifier if part.operator == ">="]
    return f"{requirement.name}=={bound}"


def newest(requirement):
    return f"{requirement.name}{requirement.specifier}"


if __name__ == "__main__":
    main()
