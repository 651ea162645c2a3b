"""A stream against the stored corpus: the same sentences, any place of the order, bounded counts, exact resuming."""

from collections import Counter
from itertools import chain, islice

import pytest
from datasets import Dataset, DatasetDict
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from wae_rnf.evaluation.json_files import read_json
from wae_rnf.tokenization import streams
from wae_rnf.tokenization.preparation import prepare, train_tokenizer
from wae_rnf.tokenization.streams import SentenceStream, TextStream
from wae_rnf.tokenization.vocabulary import count_words
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.run import train

from .small_runs import assert_same_weights, cut_after

TEXTS = [f"word{number} the end" for number in range(23)]


@pytest.fixture
def stream(monkeypatch):
    monkeypatch.setattr(streams, "BLOCK", 5)
    monkeypatch.setattr(streams, "SAMPLE", 4)
    texts = TextStream(lambda: iter(TEXTS))
    assert len(list(texts)) == texts.num_sentences == 23
    return SentenceStream(texts, lambda lines: {"input_ids": [[1, 2]] * len(lines), "length": [1] * len(lines)})


def test_every_pass_has_every_sentence_once_in_an_order_of_its_own(stream):
    order = list(chain(*islice(stream.batches(size=1, seed=0), 69)))
    passes = [order[start : start + 23] for start in (0, 23, 46)]
    assert all(sorted(part) == sorted(TEXTS) for part in passes)
    assert len(set(map(tuple, passes))) == 3
    assert all(set(passes[0][start : start + 5]) == set(TEXTS[start : start + 5]) for start in range(0, 23, 5))
    assert order != list(chain(*islice(stream.batches(size=1, seed=1), 69)))


def test_any_place_can_be_gone_to(stream):
    order = list(chain(*islice(stream.batches(size=1, seed=3), 80)))
    for first in range(60):
        assert list(chain(*islice(stream.batches(4, 3, first), 5))) == order[first : first + 20]


def test_a_sample_is_the_beginning(stream):
    assert len(stream.sample) == 4


def test_a_stream_is_prepared_as_it_would_be_stored():
    stored = DatasetDict(train=Dataset.from_dict({"text": TEXTS}))
    streamed = DatasetDict(train=TextStream(lambda: iter(TEXTS)))
    tokenizer = train_tokenizer(stored)
    assert train_tokenizer(streamed).get_vocab() == tokenizer.get_vocab()
    sample = prepare(streamed, tokenizer, max_words=2)["train"].sample
    assert sample.to_dict() == prepare(stored, tokenizer, max_words=2)["train"].to_dict()
    with pytest.raises(ValueError, match="the train split has no words"):
        train_tokenizer(DatasetDict(train=TextStream(lambda: iter([]))))


@given(st.lists(st.text(alphabet="abcdefghij", min_size=1, max_size=2), max_size=300), st.integers(2, 12))
def test_counts_in_bounded_memory(words, entries):
    exact, found = Counter(words), count_words(words, max_entries=entries)
    assert len(found) <= 2 * entries
    for word, number in exact.items():
        assert number - len(words) / entries <= found[word] <= number
    if len(exact) <= 2 * entries:
        assert found == exact


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(streams, "BLOCK", 7)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for split, size in (("train", 23), ("valid", 5), ("test", 3)):
        (corpus / f"{split}.txt").write_text("\n".join(TEXTS[:size]) + "\n")

    def build(name, **changes):
        sizes = {"embedding_size": 6, "hidden_size": 6, "latent_size": 3, "num_centres": 2, "eval_iwae_samples": 2}
        sizes |= {"batch_size": 4, "accumulation_steps": 2, "num_epochs": 3, "save_steps": 1, "streaming": True}
        return TrainArguments(dataset=str(corpus), output_dir=str(tmp_path / name), **(sizes | changes))

    return build


@pytest.mark.parametrize("stop", [4, 6])  # within an epoch of three steps, and at its end
def test_a_streamed_run_resumes_to_the_bit(options, tmp_path, monkeypatch, stop):
    whole = train(options("whole"))
    with pytest.raises(KeyboardInterrupt):
        train(options("cut"), on_step=cut_after(stop, "wae-rnf"))
    monkeypatch.setattr("wae_rnf.training.open_corpus.train_tokenizer", None)  # a stream is counted once
    cut = train(options("cut", resume=True))
    assert cut["training"]["steps"] == whole["training"]["steps"] == 9
    assert_same_weights(tmp_path / "whole", tmp_path / "cut")
    assert read_json(tmp_path / "cut" / "stream" / "count.json") == {"sentences": 23}


def test_bad_bytes_in_a_stream_are_named(options, tmp_path):
    (tmp_path / "corpus" / "train.txt").write_bytes(b"a b\nc \xff\n")
    with pytest.raises(ValueError, match="line 2: byte 3 is not UTF-8"):
        train(options("run"))
    assert not (tmp_path / "run").exists()


def test_lagging_inference_and_an_autoencoder_of_a_stream(options, tmp_path):
    assert train(options("lagging", system="lagging-vae", inner_steps=2, num_epochs=1))["training"]["steps"] == 3
    train(options("autoencoder", system="wae-rnf", autoencoder_epochs=1, num_epochs=1))
    assert load_file(tmp_path / "autoencoder" / "model.safetensors")["centres"].unique(dim=0).shape == (2, 3)
