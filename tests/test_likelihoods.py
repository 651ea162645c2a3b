"""Nats of sentences and of tokens: against the evaluation, loops over samples and tokens, and quadrature."""

import math
from pathlib import Path

import pytest
import torch
from datasets import Dataset
from torch.distributions import Normal

from wae_rnf.evaluation.evaluate_split import evaluate
from wae_rnf.text import TextAutoencoder, load
from wae_rnf.text.likelihoods import BATCH_SIZE
from wae_rnf.tokenization.batching import numbered_seed, sorted_batches
from wae_rnf.tokenization.tokenizer import build_tokenizer

MODELS = Path(__file__).parent / "golden" / "models"
TEXTS = ["the cat sat on the mat .", "", "zebra", "the cat", "a dog ran", "the cat", "on on on on on"]
pytestmark = pytest.mark.filterwarnings("ignore::wae_rnf.text.text_input.UnreadTextWarning")


@pytest.fixture(scope="module", params=["vae", "wae-rnf", "vmf-vae", "lstm-lm"])
def text(request):
    return load(MODELS / request.param, "cpu")


def token_ids(text, texts):
    return [text.tokenizer(sentence)["input_ids"] for sentence in texts]


def test_the_same_numbers_as_the_evaluation(text):
    texts = TEXTS * 20  # several batches
    rows = token_ids(text, texts)
    sentences = Dataset.from_dict({"input_ids": rows, "length": [len(row) - 1 for row in rows]})
    metrics = evaluate(text.model, sentences, samples=5, seed=3)
    assert len(texts) > 2 * BATCH_SIZE
    for generative_model in ("pushforward", "flow_posterior"):
        found = text.nll(texts, samples=5, seed=3, generative_model=generative_model)
        assert found.nll.tolist() == metrics["of_sentences"][f"{generative_model}_iwae"]
        assert found.num_tokens.tolist() == metrics["of_sentences"]["length"]
        assert found.perplexity == pytest.approx(metrics[generative_model]["iwae"]["ppl"])
        error = (found.monte_carlo_error.double().square().sum().sqrt() / len(texts)).item()
        assert error == pytest.approx(metrics[generative_model]["iwae"]["monte_carlo_error"], rel=1e-5)
    trained = text.nll(TEXTS, samples=5).estimate
    has_latents = text.latent_size > 0
    assert trained.bound == ("importance-weighted" if has_latents else "exact")
    assert trained.samples == (5 if has_latents else 1)
    assert str(trained.samples) in str(trained) if has_latents else "exact" in str(trained)


def test_tokens_and_latent_sum_to_the_sentence(text):
    found = text.surprisal(TEXTS, samples=6, seed=1)
    nll = text.nll(TEXTS, samples=6, seed=1)
    for row, ids, of_sentence in zip(found, token_ids(text, TEXTS), nll.nll.tolist(), strict=True):
        assert row.nll == pytest.approx(of_sentence, rel=1e-5)
        assert sum(row.nats) + row.latent == pytest.approx(row.nll, rel=1e-5)
        assert row.tokens == text.tokenizer.convert_ids_to_tokens(ids)[1:]
        assert len(row.nats) == len(row.tokens)
        assert row.estimate == nll.estimate


def test_a_language_model_is_exact():
    text = load(MODELS / "lstm-lm", "cpu")
    found, sentences = text.surprisal(TEXTS), text.nll(TEXTS)
    for row, nll, ids in zip(found, sentences.nll, token_ids(text, TEXTS), strict=True):
        logits = text.model(torch.tensor([ids]), latents=torch.empty(1, 0)).logits[0].log_softmax(-1)
        expected = [-logits[t, token].item() for t, token in enumerate(ids[1:])]
        assert row.nats == pytest.approx(expected, rel=1e-4)
        assert row.latent == 0
        assert nll.item() == pytest.approx(sum(expected), rel=1e-4)
    assert sentences.monte_carlo_error.tolist() == [0] * len(TEXTS)


@torch.no_grad()
def test_surprisals_against_loops_over_samples_and_tokens():
    text, samples = load(MODELS / "vae", "cpu"), 4
    rows = token_ids(text, TEXTS)
    (order,) = sorted_batches([len(row) - 1 for row in rows], BATCH_SIZE)
    generator = torch.Generator().manual_seed(numbered_seed(9, 0))
    noise = torch.randn((samples, len(TEXTS), text.latent_size), generator=generator)
    found = text.surprisal(TEXTS, samples=samples, seed=9)
    for place, number in enumerate(order):
        ids = rows[number]
        posterior = text.model.encode(torch.tensor([ids]))
        mean, stddev = posterior.mean[0], posterior.stddev[0]
        nats, log_weights = [], []
        for z in mean + stddev * noise[:, place]:
            scores = text.model(torch.tensor([ids]), latents=z[None]).logits[0].log_softmax(-1)
            nats.append([-scores[t, token].item() for t, token in enumerate(ids[1:])])
            ratio = Normal(0.0, 1.0).log_prob(z).sum() - Normal(mean, stddev).log_prob(z).sum()
            log_weights.append(ratio.item() - sum(nats[-1]))
        total = sum(map(math.exp, log_weights))
        shares = [math.exp(weight) / total for weight in log_weights]
        expected = [sum(w * row[t] for w, row in zip(shares, nats, strict=True)) for t in range(len(ids) - 1)]
        assert found[number].nats == pytest.approx(expected, rel=1e-3)
        assert found[number].nll == pytest.approx(-math.log(total / samples), rel=1e-4)


@pytest.fixture
def one_dimension(tiny_model):
    """A model of one latent dimension whose decoder hears it, and whose posterior is too wide on purpose."""
    words = ("<pad>", "<bos>", "<eos>", "<unk>", *"abcdefghi")
    model = tiny_model(latent_size=1, num_flows=0, flow_kernel=None, num_centres=1, objective="pushforward")
    torch.nn.init.normal_(model.decoder.initial_state.weight, std=2.0, generator=torch.Generator().manual_seed(0))
    torch.nn.init.normal_(model.decoder.projection.weight, std=5.0, generator=torch.Generator().manual_seed(1))
    return TextAutoencoder(model, build_tokenizer({word: number for number, word in enumerate(words)}))


@torch.no_grad()
def test_surprisals_against_quadrature(one_dimension):
    """Under the true posterior, on a fine grid: the tokens, and KL(p(z|x) || p(z)) for the latent."""
    texts, grid = ["a b", "c", ""], torch.linspace(-8, 8, 2001)
    step, prior = (grid[1] - grid[0]).item(), Normal(0.0, 1.0).log_prob(grid)
    found = one_dimension.surprisal(texts, samples=20_000)
    for row, ids in zip(found, token_ids(one_dimension, texts), strict=True):
        batch = torch.tensor([ids]).expand(len(grid), -1)
        scores = one_dimension.model(batch, latents=grid[:, None]).logits.log_softmax(-1)
        tokens = -scores[:, :-1].gather(2, batch[:, 1:, None]).squeeze(2)
        log_joint = prior - tokens.sum(1)
        log_evidence = log_joint.logsumexp(0) + math.log(step)
        true = (log_joint - log_evidence).exp() * step
        assert row.nll == pytest.approx(-log_evidence.item(), abs=0.06)
        assert row.nats == pytest.approx((true[:, None] * tokens).sum(0).tolist(), abs=0.06)
        kl = (true * (log_joint - log_evidence - prior)).sum().item()
        assert row.latent == pytest.approx(kl, abs=0.06)


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
def test_scores_of_tokens_are_those_of_the_logits(tiny_model, batch, side):
    model = tiny_model().eval()
    if side == "left":
        shifts = (7 - batch["attention_mask"].sum(1)).tolist()
        batch = {
            name: torch.stack([row.roll(shift) for row, shift in zip(ids, shifts, strict=True)])
            for name, ids in batch.items()
        }
    z_prime = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    scores = model.score_tokens(**batch, z_prime=z_prime)
    torch.testing.assert_close(scores.sum(1), model.score(**batch, z_prime=z_prime))
    for row, ids, z in zip(scores, batch["input_ids"], z_prime, strict=True):
        words = ids[ids.ne(0)]
        logits = model(words[None], z_prime=z[None]).logits[0].log_softmax(-1)
        expected = -logits[:-1].gather(1, words[1:, None]).squeeze(1)
        torch.testing.assert_close(row[: len(expected)], expected)
        assert not row[len(expected) :].any()


def test_bad_numbers(text):
    for call in (text.nll, text.surprisal):
        with pytest.raises(ValueError, match="samples must be at least 1, but is 0"):
            call(TEXTS, samples=0)
        with pytest.raises(ValueError, match="generative_model must be one of pushforward, flow_posterior"):
            call(TEXTS, generative_model="vae")


def test_no_texts_are_no_rows(text):
    found = text.nll([])
    assert (found.nll.shape, found.num_tokens.shape, text.surprisal([])) == ((0,), (0,), [])
