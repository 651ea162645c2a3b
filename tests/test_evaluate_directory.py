"""Evaluate, then push, then reproduce: one way to metrics.json, and what has a file of its own beside it."""

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoTokenizer

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.commands.main import main
from wae_rnf.evaluation import evaluate_directory as module
from wae_rnf.evaluation.evaluation_target import check_writable
from wae_rnf.evaluation.metrics import Metrics
from wae_rnf.evaluation.metrics_files import read_metrics, read_sentences, write_metrics
from wae_rnf.evaluation.model_directory import digest_of_weights, load_model
from wae_rnf.evaluation.schema import unknown_keys
from wae_rnf.reproduction.reproduce import finished_metrics, finished_run
from wae_rnf.sharing.hub import push
from wae_rnf.sharing.model_card import eval_results, model_card
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.systems import system_of

GOLDEN = Path(__file__).parent / "golden" / "models"


@pytest.fixture(autouse=True)
def cache(trained_directory, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", trained_directory.parent / "cache")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(module, "judge_text", lambda *_, **__: {"samples": {"num_sentences": 1} | QUALITY})


QUALITY = {"distinct_1": 1.0, "distinct_2": None, "distinct_3": None, "self_bleu": None}


@pytest.fixture
def model(trained_directory, tmp_path):
    """A copy of the trained directory."""
    return shutil.copytree(trained_directory, tmp_path / "model")


@pytest.fixture
def bare(trained_directory, tmp_path):
    """A directory of a model alone, as it comes from the Hub: nothing says what it was trained on."""
    shutil.copytree(GOLDEN / "wae-nf", tmp_path / "bare")
    return tmp_path / "bare"


@pytest.fixture
def corpus(trained_directory):
    return trained_directory.parent / "corpus"


@pytest.fixture
def foreign(tmp_path):
    folder = tmp_path / "foreign"
    folder.mkdir()
    for split in ("train", "valid", "test"):
        (folder / f"{split}.txt").write_text("the dog\na cat ran\n")
    return folder


def evaluate(*arguments):
    return main(["evaluate", *map(str, arguments), "--iwae_samples", "2"])


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (["--dataset", "FOREIGN"], "metrics-foreign-test"),
        (["--dataset", "FOREIGN", "--max_sentences", "1"], "metrics-foreign-test-1"),
        (["--split", "validation"], "metrics-corpus-validation"),
        (["--max_sentences", "4"], "metrics-corpus-test-4"),
        (["--output", "MODEL/mine.json"], "mine"),
    ],
)
def test_other_evaluations_have_files_of_their_own(model, foreign, options, name, capsys):
    before = files(model)
    names = {"FOREIGN": str(foreign), "MODEL/mine.json": str(model / "mine.json")}
    assert evaluate(model, *(names.get(part, part) for part in options)) == 0
    after = files(model)
    assert {path: after[path] for path in before} == before
    assert after.keys() - before.keys() == {f"{name}.json", f"{name}.tsv"}
    metrics = read_metrics(model / f"{name}.json")
    assert len(read_sentences(model / f"{name}.json")["length"]) == metrics["num_sentences"]
    assert list(unknown_keys(metrics, Metrics)) == []
    printed = capsys.readouterr().out
    assert (
        f"The metrics are in {model / name}.json; metrics.json, the record of the model, is left as it was" in printed
    )


def test_the_whole_test_split_is_the_record(model, corpus, monkeypatch):
    monkeypatch.chdir(corpus.parent)
    before = files(model)
    assert evaluate(model, "--dataset", "./corpus", "--mixed_precision", "no", "--seed", "3") == 0  # the same folder
    after = files(model)
    assert after.keys() == before.keys()
    old, new = (json.loads(content["metrics.json"]) for content in (before, after))
    assert new.keys() == old.keys()
    assert list(unknown_keys(new, Metrics)) == []
    shared = {"proposal": "posterior", "max_sentences": None, "mixed_precision": "no", "text_column": None}
    assert new["evaluation"] == {"iwae_samples": 2, "seed": 3} | shared
    assert new["generative_model"] == "pushforward"
    assert new["options"] == old["options"]
    assert new["training"] == old["training"]
    assert len(new["samples"]) == 10


def test_the_precision_is_recorded(model, monkeypatch):
    asked = []

    def accelerator(mixed_precision):
        from accelerate import Accelerator

        asked.append(mixed_precision)
        return Accelerator(cpu=True)

    monkeypatch.setattr("wae_rnf.training.launch.join_processes", accelerator)
    assert evaluate(model, "--mixed_precision", "bf16") == 0
    metrics = read_metrics(model / "metrics.json")
    assert asked == [metrics["evaluation"]["mixed_precision"]] == ["bf16"]
    assert metrics["options"]["mixed_precision"] == "no"  # of the training


def test_a_directory_without_run_json_is_evaluated_and_pushed(bare, foreign, corpus, monkeypatch):
    assert evaluate(bare, "--dataset", foreign) == 0
    metrics = read_metrics(bare / "metrics.json")
    assert (metrics["system"], metrics["options"], metrics["training"]) == ("wae-nf", {}, None)
    sent = {}

    class Api:
        def __init__(self, token):
            pass

        def create_repo(self, *_, **__):
            pass

        def upload_folder(self, repo_id, folder_path, commit_message):
            sent.update({path.name: path.read_text() for path in Path(folder_path).glob("*.[jm]*")})
            return type("Commit", (), {"commit_url": "address"})

    monkeypatch.setattr("wae_rnf.sharing.hub.HfApi", Api)
    assert push(bare, "user/name") == "address"
    assert json.loads(sent["metrics.json"]) == metrics
    assert "What it was trained on is not recorded; it was evaluated on foreign." in sent["README.md"]
    assert "## Training" not in sent["README.md"]
    # the record is now of that corpus: another one has a file of its own, and this one is the default
    assert evaluate(bare, "--dataset", corpus) == 0
    assert (bare / "metrics-corpus-test.json").exists()
    assert read_metrics(bare / "metrics.json") == metrics
    assert evaluate(bare) == 0


def test_metrics_of_other_weights_are_not_published(model, capsys):
    trained = WaeRnfModel.from_pretrained(model)
    with torch.no_grad():
        trained.embedding.weight += 1e-3
    trained.save_pretrained(model)
    assert main(["push", str(model), "user/name"]) == 2
    assert "metrics.json was measured on other weights than those of" in capsys.readouterr().err
    assert evaluate(model) == 0
    assert main(["push", str(model), "user/name"]) == 2
    assert "the Hub did not take user/name" in capsys.readouterr().err  # there is none here


def test_the_digest_is_of_the_weights(model, tmp_path):
    one = WaeRnfModel.from_pretrained(model)
    one.save_pretrained(tmp_path / "again", max_shard_size="2KB")
    other = WaeRnfModel.from_pretrained(tmp_path / "again")
    assert digest_of_weights(one) == digest_of_weights(other) == read_metrics(model / "metrics.json")["weights"]
    assert digest_of_weights(one) != digest_of_weights(one.bfloat16())


@pytest.mark.parametrize("system", [path.name for path in sorted(GOLDEN.iterdir())])
def test_the_system_is_read_off_the_configuration(system):
    config = WaeRnfModel.config_class.from_pretrained(GOLDEN / system)
    assert system_of(config) == ("vae" if system == "lagging-vae" else system)  # they differ in training alone


def test_a_reproduction_goes_on_after_an_evaluation(model, corpus, monkeypatch):
    """A run's metrics are taken where they are of its own evaluation, and made anew otherwise."""
    options = json.loads((model / "run.json").read_text())["options"]
    arguments = TrainArguments(**options | {"output_dir": str(model), "eval_iwae_samples": 2})
    trained = []
    monkeypatch.setattr("wae_rnf.training.run.train", lambda arguments: trained.append(arguments) or "anew")
    assert finished_run(arguments) == "anew"  # it was evaluated with three samples
    assert evaluate(model) == 0
    record = read_metrics(model / "metrics.json")
    assert finished_run(arguments) == record
    assert {"samples", "text", "training"} <= record.keys()
    assert evaluate(model, "--split", "validation") == 0
    assert finished_run(arguments) == record
    for changes in (
        {"seed": 4},
        {"eval_proposal": "mixture"},
        {"mixed_precision": "bf16"},
        {"eval_iwae_samples": 3},
        {"eval_max_sentences": 3},
        {"dataset": "toy"},
    ):
        assert finished_metrics(TrainArguments(**vars(arguments) | changes)) is None, changes
    for spoiled in (record | {"training": None}, record | {"samples": []}, {"of": "another program"}):
        (model / "metrics.json").write_text(json.dumps(spoiled))
        assert finished_run(arguments) == "anew"
    assert len(trained) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["user/name", "--dataset", "toy"], "user/name is not a directory here; say with --output FILE.json where"),
        (["nowhere", "--dataset", "toy"], "nowhere is not a model directory"),
        (["MODEL", "--output", "m.txt"], "--output m.txt must name a file that ends in .json"),
        (["MODEL", "--output", "no/m.json"], "no metrics can be written to no/m.json: No such file or directory"),
        (["MODEL", "--output", "/proc/m.json"], "no metrics can be written to /proc/m.json"),
        (["MODEL", "--output", "folder.json"], "folder.json is a directory"),
        (["MODEL", "--output", "MODEL/config.json"], "config.json holds something else than metrics"),
        (
            ["MODEL", "--output", "features.json"],
            "features.tsv, where the bounds of each sentence go, holds something else",
        ),
        (
            ["MODEL", "--split", "train", "--output", "MODEL/metrics.json"],
            "the record of the model, of its whole test split",
        ),
        (["BARE"], "does not say what it was trained on; name a --dataset"),
    ],
)
def test_refused_before_any_work(model, bare, arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("wae_rnf.training.report.evaluate_directory", pytest.fail)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "features.tsv").write_text("0.1\t0.2\n")
    before = files(model) | files(tmp_path)
    names = {"MODEL": str(model), "BARE": str(bare)}
    filled = [part.replace("MODEL", names["MODEL"]).replace("BARE", names["BARE"]) for part in arguments]
    assert evaluate(*filled) == 2
    assert message in capsys.readouterr().err
    assert files(model) | files(tmp_path) == before


def test_a_directory_that_cannot_be_written_is_refused_before_any_work(model, monkeypatch, capsys):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("wae_rnf.training.report.evaluate_directory", pytest.fail)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)  # a superuser may write anywhere
    assert evaluate(model) == 2
    assert "metrics.json: Permission denied" in capsys.readouterr().err


def test_what_is_not_finite_is_null_and_named(tmp_path, caplog):
    columns = {"length": [1], "pushforward_elbo": [2.0]}
    content = {"pushforward": {"elbo": {"nll": math.nan, "ppl": 1.0}}, "history": [{"loss": math.inf}]}
    written = write_metrics(tmp_path / "metrics.json", content | {"of_sentences": columns})
    assert written["pushforward"]["elbo"] == {"nll": None, "ppl": 1.0}

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    assert json.loads((tmp_path / "metrics.json").read_text(), parse_constant=refuse) == written
    assert "pushforward.elbo.nll, history.0.loss" in caplog.text


def changed(metrics, path, value):
    copy = json.loads(json.dumps(metrics))
    *way, last = path
    place = copy
    for name in way:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["system"], None, "is not what wae-rnf evaluate writes: system is missing"),
        (["paper_protocol"], 3, "is not what wae-rnf evaluate writes: paper_protocol is 3, not an object"),
        (["pushforward", "iwae"], None, "pushforward.iwae is missing"),
        (["format"], 99, "is of format 99, this version reads up to 4"),
        (["pushforward", "elbo", "nll"], math.nan, "pushforward.elbo.nll is nan, not a finite number"),
        (["paper_protocol", "ppl"], math.inf, "paper_protocol.ppl is inf, not a finite number"),
    ],
)
def test_what_no_card_can_be_made_of(model, path, value, message, capsys):
    metrics = json.loads((model / "metrics.json").read_text())
    (model / "metrics.json").write_text(json.dumps(changed(metrics, path, value)))
    assert main(["push", str(model), "user/name"]) == 2
    assert message in capsys.readouterr().err
    assert evaluate(model) == 0  # which puts it right
    read_metrics(model / "metrics.json")


def test_older_files_are_read():
    """Those in results/ are older than the format."""
    results = Path(__file__).parent.parent / "results" / "toy"
    found = {name: read_metrics(results / f"{name}.json") for name in ("lstm-lm", "vae", "vmf-vae", "wae-rnf")}
    assert {name: (m["has_latents"], m["has_flow"]) for name, m in found.items()} == {
        "lstm-lm": (False, False),
        "vae": (True, False),
        "vmf-vae": (True, False),
        "wae-rnf": (True, True),
    }
    expected = {"iwae_samples": 500, "max_sentences": None, "mixed_precision": "bf16", "seed": 0}
    expected |= {"proposal": "posterior"}
    assert found["vae"]["evaluation"] == expected


@pytest.mark.parametrize(("system", "honest"), [("lstm-lm", 1), ("vae", 2), ("wae-rnf", 4)])
def test_the_model_index_lists_honest_figures_alone(system, honest):
    metrics = read_metrics(Path(__file__).parent.parent / "results" / "toy" / f"{system}.json")
    results = eval_results(metrics)
    likelihoods = [result for result in results if result.metric_type in ("nll", "ppl")]
    assert len(likelihoods) == 2 * honest
    assert not any("protocol" in result.metric_name for result in results)
    lowest = min(result.metric_value for result in likelihoods if result.metric_type == "nll")
    assert lowest > metrics["entropy"] > metrics["paper_protocol"]["nll"] or system == "lstm-lm"
    assert ("mutual_information" in [result.metric_type for result in results]) == (system != "lstm-lm")


@pytest.mark.parametrize(
    ("dataset", "language", "datasets"),
    [
        ("toy", "en", None),
        ("ptb", "en", ["ptb-text-only/ptb_text_only"]),
        ("user/texts", None, ["user/texts"]),
        ("FOLDER", None, None),
    ],
)
def test_the_card_has_language_and_datasets_where_they_are_known(model, tmp_path, dataset, language, datasets):
    dataset = str(tmp_path) if dataset == "FOLDER" else dataset
    metrics = read_metrics(model / "metrics.json") | {"dataset": dataset} | module.origin_of_text(dataset)
    card = ModelCard(model_card("user/name", metrics, WaeRnfModel.from_pretrained(model).config).content)
    assert (card.data.language, card.data.datasets) == (language, datasets)
    assert "normalizing-flow" in card.data.tags
    assert "Needs transformers 5.17 and torch 2.13, or later." in card.text


def test_the_card_names_the_versions_that_are_required():
    required = (Path(__file__).parent.parent / "setup.py").read_text()
    from wae_rnf.sharing.model_card import MINIMUM_VERSIONS

    for package, version in MINIMUM_VERSIONS.items():
        assert f'"{package}>={version}' in required


def test_a_mixture_is_recorded(model, capsys):
    assert evaluate(model, "--proposal", "mixture") == 0
    metrics = read_metrics(model / "metrics.json")
    assert metrics["evaluation"]["proposal"] == metrics["flow_posterior"]["iwae"]["proposal"] == "mixture"
    assert "samples of (q(z|x) + p(z)) / 2 " in capsys.readouterr().out
    card = model_card("user/name", metrics, WaeRnfModel.from_pretrained(model).config).content
    units = metrics["units_over_0.05"]
    assert f"| used units | {units} | KL over 0.05 nats |" in card


def test_a_tokenizer_of_another_kind_is_refused(model, monkeypatch):
    class SlowTokenizer:
        """As `AutoTokenizer` gives where there is no tokenizer.json."""

    monkeypatch.setattr(AutoTokenizer, "from_pretrained", lambda _: SlowTokenizer())
    with pytest.raises(ValueError, match=f"no tokenizer can be loaded from {model}: it is a SlowTokenizer"):
        load_model(model)


def test_a_place_that_cannot_be_written_is_told_whatever_the_system_says(tmp_path, monkeypatch):
    def refuse(**_):
        raise OSError("no room")  # without a number

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(ValueError, match=r"no metrics can be written to .*: no room"):
        check_writable(tmp_path / "metrics.json")
