"""The options of a reproduction and those of its rows."""

from pathlib import Path

from wae_rnf.reproduction.arguments import ReproduceArguments, rows_of, tell_left_out
from wae_rnf.reproduction.corpus_report import differing_options
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.option_scope import shared_part
from wae_rnf.training.systems import SYSTEMS

from .test_options import refused


def test_shared_options_go_to_the_rows_that_have_a_part_for_them(capsys):
    shared = {"inner_steps": 5, "latent_size": 4, "kernel_bandwidth": 2.0, "flow_kernel": "gaussian", "kappa": 3.0}
    options = ReproduceArguments(systems=list(SYSTEMS))
    rows = rows_of(options, shared)
    assert list(rows)[:2] == ["lstm-lm", "vae"]
    assert {name: set(own) - {"system"} for name, own in rows.items()}.items() >= {
        "lstm-lm": set(),
        "vae": {"latent_size"},
        "vae-nf": {"latent_size"},
        "lagging-vae": {"latent_size", "inner_steps"},
        "vmf-vae": {"latent_size", "kappa"},
        "dirichlet-vae": {"latent_size"},
        "wae": {"latent_size"},
        "wae-nf": {"latent_size"},
        "wae-rnf": {"latent_size", "kernel_bandwidth", "flow_kernel"},
    }.items()
    tell_left_out(options, shared)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert "--latent_size is left out of lstm-lm: no part for it there" in lines
    assert shared_part({"kl_weight": 0.0, "kl_end": 0.5}, {"system": "vae"}) == {"kl_weight": 0.0}


def test_a_report_compares_what_the_rows_have_a_part_for():
    """What one row was left without is no difference between rows, whatever its default is."""
    shared = {"inner_steps": 5, "num_centres": 3, "hidden_size": 8}
    rows = rows_of(ReproduceArguments(), shared)
    rows["wae"]["hidden_size"] = 9
    runs = {
        name: [{"options": vars(TrainArguments(**own)) | {"of_an_older_version": 1}}] for name, own in rows.items()
    }
    header, _, *lines = differing_options(runs).strip().splitlines()
    assert header == "| row | system | `hidden_size` |"
    assert "| wae | wae | 9 |" in lines
    rows["wae-nf"]["num_flows"] = 2
    runs["wae-nf"] = [{"options": vars(TrainArguments(**rows["wae-nf"]))}]
    assert "| vae | vae | 8 | – |" in differing_options(runs)


def test_an_option_of_a_row_itself_is_refused(tmp_path, capsys):
    path = tmp_path / "rows.yaml"
    path.write_text("vae: {kappa: 3}\n")
    assert "--kappa does not apply to vae" in refused(["reproduce", "--variants", str(path)], capsys)


def test_a_row_that_no_model_can_have_is_refused_before_the_first_one_is_trained(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.yaml").write_text("vae: {}\nbad: {system: vae, prior: flow, free_bits: 1.0}\n")
    message = refused(["reproduce", "--variants", "rows.yaml", "--max_steps", "1"], capsys)
    assert "free_bits and minimum_rate need a divergence that is known" in message
    assert not (tmp_path / "runs").exists()


def test_centres_of_a_file_in_a_row(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    Path("rows.yaml").write_text("a: {centres_from: ~/c.npy}\n")
    error = refused(["reproduce", "--variants", "rows.yaml"], capsys)
    assert "--centres_from ~/c.npy: there is no such file" in error
    (tmp_path / "c.npy").touch()
    rows = rows_of(ReproduceArguments(variants="rows.yaml"), {})
    assert TrainArguments(**rows["a"]).centres_from == str(tmp_path / "c.npy")
