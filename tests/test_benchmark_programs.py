"""Every part of `make bench` runs to its end, at tiny sizes, and the page is written from what it measured."""

import contextlib
import io
import json
import math
import runpy
import shutil
import subprocess
import sys

import pytest

from benchmarks import memory, run, scaling, text, training_step
from benchmarks.subprocesses import ROOT
from wae_rnf.evaluation.provenance import provenance

ORIGIN = provenance("cpu", seed=0, seconds=0)


def run_here(module, *arguments):
    """What `python -m module …` prints, without starting a program: that takes seconds, these sizes do not."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr("sys.argv", [module, *map(str, arguments)])
        patch.delitem(sys.modules, module, raising=False)
        runpy.run_module(module, run_name="__main__")
    return printed.getvalue()


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The folder that `make bench` leaves behind, with tiny sizes."""
    folder = tmp_path_factory.mktemp("benchmarks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        for part in (memory, scaling, text, training_step):
            patch.setattr(part, "output_of", run_here)
        run.main(["--quick", "--output", str(folder / "results")])
    return folder / "results"


def numbers(figures):
    """All numbers of nested dictionaries."""
    if isinstance(figures, dict):
        return [number for value in figures.values() for number in numbers(value)]
    return [figures]


@pytest.mark.parametrize("part", run.PARTS)
def test_part_measures(part, measured):
    figures = json.loads((measured / f"{part}.json").read_text(encoding="utf-8"))
    found = numbers({name: value for name, value in figures.items() if name not in ORIGIN})
    assert found
    assert all(math.isfinite(number) for number in found)
    assert figures["versions"] == ORIGIN["versions"]


def test_curves_are_one(measured):
    curve = json.loads((measured / "training_step.json").read_text(encoding="utf-8"))["loss_curve"]
    assert curve["largest_relative_difference"] < 1e-3  # single precision


def test_page_has_a_row_for_each_part(measured):
    page = (measured / "README.md").read_text(encoding="utf-8")
    assert page.startswith("<!-- written by")
    for part in run.PARTS:
        assert f"\n| {part} | " in page


def test_page_without_a_checkout(measured, tmp_path):
    shutil.copytree(measured, tmp_path / "results")
    path = tmp_path / "results" / "text.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"commit": None}))
    assert "| text | `unknown` |" in run.report(tmp_path / "results")


def test_no_page_before_all_is_measured(tmp_path, capsys):
    run.main(["generation", "--quick", "--output", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["generation.json"]
    assert "No page yet: training_step" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["speed"], "there is no part 'speed'"), (["text", "--quick"], "name a folder for them with --output")],
)
def test_misuse_is_told_before_any_work(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        run.main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_program_starts_its_own_programs(tmp_path):
    command = [sys.executable, "-m", "benchmarks.run", "--quick", "--output", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=600)
    assert {path.name for path in tmp_path.iterdir()} == {"README.md", *(f"{part}.json" for part in run.PARTS)}
