"""The loops of other libraries are measured from outside: tokens and steps against a loop that counts for itself."""

import json

import pytest
import torch
from torch import nn

from benchmarks import peer_loop, peers
from benchmarks.page import peers as section
from benchmarks.peer_batches import authors_data


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.tags = nn.Embedding(9, 3), nn.Embedding(9, 3)

    def forward(self, ids):
        return (self.words(ids) * self.tags(ids)).sum()


def train_forever(counted):
    """A loop with two optimizers, which validates at every third step."""
    model = Tagger()
    optimizers = [torch.optim.SGD(part.parameters(), lr=0.1) for part in (model.words, model.tags)]
    generator = torch.Generator().manual_seed(0)
    for step in range(1000):
        lengths = torch.randint(2, 6, (4,), generator=generator)  # words and two special tokens
        ids = torch.arange(6).lt(lengths[:, None]).long() * 5
        model.train()
        model(ids).backward()
        for optimizer in optimizers:
            optimizer.step()
        counted.append(int(lengths.sum()) - 4)
        if step % 3 == 0:
            model.eval()(ids)


def test_tokens_and_steps_are_those_of_the_loop():
    counted = []
    clock = peer_loop.StepClock(5, "Tagger", special=2)
    clock.run(lambda: train_forever(counted))
    # the hook ends the last step before the loop has counted it
    assert len(clock.tokens) == peer_loop.WARM_UP + 5 + 1
    assert clock.tokens[1:-1] == counted
    assert clock.tokens_per_second() > 0
    assert type(clock.model) is Tagger
    assert not clock.model.training


def test_a_loop_that_ends_too_early_is_told():
    clock = peer_loop.StepClock(5, "Tagger")
    with pytest.raises(ValueError, match="the training ended after 0 steps of 15"):
        clock.run(lambda: None)


@pytest.fixture
def corpus(tmp_path):
    lines = [" ".join(["a", "b", "c", "d", "a", "b"][: 1 + number % 6]) for number in range(640)]
    folder = tmp_path / "ptb"
    folder.mkdir()
    for name in peers.SPLITS:
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def test_ours(corpus, capfd, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", corpus.parent / "cache")
    monkeypatch.setattr(peer_loop, "SAMPLES", 3)
    peer_loop.main("ours, wae-rnf", ".", str(corpus), "2")
    figures = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert all(value > 0 for value in figures.values())
    loops = {"loops": {"ours, vae": figures | {"seconds_of_samples": None}}, "ratio": {"ours, vae": 1.0}}
    page = section(loops | {"threads": 1, "steps": 2, "rounds": 1})
    assert page.count("\n| ours, vae |") == 1
    assert page.endswith("| – |")


def test_batches_for_the_authors_code(corpus):
    data = authors_data(corpus, batch_size=32)
    ids, seen = data.Corpus("ignored").word2idx, []
    for batch in data.get_iterator(data.Corpus().train, 32, True, "cpu"):
        rows, lengths = batch.text
        assert lengths.tolist() == sorted(lengths.tolist(), reverse=True)
        assert torch.equal(rows.ne(ids[data.PAD_TOKEN]).sum(1), lengths)
        assert rows[:, 0].eq(ids[data.SOS_TOKEN]).all()
        seen += [tuple(row[:length].tolist()) for row, length in zip(rows, lengths, strict=True)]
    assert len(seen) == 640
    assert max(map(len, seen)) == 8
    assert seen.count((ids["<sos>"], ids["a"], ids["<eos>"])) == 107


@pytest.mark.parametrize(
    ("arguments", "message"), [(["{folder}"], "has no train.txt"), (["{corpus}", "--steps", "0"], "at least 1")]
)
def test_misuse(arguments, message, corpus, tmp_path, capsys):
    arguments = [argument.format(folder=tmp_path, corpus=corpus) for argument in arguments]
    with pytest.raises(SystemExit) as stopped:
        peers.main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
