"""Estimators of likelihood and of the latent code's use. All are in nats per sentence.

A flow model can be read in two ways, each a generative model with bounds of its own:

- "pushforward": z ~ p(z), z' = F(z), x ~ p(x|z'). The Jacobian plays no part.
- "flow_posterior": z' ~ p(z), x ~ p(x|z'). The flow belongs to the posterior.

p is the model's prior, N(0, I) where none is learned.
"""

import math

import torch
from tqdm.auto import tqdm

from modeling_wae_rnf.processes import process_index

READINGS = ("pushforward", "flow_posterior")
ALL_PAIRS = 10_000  # sentences


def log_importance_weights(posterior, z, z_prime, log_abs_det, reconstruction, prior=None):
    """log p(x, z) / q(z|x) of each sample, for both readings.

    pushforward: log p(x|z') + log p(z) - log q(z|x);
    flow posterior: log p(x|z') + log p(z') - log q(z|x) + Σ log|det|.

    Args:
        posterior: q(z|x) of the batch.
        z, z_prime: (samples, batch, latent_size); log_abs_det, reconstruction: (samples, batch).
        prior: the model's; the posterior's natural one when None.

    Returns:
        {reading: (samples, batch)}; minus its mean over the samples is the ELBO's negative.
    """
    log_ratio = -reconstruction - posterior.log_prob(z)
    log_prior = posterior.prior_log_prob if prior is None else prior.log_prob
    return {
        "pushforward": log_ratio + log_prior(z),
        "flow_posterior": log_ratio + log_prior(z_prime) + log_abs_det,
    }


def importance_weighted_nll(log_weights):
    """-log (1/k) Σ_i exp(log_weights_i) over k samples (Burda et al. 2016, arXiv 1509.00519, eq. 8).

    Its expectation is not under the negative log-likelihood, and falls towards it as k grows.

    Args:
        log_weights: (samples, batch).

    Returns:
        (batch,)

    Example:
        >>> importance_weighted_nll(torch.tensor([[-3.0], [-3.0]]))
        tensor([3.])
    """
    return math.log(len(log_weights)) - log_weights.logsumexp(0)


def published_kl(posterior, z_prime_at_mean, prior=None):
    """-log p(F(mu)) - H(q): the latent term of the published protocol, at the posterior mean mu.

    Not a divergence: it lacks the ½ Σ sigma² that a sample pays, so that
    reconstruction + this - Σ log|det| is not a bound of anything. For side-by-side tables only.
    The prior is the model's, and the posterior's natural one when None.
    """
    log_prior = posterior.prior_log_prob if prior is None else prior.log_prob
    return -log_prior(z_prime_at_mean) - posterior.entropy()


def log_aggregate_posterior(posterior, z, chunk_size=1024):
    """log q(z_i) = logsumexp_j log q(z_i|x_j) - log N, the posterior averaged over all N sentences.

    Args:
        posterior: q(z|x) of the N sentences of the whole split.
        z: (n, latent_size).

    Returns:
        (n,)
    """
    parts = z.split(chunk_size)
    # a bar where it takes seconds, in the first process alone
    bar = tqdm(parts, "all pairs", unit="part", leave=False, delay=2, disable=None if process_index() == 0 else True)
    log_q = torch.cat([posterior.log_prob_of_each(part).logsumexp(-1) for part in bar])
    return log_q - math.log(len(posterior.mean))


def mutual_information(log_q, log_aggregate):
    """I(z; x) = E[log q(z|x) - log q(z)], at one sample a sentence; an invertible flow does not change it.

    Args:
        log_q: (n,), log q(z_i|x_i); log_aggregate: (n,), log q(z_i).

    Returns:
        scalar, at most log N.
    """
    return (log_q - log_aggregate).mean()


def random_rows(number, seed=0):
    """Which of so many sentences stand for a split where all pairs of it are taken: all of them, or a random sample.

    All pairs of 10,000 sentences take about 12 seconds on one core, those of 60,000 five minutes; so beyond
    `ALL_PAIRS` sentences a sample of as many is drawn, always the same. Figures of it say so, since log q(z) is then
    over the sample too, and mutual information at most the logarithm of its size.

    Returns:
        (min(number, ALL_PAIRS),), in ascending order.

    Example:
        >>> random_rows(3)
        tensor([0, 1, 2])
    """
    if number <= ALL_PAIRS:
        return torch.arange(number)
    return torch.randperm(number, generator=torch.Generator().manual_seed(seed))[:ALL_PAIRS].sort().values


def use_of_the_code(posterior, generator=None):
    """How much the latent code says: {"mutual_information", nats, "active_units"} of a whole split's posterior.

    The first is of `random_rows` of the split.
    """
    units, rows = active_units(posterior.mean), random_rows(len(posterior.mean))
    if len(rows) < len(posterior.mean):
        posterior = type(posterior).concatenate([posterior], rows)
    z = posterior.rsample(generator=generator)
    information = mutual_information(posterior.log_prob(z), log_aggregate_posterior(posterior, z))
    return {"mutual_information": information.item(), "active_units": units}


def active_units(mean, threshold=0.01):
    """Number of dimensions whose posterior mean varies over sentences: Var_x(mu_i(x)) > threshold.

    Source: Burda et al. 2016, section 5.

    Args:
        mean: (n, d).

    Example:
        >>> active_units(torch.tensor([[0.0, 1.0], [0.0, -1.0]]))
        1
    """
    return int((mean.double().var(0) > threshold).sum()) if len(mean) > 1 and mean.numel() else 0
