"""The package as it is installed and as it goes to the Hub."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import entry_points, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent


def test_command_is_installed():
    (command,) = entry_points(group="console_scripts", name="wae-rnf")
    assert command.load()(["--version"]) == 0


def test_pins_are_exact_and_within_the_bounds():
    pins = {}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(r"[\w-]+==[\w.]+", line), line
            name, pinned = line.split("==")
            pins[name] = pinned
    assert pins["torch"] == "2.13.0"
    for requirement in map(Requirement, requires("wae-rnf")):
        assert requirement.specifier.contains(pins[requirement.name]), requirement
        if Path(sys.prefix) == ROOT / ".venv":  # the other environments are of the bounds, see .ci/bounds.py
            assert version(requirement.name).split("+")[0] == pins[requirement.name], "the tests run with the pins"


def test_what_is_installed_is_within_the_bounds():
    for requirement in map(Requirement, requires("wae-rnf")):
        if requirement.marker is None:  # no extra
            assert requirement.specifier.contains(version(requirement.name)), requirement


def test_every_bound_is_closed():
    for requirement in map(Requirement, requires("wae-rnf")):
        if requirement.marker is None or not requirement.marker.evaluate({"extra": "dev"}):
            assert sorted(part.operator for part in requirement.specifier) == ["<", ">="], requirement


def test_every_module_is_built(tmp_path):
    """`setup.py` names each folder of modules; one that it forgets would be missing where the package is installed."""
    built = tmp_path / "built"
    build = [sys.executable, "setup.py", "-q", "build_py", "-d", str(built)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    for package in ("tokenization", "evaluation", "training", "text", "sharing", "reproduction", "commands"):
        sources = {path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py")}
        found = {path.relative_to(built / "wae_rnf") for path in (built / "wae_rnf" / package).rglob("*.py")}
        assert found == sources
        assert sources


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The source distribution of a copy of this checkout, unpacked, with the copy it was made of."""
    folder = tmp_path_factory.mktemp("sdist")
    outputs = ("build", "dist", "runs", "data", "site")
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.pyc", "*.egg-info", *outputs)
    shutil.copytree(ROOT, folder / "copy", ignore=left_out)
    build = [sys.executable, "setup.py", "-q", "sdist", "-d", str(folder)]
    subprocess.run(build, cwd=folder / "copy", check=True, capture_output=True, timeout=240)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    shutil.rmtree(next((folder / "copy").glob("*.egg-info")))  # the build's own
    return folder / "copy", next((folder / "unpacked").iterdir())


def test_the_source_distribution_holds_every_file(unpacked):
    copy, found = ({path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} for folder in unpacked)
    assert {Path("tests/conftest.py"), Path("tests/golden/models/wae-rnf/model.safetensors")} <= found
    assert copy <= found, sorted(copy - found)


@pytest.mark.slow
def test_tests_run_in_the_source_distribution(unpacked, tmp_path):
    built = tmp_path / "built"
    build = [sys.executable, "setup.py", "-q", "build_py", "-d", str(built)]
    subprocess.run(build, cwd=unpacked[1], check=True, capture_output=True, timeout=240)
    files = [
        f"tests/test_{name}.py" for name in ("golden_models", "metric", "findings", "document_tables", "tokenizer")
    ]
    environment = os.environ | {"PYTHONPATH": str(built), "HF_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *files], cwd=unpacked[1], env=environment, text=True, capture_output=True,
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
