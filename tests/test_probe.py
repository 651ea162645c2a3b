"""Few-label classification: labels by source, features by hand, the classifier against one written in torch."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.commands.main import main
from wae_rnf.text import load, probe_of_directory
from wae_rnf.text.label_column import labels_of_column
from wae_rnf.text.labelled_sentences import LabelledSentences, check_labels, labels_by_attribute
from wae_rnf.text.probe import accuracy, draws_of, features_of, probe

MODELS = Path(__file__).parent / "golden" / "models"
SENTENCES = ["the cat sat on the mat .", "a dog ran", "the cat", "the dog is old"]


@pytest.fixture
def labelled(tmp_path, monkeypatch):
    """A folder of tables, whose label is the sentence's animal."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "animals"
    folder.mkdir()
    for split, repeat in (("train", 6), ("test", 2)):
        rows = 'the cat sat,cat\nthe dog ran,dog\nthe old cat,cat\n"a dog, fast",dog\n' * repeat
        (folder / f"{split}.csv").write_text("review,animal\n" + rows + ",cat\nit rained,\n")
    return folder


def test_labels_of_a_column(labelled):
    splits = labels_of_column(str(labelled), "animal")
    assert splits["train"].labels == ["cat", "dog", "cat", "dog"] * 6
    assert splits["test"].texts == ["the cat sat", "the dog ran", "the old cat", "a dog, fast"] * 2
    assert [split.without_label for split in splits.values()] == [2, 2]


def test_whole_numbers_are_labels_and_others_are_refused(tmp_path):
    for split in ("train", "test"):
        rows = [{"text": "a cat", "stars": 1, "score": 0.5}, {"text": "a dog", "stars": 5, "score": 0.7}]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert labels_of_column(str(tmp_path), "stars")["test"].labels == ["1", "5"]
    with pytest.raises(ValueError, match=r"score has the value 0\.5; labels are text or whole numbers"):
        labels_of_column(str(tmp_path), "score")
    with pytest.raises(ValueError, match="has no column 'star', only text, stars, score"):
        labels_of_column(str(tmp_path), "star")
    (tmp_path / "test.jsonl").rename(tmp_path / "more.jsonl")
    with pytest.raises(ValueError, match="a folder with a table for train and test, unlike"):
        labels_of_column(str(tmp_path), "stars")


def test_labels_of_an_attribute(small_corpus):
    splits, source = labels_by_attribute(str(small_corpus), "sentiment")
    assert (source, splits["test"].labels, splits["test"].without_label) == ("rule", [], 4)
    with pytest.raises(ValueError, match="two labels at the least, but the training sentences have none"):
        check_labels(splits)
    one, other = LabelledSentences.of([("a", "x"), ("b", "y")]), LabelledSentences.of([("a", "z")])
    with pytest.raises(ValueError, match="no test sentence has a label that a training sentence has"):
        check_labels({"train": one, "test": other})
    with pytest.raises(ValueError, match="the training sentences have z alone"):
        check_labels({"train": other, "test": one})


def test_draws_are_without_repetition_and_one_continues_the_other():
    draws = draws_of(40, [5, 30], 3, seed=1)
    assert [len(set(draw)) for draw in draws] == [30] * 3
    assert all(0 <= number < 40 for draw in draws for number in draw)
    assert len({tuple(draw) for draw in draws}) == 3
    assert all((one == other).all() for one, other in zip(draws, draws_of(40, [30], 3, seed=1), strict=True))


@pytest.mark.filterwarnings("ignore::wae_rnf.text.text_input.UnreadTextWarning")
def test_features_by_hand():
    text = load(MODELS / "wae-rnf", "cpu")
    state = torch.random.get_rng_state()
    found = features_of(text, SENTENCES, SENTENCES[:2], seed=3)
    assert torch.equal(state, torch.random.get_rng_state())
    torch.manual_seed(3)
    models = {"latents": text.model, "untrained": WaeRnfModel(text.model.config).eval()}
    for name, model in models.items():
        inputs = [text.tokenizer([sentence], return_tensors="pt") for sentence in SENTENCES]
        means = torch.cat([model.embed(**one) for one in inputs]).detach().double().numpy()
        expected = (means - means.mean(0)) / means.std(0)
        np.testing.assert_allclose(found[name][0], expected, atol=1e-4)
        np.testing.assert_allclose(found[name][1], expected[:2], atol=1e-4)
    bags = [set(text.tokenizer(sentence)["input_ids"][1:-1]) for sentence in SENTENCES]
    train, test = (matrix.toarray() for matrix in found["bag of words"])
    for i, j in np.ndindex(4, 4):  # each word once, whatever the order of the columns
        assert train[i] @ train[j] == len(bags[i] & bags[j])
    assert (test == train[:2]).all()


def gaussian_features(number, size, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, number)
    return rng.normal(size=(number, size)) + 0.7 * labels[:, None], labels


def test_the_classifier_is_a_logistic_regression(monkeypatch):
    """With one penalty: minimum of C Σ log(1 + exp(-y (w·x + b))) + ½ |w|², found by L-BFGS in torch."""
    monkeypatch.setattr("wae_rnf.text.probe.INVERSE_PENALTIES", (0.1,))
    (train, labels), (test, wanted) = gaussian_features(60, 4, 0), gaussian_features(200, 4, 1)
    weights = torch.zeros(5, dtype=torch.double, requires_grad=True)
    x, sign = torch.tensor(train), torch.tensor(2 * labels - 1)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-10)

    def closure():
        optimizer.zero_grad()
        margin = sign * (x @ weights[:4] + weights[4])
        loss = 0.1 * torch.nn.functional.softplus(-margin).sum() + 0.5 * weights[:4].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    score = torch.tensor(test) @ weights[:4] + weights[4]
    score = score.detach().numpy()
    unsure = (np.abs(score) < 1e-3).sum()  # of 200: may fall on either side
    assert accuracy(train, labels, test, wanted) == pytest.approx(((score > 0) == wanted).mean(), abs=unsure / 200)


def test_what_the_penalty_is_chosen_by(monkeypatch):
    """A heavier penalty is better where features are many and labels few; too few of a label leave none to choose."""
    assert accuracy(np.eye(4), np.array(["a"] * 4), np.eye(4), np.array(["a", "b", "a", "a"])) == 0.75
    tried = []
    original = __import__("sklearn").linear_model.LogisticRegression.fit
    monkeypatch.setattr(
        "sklearn.linear_model.LogisticRegression.fit",
        lambda self, *given: tried.append((self.C, len(given[0]))) or original(self, *given),
    )
    x, labels = gaussian_features(20, 3, 0)
    accuracy(x, labels, x, labels)
    assert {number for _, number in tried} == {16, 20}  # five folds, then all of them
    assert {penalty for penalty, number in tried if number == 16} == {0.01, 0.1, 1.0, 10.0}
    tried.clear()
    accuracy(x[:8], np.array([0] * 6 + [1] * 2), x, labels)
    assert tried == [(1.0, 8)]


def test_every_kind_of_features_sees_the_same_sentences():
    labels = np.array(list("abab") * 10)
    knows = (labels == "a").astype(float)[:, None]
    features = {"knows": (knows, knows), "does not": (np.zeros((40, 1)), np.zeros((40, 1)))}
    found = probe(features, labels, labels, [20, 40], draws_of(40, [20, 40], 2, seed=0))
    assert [(one.features, one.num_labels) for one in found] == [
        ("knows", 20), ("does not", 20), ("knows", 40), ("does not", 40)]  # fmt: skip
    assert [one.mean for one in found if one.features == "knows"] == [1, 1]
    assert all(one.mean == 0.5 for one in found if one.features == "does not")
    assert all(one.standard_error == 0 for one in found)
    (alone, _) = probe(features, labels, labels, [20], draws_of(40, [20], 1, seed=0))
    assert alone.standard_error is None


def test_the_command(trained_directory, labelled, tmp_path, capsys, monkeypatch):
    seen = []
    original = probe_of_directory.features_of
    monkeypatch.setattr(probe_of_directory, "features_of", lambda *given: seen.append(given) or original(*given))
    argv = ["probe", str(trained_directory), "--dataset", str(labelled), "--output", str(tmp_path / "found.json")]
    assert main([*argv, "--label_column", "animal", "--num_labels", "10", "90", "5", "--draws", "3"]) == 0
    shown, found = capsys.readouterr(), json.loads((tmp_path / "found.json").read_text())
    assert "warning: 90 labels left out: 24 training sentences have one" in shown.err
    title = "animal (cat, dog) of 8 test sentences; 2 train and 2 test sentences have no label"
    assert title in " ".join(shown.out.split())
    assert max(map(len, shown.out.splitlines()[:-1])) <= 80
    assert [(one["num_labels"], one["features"]) for one in found["accuracies"]] == [
        (n, name) for n in (5, 10) for name in ("latents", "untrained", "bag of words")
    ]
    for one in found["accuracies"]:
        assert one["mean"] == pytest.approx(sum(one["accuracies"]) / 3)
        assert one["standard_error"] == pytest.approx(np.std(one["accuracies"], ddof=1) / 3**0.5)
    assert (found["labels_from"], found["majority"]) == ("column", 0.5)
    assert found["sentences"]["train"] == {"labelled": 24, "without_label": 2, "labels": {"cat": 12, "dog": 12}}
    assert "commit" in found
    ((_, train, test, _),) = seen
    assert len(train) <= 24  # those that a draw has
    assert test == labels_of_column(str(labelled), "animal")["test"].texts


def test_misuse(trained_directory, labelled, small_corpus, capsys):
    def refused(*argv):
        assert main(["probe", *map(str, argv)]) == 2
        return capsys.readouterr().err

    assert "--draws must be at least 1, but is 0" in refused(trained_directory, "--draws", 0)
    assert "--num_labels must be at least 2 each, but one is 1" in refused(trained_directory, "--num_labels", 9, 1)
    assert "not allowed with" in refused(trained_directory, "--attribute", "tense", "--label_column", "animal")
    assert "a language model has no latent variable" in refused(MODELS / "lstm-lm", "--dataset", small_corpus,
                                                                 "--output", labelled.parent / "x.json")  # fmt: skip
    own = [trained_directory, "--dataset", labelled, "--output", labelled.parent / "x.json"]
    assert "only 24 training sentences have a label, fewer than --num_labels 25" in refused(
        *own, "--label_column", "animal", "--num_labels", 25
    )
    assert "--attribute topic is not known of" in refused(*own, "--attribute", "topic")
    assert not (labelled.parent / "x.json").exists()
