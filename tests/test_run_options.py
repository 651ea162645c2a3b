"""The options of a run as `wae-rnf train` makes them: the main job, none, files of rows, records of earlier runs."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from wae_rnf.commands.main import main
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.reproduction.arguments import ReproduceArguments, rows_of
from wae_rnf.training.arguments import TrainArguments, arguments_of_record
from wae_rnf.training.option_files import read_options, read_variants
from wae_rnf.training.option_parser import parser_of
from wae_rnf.training.option_scope import shared_part
from wae_rnf.training.systems import SYSTEMS

ROOT = Path(__file__).parent.parent


def arguments_of(argv, monkeypatch):
    """The options of a run, as `wae-rnf train` hands them over."""
    found = []
    with monkeypatch.context() as patch:
        patch.setattr("wae_rnf.training.run.train", found.append)
        assert main(["train", *argv]) == 0
    return found[0]


def test_without_options_it_is_the_main_job(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    main_job = vars(arguments_of([], monkeypatch))
    assert "The main job: WAE-RNF on the generated corpus" in capsys.readouterr().out
    made = arguments_of(["--config", str(ROOT / "examples" / "toy.yaml"), "--output_dir", "runs/toy"], monkeypatch)
    assert main_job | {"output_dir": "runs/toy"} == vars(made)
    recorded = json.loads((ROOT / "results" / "make_train.json").read_text())["options"]
    chosen = {"tokenization", "lowercase"}  # by the corpus, where nobody says it: lower-case words for toy
    assert differing_options(recorded, made) <= {"output_dir", "preset", *chosen}
    capsys.readouterr()
    # where and how often do not decide what is trained; anything else is a run of one's own
    assert arguments_of(["--seed", "3", "--output_dir", "x", "--dataset", "toy"], monkeypatch).num_epochs == 7
    for own in (["--hidden_size", "64"], ["--system", "wae-rnf"], ["--num_epochs", "48"]):
        assert arguments_of(own, monkeypatch).num_epochs == 48
    assert arguments_of(["--preset", "authors"], monkeypatch).preset == "authors"
    assert "main job" not in capsys.readouterr().out.partition("\n")[2]


def differing_options(recorded, arguments):
    """Names in which a run's record is not what the options are."""
    earlier = vars(arguments_of_record(recorded))
    return {name for name, value in vars(arguments).items() if earlier[name] != value}


def test_none_is_a_value_where_the_model_has_it(monkeypatch, tmp_path):
    parser = parser_of(TrainArguments, prog="x")
    assert vars(parser.parse_args(["--mean_gamma", "none", "--prior=none"])) == {"mean_gamma": None, "prior": None}
    for argv, message in ((["--num_flows", "none"], "invalid int value: 'none'"),
                          (["--mean_gamma", "x"], "argument --mean_gamma: invalid float value: 'x'")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            parser.parse_args(argv)
    path = tmp_path / "c.yaml"
    for text in ("null", "none", "~", ""):
        path.write_text(f"mean_gamma: {text}\nnum_flows: null\n")
        assert read_options(path) == {"mean_gamma": None}
    monkeypatch.chdir(tmp_path)
    assert arguments_of(["--num_epochs", "1"], monkeypatch).mean_gamma == 0.6
    assert arguments_of(["--num_epochs", "1", "--mean-gamma", "none"], monkeypatch).mean_gamma is None
    assert arguments_of(["--config", "c.yaml"], monkeypatch).mean_gamma is None
    assert arguments_of(["--preset", "authors"], monkeypatch).mean_gamma is None


def test_rows_that_were_measured_with_a_learned_scale_still_have_it():
    examples = ROOT / "examples"
    for name in ("ablation", "authors", "ptb"):
        for row, own in read_variants(examples / f"{name}.yaml").items():
            assert TrainArguments(**own).mean_gamma is None, row
    shared = read_options(examples / "cures_settings.yaml")
    scales = {"vae": 1.0, "mean_gamma": 0.6}
    for row, own in read_variants(examples / "cures.yaml").items():
        assert TrainArguments(**shared_part(shared, own) | own).mean_gamma == scales.get(row), row
    for own in rows_of(ReproduceArguments(), read_options(examples / "reproduction.yaml")).values():
        assert TrainArguments(**own).mean_gamma is None


def test_rows_of_the_recipe_are_those_that_were_measured():
    shared = read_options(ROOT / "examples" / "recipe_settings.yaml")
    rows = rows_of(ReproduceArguments(variants=str(ROOT / "examples" / "recipe.yaml")), shared)
    of_the_place = {"dataset", "output_dir", "report_to", "seed", "eval_iwae_samples", "eval_max_sentences"}
    measured = sorted((ROOT / "results" / "recipe" / "ptb").glob("*.json"))
    assert {path.stem.rpartition("-")[0] for path in measured} == rows.keys()
    for path in measured:
        record = read_json(path)["options"]
        own = asdict(TrainArguments(**rows[path.stem.rpartition("-")[0]]))
        assert {name for name in record if record[name] != own[name]} <= of_the_place, path


OLD_RECORD = {  # of a run before there were presets, and before systems had fixed parts
    "system": "lstm-lm", "dataset": "toy", "latent_size": 32, "hidden_size": 8, "num_flows": None, "flow_kernel": None,
    "objective": None, "kl_weight": None, "mmd_weight": None, "mean_gamma": None, "kl_start": None, "batch_norm": True,
}  # fmt: skip


def test_records_of_earlier_versions():
    arguments = arguments_of_record(OLD_RECORD)
    assert (arguments.latent_size, arguments.hidden_size, arguments.batch_norm_eps) == (0, 8, 1e-5)
    arguments = arguments_of_record(OLD_RECORD | {"system": "wae-rnf"})
    assert (arguments.latent_size, arguments.num_flows, arguments.flow_kernel) == (32, 3, "imq")
    assert (arguments.objective, arguments.kl_weight, arguments.mean_gamma) == ("paper", 0.8, None)
    for system in SYSTEMS:  # and a record of today says what it says
        assert arguments_of_record(vars(TrainArguments(system=system))) == TrainArguments(system=system)


def test_a_run_goes_on_with_its_options(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    Path("old").mkdir()
    Path("old/run.json").write_text(json.dumps({"options": OLD_RECORD | {"system": "wae-rnf"}}))
    arguments = arguments_of(["--resume", "--output_dir", "old"], monkeypatch)
    assert (arguments.hidden_size, arguments.mean_gamma, arguments.resume) == (8, None, True)
    assert arguments.output_dir == "old"
    more = ["--resume", "--output_dir", "old", "--keep_checkpoints", "5"]
    assert arguments_of(more, monkeypatch).keep_checkpoints == 5
    for name, value, earlier in (
        ("mean_gamma", "0.6", "None"),
        ("system", "vae", "wae-rnf"),
        ("hidden_size", "9", "8"),
    ):
        capsys.readouterr()
        assert main(["train", "--resume", "--output_dir", "old", f"--{name}", value]) == 2
        assert f"--{name} was {earlier}" in capsys.readouterr().err
