"""How likely texts are, by the evaluation's own estimator: nats of each sentence, and of each of its tokens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.estimators import (
    GENERATIVE_MODELS,
    generative_model_of,
    importance_weighted_nll,
    monte_carlo_variance,
)
from wae_rnf.evaluation.evaluate_split import BATCH_SIZE  # the same batches see the same noise
from wae_rnf.evaluation.importance_samples import ImportanceSamples, draw_samples
from wae_rnf.tokenization.batching import numbered_seed

from .batches import TextBatches

__all__ = ["BATCH_SIZE", "Estimate", "Likelihoods", "TokenSurprisals", "estimate_of", "likelihoods", "surprisals"]


@dataclass(frozen=True)
class Estimate:
    """What a likelihood is: exact, or which bound, of which generative model, by how many samples.

    Attributes:
        bound: "exact", of a language model, or "importance-weighted", -log (1/k) Σ_i p(x, z_i) / q(z_i|x) (Burda et
            al. 2016, arXiv 1509.00519), whose expectation is at least -log p(x).
        generative_model: "pushforward", z ~ p(z) and z' = F(z), or "flow_posterior", z' ~ p(z).
        samples: k, importance samples a sentence.

    Examples:
        >>> print(Estimate("importance-weighted", "pushforward", 100))
        importance-weighted bound of 100 samples, pushforward model
    """

    bound: str
    generative_model: str
    samples: int

    def __str__(self) -> str:
        if self.bound == "exact":
            return "exact likelihood of a language model"
        samples = f"{self.samples:,} sample{'s' if self.samples > 1 else ''}"
        return f"{self.bound} bound of {samples}, {self.generative_model.replace('_', '-')} model"


@dataclass(frozen=True)
class Likelihoods:
    """Negative log-likelihoods of texts.

    Attributes:
        nll: nats of each sentence, (n,).
        num_tokens: scored tokens of each sentence, its end included, (n,).
        monte_carlo_error: standard error of each `nll` over other draws of the samples, nats, (n,); not a number with
            one sample, 0 where it is exact.
        estimate: what `nll` is.

    Examples:
        >>> exact = Estimate("exact", "pushforward", 1)
        >>> found = Likelihoods(torch.tensor([6.0, 3.0]), torch.tensor([2, 1]), torch.zeros(2), exact)
        >>> found.nats_per_token, round(found.perplexity, 2)
        (3.0, 20.09)
    """

    nll: Tensor
    num_tokens: Tensor
    monte_carlo_error: Tensor
    estimate: Estimate

    @property
    def nats_per_token(self) -> float:
        """Nats of all sentences by their tokens."""
        return (self.nll.double().sum() / self.num_tokens.sum()).item()

    @property
    def perplexity(self) -> float:
        """exp(`nats_per_token`)."""
        return torch.tensor(self.nats_per_token).exp().item()


@dataclass(frozen=True)
class TokenSurprisals:
    """What each token of one sentence costs, given its latent, and what the latent costs.

    -log p(x) = E[-log p(x|z)] + KL(p(z|x) || p(z)), with the expectation under the true posterior p(z|x), and
    -log p(x|z) is a sum over tokens. The true posterior is approximated by importance samples z_i ~ q(z|x) with the
    weights w_i = p(x, z_i) / q(z_i|x), normalized to sum to 1.

    Attributes:
        tokens: as text, the end of the sentence last.
        nats: Σ_i w_i (-log p(x_t | x_<t, z_i)) of each token.
        latent: nats of the latent, `nll` less the sum of `nats`: an estimate of KL(p(z|x) || p(z)), which noise may
            bring under 0; 0 in a language model.
        nll: of the sentence, as [`Likelihoods`] has it: the sum of `nats` and `latent`.
        estimate: what `nll` is.
    """

    tokens: list[str]
    nats: list[float]
    latent: float
    nll: float
    estimate: Estimate


def estimate_of(model: WaeRnfModel, samples: int, generative_model: str | None) -> Estimate:
    """What an estimate by so many samples is; by default of the generative model that the model was trained as.

    Raises:
        ValueError: no samples, or an unknown generative model.
    """
    if samples < 1:
        raise ValueError(f"samples must be at least 1, but is {samples}")
    if generative_model not in (None, *GENERATIVE_MODELS):
        raise ValueError(
            f"generative_model must be one of {', '.join(GENERATIVE_MODELS)}, but is {generative_model!r}"
        )
    generative_model = generative_model or generative_model_of(model.config.objective)
    if not model.config.has_latents:
        return Estimate("exact", generative_model, 1)
    return Estimate("importance-weighted", generative_model, samples)


@torch.no_grad()
def likelihoods(model: WaeRnfModel, batches: TextBatches, estimate: Estimate, seed: int) -> Likelihoods:
    """The likelihood of each text; the same numbers as `evaluate` has for the same sentences, samples and seed."""
    found: list[Tensor] = []
    for _, drawn in samples_of_batches(model, batches, estimate, seed, model.score, "score"):
        weights = drawn.log_weights[estimate.generative_model]
        error = monte_carlo_variance(weights).sqrt()
        error = torch.zeros_like(error) if estimate.bound == "exact" else error
        found += torch.stack([importance_weighted_nll(weights), error], dim=-1).cpu()
    rows = torch.stack(batches.in_order(found)) if found else torch.empty(0, 2)
    return Likelihoods(rows[:, 0], torch.tensor(batches.lengths, dtype=torch.long), rows[:, 1], estimate)


@torch.no_grad()
def surprisals(model: WaeRnfModel, batches: TextBatches, estimate: Estimate, seed: int) -> list[TokenSurprisals]:
    """What each token of each text costs, by the same samples as `likelihoods`."""
    found: list[TokenSurprisals] = []
    for inputs, drawn in samples_of_batches(model, batches, estimate, seed, model.score_tokens, "surprisal"):
        weights = drawn.log_weights[estimate.generative_model]
        nats = (weights.softmax(0).unsqueeze(-1) * drawn.nll).sum(0)
        nll, latent = importance_weighted_nll(weights), nats.new_zeros(len(nats))
        if estimate.bound != "exact":
            latent = nll - nats.sum(-1)
        rows = (inputs["input_ids"], nats, latent, nll, inputs["attention_mask"].sum(-1))
        for ids, costs, of_latent, of_sentence, length in zip(*(values.tolist() for values in rows), strict=True):
            tokens = [token_text(batches.tokenizer, number) for number in ids[1:length]]
            found.append(TokenSurprisals(tokens, costs[: len(tokens)], of_latent, of_sentence, estimate))
    return batches.in_order(found)


def samples_of_batches(
    model: WaeRnfModel,
    batches: TextBatches,
    estimate: Estimate,
    seed: int,
    score: Callable[..., Tensor],
    description: str,
) -> Iterator[tuple[dict[str, Tensor], ImportanceSamples]]:
    """The inputs of each batch, and its importance samples; the noise follows from seed and number of the batch."""
    for number, inputs in enumerate(batches.inputs(model.device, description)):
        generator = torch.Generator(model.device).manual_seed(numbered_seed(seed, number))
        yield inputs, draw_samples(model, inputs, model.encode(**inputs), estimate.samples, generator, score)


def token_text(tokenizer: PreTrainedTokenizerFast, token_id: int) -> str:
    """A token as text; as the vocabulary has it where it is no text of its own, a part of a character."""
    text = tokenizer.batch_decode([[token_id]])[0].strip()
    return text if text and "\ufffd" not in text else tokenizer.convert_ids_to_tokens([token_id])[0]
