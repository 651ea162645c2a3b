"""The site builds without a warning, and its reference holds what the packages define."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(find_spec("mkdocs") is None or shutil.which("make") is None, reason="needs mkdocs and make")
def test_the_site_builds_without_a_warning(tmp_path):
    subprocess.run(["make", "types"], cwd=ROOT, check=True, capture_output=True)
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # an announcement of the theme's makers
    done = subprocess.run(build, cwd=ROOT, env=quiet, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    reference = (tmp_path / "api" / "modeling_wae_rnf" / "index.html").read_text(encoding="utf-8")
    for name in ("WaeRnfConfig", "WaeRnfModel.encode", "PlanarFlow.inverse", "mmd"):
        assert f".{name}" in reference, name
    assert "](../" not in (tmp_path / "training" / "index.html").read_text(encoding="utf-8")
