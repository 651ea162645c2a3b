"""The contracts carry parts of other kinds than those there are: each made-up part here is one class, and one row."""

import pytest
import torch
import torch.nn.functional as F
from datasets import Dataset
from torch import nn
from transformers import DynamicCache

from modeling_wae_rnf import GaussianPosterior
from modeling_wae_rnf.components import COMPONENTS
from modeling_wae_rnf.decoder import Decoder
from modeling_wae_rnf.dropout import Dropout
from modeling_wae_rnf.encoder import Encoder
from modeling_wae_rnf.generation import seeded_by
from modeling_wae_rnf.inference import Amortized
from modeling_wae_rnf.posterior_head import PosteriorHead, projection
from modeling_wae_rnf.priors import Prior
from modeling_wae_rnf.recurrent_cache import RecurrentCache
from wae_rnf.evaluation.evaluate_split import evaluate

from .test_components import NO_FLOW_NO_MMD, build, check_cache, check_gradients, check_padding, check_saved, refusal


class ConvolutionalDecoder(Decoder):
    """Dilated causal convolutions; of each layer the cache has the last inputs, however long the sentence is."""

    def __init__(self, config, *, dilations=(1, 2)):
        super().__init__()
        width = config.hidden_size
        self.inputs = nn.Linear(config.embedding_size + config.latent_size, width)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=dilation) for dilation in dilations)
        self.dropout, self.projection = Dropout(config.dropout), nn.Linear(width, config.vocab_size)

    def read(self, embeddings, z_prime):
        return self.inputs(torch.cat([embeddings, z_prime.unsqueeze(1).expand(-1, embeddings.shape[1], -1)], -1))

    def forward(self, embeddings, z_prime, lengths):
        x = self.read(embeddings, z_prime)
        for layer in self.layers:
            past = F.pad(x.transpose(1, 2), (2 * layer.dilation[0], 0))
            x = x + layer(past).transpose(1, 2).tanh()
        return x

    def new_cache(self):
        return RecurrentCache()

    def extend(self, embeddings, z_prime, cache, mask):
        words, state, outputs = self.read(embeddings, z_prime), cache.state, []
        if state is None:
            state = [words.new_zeros(len(words), 2 * layer.dilation[0], words.shape[-1]) for layer in self.layers]
        for position in range(words.shape[1]):
            x, after = words[:, position], []
            for layer, buffer in zip(self.layers, state, strict=True):
                window = torch.cat([buffer, x.unsqueeze(1)], dim=1)
                after.append(torch.where(mask[:, position, None, None], window[:, 1:], buffer))
                x = x + layer(window.transpose(1, 2)).squeeze(-1).tanh()
            state = after
            outputs.append(x)
        cache.update(*state)
        return torch.stack(outputs, dim=1)


class AttentionCache(DynamicCache):
    """Keys and values of every word, and which of them are words."""

    def __init__(self):
        super().__init__()
        self.words, self.mask = 0, None

    def get_seq_length(self, layer_idx=0):
        return self.words

    def count(self, words):
        self.words += words

    def reorder_cache(self, beam_idx):
        super().reorder_cache(beam_idx)
        self.mask = self.mask[beam_idx]


class AttentionDecoder(Decoder):
    """A layer of causal attention, with the cache that Transformers has for such."""

    def __init__(self, config):
        super().__init__()
        width = config.hidden_size
        self.start, self.inputs = nn.Linear(config.latent_size, width), nn.Linear(config.embedding_size, width)
        self.positions, self.attention = nn.Embedding(64, width), nn.Linear(width, 3 * width)
        self.dropout, self.projection = Dropout(config.dropout), nn.Linear(width, config.vocab_size)

    def forward(self, embeddings, z_prime, lengths):
        mask = torch.arange(embeddings.shape[1], device=lengths.device) < lengths.unsqueeze(1)
        return self.extend(embeddings, z_prime, self.new_cache(), mask)

    def new_cache(self):
        return AttentionCache()

    def extend(self, embeddings, z_prime, cache, mask):
        seen = mask if cache.mask is None else torch.cat([cache.mask, mask], dim=1)
        positions = seen.long().cumsum(1)[:, -mask.shape[1] :]
        x = self.inputs(embeddings) + self.start(z_prime).unsqueeze(1) + self.positions(positions)
        query, key, value = self.attention(x).unsqueeze(1).chunk(3, dim=-1)  # of one head
        key, value = cache.update(key, value, 0)
        columns = torch.arange(seen.shape[1], device=seen.device)
        own = columns[-mask.shape[1] :].unsqueeze(1)
        allowed = (columns == own) | ((columns < own) & seen.unsqueeze(1))
        cache.mask = seen
        return x + F.scaled_dot_product_attention(query, key, value, allowed.unsqueeze(1)).squeeze(1)


class PooledEncoder(Encoder):
    """The mean of a layer's outputs over the words."""

    def __init__(self, config):
        super().__init__()
        self.state_size = 5
        self.layer = nn.Linear(config.embedding_size, 5)

    def forward(self, embeddings, lengths):
        words = torch.arange(embeddings.shape[1], device=lengths.device) < lengths.unsqueeze(1)
        return (self.layer(embeddings).tanh() * words.unsqueeze(-1)).sum(1) / lengths.unsqueeze(1)


class Refined(Amortized):
    """The encoder's posterior after steps of gradient descent on the sentence's own loss."""

    def __init__(self, config, *, steps=2, rate=0.3):
        super().__init__(config)
        self.steps, self.rate = steps, rate

    def forward(self, model, sentences, kl_weight=None, sample=True):
        first, graph = super().forward(model, sentences, kl_weight, sample), torch.is_grad_enabled()
        kl_weight = model.config.kl_weight if kl_weight is None else kl_weight
        with torch.enable_grad():
            values = first.mean, first.stddev.log()
            if not graph:
                values = tuple(value.detach().requires_grad_() for value in values)
            for _ in range(self.steps):
                q = GaussianPosterior(values[0], values[1].exp())
                loss = model.reconstruct_nll(sentences, model.push(q.mean)[0]) + kl_weight * q.kl_divergence()
                slopes = torch.autograd.grad(loss.sum(), values, create_graph=graph)
                values = tuple(value - self.rate * slope for value, slope in zip(values, slopes, strict=True))
        refined = GaussianPosterior(values[0], values[1].exp())
        return refined if graph else refined.detach()


class DirichletPosterior(torch.distributions.Dirichlet):
    """q(z|x) on the simplex; its natural prior is uniform there."""

    def __init__(self, concentration):
        super().__init__(concentration, validate_args=False)

    @classmethod
    def concatenate(cls, posteriors, order):
        return cls(torch.cat([part.concentration.cpu().double() for part in posteriors])[order])

    def rsample(self, sample_shape=(), generator=None):
        with seeded_by(generator, self.concentration.device):
            return super().rsample(sample_shape)

    def detach(self):
        return type(self)(self.concentration.detach())

    def log_prob_of_each(self, z):
        return self.log_prob(z.unsqueeze(1))

    def kl_divergence(self):
        return torch.distributions.kl_divergence(self, type(self)(torch.ones_like(self.concentration)))

    def kl_per_dimension(self):
        return None


class DirichletHead(PosteriorHead):
    space, natural_prior = "simplex", "uniform_simplex"

    def __init__(self, config, state_size, *, smallest=0.05):
        super().__init__(config, state_size)
        self.log_concentration, self.smallest = projection(config, state_size, bias=True), smallest

    def forward(self, state):
        return DirichletPosterior(F.softplus(self.log_concentration(state)) + self.smallest)


class UniformSimplex(Prior):
    space = "simplex"

    def of(self, z):
        return DirichletPosterior(torch.ones_like(z))

    def sample(self, shape, generator=None, device=None, dtype=None):
        return self.of(torch.empty(shape, device=device, dtype=dtype)).rsample(generator=generator)

    def log_prob(self, z):
        return self.of(z).log_prob(z)

    def kl_divergence(self, posterior):
        return posterior.kl_divergence()


ROWS = {
    "decoder": {"convolutional": ConvolutionalDecoder, "attention": AttentionDecoder},
    "encoder": {"pooled": PooledEncoder},
    "inference": {"refined": Refined},
    "posterior": {"dirichlet": DirichletHead},
    "prior": {"uniform_simplex": UniformSimplex},
}
CASES = {
    "convolutional decoder": {"decoder_type": "convolutional", "decoder_kwargs": {"dilations": [1, 2, 4]}},
    "attention decoder": {"decoder_type": "attention"},
    "another encoder": {"encoder_type": "pooled"},
    "refined posterior": {"inference": "refined", "inference_kwargs": {"steps": 3}},
    "Dirichlet": {"posterior": "dirichlet", "objective": "pushforward"} | NO_FLOW_NO_MMD,
}


@pytest.fixture(autouse=True)
def rows(monkeypatch):
    for kind, parts in ROWS.items():
        for name, part in parts.items():
            monkeypatch.setitem(COMPONENTS[kind], name, part)


@pytest.mark.parametrize("case", CASES)
def test_a_part_of_another_kind_keeps_to_the_contract(case, batch, tmp_path):
    check_gradients(build(CASES[case]), batch)
    check_saved(build(CASES[case]), batch, tmp_path)
    with torch.no_grad():
        check_padding(build(CASES[case]), batch)
        check_cache(build(CASES[case]), batch)


@pytest.mark.parametrize("case", CASES)
def test_it_is_evaluated_as_any_other(case, batch):
    ids = [[word for word in row if word] for row in batch["input_ids"].tolist()]
    sentences = Dataset.from_dict({"input_ids": ids, "length": [len(row) - 1 for row in ids]})
    metrics = evaluate(build(CASES[case]), sentences, samples=20)
    pushforward = metrics["pushforward"]
    assert pushforward["iwae"]["nll"] <= pushforward["elbo"]["nll"] + 0.5
    assert metrics["mutual_information"] == metrics["mutual_information"]  # a number


def test_a_refined_posterior_is_one_also_where_nobody_takes_gradients(batch):
    """Its bound is better than that of the encoder's own, of the same weights."""
    bounds = []
    for steps in (0, 20):
        model = build(
            {"inference": "refined", "inference_kwargs": {"steps": steps, "rate": 0.05}, "kl_weight": 1.0}
        ).eval()
        with torch.no_grad():
            q = model.encode(**batch)
            assert not q.mean.requires_grad
            bounds.append((model.score(**batch, z_prime=model.push(q.mean)[0]) + q.kl_divergence()).mean())
    assert bounds[1] < bounds[0] - 0.01


def test_options_of_their_own():
    assert build(CASES["convolutional decoder"]).decoder.layers[2].dilation == (4,)
    message = refusal(decoder_type="convolutional", decoder_kwargs={"dilation": 3})
    assert message == "decoder_kwargs: decoder 'convolutional' has no option 'dilation'; it has dilations"


def test_latents_of_another_space():
    message = refusal(posterior="dirichlet")
    assert message.startswith("a model whose latents lie on the simplex has neither flows nor MMD")
    message = refusal(posterior="dirichlet", prior="mixture", **NO_FLOW_NO_MMD)
    assert message == "the prior of a dirichlet posterior cannot be 'mixture': it lies elsewhere"
    model = build(CASES["Dirichlet"]).eval()
    torch.testing.assert_close(model.sample_prior(3).sum(-1), torch.ones(3))
