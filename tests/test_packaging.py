"""The package as it is installed and as it goes to the Hub."""

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import entry_points, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
MODEL_FILES = sorted((ROOT / "modeling_wae_rnf").glob("*.py"))


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: path.name)
def test_model_files_import_torch_and_transformers_alone(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert all(name.name.split(".")[0] in ("torch", "math", "warnings") for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1, "the folder is flat"
            assert node.module, "`from . import name` cannot be copied to the Hub"
        elif isinstance(node, ast.ImportFrom):
            assert node.module.split(".")[0] in ("torch", "transformers", "contextlib", "dataclasses", "functools")


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
        if requirement.marker is None:  # no extra
            assert sorted(part.operator for part in requirement.specifier) == ["<", ">="], requirement


def test_text_metrics_are_built_and_load_from_there(tmp_path):
    built = tmp_path / "built"
    build = [sys.executable, "setup.py", "-q", "build_py", "-d", str(built)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    metrics = ROOT / "training" / "text_metrics"
    names = {path.relative_to(metrics) for path in metrics.rglob("*.py")}
    assert names
    assert {path.relative_to(built) for path in built.rglob("*/text_metrics/*/*.py")} == {
        Path("training_wae_rnf", "text_metrics") / name for name in names
    }
    script = "from training_wae_rnf import text_quality as t; print(t.__file__, t.sample_quality(['a b']))"
    environment = os.environ | {"PYTHONPATH": str(built), "HF_HOME": str(tmp_path / "cache")}
    printed = subprocess.check_output(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, text=True, timeout=240
    )
    assert printed.startswith(str(built))
    assert "'distinct_2': 1.0" in printed
