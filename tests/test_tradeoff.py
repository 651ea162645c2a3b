"""`wae-rnf tradeoff`: a row a weight beside the language model, and the curve that the figures give."""

import json

import pytest
from matplotlib.figure import Figure

from wae_rnf.commands.main import main
from wae_rnf.reproduction.arguments import TradeoffArguments, rows_of
from wae_rnf.reproduction.corpus_report import write_report

SETTINGS = "embedding_size: 12\nhidden_size: 12\nlatent_size: 4\nbatch_size: 8\n"


def test_rows_are_of_the_weights():
    rows = rows_of(TradeoffArguments(system="vae", kl_weights=[0.5, 0.02]), {"hidden_size": 8})
    assert rows == {
        "lstm-lm": {"system": "lstm-lm", "hidden_size": 8},
        "kl_weight_0.5": {"system": "vae", "kl_weight": 0.5, "hidden_size": 8},
        "kl_weight_0.02": {"system": "vae", "kl_weight": 0.02, "hidden_size": 8},
    }


def test_the_command_draws_the_curve(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "text").mkdir()
    for split in ("train", "valid", "test"):
        (tmp_path / "text" / f"{split}.txt").write_text("the cat sat\na dog ran fast\nrain fell all day long\n" * 5)
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    argv = ["tradeoff", "--dataset", "text", "--config", "settings.yaml", "--kl_weights", "1", "0.1"]
    assert main([*argv, "--max_steps", "3", "--iwae_samples", "2", "--num_samples", "20"]) == 0
    folder = tmp_path / "results" / "tradeoff" / "text"
    assert (folder / "tradeoff.png").read_bytes().startswith(b"\x89PNG")
    assert "![Tradeoff](tradeoff.png)" in (folder / "README.md").read_text()
    assert "results/tradeoff/text/README.md" in capsys.readouterr().out

    drawn = {}
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: drawn.update({path.name: figure}))
    write_report(folder)
    language_model, curve = drawn["tradeoff.png"].axes[0].lines
    found = {name: json.loads((folder / f"{name}.json").read_text())
             for name in ("lstm-lm", "kl_weight_0.1", "kl_weight_1")}  # fmt: skip
    perplexities = [metrics["reproduction"]["perplexities"]["forward_ppl"] for metrics in found.values()]
    bleu = [metrics["text"]["reconstructions"]["bleu"] for name, metrics in found.items() if name != "lstm-lm"]
    assert language_model.get_ydata()[0] == pytest.approx(perplexities[0])
    assert [*curve.get_xdata()] == pytest.approx(bleu)  # 0.1 before 1
    assert [*curve.get_ydata()] == pytest.approx(perplexities[1:])


def test_a_weight_that_cannot_be(capsys):
    assert main(["tradeoff", "--kl_weights", "-1"]) == 2
    assert "--kl_weight must not be negative" in capsys.readouterr().err
