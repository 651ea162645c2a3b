"""A newcomer's table of ordinary text, from `train` to every command: nothing is lower-cased, split off or lost."""

import csv
import json
import math
from pathlib import Path

import pytest

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.commands.main import main
from wae_rnf.evaluation.metrics_files import read_metrics, read_sentences
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.sharing.model_card import model_card
from wae_rnf.tokenization.corpora import load_corpus

TEXTS = [
    "The soup was cold.",
    "It's the chef's best; don't miss it!",
    "We paid $5.50 (each) for well-made pies...",
    'She said "no" twice.',
] * 10
SIZES = ["--embedding_size", "8", "--hidden_size", "8", "--latent_size", "4", "--max_steps", "2", "--system", "vae"]


def trained(folder, *options):
    """The directory of a model of a table with two columns of text."""
    with open(folder / "reviews.csv", "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["place", "review"])
        rows.writerows([f"Bistro {'x' * number}", text] for number, text in enumerate(TEXTS))
    options = ["--dataset", str(folder / "reviews.csv"), "--text_column", "review", *SIZES, *options]
    assert main(["train", *options, "--eval_iwae_samples", "3", "--output_dir", str(folder / "model")]) == 0
    return folder / "model"


@pytest.fixture(scope="module", params=[[], ["--tokenization", "bpe", "--vocab_size", "400"]], ids=["default", "bpe"])
def directory(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ordinary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        yield trained(folder, *request.param)


def test_a_typed_sentence_is_known_and_comes_back_as_it_was_written(directory):
    model, tokenizer = load_model(directory)
    for text in TEXTS[:4]:
        ids = tokenizer(text)["input_ids"]
        assert 3 not in ids
        assert max(ids) < model.config.vocab_size == len(tokenizer)
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
    name = "bpe" if len(tokenizer) > 260 else "punctuation"
    assert read_run(directory)["tokenization"] == f"{name}, cased"
    assert read_metrics(directory / "metrics.json")["tokenization"] == {"tokenization": name, "lowercase": False}


def test_figures_per_word_and_per_byte_against_the_text(directory):
    metrics, of_sentences = (read(directory / "metrics.json") for read in (read_metrics, read_sentences))
    run = read_run(directory)["options"]
    test = load_corpus(run["dataset"], text_column=run["text_column"])["test"]["text"]
    words, size = sum(len(text.split()) for text in test), sum(len(text.encode()) for text in test)
    assert (metrics["num_words"], metrics["num_bytes"], metrics["num_sentences"]) == (words, size, len(test))
    nats = of_sentences["pushforward_iwae"].sum()
    bound = metrics["pushforward"]["iwae"]
    assert bound["ppl_per_word"] == pytest.approx(math.exp(nats / (words + len(test))))
    assert bound["bits_per_byte"] == pytest.approx(nats / math.log(2) / size)
    assert bound["ppl"] == pytest.approx(math.exp(nats / of_sentences["length"].sum()))
    assert bound["ppl_per_word"] > bound["ppl"]  # there are fewer words than tokens


def test_evaluate_reads_the_column_of_the_training(directory, capsys):
    argv = ["evaluate", str(directory), "--iwae_samples", "2", "--split", "validation", "--max_sentences", "2"]
    assert main(argv) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.split("Reconstructions")[0].splitlines())) <= 80
    assert "per word" in printed
    assert "bits" in printed
    assert main([*argv, "--text_column", "n"]) == 2
    assert "reviews.csv has no column 'n', only place, review" in capsys.readouterr().err


def test_commands_take_and_give_ordinary_text(directory, capsys):
    assert main(["reconstruct", str(directory), "The soup was cold.", "--json"]) == 0
    found = capsys.readouterr()
    assert json.loads(found.out)["input"] == "The soup was cold."
    assert found.err == ""
    assert main(["embed", str(directory), "The zebra was cold."]) == 0
    warned = capsys.readouterr().err
    known = read_run(directory)["tokenization"].startswith("bpe")
    assert warned == ("" if known else "wae-rnf: warning: unknown words: zebra\n")


def test_a_run_of_another_tokenization_does_not_go_on(directory, capsys):
    before = Path(directory, "run.json").read_text()
    for option in (["--tokenization", "words"], ["--lowercase", "yes"], ["--text_column", "place"]):
        assert main(["train", "--resume", "--output_dir", str(directory), *option]) == 2
        assert "holds a run of other options" in capsys.readouterr().err
    changed = json.loads(before) | {"tokenization": "words, lower case"}
    Path(directory, "run.json").write_text(json.dumps(changed))  # of a version that chose otherwise
    assert main(["train", "--resume", "--output_dir", str(directory)]) == 2
    assert "the tokenization is not the one that the run in" in capsys.readouterr().err
    Path(directory, "run.json").write_text(before)


def test_the_card_says_what_the_model_reads(directory):
    metrics, config = read_metrics(directory / "metrics.json"), WaeRnfConfig.from_pretrained(directory)
    card = str(model_card("user/name", metrics, config))
    expected = {
        "bpe": f"reads and writes {config.vocab_size} pieces of words, cased as written; no word is unknown to it.",
        "punctuation": f"knows the {config.vocab_size} words and punctuation marks of its vocabulary, cased as",
    }[metrics["tokenization"]["tokenization"]]
    assert f"The model {expected}" in card
    assert "at most\n200 tokens." in card
    assert "| NLL | perplexity | per word | bits per byte |" in card
