"""Evaluates a model on a split: bounds of both generative models, the paper's protocol, the use of the latents."""

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from modeling_wae_rnf import WaeRnfModel, mmd
from modeling_wae_rnf.components import name_of
from modeling_wae_rnf.posterior_head import Posterior
from modeling_wae_rnf.priors import Prior
from wae_rnf.tokenization.batching import lengths_of, load_batches, numbered_seed, sorted_batches

from .estimators import (
    GENERATIVE_MODELS,
    MORE_ACTIVE,
    USED_UNIT,
    active_units,
    bound_over_k,
    importance_weighted_nll,
    kl_of_units,
    log_aggregate_posterior,
    log_importance_weights,
    mixture_log_weights,
    monte_carlo_variance,
    mutual_information,
    paper_protocol_kl,
    random_rows,
    sizes_over,
    used_units,
)
from .importance_samples import draw_samples, score_samples
from .metrics import Bound, Excess, SplitMetrics
from .proposals import check_proposal
from .provenance import provenance
from .shared_work import gather, my_part

if TYPE_CHECKING:  # it takes a second to import, and text in, text out does without
    from datasets import Dataset

Columns = dict[str, Tensor]  # of each sentence
BATCH_SIZE = 64
DRAWN_AGAIN = 1000  # sentences whose z is drawn a second time, for the Monte-Carlo error of mutual information
MMD_SAMPLE = 500  # sentences an estimate of the MMD is taken over; the split's is the mean over its parts


class EvaluatedSplit(SplitMetrics):
    """What `evaluate` gives: the metrics, and the bounds that they are means of."""

    of_sentences: dict[str, list[float]]  # by name, each in the split's order


@torch.no_grad()
def evaluate(
    model: WaeRnfModel,
    sentences: "Dataset",
    samples: int = 1,
    seed: int = 0,
    max_sentences: int | None = None,
    progress: bool = False,
    proposal: str = "posterior",
) -> EvaluatedSplit:
    """The metrics of a model on a split. Several processes share the work, and each gets the same metrics.

    Args:
        model: a `WaeRnfModel`; put in evaluation mode, and back.
        sentences: prepared rows with `input_ids`, `length` and, where the corpus knows it, `log_prob`.
        samples: k importance samples a sentence.
        seed: of the samples.
        max_sentences: take the first so many sentences; all when None.
        progress: show a bar.
        proposal: what the importance samples are drawn from: "posterior", q(z|x), or "mixture", (q(z|x) + p(z)) / 2,
            half of them from each part; the prior is that of the generative model. The ELBO is of the samples of q.

    Returns:
        [`EvaluatedSplit`]; `wae_rnf.evaluation.metrics.SplitMetrics` explains every key.

    Raises:
        ValueError: no samples, an unknown proposal or an odd number of samples of a mixture, or no sentences.
    """
    if samples < 1:
        raise ValueError(f"iwae_samples must be at least 1, not {samples}")
    check_proposal(proposal, samples)
    if len(sentences) == 0:
        raise ValueError("there is no sentence to evaluate")
    if max_sentences is not None:
        sentences = sentences.select(range(min(max_sentences, len(sentences))))
    start, training = time.perf_counter(), model.training
    model.eval()
    if not model.config.has_latents:  # one sample is exact, and there is nothing to draw
        samples, proposal = 1, "posterior"
    columns, posterior = _columns(model, sentences, samples, seed, progress, proposal)
    model.train(training)
    metrics = _summary(columns, posterior, model.prior, samples, seed, proposal)
    metrics["prior"] = name_of("prior", model.config)
    if model.config.flow_kernel is not None and model.config.num_centres > 1:
        metrics["mean_distance_of_centres"] = torch.pdist(model.centres.double()).mean().item()
    if model.config.has_latents and model.inference.refinement_steps:
        metrics["refinement_steps"] = model.inference.refinement_steps
    metrics |= provenance(model.device, seed, time.perf_counter() - start)
    return cast(EvaluatedSplit, metrics)


def _columns(
    model: WaeRnfModel, sentences: "Dataset", samples: int, seed: int, progress: bool, proposal: str
) -> tuple[Columns, Posterior]:
    """Every quantity of every sentence, as {name: (sentences, ...)}, and the posterior, in the split's order."""
    lengths = lengths_of(sentences)
    batches = sorted_batches(lengths, BATCH_SIZE)
    numbers, mine = my_part(range(len(batches))), my_part(batches)
    parts = []
    loaded = load_batches(sentences, mine, model.config.pad_token_id, model.device)
    bar = tqdm(loaded, "evaluate", len(mine), unit="batch", leave=False, disable=None if progress else True)
    for number, inputs in zip(numbers, bar, strict=True):
        generator = torch.Generator(model.device).manual_seed(numbered_seed(seed, number))
        posterior = model.encode(**inputs)
        of_batch = _batch_columns(model, inputs, posterior, samples, generator, proposal)
        parts.append((posterior, {name: values.cpu() for name, values in of_batch.items()}))
    posteriors, found = zip(*gather(parts), strict=True)
    order = torch.tensor(np.concatenate(batches)).argsort()
    columns = {name: torch.cat([part[name] for part in found])[order] for name in found[0]}
    columns["length"] = torch.tensor(lengths)
    for name in ("words", "bytes"):
        if name in sentences.column_names:  # rows that `prepare` has not made lack them
            columns[name] = torch.tensor(sentences[name][:])
    if "log_prob" in sentences.column_names:
        columns["log_prob"] = torch.tensor(sentences["log_prob"][:], dtype=torch.float64)
    return columns, type(posteriors[0]).concatenate(posteriors, order)


def _batch_columns(
    model: WaeRnfModel,
    inputs: Mapping[str, Tensor],
    posterior: Posterior,
    samples: int,
    generator: torch.Generator,
    proposal: str = "posterior",
) -> Columns:
    samples = samples // 2 if proposal == "mixture" else samples  # of the posterior
    z, z_prime, _, reconstruction, log_weights = draw_samples(model, inputs, posterior, samples, generator)
    mean_prime, log_abs_det_at_mean = model.push(posterior.mean)
    columns = {
        "reconstruction": reconstruction.mean(0),
        "paper_protocol_reconstruction": model.score(**inputs, z_prime=mean_prime),
        "paper_protocol_kl": paper_protocol_kl(posterior, mean_prime, model.prior),
        "paper_protocol_log_abs_det": log_abs_det_at_mean,
        "z": z[0],
        "log_q": posterior.log_prob(z)[0],
    }
    if model.config.has_flow:
        columns["z_recovered"] = model.flow.inverse(z_prime[0])
    columns["flow_posterior_elbo"] = -log_weights["flow_posterior"].mean(0)
    columns["flow_posterior_elbo_variance"] = _variance_of_mean(log_weights["flow_posterior"])
    # for the pushforward model the divergence is known in closed form, unless its prior is learned
    kl, sampled = model.prior.kl_divergence(posterior), log_weights["pushforward"]
    columns["pushforward_elbo"] = -sampled.mean(0) if kl is None else columns["reconstruction"] + kl
    columns["pushforward_elbo_variance"] = _variance_of_mean(sampled if kl is None else reconstruction)
    for generative_model in GENERATIVE_MODELS:
        weights = log_weights[generative_model]
        if proposal == "mixture":
            of_prior = _samples_of_prior(model, inputs, posterior, generative_model, samples, generator)
            weights = mixture_log_weights((weights, reconstruction), of_prior)
        columns[f"{generative_model}_iwae"] = importance_weighted_nll(weights)
        columns[f"{generative_model}_iwae_variance"] = monte_carlo_variance(weights)
        columns[f"{generative_model}_over_k"] = bound_over_k(weights)
    if not model.config.has_latents:
        columns |= {name: torch.zeros_like(values) for name, values in columns.items() if name.endswith("_variance")}
    return columns


def _variance_of_mean(values: Tensor) -> Tensor:
    """Of the mean over samples: (samples, batch) -> (batch,); not a number with one sample."""
    return values.var(0) / len(values) if len(values) > 1 else torch.full_like(values[0], math.nan)


def _samples_of_prior(
    model: WaeRnfModel,
    inputs: Mapping[str, Tensor],
    posterior: Posterior,
    generative_model: str,
    samples: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """(log p(x, z) / q(z|x), -log p(x|z)), each (samples, batch), at samples of the prior of a generative model."""
    drawn = model.sample_prior(samples * len(posterior.mean), generator).unflatten(0, (samples, -1))
    # the prior of z' pulled back; that the inverse is numerical moves where z lies, not what its weight is
    z = model.flow.inverse(drawn) if generative_model == "flow_posterior" and model.config.has_flow else drawn
    z_prime, log_abs_det = model.push(z)
    reconstruction = score_samples(model.score, inputs, z_prime)
    weights = log_importance_weights(posterior, z, z_prime, log_abs_det, reconstruction, model.prior)
    return weights[generative_model], reconstruction


def _summary(
    columns: Columns, posterior: Posterior, prior: Prior, samples: int, seed: int, proposal: str
) -> dict[str, Any]:
    """The split's metrics: means over sentences of what `_columns` holds."""
    entropy = -columns["log_prob"] if "log_prob" in columns else None
    metrics: dict[str, Any] = {
        "num_sentences": len(columns["length"]),
        "num_tokens": int(columns["length"].sum()),
    }
    metrics |= {f"num_{name}": int(columns[name].sum()) if name in columns else None for name in ("words", "bytes")}
    names = (
        "length",
        *(f"{generative_model}_{bound}" for generative_model in GENERATIVE_MODELS for bound in ("elbo", "iwae")),
    )
    metrics["of_sentences"] = {name: columns[name].tolist() for name in names}
    per_weight = 2 if proposal == "mixture" else 1  # samples
    metrics["bound_over_k"] = {
        "num_sentences": len(columns["length"]),
        "k": [per_weight * k for k in sizes_over(samples // per_weight)],
    }
    for generative_model in GENERATIVE_MODELS:
        elbo, iwae = (_bound(columns, f"{generative_model}_{bound}", entropy) for bound in ("elbo", "iwae"))
        kl = columns[f"{generative_model}_elbo"] - columns["reconstruction"]
        metrics[generative_model] = {
            "elbo": {**elbo, "reconstruction": _mean(columns["reconstruction"]), "kl": _mean(kl)},
            "iwae": {**iwae, "samples": samples, "proposal": proposal},
        }
        metrics["bound_over_k"][generative_model] = columns[f"{generative_model}_over_k"].double().mean(0).tolist()
    terms = {name: columns[f"paper_protocol_{name}"] for name in ("reconstruction", "kl", "log_abs_det")}
    published = terms["reconstruction"] + terms["kl"] - terms["log_abs_det"]
    metrics["paper_protocol"] = {"nll": _mean(published), "ppl": _perplexity(published, columns["length"])}
    metrics["paper_protocol"] |= {name: _mean(values) for name, values in terms.items()}
    z = columns["z"].double()
    rows = random_rows(len(z))
    part = type(posterior).concatenate([posterior], rows)
    metrics |= _information(part, z[rows], columns["log_q"][rows], seed)
    metrics |= _use_of_units(posterior, prior)
    metrics["mmd"] = _mmd_to_prior(prior, z, seed)
    if "z_recovered" in columns:
        z = columns["z_recovered"].double()
        # where density is measured in z', |det| stands in q(z'|x) and in q(z'), and cancels
        information = mutual_information(part.log_prob(z[rows]), log_aggregate_posterior(part, z[rows]))
        metrics["mutual_information_after_flow"] = information.item()
        metrics["largest_flow_inversion_error"] = (z - columns["z"].double()).abs().max().item()
    if entropy is not None:
        metrics |= {"entropy": _mean(entropy), "entropy_standard_error": _standard_error(entropy)}
    return metrics


def _information(posterior: Posterior, z: Tensor, log_q: Tensor, seed: int) -> dict[str, float | int | None]:
    """I(z; x), and how it would vary over other sentences, and over other samples of these.

    The latter is of sentences whose z is drawn a second time: the variance of a sentence's log q(z|x) - log q(z)
    within it is half the square of what the two differ by.
    """
    values = log_q - log_aggregate_posterior(posterior, z)
    rows = torch.arange(min(DRAWN_AGAIN, len(z)))
    again = type(posterior).concatenate([posterior], rows)
    z = again.rsample(generator=torch.Generator().manual_seed(seed))
    differences = again.log_prob(z) - log_aggregate_posterior(posterior, z) - values[rows]
    return {
        "mutual_information": _mean(values),
        "mutual_information_standard_error": _standard_error(values),
        "mutual_information_monte_carlo_error": math.sqrt(_mean(differences.square() / 2) / len(values)),
        "mutual_information_sentences": len(values),
    }


def _use_of_units(posterior: Posterior, prior: Prior) -> dict[str, int | list[float] | None]:
    """How many of the latent units are used, by three measures."""
    return {
        "active_units": active_units(posterior.mean),
        f"active_units_{MORE_ACTIVE}": active_units(posterior.mean, MORE_ACTIVE),
        f"units_over_{USED_UNIT}": used_units(posterior, prior),
        "kl_of_units": kl_of_units(posterior, prior),
    }


def _bound(columns: Columns, name: str, entropy: Tensor | None) -> Bound:
    nll, variance = columns[name].double(), columns[f"{name}_variance"].double()
    error = (variance.sum().sqrt() / len(nll)).item()
    bound: Bound = {
        "nll": _mean(nll),
        "standard_error": _standard_error(nll),
        "ppl": _perplexity(nll, columns["length"]),
        "monte_carlo_error": error if math.isfinite(error) else None,
        "ppl_per_word": _perplexity_per_word(nll, columns),
        "bits_per_byte": _bits_per_byte(nll, columns),
    }
    if entropy is None:
        return bound
    above = excess(nll, entropy)
    return bound | {"above_entropy": above["mean"], "above_entropy_standard_error": above["standard_error"]}


def excess(nll: Tensor, reference: Tensor) -> Excess:
    """By how many nats sentences cost more than a reference: pairs, so that the corpus's own spread cancels.

    Args:
        nll: nats, (sentences,)
        reference: of the same sentences, (sentences,)

    Examples:
        >>> excess(torch.tensor([3.0, 5.0]), torch.tensor([2.0, 2.0]))
        {'mean': 2.0, 'standard_error': 1.0}
    """
    difference = nll.double() - reference
    return {"mean": _mean(difference), "standard_error": _standard_error(difference)}


def _perplexity(nll: Tensor, lengths: Tensor) -> float:
    """exp(total nats / total scored tokens), over the whole split."""
    return (nll.double().sum() / lengths.sum()).exp().item()


def _perplexity_per_word(nll: Tensor, columns: Columns) -> float | None:
    """Per white-space word, whatever the tokens are; None where the words are not known.

    The end of a sentence is a word, as `<eos>` is a token: where the tokens are the words, both perplexities are one.
    """
    return _perplexity(nll, columns["words"] + 1) if "words" in columns else None


def _bits_per_byte(nll: Tensor, columns: Columns) -> float | None:
    """Of the text in UTF-8; None where its size is not known."""
    return (nll.sum() / math.log(2) / columns["bytes"].sum()).item() if "bytes" in columns else None


def _mean(values: Tensor) -> float:
    return values.double().mean().item()


def _mmd_to_prior(prior: Prior, z: Tensor, seed: int) -> float | None:
    """Unbiased multi-scale MMD of z (n, d) from the prior: the mean over random parts of the split."""
    if len(z) < 2 or z.shape[-1] == 0:
        return None
    generator = torch.Generator().manual_seed(seed)
    z = z[torch.randperm(len(z), generator=generator)]
    parts = [part for part in z.split(MMD_SAMPLE) if len(part) > 1]
    priors = (prior.sample(part.shape, generator, device=z.device, dtype=z.dtype) for part in parts)
    estimates = torch.stack([mmd(part, sample) for part, sample in zip(parts, priors, strict=True)])
    sizes = torch.tensor([len(part) for part in parts], dtype=z.dtype, device=z.device)
    return ((estimates * sizes).sum() / sizes.sum()).item()


def _standard_error(values: Tensor) -> float | None:
    return (values.double().std() / len(values) ** 0.5).item() if len(values) > 1 else None
