"""The package as it is installed and as it goes to the Hub."""

import ast
import re
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
            assert all(name.name.split(".")[0] in ("torch", "math") for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            assert node.level == 1, "the folder is flat"
            assert node.module, "`from . import name` cannot be copied to the Hub"
        elif isinstance(node, ast.ImportFrom):
            assert node.module.split(".")[0] in ("torch", "transformers", "dataclasses", "functools")


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
    needed = [Requirement(text) for text in requires("wae-rnf")]
    for requirement in needed:
        assert requirement.specifier.contains(pins[requirement.name]), requirement
        assert version(requirement.name).split("+")[0] == pins[requirement.name], "the tests run with the pins"
