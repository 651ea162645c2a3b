"""Options of YAML files and presets: what they mean, which of two wins, bad ones."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from modeling_wae_rnf.options import option
from wae_rnf.commands.main import main
from wae_rnf.reproduction.arguments import ReproduceArguments, rows_of
from wae_rnf.training import option_files
from wae_rnf.training.arguments import PRESETS, TrainArguments
from wae_rnf.training.model_options import check_model
from wae_rnf.training.option_files import read_options, read_variants, with_preset
from wae_rnf.training.option_parser import parser_of
from wae_rnf.training.option_scope import check_scope, without_part
from wae_rnf.training.systems import SYSTEMS

from .test_options import refused


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("mixed_precision: no", "mixed_precision", "no"),
        ("mixed_precision: 'no'", "mixed_precision", "no"),
        ("learning_rate: 1e-3", "learning_rate", 1e-3),
        ("learning_rate: .001", "learning_rate", 1e-3),
        ("vocab_size: 20_000", "vocab_size", 20_000),
        ("max_steps_per_epoch: 1_0", "max_steps_per_epoch", 10),
        ("resume: yes", "resume", True),
        ("resume: On", "resume", True),
        ("batch_norm: off", "batch_norm", False),
        ("batch_norm: n", "batch_norm", False),
        ("output_dir: 2024-01-01", "output_dir", "2024-01-01"),
        ("output_dir: 1:30", "output_dir", "1:30"),
        ("dataset: on", "dataset", "on"),
        ("dataset: 0x10", "dataset", "0x10"),
        ("dataset: -x", "dataset", "-x"),
        ("dataset: a = b", "dataset", "a = b"),
        ("'learning-rate': 2", "learning_rate", 2.0),
        ("seed: 007", "seed", 7),
    ],
)
def test_yaml_means_what_stands_there(line, name, value, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(line + "\nmax_steps: null\nsave_steps: ~\neval_max_sentences:\n")
    assert read_options(path) == {name: value}
    path.write_text(f"vae: {{{line}}}\n")
    assert read_variants(path) == {"vae": {"system": "vae", name: value}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must hold lines of the form"),
        ("# seed: 1\n", "must hold lines of the form"),
        ("seed: 1\nseed: 2\n", "'seed' stands there twice"),
        ("seed: [1, 2]\n", "must hold lines of the form"),
        ("config: other.yaml\n", "the option 'config', which train does not have"),
        ("help: 1\n", "the option 'help', which train does not have"),
        ("no: 1\n", "the option 'no', which train does not have"),
        ("lr: 1\n", "unknown option --lr; did you mean --learning_rate?"),
        ("num_epochs: 1e3\n", "argument --num_epochs: invalid int value: '1e3'"),
        ("resume: 3\n", "Truthy value expected: got 3"),
        ("mixed_precision: false\n", None),
    ],
)
def test_bad_files_are_named(content, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(content)
    error = refused(["train", "--config", "c.yaml"], capsys)
    if message is None:
        assert "--mixed_precision must be one of no, bf16, fp16, but is false" in error
    else:
        assert "--config c.yaml" in error
        assert message in error
    assert os.listdir() == ["c.yaml"]


def test_the_later_file_and_the_command_line_win(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = {}
    monkeypatch.setattr("wae_rnf.commands.train.check_run", lambda arguments: found.update(vars(arguments)) or 1 / 0)
    Path("a.yaml").write_text("seed: 1\nbatch_size: 2\nhidden_size: 3\n")
    Path("b.yaml").write_text("batch_size: 4\nhidden_size: 5\n")
    with pytest.raises(ZeroDivisionError):
        main(["train", "--config", "a.yaml", "--hidden-size", "6", "--config=b.yaml"])
    assert (found["seed"], found["batch_size"], found["hidden_size"]) == (1, 4, 6)


def test_directories_by_default_and_by_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "text").mkdir()
    assert TrainArguments(system="vae").output_dir == str(Path("runs", "vae-toy"))
    assert TrainArguments(system="wae", dataset="user/name").output_dir == str(Path("runs", "wae-name"))
    assert TrainArguments(dataset=str(tmp_path / "text") + "/").output_dir == str(Path("runs", "wae-rnf-text"))
    given = TrainArguments(dataset="~/text", output_dir="~/run")
    assert (given.dataset, given.output_dir) == (str(tmp_path / "text"), str(tmp_path / "run"))
    assert ReproduceArguments(runs_dir="~/runs").runs_dir == str(tmp_path / "runs")


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_for_every_system(preset, system):
    """Of its options, a system has those that it has a part for; all of them together make a run."""
    path = Path(option_files.__file__).with_name("presets") / f"{preset}.yaml"
    whole, found = read_options(path), with_preset({"preset": preset, "system": system})
    assert whole.items() >= {name: found[name] for name in found if name not in ("preset", "system")}.items()
    assert set(whole) - set(found) == set(without_part(whole, TrainArguments(**found)))
    arguments = TrainArguments(**found)
    assert arguments.preset == preset  # the record of a run says it
    check_scope(found, arguments)
    check_model(arguments)


def test_rows_of_the_autoencoder_and_of_its_judge():
    path = Path(__file__).parent.parent / "examples" / "autoencoder.yaml"
    rows = rows_of(ReproduceArguments(variants=str(path)), {})
    assert list(rows) == ["lstm-lm", "autoencoder"]
    own = TrainArguments(**rows["autoencoder"])
    check_model(own)
    assert (own.system, own.latent_size, own.input_drop, own.prior) == ("wae-rnf", 128, 0.1, "flow")
    assert own.latents_at_every_step


def test_what_is_given_comes_before_the_preset(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = {}
    monkeypatch.setattr("wae_rnf.commands.train.check_run", lambda given: found.update(vars(given)) or 1 / 0)
    Path("c.yaml").write_text("preset: recipe\ndropout: 0.4\nlr_milestones: [3, 5]\nweight_decay: 0.5\n")
    with pytest.raises(ZeroDivisionError):
        main(["train", "--config", "c.yaml", "--weight_decay", "0.25"])
    assert (found["preset"], found["dropout"], found["weight_decay"], found["lr_patience"]) == ("recipe", 0.4, 0.25, 2)
    assert found["lr_milestones"] == [3, 5]
    with pytest.raises(ZeroDivisionError):
        main(["train", "--config", "c.yaml", "--preset", "authors"])
    assert (found["preset"], found["objective"], found["lr_patience"]) == ("authors", "authors", 0)
    Path("rows.yaml").write_text("a: {preset: recipe, dropout: 0.3}\nvae: {preset: authors}\nwae: {}\n")
    rows = read_variants("rows.yaml")
    assert rows["a"]["dropout"] == 0.3
    assert rows["a"] == with_preset({"system": "wae-rnf", "preset": "recipe", "dropout": 0.3})
    assert rows["vae"] == with_preset({"system": "vae", "preset": "authors"})
    rows = rows_of(ReproduceArguments(variants="rows.yaml"), {"preset": "recipe", "weight_decay": 0.125})
    assert [rows[name]["preset"] for name in ("a", "vae", "wae")] == ["recipe", "authors", "recipe"]
    assert (rows["wae"]["lr_patience"], rows["wae"]["weight_decay"]) == (2, 0.125)
    Path("rows.yaml").write_text("a: {preset: receipt}\n")
    assert "--preset must be one of authors, autoencoder, recipe, toy" in refused(
        ["reproduce", "--variants", "rows.yaml"], capsys
    )


@dataclass
class WithMapping:
    """As a part's own options are given."""

    decoder_kwargs: dict = option(dict, "Options of the decoder.")  # noqa: RUF009


def test_a_mapping_is_json_on_the_command_line_and_a_mapping_in_a_file(monkeypatch, tmp_path):
    parser = parser_of(WithMapping, prog="x")
    assert vars(parser.parse_args(["--decoder_kwargs", '{"channels": 8, "causal": true}'])) == {
        "decoder_kwargs": {"channels": 8, "causal": True}
    }
    for text in ("[1]", "channels", "3"):
        with pytest.raises(ValueError, match="argument --decoder_kwargs: JSON of the form"):
            parser.parse_args(["--decoder_kwargs", text])
    assert WithMapping().decoder_kwargs == {}
    monkeypatch.setattr(option_files, "TrainArguments", WithMapping)
    monkeypatch.setattr(option_files, "MAPPINGS", ["decoder_kwargs"])
    path = tmp_path / "c.yaml"
    path.write_text("decoder_kwargs: {channels: 8, rate: 1.0e-1, deep: {causal: true, name: a}}\n")
    found = {"channels": 8, "rate": 0.1, "deep": {"causal": True, "name": "a"}}
    assert read_options(path) == {"decoder_kwargs": found}
    path.write_text("decoder_kwargs: 3\n")
    with pytest.raises(ValueError, match="JSON of the form"):
        read_options(path)
