"""What a person sees of a training: lines of 80 columns, in which every column says something."""

import re

import pytest

from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.model_options import model_config
from wae_rnf.training.progress import columns_of, line
from wae_rnf.training.run import train
from wae_rnf.training.systems import SYSTEMS

from .small_runs import cut_after

WIDEST = {
    "epoch": 100, "epochs": 100, "loss": 1234.5678, "bound": -1234.5678, "kl": 1234.5678,
    "mutual_information": 1e-05, "units": "1024/1024", "learning_rate": 1.2345e-05, "seconds_left": 5.9e5,
    "perplexity": 123456.0,
}  # fmt: skip


def config_of(name):
    return model_config(TrainArguments(system=name), SYSTEMS[name], 9)


@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize("name", SYSTEMS)
def test_lines_fit_80_columns(name, sampled):
    columns = columns_of(config_of(name), sampled)
    shown = line(columns, [column.text_of(WIDEST) for column in columns])
    assert len(shown) + len(" *") <= 80, shown


def test_columns_that_say_nothing_are_left_out():
    assert [c.heading for c in columns_of(config_of("lstm-lm"))] == ["epoch", "loss", "ppl", "lr", "left"]
    config = config_of("wae-rnf")
    assert [c.heading for c in columns_of(config)] == ["epoch", "loss", "bound", "KL", "MI", "units", "lr", "left"]
    assert "bound" not in [column.heading for column in columns_of(config, sampled=False)]
    assert "units" not in [column.heading for column in columns_of(config, per_unit=False)]


@pytest.fixture
def shown(monkeypatch, capsys):
    """The lines of a training: {"out", "err"}."""
    monkeypatch.setenv("COLUMNS", "80")

    def lines(arguments, **options):
        capsys.readouterr()
        train(arguments, **options)
        captured = capsys.readouterr()
        return {"out": captured.out.splitlines(), "err": captured.err.splitlines()}

    return lines


def test_a_line_for_each_epoch(small_run, shown):
    found = shown(small_run(system="wae-nf", num_epochs=12, lr_milestones=[2]))["err"]
    epochs = [text.split() for text in found if re.match(r" +\d+/12 ", text)]
    assert [int(cells[0].split("/")[0]) for cells in epochs] == list(range(1, 13))
    (heading,) = (text for text in found if text.split()[:1] == ["epoch"])
    assert heading.split() == ["epoch", "loss", "bound", "KL", "MI", "units", "lr", "left"]
    assert [cells[6] for cells in epochs[:4]] == ["0.001", "0.001", "0.0005", "0.0005"]
    assert epochs[0][5].endswith("/4")
    assert epochs[0][-1] == "*"  # the first is the best so far
    assert max(map(len, found)) <= 80


def test_a_language_model_has_its_perplexity(small_run, shown):
    found = shown(small_run(system="lstm-lm", num_epochs=1))["err"]
    (cells,) = (text.split() for text in found if re.match(r" +1/1 ", text))
    tokens_per_sentence = (6 + 3 + 6 + 4 + 4) / 4  # of the four sentences, with their ends
    assert float(cells[2]) == pytest.approx(2.718281828 ** (float(cells[1]) / tokens_per_sentence), rel=2e-2)


def test_the_start_says_what_is_to_come(small_run, shown):
    block = shown(small_run(num_epochs=9, max_steps=22))["out"]
    first = next(number for number, text in enumerate(block) if text.startswith("wae-rnf on "))
    last = next(number for number, text in enumerate(block) if text.startswith("  trackers"))
    block = block[first : last + 1]
    text = " ".join(" ".join(block).split())
    for part in (
        "device cpu (", "precision fp32", "data 32 training, 4 validation and 4 test sentences",
        "1. vae: 1 epoch of 4 steps", "2. wae-rnf: 22 steps, 4 an epoch",
        "3. evaluation: 4 sentences, 3 importance samples each",
        "trackers tensorboard",
    ):  # fmt: skip
        assert part in text, part
    assert max(map(len, block[1:])) <= 80


def test_parameters_are_those_of_the_model(small_run, shown):
    parameters = []

    def count(stage):
        parameters.append(sum(p.numel() for p in stage.module.parameters()))

    found = shown(small_run(system="vae", num_epochs=1), on_step=count)
    assert f"  parameters  {parameters[0]:,}" in found["out"]


def test_a_run_that_goes_on_begins_where_it_was(small_run, shown):
    with pytest.raises(KeyboardInterrupt):
        train(small_run(save_steps=1), on_step=cut_after(5, "wae-rnf"))
    found = shown(small_run(save_steps=1, resume=True))
    assert not any("vae: 1 epoch" in text for text in found["out"])
    assert [text.split()[0] for text in found["err"] if "/3 " in text] == ["2/3", "3/3"]
