"""The programs that read results/ run, each into a folder of its own."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from wae_rnf.evaluation.metrics import SplitMetrics
from wae_rnf.evaluation.schema import problems, unknown_keys
from wae_rnf.evaluation.toy_quality import likeliest_attributes
from wae_rnf.reproduction import bfloat16, document_tables, text_session

ROOT = Path(__file__).parent.parent


def run(module, *arguments, monkeypatch):
    """`python -m MODULE ARGUMENTS`."""
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(sys, "argv", [module, *map(str, arguments)])
    runpy.run_module(module, run_name="__main__")


def test_findings(tmp_path, monkeypatch):
    run("wae_rnf.reproduction.findings", "--output", tmp_path / "docs", monkeypatch=monkeypatch)
    written = {path.name: path.read_bytes() for path in (tmp_path / "docs").iterdir()}
    assert written.keys() == {"findings.md", "published_protocol.png", "ablation.png"}
    assert written["findings.md"] == (ROOT / "docs" / "findings.md").read_bytes()
    assert all(written[name].startswith(b"\x89PNG") for name in written.keys() - {"findings.md"})


def test_tables(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    for name, sections in document_tables.SECTIONS.items():
        marks = ["\nold\n".join(document_tables.marks(section)) for section in sections]
        (tmp_path / name).write_text("\n".join(["before", *marks, "after"]) + "\n")
    program = "wae_rnf.reproduction.document_tables"
    with pytest.raises(SystemExit, match="run `make readme`"):
        run(program, "--check", "--root", tmp_path, monkeypatch=monkeypatch)
    run(program, "--root", tmp_path, monkeypatch=monkeypatch)
    for name, sections in document_tables.SECTIONS.items():
        text = (tmp_path / name).read_text(encoding="utf-8")
        for begin, end in map(document_tables.marks, sections):
            section = text.partition(begin)[2].partition(end)[0]
            assert section in (ROOT / name).read_text(encoding="utf-8")
            assert section.strip() != "old"
        assert (text.startswith("before\n"), text.endswith("after\n")) == (True, True)
    run(program, "--check", "--root", tmp_path, monkeypatch=monkeypatch)


def test_precision(trained_directory, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", trained_directory.parent / "cache")
    monkeypatch.setattr(bfloat16, "SAMPLES", 2)
    bfloat16.main([str(trained_directory), "--output", str(tmp_path / "precision.json")])
    content = json.loads((tmp_path / "precision.json").read_text())
    (compared,) = content["runs"]
    for precision in bfloat16.PRECISIONS:
        assert list(problems(compared[precision], SplitMetrics)) == []
        assert list(unknown_keys(compared[precision], SplitMetrics)) == []
    assert (compared["dataset"], compared["system"]) == ("corpus", "wae-rnf")
    single, half = (compared[name]["pushforward"]["elbo"]["nll"] for name in bfloat16.PRECISIONS)
    record = json.loads((trained_directory / "metrics.json").read_text())
    assert single == pytest.approx(record["pushforward"]["elbo"]["nll"], rel=0.2)  # of three samples
    assert half == pytest.approx(single, rel=0.05)


def test_figures(tmp_path, monkeypatch):
    run("wae_rnf.reproduction.geometry_figures", "--output", tmp_path / "docs", monkeypatch=monkeypatch)
    written = {path.name: path.read_bytes() for path in (tmp_path / "docs").iterdir()}
    assert written.keys() == {"latent_hole.png", "latent_plane.png"}
    assert all((ROOT / "docs" / name).exists() and image.startswith(b"\x89PNG") for name, image in written.items())


def test_text_session(tmp_path, monkeypatch):
    command = 'wae-rnf nearest runs/toy --corpus past.txt -k 1 "the cat"'
    monkeypatch.setattr(text_session, "COMMANDS", (command,))
    monkeypatch.setattr(text_session, "RESULT", tmp_path / "session.json")
    text_session.main([str(ROOT / "tests" / "golden" / "models" / "vae")])
    (part,) = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))["session"]
    assert part["command"] == command
    assert "cosine similarity of the latents\nthe cat\n" in part["output"]
    assert text_session.session_section() == f"```\n$ {command}\n{part['output'].rstrip()}\n```"
    with pytest.raises(SystemExit, match="nowhere is not a model directory"):
        text_session.main(["nowhere"])


def test_examples_of_the_session_are_of_their_tense(tmp_path):
    text_session.write_examples(tmp_path)
    for tense in ("past", "present"):
        sentences = (tmp_path / f"{tense}.txt").read_text().splitlines()
        assert len(sentences) == text_session.EXAMPLES
        found = [likeliest_attributes(sentence)["tense"] for sentence in sentences[:100]]
        assert found.count(tense) > 90
