"""The plain implementation has our mathematics, the floor counts the products, the page shows the figures."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.floor import forward_flop
from benchmarks.generated_batches import SIZES, pad
from benchmarks.page import README, report
from benchmarks.plain_model import PlainModel, generate_one, greedy, score_by_loop
from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel

STEPS = 200


@pytest.fixture
def pair(tiny_model):
    """Ours and the plain model with the same weights, in double precision."""
    ours = tiny_model(dropout=0.0).double()
    plain = PlainModel(ours.config).double()
    plain.load_state_dict(ours.state_dict())
    return ours.train(), plain.train()


def test_loss_curves_are_one(pair):
    rng = np.random.default_rng(0)
    sentences = [[1, *rng.integers(4, 13, size=rng.integers(1, 9)).tolist(), 2] for _ in range(64)]
    # Adam divides a gradient that is 0 but for rounding by its own size; this eps keeps such noise small
    optimizers = [
        torch.optim.Adam(model.parameters(), lr=5e-3, eps=1e-5, fused=fused)
        for model, fused in zip(pair, (True, False), strict=True)
    ]
    curves = ([], [])
    for number in range(STEPS):
        batch = pad([sentences[row] for row in rng.permutation(64)[:8]])
        for model, optimizer, curve in zip(pair, optimizers, curves, strict=True):
            torch.manual_seed(number)
            loss = model(**batch).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            curve.append(loss.item())
    ours, plain = torch.tensor(curves, dtype=torch.float64)
    torch.testing.assert_close(ours, plain, rtol=1e-7, atol=0)
    assert plain[-20:].mean() < 0.9 * plain[:20].mean()


def test_a_plain_step_is_the_plain_way(pair, batch):
    """All logits at once: a plain step calls the projection, ours forms the loss without it."""
    calls = {}
    for name, model in zip(("ours", "plain"), pair, strict=True):
        with patch.object(torch.nn.Linear, "forward", autospec=True, side_effect=torch.nn.Linear.forward) as linear:
            model(**batch).loss.backward()
        calls[name] = sum(call.args[0] is model.decoder.projection for call in linear.call_args_list)
    assert calls == {"ours": 0, "plain": 1}


def test_loop_over_samples_has_the_models_weights(pair, batch):
    ours, plain = (model.eval() for model in pair)
    torch.manual_seed(0)
    (weights,) = score_by_loop(plain, [batch], samples=1)
    torch.manual_seed(0)
    posterior = ours.encode(**batch)
    z = posterior.rsample()
    prior = torch.distributions.Normal(0, 1).log_prob(z).sum(-1)
    expected = prior - posterior.log_prob(z) - ours.score(**batch, z_prime=ours.push(z)[0])
    torch.testing.assert_close(weights, expected.detach())


def test_plain_generation_ends(tiny_model):
    model = tiny_model(max_words=5).eval()
    for seed in range(20):
        torch.manual_seed(seed)
        words = generate_one(model)[0].tolist()
        assert words[0] == 1
        assert words[-1] == 2 or len(words) == 7
        assert 2 not in words[:-1]


def test_plain_greedy_words_are_the_models(tiny_model):
    model, z = tiny_model().eval(), torch.randn(5, 4)
    with torch.no_grad():
        model.decoder.projection.bias[:3] = -1e9  # neither padding nor marks
    assert torch.equal(model.generate(latents=z, do_sample=False, max_new_tokens=6), greedy(model, z, 6))


def test_floor_counts_the_products():
    config = WaeRnfConfig(vocab_size=70, embedding_size=12, hidden_size=20)
    model = WaeRnfModel(config)
    state = torch.zeros(1, 20), torch.zeros(1, 20)
    with FlopCounterMode(display=False) as counter:
        torch.lstm_cell(torch.zeros(1, 12), state, *model.encoder.lstm.all_weights[0])
        torch.lstm_cell(torch.zeros(1, 12), state, *model.decoder.lstm.all_weights[0])
        model.decoder.logits(torch.zeros(1, 20))
    assert sum(forward_flop(config).values()) == counter.get_total_flops()


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_what_they_say(name):
    sizes = SIZES[name]
    sentences = sizes.sentences(2000, np.random.default_rng(0))
    lengths = np.array([len(ids) - 1 for ids in sentences])
    assert lengths.mean() == pytest.approx(sizes.mean, rel=0.05)
    assert lengths.std() == pytest.approx(sizes.stddev, rel=0.1)
    assert sizes.shortest <= lengths.min() <= lengths.max() <= sizes.longest
    for ids in sentences[:50]:
        assert (ids[0], ids[-1]) == (1, 2)
        assert 4 <= min(ids[1:-1]) <= max(ids[1:-1]) < sizes.vocab_size


def test_the_page_shows_the_figures():
    assert README.read_text(encoding="utf-8") == report()
