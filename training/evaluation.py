"""Evaluates a model on a split: honest bounds of both readings, the published protocol, the code's use."""

import time

import numpy as np
import torch
from tqdm.auto import tqdm

from modeling_wae_rnf import mmd
from modeling_wae_rnf.priors import prior_name

from .batching import lengths_of, load_batches, numbered_seed, sorted_batches
from .estimators import (
    READINGS,
    active_units,
    importance_weighted_nll,
    log_aggregate_posterior,
    log_importance_weights,
    mutual_information,
    published_kl,
    random_rows,
)
from .processes import gather, my_part
from .provenance import provenance

BATCH_SIZE = 64
# Tokens that go through the decoder at once: samples and sentences together stay under it.
TOKENS_AT_ONCE = 2**14
MMD_SAMPLE = 500  # sentences an estimate of the MMD is taken over; the split's is the mean over its parts


@torch.no_grad()
def evaluate(model, sentences, samples=1, seed=0, max_sentences=None, progress=False):
    """The metrics of a model on a split. Several processes share the work, and each gets the same metrics.

    Args:
        model: a `WaeRnfModel`; put in evaluation mode, and back.
        sentences: prepared rows with `input_ids`, `length` and, where the corpus knows it, `log_prob`.
        samples: k importance samples a sentence.
        seed: of the samples.
        max_sentences: take the first so many sentences; all when None.
        progress: show a bar.

    Returns:
        a dictionary, nats per sentence: for each reading `elbo` {nll, ppl, reconstruction, kl} and `iwae`
        {nll, ppl, samples}; `of_sentences`, the bounds of each sentence, in the split's order; `published`;
        `mutual_information`, `active_units`, `mmd`; `entropy` if it is known. With a flow also
        `mutual_information_after_flow`, that of z' and x, by way of the flow's numerical inverse, and how far the
        inverse misses z, `largest_flow_inversion_error`; with a Riemannian metric `mean_distance_of_centres`.

    Raises:
        ValueError: no samples, or no sentences.
    """
    if samples < 1:
        raise ValueError(f"iwae_samples must be at least 1, not {samples}")
    if len(sentences) == 0:
        raise ValueError("there is no sentence to evaluate")
    if max_sentences is not None:
        sentences = sentences.select(range(min(max_sentences, len(sentences))))
    start, training = time.perf_counter(), model.training
    model.eval()
    samples = samples if model.config.latent_size else 1  # without a code, one is exact
    columns, posterior = _columns(model, sentences, samples, seed, progress)
    model.train(training)
    metrics = _summary(columns, posterior, model.prior, samples, seed) | {"prior": prior_name(model.config)}
    if model.config.flow_kernel is not None and model.config.num_centres > 1:
        metrics["mean_distance_of_centres"] = torch.pdist(model.centres.double()).mean().item()
    return metrics | provenance(model.device, seed, time.perf_counter() - start)


def _columns(model, sentences, samples, seed, progress):
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
        found = _batch_columns(model, inputs, posterior, samples, generator)
        parts.append((posterior, {name: values.cpu() for name, values in found.items()}))
    posteriors, found = zip(*gather(parts), strict=True)
    order = torch.tensor(np.concatenate(batches)).argsort()
    columns = {name: torch.cat([part[name] for part in found])[order] for name in found[0]}
    columns["length"] = torch.tensor(lengths)
    if "log_prob" in sentences.column_names:
        columns["log_prob"] = torch.tensor(sentences["log_prob"][:], dtype=torch.float64)
    return columns, type(posteriors[0]).concatenate(posteriors, order)


def _batch_columns(model, inputs, posterior, samples, generator):
    z = posterior.rsample((samples,), generator=generator)
    z_prime, log_abs_det = model.push(z)
    reconstruction = _score_samples(model, inputs, z_prime)
    log_weights = log_importance_weights(posterior, z, z_prime, log_abs_det, reconstruction, model.prior)
    mean_prime, log_abs_det_at_mean = model.push(posterior.mean)
    columns = {
        "reconstruction": reconstruction.mean(0),
        "published_reconstruction": model.score(**inputs, z_prime=mean_prime),
        "published_kl": published_kl(posterior, mean_prime, model.prior),
        "published_log_abs_det": log_abs_det_at_mean,
        "z": z[0],
        "log_q": posterior.log_prob(z)[0],
    }
    if model.config.num_flows:
        columns["z_recovered"] = model.flow.inverse(z_prime[0])
    for reading in READINGS:
        columns[f"{reading}_iwae"] = importance_weighted_nll(log_weights[reading])
    columns["flow_posterior_elbo"] = -log_weights["flow_posterior"].mean(0)
    # for the pushforward model the divergence is known in closed form, unless its prior is learned
    kl = model.prior.kl_divergence(posterior)
    sampled = -log_weights["pushforward"].mean(0)
    columns["pushforward_elbo"] = sampled if kl is None else columns["reconstruction"] + kl
    return columns


def _score_samples(model, inputs, z_prime):
    """Reconstruction nats (samples, batch), many samples of the whole batch through the decoder at once."""
    at_once = max(1, TOKENS_AT_ONCE // inputs["input_ids"].numel())
    scores = []
    for part in z_prime.split(at_once):
        repeated = {name: ids.repeat(len(part), 1) for name, ids in inputs.items()}
        scores.append(model.score(**repeated, z_prime=part.flatten(0, 1)).view(len(part), -1))
    return torch.cat(scores)


def _summary(columns, posterior, prior, samples, seed):
    """The split's metrics: means over sentences of what `_columns` holds."""
    entropy = -columns["log_prob"] if "log_prob" in columns else None
    metrics = {"num_sentences": len(columns["length"]), "num_tokens": int(columns["length"].sum())}
    names = ("length", *(f"{reading}_{bound}" for reading in READINGS for bound in ("elbo", "iwae")))
    metrics["of_sentences"] = {name: columns[name].tolist() for name in names}
    for reading in READINGS:
        elbo, iwae = columns[f"{reading}_elbo"], columns[f"{reading}_iwae"]
        kl = {"reconstruction": _mean(columns["reconstruction"]), "kl": _mean(elbo - columns["reconstruction"])}
        metrics[reading] = {
            "elbo": _bound(elbo, columns["length"], entropy) | kl,
            "iwae": _bound(iwae, columns["length"], entropy) | {"samples": samples},
        }
    terms = {name: columns[f"published_{name}"] for name in ("reconstruction", "kl", "log_abs_det")}
    published = terms["reconstruction"] + terms["kl"] - terms["log_abs_det"]
    metrics["published"] = {"nll": _mean(published), "ppl": _perplexity(published, columns["length"])}
    metrics["published"] |= {name: _mean(values) for name, values in terms.items()}
    z = columns["z"].double()
    rows = random_rows(len(z))
    part = type(posterior).concatenate([posterior], rows)
    log_aggregate = log_aggregate_posterior(part, z[rows])
    metrics["mutual_information"] = mutual_information(columns["log_q"][rows], log_aggregate).item()
    metrics["mutual_information_sentences"] = len(rows)
    metrics["active_units"] = active_units(posterior.mean)
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


def _bound(nll, lengths, entropy):
    bound = {"nll": _mean(nll), "standard_error": _standard_error(nll), "ppl": _perplexity(nll, lengths)}
    return bound if entropy is None else bound | excess(nll, entropy, "entropy")


def excess(nll, reference, name):
    """By how many nats sentences cost more than a reference: pairs, so that the corpus's own spread cancels.

    Args:
        nll, reference: (sentences,)
        name: of the reference.

    Returns:
        {"above_NAME": the mean, "above_NAME_standard_error": of that mean, None for one sentence}.

    Example:
        >>> excess(torch.tensor([3.0, 5.0]), torch.tensor([2.0, 2.0]), "entropy")
        {'above_entropy': 2.0, 'above_entropy_standard_error': 1.0}
    """
    difference = nll.double() - reference
    return {f"above_{name}": _mean(difference), f"above_{name}_standard_error": _standard_error(difference)}


def _perplexity(nll, lengths):
    """exp(total nats / total scored tokens), over the whole split."""
    return (nll.double().sum() / lengths.sum()).exp().item()


def _mean(values):
    return values.double().mean().item()


def _mmd_to_prior(prior, z, seed):
    """Unbiased multi-scale MMD of z (n, d) from the prior: the mean over random parts of the split."""
    if len(z) < 2 or z.shape[-1] == 0:
        return None
    generator = torch.Generator().manual_seed(seed)
    z = z[torch.randperm(len(z), generator=generator)]
    parts = [part for part in z.split(MMD_SAMPLE) if len(part) > 1]
    priors = (prior.sample(part.shape, generator, device=z.device, dtype=z.dtype) for part in parts)
    estimates = list(map(mmd, parts, priors))
    return (sum(map(torch.mul, estimates, map(len, parts))) / sum(map(len, parts))).item()


def _standard_error(values):
    return (values.double().std() / len(values) ** 0.5).item() if len(values) > 1 else None
