"""Who may import whom, read from the sources; and how large a package may be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# each package, and those that it may import besides itself
MAY_IMPORT = {
    "modeling_wae_rnf": set(),
    "tokenization": set(),
    "evaluation": {"modeling_wae_rnf", "tokenization"},
    "training": {"modeling_wae_rnf", "tokenization", "evaluation"},
    "text": {"modeling_wae_rnf", "tokenization", "evaluation"},
    "sharing": {"modeling_wae_rnf", "tokenization", "evaluation", "text"},
    "reproduction": {"modeling_wae_rnf", "tokenization", "evaluation", "training"},
    "commands": {"modeling_wae_rnf", "tokenization", "evaluation", "training", "text", "sharing", "reproduction"},
    "public": set(),  # it imports by name, when it is asked
}
# what the network's files may import: the two libraries that it runs on, and Python's own
NETWORK = {
    "torch",
    "transformers",
    "__future__",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "functools",
    "inspect",
    "math",
    "os",
    "types",
    "typing",
    "warnings",
}


def imports(path, package):
    """Every module that a file imports, in functions too: [(line, absolute name)]."""
    here = [*package.split("."), *path.relative_to(ROOT / package.split(".")[-1]).with_suffix("").parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: -node.level] if node.level else []
            yield node.lineno, ".".join([*base, *(node.module or "").split(".")]).strip(".")


def own_package(module):
    """The folder of a module of ours; None for one of a library."""
    root, *rest = module.split(".")
    if root == "wae_rnf":
        return rest[0] if rest and rest[0] in MAY_IMPORT else "public"
    return root if root in MAY_IMPORT else None


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_direction_of_imports(package):
    name = package if package == "modeling_wae_rnf" else f"wae_rnf.{package}"
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    for path in paths:
        for line, module in imports(path, name):
            found = own_package(module)
            assert found in MAY_IMPORT[package] | {package, None}, f"{path.relative_to(ROOT)}:{line} imports {module}"


def test_the_network_imports_torch_and_transformers_alone_and_flatly():
    for path in (ROOT / "modeling_wae_rnf").rglob("*.py"):
        assert path.parent.name == "modeling_wae_rnf", "the folder is flat"
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1
                assert node.module, "`from . import name` cannot be copied to the Hub"
            elif isinstance(node, ast.ImportFrom):
                assert node.module.split(".")[0] in NETWORK, f"{path.name}:{node.lineno}"
            elif isinstance(node, ast.Import):
                assert all(name.name.split(".")[0] in NETWORK for name in node.names), f"{path.name}:{node.lineno}"


def test_no_package_holds_more_than_a_quarter_of_the_lines_and_the_network_not_a_third():
    lines = {
        package: sum(len(path.read_text().splitlines()) for path in (ROOT / package).rglob("*.py"))
        for package in MAY_IMPORT
    }
    total, network = sum(lines.values()), lines.pop("modeling_wae_rnf")  # where every system's parts are
    assert max(lines.values()) <= total / 4, lines
    assert network <= total / 3, network


def test_a_forbidden_import_is_seen(tmp_path, monkeypatch):
    """The reader of imports finds each of their forms."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "evaluation").mkdir()
    path = tmp_path / "evaluation" / "module.py"
    path.write_text(
        "import wae_rnf.training.run\nfrom wae_rnf.training import run\nfrom .metrics import FORMAT\nimport torch\n"
        "def function():\n    from wae_rnf.commands.main import main\n    from ..training import run\n"
    )
    found = {line: own_package(module) for line, module in imports(path, "wae_rnf.evaluation")}
    assert found == {1: "training", 2: "training", 3: "evaluation", 4: None, 6: "commands", 7: "training"}
