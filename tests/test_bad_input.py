"""Bad input of every kind through the command line: one clear sentence, a non-zero exit, and no file lost."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file, save_file

from wae_rnf.commands.main import main
from wae_rnf.training.checkpoints import digests

SIZES = ["--embedding_size", "8", "--hidden_size", "8", "--latent_size", "4", "--num_centres", "2", "--max_steps", "3"]
PROGRAM = Path(__file__).parent.parent / "train.py"
GOOD = "the cat\na dog ran\nrain fell\n" * 4


class Pickled:
    """Unpickled, it leaves a file in the working directory."""

    def __reduce__(self):
        return os.system, ("touch unpickled",)


PICKLE = pickle.dumps(Pickled())


def train(*options):
    return ["train", "--dataset", "CORPUS", "--output_dir", "run", *SIZES, *options]


def files(**contents):
    """Writes files into the working directory; `__` in a name stands for `/`, and a final `_` for its dot."""

    def write(_):
        for name, content in contents.items():
            path = Path(re.sub("_(txt|csv|yaml)", r".\1", name.replace("__", "/")))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return write


def file_of_model(name, change):
    """Copies the model to `m` and changes a file's bytes there; None removes it."""

    def write(model):
        shutil.copytree(model, "m")
        path = Path("m", name)
        content = change(path.read_bytes())
        path.unlink()
        if content is not None:
            path.write_bytes(content)

    return write


def json_of_model(name, **changes):
    return file_of_model(name, lambda content: json.dumps(json.loads(content) | changes).encode())


def weights_of_model(change):
    def write(model):
        shutil.copytree(model, "m")
        state = load_file("m/model.safetensors")
        change(state)
        save_file(state, "m/model.safetensors", metadata={"format": "pt"})

    return write


def pickled_weights(model):
    shutil.copytree(model, "m")
    Path("m/model.safetensors").unlink()
    Path("m/pytorch_model.bin").write_bytes(PICKLE)


def checkpoint_of_model(change, signed=True):
    """Copies the model to `m`, takes its end away, and changes its checkpoints; `signed` has the manifest agree."""

    def write(model):
        shutil.copytree(model, "m")
        Path("m/metrics.json").unlink()
        for folder in Path("m/checkpoints").iterdir():
            change(folder)
            if signed:
                (folder / "manifest.json").write_text(json.dumps(digests(folder)))

    return write


def progress(content, folder):
    path = folder / "progress.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | content if isinstance(content, dict) else content))


def options(name, *cases):
    return {f"--{name} {value}": (train(f"--{name}", value), None, message) for value, message in cases}


SAMPLE, EVALUATE = ["sample", "m", "-n", "2"], ["evaluate", "m", "--iwae_samples", "2"]
RESUME = ["train", "--dataset", "CORPUS", "--output_dir", "m", "--eval_iwae_samples", "3", "--resume", *SIZES]
SETTINGS = train("--config", "c.yaml")
OTHER_CORPUS = ["train", "--dataset", "c", "--output_dir", "run", *SIZES]

OPTIONS = {
    **options("num_epochs", ("0", "--num_epochs must be at least 1, but is 0"), ("1.5", "invalid int value: '1.5'")),
    **options("learning_rate", ("0", "--learning_rate must be positive"), ("nan", "but is nan"), ("inf", "is inf")),
    **options("batch_size", ("0", "--batch_size must be at least 1")),
    **options("accumulation_steps", ("0", "--accumulation_steps must be at least 1")),
    **options("hidden_size", ("-3", "--hidden_size must be at least 1 and at most 65,536, but is -3")),
    **options("embedding_size", ("0", "--embedding_size must be at least 1 and at most 65,536, but is 0")),
    **options("latent_size", ("-2", "--latent_size must be at least 1")),
    **options("dropout", ("1", "dropout must lie in [0, 1)"), ("nan", "dropout must lie in [0, 1)")),
    **options("word_dropout", ("1", "word_dropout must lie in [0, 1)")),
    **options("vocab_size", ("4", "--vocab_size must be at least 5, but is 4")),
    **options("max_words", ("0", "--max_words must be at least 1")),
    **options("num_centres", ("0", "num_centres must be at least 1"), ("99", "99 centres cannot be found in 3 diff")),
    **options("kernel_bandwidth", ("nan", "kernel_bandwidth must not be negative")),
    **options("mean_gamma", ("0", "mean_gamma must be positive")),
    **options("free_bits", ("-1", "free_bits must not be negative")),
    **options("kl_weight", ("nan", "kl_weight must not be negative")),
    **options("mmd_weight", ("-3", "mmd_weight must not be negative")),
    **options("adversarial_weight", ("0", "--adversarial_weight must be positive and finite")),
    **options("discriminator_hidden_size", ("0", "--discriminator_hidden_size must be at least 1")),
    "an adversary of no system": (train("--adversarial_weight", "3"), None, "it has no discriminator"),
    **options("objective", ("none", "objective must be one of")),
    **options("mmd_kernel", ("rbf", "mmd_kernel must be one of")),
    **options("flow_kernel", ("rbf", "flow_kernel must be one of")),
    **options("num_flows", ("-1", "num_flows must not be negative")),
    **options("posterior_head", ("conv", "posterior_head must be one of")),
    **options("max_grad_norm", ("nan", "--max_grad_norm must not be negative")),
    **options("save_steps", ("0", "--save_steps must be at least 1")),
    **options("keep_checkpoints", ("0", "--keep_checkpoints must be at least 1")),
    **options("seed", ("x", "invalid int value: 'x'"), ("-1", "--seed must lie in [0, 2**32)")),
    **options("batch_norm", ("maybe", "Truthy value expected: got maybe")),
    **options("kl_end", ("1.5", "--kl_end must lie in [0, 1]")),
    **options("kl_cycles", ("0", "--kl_cycles must be at least 1")),
    **options("best_by", ("luck", "--best_by must be one of loss, bound")),
    **options("mixed_precision", ("fp4", "--mixed_precision must be one of no, bf16, fp16")),
    **options("system", ("gan", "unknown system 'gan'")),
    **options("centres_from", ("nowhere", "nowhere is not a model"), ("../../up", "is not a model")),
    **options("output_dir", ("", "--output_dir must name a directory")),
    "alpha that climbs backwards": (train("--kl_start", "0.9", "--kl_end", "0.1"), None, "0.9 lies after --kl_end"),
    "an option without value": (train("--num_epochs"), None, "expected one argument"),
    "an unknown option": (train("--epochs", "3"), None, "--epochs"),
    "flows on the sphere": (train("--system", "vmf-vae", "--num_flows", "2"), None, "--num_flows does not apply"),
    "no concentration": (train("--system", "vmf-vae", "--kappa", "0"), None, "kappa must be positive"),
    "free bits of a sampled divergence": (["train", "--system", "vae-nf", "--free_bits", "1"], None, "free_bits and"),
    "a run that is not there": (train("--resume"), None, "run holds no run: run.json is missing"),
    "settings that are missing": (SETTINGS, None, "--config c.yaml cannot be read"),
    "settings without values": (SETTINGS, files(c_yaml="[1, 2]"), "must hold lines of the form `name: value`"),
    "settings that nest": (SETTINGS, files(c_yaml="seed: {a: 1}"), "must hold lines of the form `name: value`"),
    "settings of another type": (SETTINGS, files(c_yaml="num_epochs: many"), "invalid int value: 'many'"),
    "settings of another program": (SETTINGS, files(c_yaml="colour: red"), "--colour"),
    "settings that call": (SETTINGS, files(c_yaml="seed: !!python/object/apply:os.system ['touch unpickled']"),
                           "could not determine a constructor"),
    "settings that are no text": (SETTINGS, files(c_yaml=b"\xff\xfe\x00"), "can't decode byte 0xff"),
    "a directory in use": (train(), files(run__x="x"), "is not empty and holds no run of ours"),
    "a file for a directory": (train(), files(run="x"), "run is a file; name a directory"),
    "a directory in a file": (train("--output_dir", "f/run"), files(f="x"), "Not a directory"),
}  # fmt: skip

CORPORA = {
    "nowhere": (["train", "--dataset", "nowhere"], None, "unknown corpus 'nowhere'"),
    "no name": (["train", "--dataset", ""], None, "unknown corpus ''"),
    "a way out": (["train", "--dataset", "../../no/thing"], None, "unknown corpus '../../no/thing'"),
    "a file": (["train", "--dataset", "f"], files(f="x"), "f is no file of a corpus: it must end in"),
    "a split is missing": (OTHER_CORPUS, files(c__test_txt=GOOD, c__valid_txt=GOOD), "no train split: add"),
    "two files of a split": (OTHER_CORPUS, files(c__train_txt=GOOD, c__train_csv=GOOD), "train.txt and train.csv"),
    "several columns": (OTHER_CORPUS, files(c__train_csv="a,b\nx,y\n"), "several columns of text, a, b"),
    "no such column": (
        [*OTHER_CORPUS, "--text_column", "z"], files(c__train_csv="a,b\nx,y\n"), "no column 'z', only a, b",
    ),
    "a column of lines": ([*OTHER_CORPUS, "--text_column", "z"], files(c__train_txt=GOOD), "is a column of a table"),
    "another tokenization": (train("--tokenization", "letters"), None, "must be one of words, punctuation, bpe"),
    "few bytes": (train("--tokenization", "bpe", "--vocab_size", "99"), None, "99 entries is too small for bpe"),
    "a split is a folder": (OTHER_CORPUS, files(c__train_txt__x=GOOD), "c has no train split"),
    "an empty split": (OTHER_CORPUS, files(c__train_txt="", c__valid_txt=GOOD, c__test_txt=GOOD), "is empty"),
    "blank lines": (OTHER_CORPUS, files(c__train_txt=" \n\n", c__valid_txt=GOOD, c__test_txt=GOOD), "only blank"),
    "undecodable bytes": (OTHER_CORPUS, files(c__train_txt=b"a\n\xff\n", c__valid_txt=GOOD, c__test_txt=GOOD),
                          "line 2: byte 1 is not UTF-8"),
    "UTF-16": (OTHER_CORPUS, files(c__train_txt=GOOD.encode("utf-16"), c__valid_txt=GOOD, c__test_txt=GOOD),
               "line 1: byte 1 is not UTF-8"),
    "one sentence for two centres": (OTHER_CORPUS, files(c__train_txt="a", c__valid_txt="a", c__test_txt="a"),
                                     "2 centres cannot be found in 1 different"),
}  # fmt: skip

MODELS = {
    "nowhere": (["sample", "nowhere"], None, "nowhere is not a model directory"),
    "an empty directory": (["sample", "."], None, "is not a model directory"),
    "a file": (["sample", "f"], files(f="x"), "f is not a model directory"),
    "a way out": (["sample", "../x"], None, "no model can be loaded from ../x"),
    "config.json, no JSON": (SAMPLE, file_of_model("config.json", lambda _: b"{not"), "config.json is not valid JSON"),
    "config.json, no text": (SAMPLE, file_of_model("config.json", lambda _: b"\xff{}"), "config.json is not valid"),
    "config.json, a list": (SAMPLE, file_of_model("config.json", lambda _: b"[1]"), "config.json holds no JSON obj"),
    "config.json, empty": (SAMPLE, file_of_model("config.json", lambda _: b"{}"), "a model of type None, not wae_rnf"),
    "another kind of model": (SAMPLE, json_of_model("config.json", model_type="gpt2"), "of type gpt2, not wae_rnf"),
    "a size in words": (SAMPLE, json_of_model("config.json", hidden_size="big"), "hidden_size must be a number"),
    "a negative size": (SAMPLE, json_of_model("config.json", hidden_size=-16), "hidden_size must be at least 1"),
    "another size": (SAMPLE, json_of_model("config.json", hidden_size=16), "its weights do not fit its config.json"),
    "another vocabulary": (SAMPLE, json_of_model("config.json", vocab_size=50), "do not fit its config.json"),
    "an unknown kernel": (SAMPLE, json_of_model("config.json", flow_kernel="rbf"), "flow_kernel must be one of"),
    "no weights": (SAMPLE, file_of_model("model.safetensors", lambda _: None), "no file named model.safetensors"),
    "weights cut short": (SAMPLE, file_of_model("model.safetensors", lambda old: old[:-9]), "no model can be loaded"),
    "empty weights": (SAMPLE, file_of_model("model.safetensors", lambda _: b""), "no model can be loaded"),
    "pickled weights": (SAMPLE, file_of_model("model.safetensors", lambda _: PICKLE), "no model can be loaded"),
    "only pickled weights": (SAMPLE, pickled_weights, "no file named model.safetensors"),
    "a weight too few": (SAMPLE, weights_of_model(lambda state: state.pop("centres")), "centres is missing"),
    "a weight too many": (SAMPLE, weights_of_model(lambda state: state.update(x=torch.ones(2))), "x is unexpected"),
    "weights of NaN": (EVALUATE, weights_of_model(lambda state: state["centres"].fill_(torch.nan)), "not finite"),
    "no tokenizer": (SAMPLE, file_of_model("tokenizer.json", lambda _: None), "no tokenizer can be loaded from m"),
    "an empty tokenizer": (SAMPLE, file_of_model("tokenizer.json", lambda _: b"{}"), "no tokenizer can be loaded"),
    "tokenizer.json, no JSON": (SAMPLE, file_of_model("tokenizer.json", lambda _: b"\x00"), "is not valid JSON"),
    "generation_config.json, no JSON": (SAMPLE, file_of_model("generation_config.json", lambda _: b"no"), "not valid"),
    "run.json, no JSON": (EVALUATE, file_of_model("run.json", lambda _: b"no"), "run.json is not valid JSON"),
    "run.json without options": (EVALUATE, file_of_model("run.json", lambda _: b"{}"), "run.json says no options"),
    "a number for a corpus": (EVALUATE, json_of_model("run.json", options={"dataset": 3}), "unknown corpus '3'"),
}  # fmt: skip

CHECKPOINTS = {
    "of other options": ([*RESUME, "--hidden_size", "9"], checkpoint_of_model(lambda _: None), "--hidden_size was 8"),
    "cut short": (RESUME, checkpoint_of_model(lambda folder: (folder / "optimizer.pt").write_bytes(b"PK"), False),
                  "optimizer.pt is not what was written"),
    "pickled": (RESUME, checkpoint_of_model(lambda folder: (folder / "optimizer.pt").write_bytes(PICKLE)),
                "no checkpoint in m/checkpoints can be used"),
    "of a list": (RESUME, checkpoint_of_model(partial(progress, [])), "no checkpoint in m/checkpoints can be used"),
    "of words": (RESUME, checkpoint_of_model(partial(progress, {"step": "x"})), "its step is no int"),
    "without manifest": (RESUME, checkpoint_of_model(lambda folder: (folder / "manifest.json").unlink(), False),
                         "no checkpoint in m/checkpoints can be used"),
}  # fmt: skip

TEXT = {
    "an unknown command": (["fly"], None, "there is no command 'fly'"),
    "no samples": (["sample", "MODEL", "-n", "0"], None, "-n must be at least 1"),
    "no temperature": (["sample", "MODEL", "--temperature", "0"], None, "--temperature must be positive"),
    "all heat": (["sample", "MODEL", "--temperature", "inf"], None, "--temperature must be positive and finite"),
    "no share": (["sample", "MODEL", "--top_p", "0"], None, "--top_p must lie in (0, 1]"),
    "an unknown prior": (["sample", "MODEL", "--prior", "none"], None, "invalid choice: 'none'"),
    "a negative seed": (["sample", "MODEL", "--seed", "-5"], None, "-5 does not lie in [0, 2**32)"),
    "a directory for a file": (["sample", "MODEL", "--output", "."], None, "Is a directory"),
    "a file in no directory": (["sample", "MODEL", "--output", "no/f"], None, "No such file or directory"),
    "a prompt beyond the limit": (["sample", "MODEL", "--output", "kept", "--prompt", "a " * 300], files(kept="x"),
                                  "the longest prompt has 301 words"),
    "bytes that are no text": (["reconstruct", "MODEL", "\udcff"], None, "is not valid UTF-8"),
    "one way point": (["interpolate", "MODEL", "a", "b", "--steps", "1"], None, "--steps must be at least 2"),
    "one end": (["interpolate", "MODEL", "a"], None, "required: second"),
    "no importance samples": (["evaluate", "MODEL", "--iwae_samples", "0"], None, "iwae_samples must be at least 1"),
    "no sentences": (["evaluate", "MODEL", "--max_sentences", "0"], None, "--max_sentences must be at least 1"),
    "no samples to score by": (["score", "MODEL", "the cat", "--samples", "0"], None, "--samples must be at least 1"),
    "an endless move": (["edit", "MODEL", "a", "--from_file", "f", "--to_file", "f", "--strength", "inf"], None,
                        "--strength must be finite, but is inf"),
    "no way to go": (["edit", "MODEL", "a", "--from_file", "f"], None, "required: --to_file"),
    "no examples": (["edit", "MODEL", "a", "--from_file", "f", "--to_file", "g"], files(f="a", g="\n"),
                    "g has no sentence; write one a line"),
    "examples that are no text": (["edit", "MODEL", "a", "--from_file", "f", "--to_file", "f"], files(f=b"\xff"),
                                  "f, line 1: byte 1 is not UTF-8"),
    "no corpus": (["nearest", "MODEL", "a", "--corpus", "nowhere"], None, "No such file or directory: 'nowhere'"),
    "no neighbours": (["nearest", "MODEL", "a", "--corpus", "f", "-k", "0"], None, "-k must be at least 1"),
    "too many neighbours": (["nearest", "MODEL", "the", "--corpus", "f", "-k", "3"], files(f="the\ncat\n"),
                            "k must lie in 1 to 2, the sentences of the corpus, but is 3"),
    "an unknown split": (["evaluate", "MODEL", "--split", "dev"], None, "invalid choice: 'dev'"),
    "no model": (["evaluate"], None, "required: MODEL_DIR"),
    "no port": (["demo", "MODEL", "--port", "0"], None, "--port must lie in 1 to 65535"),
    "no system": (["reproduce", "--systems", "vae", "gan"], None, "unknown system 'gan'"),
    "no seeds": (["reproduce", "--seeds", "0"], None, "--seeds must be at least 1"),
    "no rows": (["reproduce", "--variants", "v.yaml"], None, "--variants v.yaml cannot be read"),
    "a row that leaves": (["reproduce", "--variants", "v.yaml"], files(v_yaml="../x: {}"), "names files and direct"),
    "a corpus without name": (["reproduce", "--dataset", "..", "--results_dir", "r", "--runs_dir", "u"], None,
                              "has no train split"),
}  # fmt: skip

HUB = {
    repr(name): (["push", "MODEL", name], None, f"{name} is no name for a repository")
    for name in ("name", "../up", "a/b/c", "user/na me", "user/..", "/abs", "user/" + "x" * 99, "https://hub/a/b")
} | {
    "no network": (["push", "MODEL", "user/name"], None, "the Hub did not take user/name"),
    "no metrics": (["push", "m", "user/name"], file_of_model("metrics.json", lambda _: None), "has no metrics.json"),
    "metrics of a list": (
        ["push", "m", "user/name"],
        file_of_model("metrics.json", lambda _: b"[]"),
        "no JSON object",
    ),
    "empty metrics": (
        ["push", "m", "user/name"],
        file_of_model("metrics.json", lambda _: b"{}"),
        "is not what wae-rnf",
    ),
}

CASES = {
    f"{kind}: {name}": case
    for kind, cases in (("options", OPTIONS), ("corpus", CORPORA), ("model", MODELS), ("checkpoint", CHECKPOINTS),
                        ("text", TEXT), ("hub", HUB))
    for name, case in cases.items()
}  # fmt: skip


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("argv", "prepare", "message"), CASES.values(), ids=CASES.keys())
def test_bad_input(argv, prepare, message, trained_directory, tmp_path, monkeypatch, capsys):
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    AcceleratorState._reset_state(reset_partial_state=True)
    if prepare:
        prepare(trained_directory)
    before = contents(place) | contents(trained_directory)
    names = {"CORPUS": str(trained_directory.parent / "corpus"), "MODEL": str(trained_directory)}
    try:
        code = main([names.get(part, part) for part in argv])
    except SystemExit as stopped:  # by the parser of the options
        code = stopped.code
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == 2
    assert error.startswith("wae-rnf")
    assert "error: " in error
    assert message in error
    after = contents(place) | contents(trained_directory)
    assert {path: after.get(path) for path in before} == before
    assert not Path("unpickled").exists()


def test_the_table_is_long():
    assert len(CASES) >= 60


@pytest.mark.parametrize("arguments", [["--dataset", "nowhere"], ["--seed", "-1"]])
def test_as_a_program(arguments, tmp_path):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("wae-rnf: error: ")
    assert list(tmp_path.iterdir()) == []
