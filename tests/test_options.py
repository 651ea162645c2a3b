"""The options: spellings, hints, values out of range, and options that a system has no part for."""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from modeling_wae_rnf import WaeRnfConfig
from modeling_wae_rnf.model_options import ModelOptions
from wae_rnf.commands.main import main
from wae_rnf.reproduction.arguments import ReproduceArguments
from wae_rnf.tokenization.corpora import TOY
from wae_rnf.tokenization.corpus_names import NAMED
from wae_rnf.tokenization.hub_corpora import HUB_CORPORA
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.model_options import model_config
from wae_rnf.training.option_parser import OptionParser, parser_of
from wae_rnf.training.option_scope import RULES, check_scope, without_part
from wae_rnf.training.systems import SYSTEMS

MAIN = "import sys; from wae_rnf.commands.main import main; sys.exit(main(sys.argv[1:]))"


GOLDEN = str(Path(__file__).parent / "golden" / "models" / "wae")


def refused(argv, capsys):
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("wae-rnf: error: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["train", "--lr", "1e-3"], "unknown option --lr; did you mean --learning_rate?"),
        (["train", "--epochs", "3"], "unknown option --epochs; did you mean --num_epochs?"),
        (["train", "--learning-rte=1"], "unknown option --learning-rte; did you mean --learning_rate?"),
        (["train", "--hidden", "3"], "unknown option --hidden; did you mean --hidden_size?"),
        (["train", "--xyzzy", "3"], "unknown option --xyzzy (wae-rnf train --help-all lists them all)"),
        (["train", "toy"], "unrecognized arguments: toy"),
        (["reproduce", "--system", "vae"], "unknown option --system; did you mean --systems?"),
        (["evaluate", GOLDEN, "--iwae-sample", "3"], "unknown option --iwae-sample; did you mean --iwae_samples?"),
        (["evaluate", GOLDEN, "--iwae-samples", "x"], "argument --iwae_samples: invalid int value: 'x'"),
        (["sample", GOLDEN, "--num-samples", "0"], "-n must be at least 1"),
        (["sample", GOLDEN, "--temp", "1"], "unknown option --temp; did you mean --temperature?"),
        (["reconstruct", GOLDEN, "--batch", "a"], "unknown option --batch"),
        (["interpolate", GOLDEN, "a", "b", "--step", "3"], "did you mean --steps?"),
        (["embed", GOLDEN, "--out", "f"], "did you mean --output?"),
        (["push", GOLDEN, "u/n", "--public"], "unknown option --public"),
        (["demo", GOLDEN, "--prot", "1"], "did you mean --port?"),
    ],
)
def test_an_unknown_option_is_one_sentence_with_a_hint(argv, message, capsys):
    assert message in refused(argv, capsys)


def test_both_spellings_and_what_is_no_option():
    parser = OptionParser(prog="x")
    parser.add_argument("--iwae_samples", type=int)
    parser.add_argument("--top-k", type=int)
    parser.add_argument("sentences", nargs="*")
    assert parser.parse_args(["--iwae-samples", "3", "--top_k=4"]) == argparse.Namespace(
        iwae_samples=3, top_k=4, sentences=[]
    )
    # a sentence may begin with dashes, as in the Penn Treebank
    assert parser.parse_args(["-- so he said"]).sentences == ["-- so he said"]
    assert parser.parse_args(["--", "--iwae-samples"]).sentences == ["--iwae-samples"]


def test_only_what_was_given_is_in_the_namespace():
    parser = parser_of(TrainArguments, prog="x")
    given = parser.parse_args(["--resume", "--no-batch-norm", "--max-steps", "3", "--streaming", "off"])
    assert vars(given) == {"resume": True, "batch_norm": False, "max_steps": 3, "streaming": False}
    assert vars(parser_of(ReproduceArguments, prog="x").parse_args(["--systems", "vae", "wae"])) == {
        "systems": ["vae", "wae"]
    }
    with pytest.raises(ValueError, match="argument --batch_norm: Truthy value expected: got maybe"):
        parser.parse_args(["--batch_norm", "maybe"])


OUT_OF_SCOPE = {
    "lstm-lm": {"latent_size": 16, "posterior_head": "linear", "latents_at_every_step": True, "kappa": 5.0,
                "mean_gamma": 0.5, "free_bits": 1.0, "minimum_rate": 1.0, "batch_norm": False, "kl_weight": 0.5,
                "kl_cycles": 2, "kl_start": 0.0, "kl_end": 0.5, "objective": "paper", "num_centres": 3,
                "kernel_bandwidth": 1.0, "mmd_kernel": "gaussian", "inner_steps": 3, "num_flows": 2,
                "autoencoder_epochs": 1, "centres_from": "x", "mmd_weight": 1.0, "flow_kernel": "imq",
                "encoder_dropout": 0.1, "encoder_input": "bos", "flow_init": "normal", "first_stage_epochs": 1,
                "batch_norm_eps": 1e-5, "batch_norm_statistics": "running", "lr_decay": 0.1,
                "prior": "flow", "prior_layers": 2, "prior_components": 2, "importance_samples": 2},
    "vae": {"kappa": 5.0, "inner_steps": 3, "num_centres": 3, "kernel_bandwidth": 1.0, "mmd_kernel": "gaussian",
            "num_flows": 2, "centres_from": "x", "mmd_weight": 1.0, "flow_kernel": "imq", "flow_init": "normal",
            "first_stage_epochs": 1, "prior_layers": 2, "prior_components": 2, "importance_samples": 2},
    "vae-nf": {"mmd_kernel": "imq", "num_centres": 3, "flow_kernel": "imq", "inner_steps": 3},
    "lagging-vae": {"num_flows": 1, "mmd_kernel": "imq"},
    "vmf-vae": {"batch_norm": True, "mean_gamma": 0.5, "free_bits": 1.0, "minimum_rate": 1.0, "kl_weight": 0.5,
                "kl_start": 0.0, "kl_end": 0.5, "kl_cycles": 2, "mmd_kernel": "imq", "num_centres": 3,
                "batch_norm_eps": 1e-5, "batch_norm_statistics": "running", "prior": "flow", "prior_layers": 2},
    "dirichlet-vae": {"kappa": 5.0, "free_bits": 1.0, "minimum_rate": 1.0, "mmd_kernel": "imq", "num_centres": 3,
                      "num_flows": 1, "prior_layers": 2, "prior_components": 2},
    "dae": {"adversarial_weight": 1.0, "discriminator_hidden_size": 8, "discriminator_learning_rate": 1e-3,
            "kl_end": 0.5, "kl_cycles": 2, "free_bits": 1.0, "prior": "mixture", "mmd_weight": 1.0, "num_flows": 1},
    "aae": {"mmd_kernel": "imq", "inner_steps": 3, "minimum_rate": 1.0, "prior": "flow", "centres_from": "x"},
    "wae": {"num_centres": 3, "num_flows": 1, "kernel_bandwidth": 1.0, "adversarial_weight": 1.0},
    "wae-nf": {"num_centres": 3, "kernel_bandwidth": 1.0, "flow_kernel": "imq"},
    "wae-rnf": {"kernel_bandwidth": 1.0, "kappa": 5.0, "inner_steps": 3},
}  # fmt: skip


IN_SCOPE = {
    "lstm-lm": {
        "dropout": 0.1,
        "word_dropout": 0.1,
        "hidden_size": 8,
        "eval_iwae_samples": 3,
        "best_by": "bound",
        "lr_patience": 2,
        "lr_decay": 0.1,
        "weight_decay": 0.1,
        "embedding_std": 0.1,
        "preset": "recipe",
    },
    "vae": {
        "latent_size": 4,
        "mean_gamma": 0.5,
        "free_bits": 1.0,
        "kl_cycles": 2,
        "objective": "pushforward",
        "encoder_dropout": 0.1,
        "encoder_input": "bos",
        "batch_norm_eps": 1e-5,
        "batch_norm_statistics": "running",
        "lr_milestones": [3],
        "lr_decay": 0.1,
    },
    "vae-nf": {"num_flows": 0, "kl_weight": 0.5, "objective": "iwae_flow_posterior", "importance_samples": 2},
    "lagging-vae": {"inner_steps": 3, "prior": "mixture", "prior_components": 2},
    "vmf-vae": {"kappa": 5.0, "latent_size": 4, "posterior_head": "linear", "latents_at_every_step": True},
    "dirichlet-vae": {
        "posterior_kwargs": {"num_topics": 3},
        "prior": "dirichlet",
        "prior_kwargs": {"concentration": 0.5},
        "mean_gamma": 0.5,
        "kl_cycles": 2,
        "latent_size": 5,
        "objective": "iwae",
        "importance_samples": 2,
    },
    "dae": {
        "input_drop": 0.1,
        "input_shuffle": 2,
        "kl_weight": 0.1,
        "kl_end": 0.5,
        "free_bits": 1.0,
        "prior": "mixture",
        "prior_components": 2,
    },
    "aae": {
        "adversarial_weight": 1.0,
        "discriminator_hidden_size": 8,
        "discriminator_learning_rate": 1e-3,
        "prior": "standard_normal",
        "autoencoder_epochs": 1,
    },
    "wae": {"mmd_kernel": "gaussian", "mmd_weight": 1.0, "autoencoder_epochs": 1},
    "wae-nf": {"num_flows": 2, "flow_init": "normal", "objective": "iwae", "prior": "flow", "prior_layers": 2},
    "wae-rnf": {"num_centres": 3, "flow_kernel": "gaussian", "kernel_bandwidth": 1.0, "centres_from": "x"},
}


def scope_of(system, **options):
    return without_part(options, TrainArguments(system=system, **options))


@pytest.mark.parametrize("system", OUT_OF_SCOPE)
def test_options_without_a_part_are_refused_and_the_others_taken(system, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in OUT_OF_SCOPE[system].items():
        error = refused(["train", "--system", system, f"--{name}", str(value)], capsys)
        assert f"--{name} does not apply to {system}: " in error
        Path("c.yaml").write_text(f"{name}: {value}\n")
        assert error == refused(["train", "--system", system, "--config", "c.yaml"], capsys)
    given = IN_SCOPE[system]
    check_scope(given, TrainArguments(system=system, **given))


def test_what_depends_on_another_option():
    assert "alpha is 0" in scope_of("wae", kl_weight=0.0, kl_end=0.5)["kl_end"]
    assert "no MMD" in scope_of("wae", mmd_weight=0.0, mmd_kernel="gaussian")["mmd_kernel"]
    assert "from the first step on" in scope_of("vae", kl_end=0.0, kl_cycles=4)["kl_cycles"]
    assert scope_of("vae", kl_start=0.2, kl_end=0.2, kl_cycles=4) == {}
    assert "nothing is batch-normalized" in scope_of("vae", batch_norm=False, batch_norm_eps=1e-5)["batch_norm_eps"]
    assert "never decays" in scope_of("vae", lr_decay=0.1)["lr_decay"]
    for name, value in (("centres_from", "x"), ("autoencoder_epochs", 1)):
        given = {name: value, "first_stage_epochs": 1}
        assert "do not come from a VAE" in scope_of("wae-rnf", **given)["first_stage_epochs"]
    assert scope_of("wae-rnf", first_stage_epochs=1) == {}
    assert "it has no flow" in scope_of("vae-nf", num_flows=0, flow_init="normal")["flow_init"]
    assert "order of its text" in scope_of("vae", streaming=True, length_pool=8)["length_pool"]
    assert scope_of("vae", length_pool=8) == {}


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_refused_is_what_the_trained_model_does_not_read(system):
    """The rules against the model's own configuration: which of its fields are of a part that it has."""
    config = model_config(TrainArguments(system=system), SYSTEMS[system], 9)
    absent = scope_of(system) | without_part(
        [option for rule in RULES for option in rule[0]], TrainArguments(system=system)
    )
    assert ("latent_size" in absent) == (config.latent_size == 0)
    assert ("kappa" in absent) == (config.latent_size == 0 or config.posterior != "vmf")
    assert ("num_centres" in absent) == (config.flow_kernel is None)
    assert ("mmd_kernel" in absent) == (config.mmd_weight == 0)
    assert ("batch_norm" in absent) == (config.latent_size == 0 or config.posterior == "vmf")


def another(declared):
    """A value of an option that is not its default."""
    default, choices = declared.default, getattr(declared.metadata["rule"], "choices", ())
    if choices:
        return next(choice for choice in choices if choice != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, int):
        return default + 1
    return default / 2 if default else 0.25


# parts and what is their own are in test_components.py
OF_PARTS = {"encoder_type", "inference", "decoder_type"} | {
    own.name for own in fields(ModelOptions) if own.type is dict
}


OTHER_VALUES = {own.name: another(own) for own in fields(ModelOptions) if own.name not in OF_PARTS}


OTHER_VALUES |= {"prior": "mixture"}


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_an_option_that_is_declared_is_one_of_the_command_line_and_of_the_configuration(name):
    """From its declaration alone: the parser reads it, and the model of the run has it."""
    value = OTHER_VALUES[name]
    given = vars(parser_of(TrainArguments, prog="x").parse_args([f"--{name}", str(value)]))
    assert given == {name: value}
    arguments = TrainArguments(**given)
    config = model_config(arguments, SYSTEMS["wae-rnf"], vocab_size=9)
    assert getattr(config, name) == value != getattr(WaeRnfConfig(), name)
    assert WaeRnfConfig.from_dict(config.to_dict()).to_dict() == config.to_dict()
    declared = {own.name: own for own in fields(WaeRnfConfig)}[name]
    assert {own.name: own for own in fields(TrainArguments)}[name].metadata["help"] == declared.metadata["help"]


def test_light_copies_agree_with_what_they_copy():
    assert set(NAMED) == {TOY, *HUB_CORPORA}
    known = {field.name for field in fields(TrainArguments)}
    assert {name for rule in RULES for name in rule[0]} <= known


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--hidden_size", "9" * 30], "--hidden_size must be at least 1 and at most 65,536"),
        (["--max_steps", "9" * 30], "--max_steps must be at least 1"),
        (["--num_flows", str(2**31)], "--num_flows must be at most 2,147,483,647"),
        (["--seed", str(2**32)], "--seed must lie in [0, 2**32)"),
        (["--kl_weight", "inf"], "--kl_weight must be finite"),
        (["--kernel_bandwidth", "inf", "--flow_kernel", "gaussian"], "--kernel_bandwidth must be finite"),
        (["--eval_iwae_samples", "1000000"], "--eval_iwae_samples must be at least 1 and at most 100,000"),
        (["--early_stopping", "-1"], "--early_stopping must be at least 0"),
        (["--lr_milestones", "3", "0"], "--lr_milestones must be epochs, from 1 on, but is [3, 0]"),
        (["--lr_milestones"], "argument --lr_milestones: expected at least one argument"),
        (["--lr_patience", "1", "--lr_decay", "1"], "--lr_decay must lie in [0, 1), but is 1.0"),
        (["--batch_norm_eps", "-1"], "--batch_norm_eps must not be negative"),
        (["--preset", "authers"], "--preset must be one of authors, autoencoder, recipe, toy, but is authers"),
        (["--centres_from", "nowhere.npy"], "--centres_from nowhere.npy: there is no such file"),
        (["--vocab_size", "4"], "--vocab_size must be at least 5"),
        (["--num_flows", "0"], "--num_flows 0 leaves wae-rnf no flow"),
        (["--objective", "flow_posterior", "--free_bits", "1"], "free_bits and minimum_rate need"),
        (["--prior", "flow", "--free_bits", "1"], "free_bits and minimum_rate need a divergence that is known"),
        (
            ["--prior", "gaussian"],
            "prior must be one of standard_normal, uniform_sphere, mixture, vamp, flow, dirichlet, "
            "conditional_dirichlet, but is gaussian",
        ),
        (["--prior_layers", "2"], "its prior has no layers"),
        (["--system", "vmf-vae", "--latent_size", "1"], "on the sphere, latent_size must be at least 2"),
        (["--system", "dirichlet-vae", "--latent_size", "2"], "with topics, latent_size must be at least 3"),
        (["--system", "dirichlet-vae", "--prior", "vamp"], "the prior of a gaussian_dirichlet posterior cannot"),
        (["--output_dir", "x\0y", "--num_epochs", "1"], "null"),
    ],
)
def test_values_that_no_run_can_have(argv, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused(["train", *argv], capsys)
    assert os.listdir() == []


REFUSALS = [
    ["train", "--dataset", "yelp"],  # a corpus of that name and a folder
    ["train", "--dataset", "untrained"], ["train", "--dataset", "twice"],  # a folder without train, one with two
    ["train", "--lr", "1"], ["train", "--system", "gan"], ["train", "--dataset", "nowhere"], ["train", "--seed", "-1"],
    ["train", "--output_dir", "used"], ["train", "--system", "vae", "--kappa", "5"], ["train", "--hidden_size", "0"],
    ["train", "--centres_from", "nowhere"], ["train", "--config", "nowhere"], ["train", "--resume"],
    ["reproduce", "--systems", "gan"], ["reproduce", "--dataset", "nowhere"], ["reproduce", "--variants", "nowhere"],
    ["evaluate", "nowhere"], ["evaluate", GOLDEN, "--split", "x"], ["sample", "nowhere"],
    ["sample", GOLDEN, "-n", "0"], ["embed", "nowhere"], ["push", "nowhere", "u/n"], ["demo", "nowhere"], ["fly"],
]  # fmt: skip


def test_refusals_come_before_anything_heavy_is_imported(tmp_path):
    """In one process: whatever is reported at once has not imported what takes seconds."""
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.tex").write_text("precious")
    (tmp_path / "yelp").mkdir()
    (tmp_path / "yelp" / "train.txt").write_text("a cat\n")
    (tmp_path / "untrained").mkdir()
    (tmp_path / "untrained" / "test.txt").write_text("a cat\n")
    (tmp_path / "twice").mkdir()
    for name in ("train.txt", "train.csv"):
        (tmp_path / "twice" / name).write_text("a cat\n")
    code = (
        "import json, sys\n"
        "from wae_rnf.commands.main import main\n"
        "heavy = {'torch', 'transformers', 'datasets', 'numpy', 'accelerate', 'gradio', 'huggingface_hub'}\n"
        "print(json.dumps([[main(argv), sorted(heavy & set(sys.modules))] for argv in json.loads(sys.argv[1])]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(REFUSALS)], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 0, done.stderr
    for argv, outcome in zip(REFUSALS, json.loads(done.stdout), strict=True):
        assert outcome == [2, []], argv
    assert done.stderr.count("wae-rnf: error: ") == len(REFUSALS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["twice", "untrained", "used", "yelp"]


def test_without_arguments_a_parser_reads_those_of_the_process(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--batch-size", "3"])
    parser = OptionParser(prog="program")
    parser.add_argument("--batch_size", type=int)
    assert parser.parse_args().batch_size == 3
