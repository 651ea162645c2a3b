"""Noise on the encoder's input: what it leaves, how much it moves, and that only the encoder in training reads it."""

import pytest
import torch

from modeling_wae_rnf.alignment import Aligned
from modeling_wae_rnf.input_noise import drop_tokens, shuffle_tokens

WIDTH, ROWS = 12, 400


@pytest.fixture
def sentences():
    """Of 2 to `WIDTH` tokens; each inner token is its own number, so that it is known again."""
    torch.manual_seed(0)
    lengths = torch.randint(2, WIDTH + 1, (ROWS,))
    mask = torch.arange(WIDTH) < lengths.unsqueeze(1)
    ids = torch.arange(WIDTH).expand(ROWS, WIDTH) + 10
    ids = ids.masked_fill(~mask, 0)
    ids[:, 0] = 1
    ids[torch.arange(ROWS), lengths - 1] = 2
    return Aligned(ids, mask)


def rows_of(sentences):
    return [ids[mask].tolist() for ids, mask in zip(sentences.input_ids, sentences.mask, strict=True)]


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropped_tokens(sentences, rate):
    before, after = rows_of(sentences), rows_of(drop_tokens(sentences, rate))
    for whole, left in zip(before, after, strict=True):
        assert (left[0], left[-1]) == (1, 2)
        assert left == [token for token in whole if token in left]  # in their order
    inner, kept = (sum(len(row) - 2 for row in rows) for rows in (before, after))
    five_errors = 5 * (rate * (1 - rate) / inner) ** 0.5
    assert 1 - kept / inner == pytest.approx(rate, abs=five_errors)


def test_dropped_tokens_leave_no_holes(sentences):
    mask = drop_tokens(sentences, 0.5).mask
    assert not (mask[:, 1:] & ~mask[:, :-1]).any()


@pytest.mark.parametrize("distance", [1, 3])
def test_moved_tokens(sentences, distance):
    before, after = rows_of(sentences), rows_of(shuffle_tokens(sentences, distance))
    moves = []
    for whole, moved in zip(before, after, strict=True):
        assert sorted(moved) == sorted(whole)
        assert (moved[0], moved[-1]) == (1, 2)
        moves += [abs(place - whole.index(token)) for place, token in enumerate(moved)]
    assert max(moves) == distance


def test_only_the_encoder_in_training_reads_it(tiny_model, batch):
    model = tiny_model(input_drop=0.5, input_shuffle=2, dropout=0.0, batch_norm=False)
    read = []
    model.encoder.register_forward_pre_hook(lambda module, inputs: read.append(inputs[1]))
    lengths = batch["attention_mask"].sum(-1) - 1
    torch.manual_seed(0)
    model.train()
    reconstruction = model(**batch, sample=False).reconstruction
    assert (read[-1] <= lengths).all()
    assert (read[-1] < lengths).any()
    model.eval()
    model.encode(**batch)
    assert torch.equal(read[-1], lengths)
    assert torch.isfinite(reconstruction).all()


def test_the_decoder_still_writes_the_whole_sentence(tiny_model, batch):
    """At one z, what is scored is the sentence without noise."""
    noisy, plain = (tiny_model(input_drop=rate, dropout=0.0).train() for rate in (0.9, 0.0))
    noisy.load_state_dict(plain.state_dict())
    z = torch.zeros(len(batch["input_ids"]), plain.config.latent_size)
    scores = [model.score(batch["input_ids"], batch["attention_mask"], z) for model in (noisy, plain)]
    torch.testing.assert_close(*scores)
