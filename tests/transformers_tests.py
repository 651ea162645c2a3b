"""Where Transformers' own common tests are: in its source distribution, which the wheel leaves out.

The tests of the installed version are looked for in this order:

1. in the folder that WAE_RNF_TRANSFORMERS_TESTS names, `tests/` of a checkout of the library;
2. in the cache, `~/.cache/wae-rnf/transformers-VERSION/` (XDG_CACHE_HOME is honoured);
3. in the source distribution on the package index, which pip brings into that cache.

A source distribution has the files `tests/test_*.py` alone. What they import from folders beside them, the mixins of
generation and of exporting, then has an empty class in its place: those tests need a checkout.
"""

import contextlib
import importlib
import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import transformers

PACKAGE = "tests_of_transformers"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
# What the files of a source distribution import from folders that it leaves out.
LEFT_OUT = {
    "generation.test_utils": {"GenerationTesterMixin": type("GenerationTesterMixin", (), {})},
    "exporters.test_export": {"ExportTesterMixin": type("ExportTesterMixin", (), {})},
    "utils.test_configuration_utils": {
        "config_common_kwargs": {
            "return_dict": False,
            "output_hidden_states": True,
            "dtype": "float16",
            "chunk_size_feed_forward": 5,
            "architectures": ["SomeModel"],
            "id2label": {0: "label"},
            "label2id": {"label": 0},
            "problem_type": "regression",
        }
    },
}


def import_tests(name):
    """A module of the tests of the installed Transformers; what imports it is skipped where it cannot be had.

    Args:
        name: below `tests/`, for example "test_modeling_common" or "generation.test_utils".

    Returns:
        the module, named `tests_of_transformers.NAME`.
    """
    folder, fault = find_folder()
    if fault:
        pytest.skip(f"no tests of Transformers {transformers.__version__}: {fault}", allow_module_level=True)
    if not (folder / f"{name.replace('.', '/')}.py").exists():
        reason = f"{folder} has no {name}; set WAE_RNF_TRANSFORMERS_TESTS to tests/ of a checkout of Transformers"
        pytest.skip(reason, allow_module_level=True)
    _add_package(PACKAGE, folder)
    for missing, content in LEFT_OUT.items():
        if not (folder / f"{missing.replace('.', '/')}.py").exists():
            _add_package(f"{PACKAGE}.{missing.split('.')[0]}", folder / missing.split(".")[0])
            module = sys.modules.setdefault(f"{PACKAGE}.{missing}", ModuleType(f"{PACKAGE}.{missing}"))
            vars(module).update(content)
    return importlib.import_module(f"{PACKAGE}.{name}")


@cache
def find_folder():
    """The folder `tests/` and no fault, or None and a sentence that says why it cannot be had."""
    given = os.environ.get("WAE_RNF_TRANSFORMERS_TESTS")
    if given and not Path(given, "test_modeling_common.py").exists():
        return None, f"WAE_RNF_TRANSFORMERS_TESTS is {given}, which has no test_modeling_common.py"
    if given:
        return Path(given), None
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = caches / "wae-rnf" / f"transformers-{transformers.__version__}"
    try:
        if not (home / "tests").exists():
            _download(home)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    if importlib.util.find_spec("parameterized") is None:
        sys.path.append(str(home / "packages"))
    return home / "tests", None


def _download(home):
    """Makes the folder of the cache: `tests/`, and `packages/` with what the tests import and may not be installed."""
    home.parent.mkdir(parents=True, exist_ok=True)
    wanted = f"transformers=={transformers.__version__}"
    with tempfile.TemporaryDirectory(dir=home.parent, prefix="new-") as new:
        _run([*PIP, "download", "--no-deps", "--no-binary", "transformers", "--dest", new, wanted])
        _run([*PIP, "install", "--no-deps", "--target", f"{new}/content/packages", "parameterized"])
        with tarfile.open(next(Path(new).glob("*.tar.gz"))) as archive:
            members = [member for member in archive if Path(member.name).parts[1:2] == ("tests",) and member.isfile()]
            for member in members:
                member.name = str(Path(*Path(member.name).parts[1:]))
            archive.extractall(f"{new}/content", members, filter="data")
        Path(new, "content", "tests", "__init__.py").touch()
        with contextlib.suppress(OSError):  # another process was first
            os.rename(f"{new}/content", home)
    if not (home / "tests").exists():
        raise OSError(f"{home} cannot be written")


def _run(command):
    done = subprocess.run(command, text=True, capture_output=True, timeout=300)
    if done.returncode:
        raise OSError(f"pip cannot bring them ({done.stderr.strip().splitlines()[-1]})")


def _add_package(name, folder):
    package = sys.modules.setdefault(name, ModuleType(name))
    package.__path__ = [str(folder)]
