"""Estimators of likelihood and of latent usage. All are in nats per sentence.

A flow model can be read in two ways, each a generative model with bounds of its own:

- "pushforward": z ~ p(z), z' = F(z), x ~ p(x|z'). The Jacobian plays no part.
- "flow_posterior": z' ~ p(z), x ~ p(x|z'). The flow belongs to the posterior.

p is the model's prior, N(0, I) where none is learned.
"""

import math

import torch
from tqdm.auto import tqdm

from modeling_wae_rnf.distributed import process_index
from modeling_wae_rnf.objectives import OBJECTIVES
from modeling_wae_rnf.posterior_head import Posterior
from modeling_wae_rnf.priors import Prior

GENERATIVE_MODELS = ("pushforward", "flow_posterior")
ALL_PAIRS = 10_000  # sentences
ACTIVE, MORE_ACTIVE = 0.01, 0.1  # variances of a unit's mean
USED_UNIT = 0.05  # nats of a unit's own divergence


def log_importance_weights(
    posterior: Posterior,
    z: torch.Tensor,
    z_prime: torch.Tensor,
    log_abs_det: torch.Tensor,
    reconstruction: torch.Tensor,
    prior: Prior,
) -> dict[str, torch.Tensor]:
    """log p(x, z) / q(z|x) of each sample, for both generative models.

    pushforward: log p(x|z') + log p(z) - log q(z|x);
    flow posterior: log p(x|z') + log p(z') - log q(z|x) + Σ log|det|.

    Args:
        posterior: q(z|x) of the batch.
        z, z_prime: (samples, batch, latent_size); log_abs_det, reconstruction: (samples, batch).
        prior: the model's, of both generative models.

    Returns:
        {generative_model: (samples, batch)}; minus its mean over the samples is the ELBO's negative.
    """
    log_ratio = -reconstruction - posterior.log_prob(z)
    return {
        "pushforward": log_ratio + prior.log_prob(z),
        "flow_posterior": log_ratio + prior.log_prob(z_prime) + log_abs_det,
    }


def importance_weighted_nll(log_weights: torch.Tensor) -> torch.Tensor:
    """-log (1/k) Σ_i exp(log_weights_i) over k samples (Burda et al. 2016, arXiv 1509.00519, eq. 8).

    Its expectation is not under the negative log-likelihood, and falls towards it as k grows.

    Args:
        log_weights: (samples, batch).

    Returns:
        (batch,)

    Examples:
        >>> importance_weighted_nll(torch.tensor([[-3.0], [-3.0]]))
        tensor([3.])
    """
    return math.log(len(log_weights)) - log_weights.logsumexp(0)


def mixture_log_weights(
    of_posterior: tuple[torch.Tensor, torch.Tensor], of_prior: tuple[torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """Importance weights of the proposal (q(z|x) + p(z)) / 2, from as many samples of each of its two parts.

    A weight p(x, z) / ((q + p) / 2) is at most 2 p(x|z), where p(x, z) / q(z|x) has no bound, and may have no
    variance. Samples are taken in pairs, one of each part (the balance heuristic of Veach & Guibas 1995): the mean of
    a pair's two weights estimates p(x) without bias, so that what comes back goes to `importance_weighted_nll` like
    any weights, each standing for two samples.

    Args:
        of_posterior, of_prior: (log p(x, z) / q(z|x), -log p(x|z)) of the samples of each part, (pairs, batch) each.
            The prior is that of the generative model; where it is one of z', the ratio has the flow's Jacobian in it,
            and the prior's samples were pulled back by the flow's inverse.

    Returns:
        (pairs, batch)

    Examples:
        >>> one, other = torch.tensor([[-2.0]]), torch.tensor([[3.0]])  # p(x|z) = exp(-3), p(z) / q(z|x) = e
        >>> mixture_log_weights((one, other), (one, other)).exp() / (-other).exp()  # 2 e / (1 + e)
        tensor([[1.4621]])
    """
    log_weights = (
        math.log(2) - reconstruction + torch.nn.functional.logsigmoid(log_ratio + reconstruction)
        for log_ratio, reconstruction in (of_posterior, of_prior)
    )
    return torch.logaddexp(*log_weights) - math.log(2)


def monte_carlo_variance(log_weights: torch.Tensor) -> torch.Tensor:
    """Of `importance_weighted_nll`: how much another draw of the samples would move it, by the jackknife.

    (k - 1)/k Σ_i (L_(i) - mean)², with L_(i) the bound without sample i. Where weights are skewed it keeps what the
    delta method on the normalized weights misses: log-normal weights of a log-scale of 3, k = 50, spread over seeds
    by 0.078 nats in the mean of 200 sentences, of which the jackknife says 1.03 parts and the delta method 0.53.

    Args:
        log_weights: (samples, batch), independent ones.

    Returns:
        (batch,), nats²; not a number with one sample.
    """
    samples = len(log_weights)
    if samples < 2:
        return log_weights.new_full(log_weights.shape[1:], math.nan)
    total, largest = log_weights.logsumexp(0), log_weights.max(0, keepdim=True).indices
    log_rest = torch.log1p(-log_weights.softmax(0))  # log of what is left of the sum without each sample
    # 1 minus a weight of nearly 1 would have no digits left
    others = log_weights.scatter(0, largest, -math.inf).logsumexp(0) - total
    log_rest = log_rest.scatter(0, largest, others.unsqueeze(0))
    return (samples - 1) / samples * (log_rest - log_rest.mean(0)).square().sum(0)


def sizes_over(most: int) -> list[int]:
    """1, 2, 5, 10, 20, … and `most`: the numbers of samples at which the bound is looked at.

    Examples:
        >>> sizes_over(30)
        [1, 2, 5, 10, 20, 30]
    """
    rounds = (digit * 10**power for power in range(len(str(most))) for digit in (1, 2, 5))
    return [*(size for size in rounds if size < most), most]


def bound_over_k(log_weights: torch.Tensor) -> torch.Tensor:
    """`importance_weighted_nll` at each k of `sizes_over(samples)`: the mean over all disjoint groups of k samples.

    Args:
        log_weights: (samples, batch).

    Returns:
        (batch, sizes)

    Examples:
        >>> bound_over_k(torch.tensor([[-3.0], [-3.0], [-3.0]]))
        tensor([[3., 3., 3.]])
    """
    groups = (log_weights[: len(log_weights) // k * k].unflatten(0, (-1, k)) for k in sizes_over(len(log_weights)))
    return torch.stack([(math.log(part.shape[1]) - part.logsumexp(1)).mean(0) for part in groups], dim=-1)


def paper_protocol_kl(posterior: Posterior, z_prime_at_mean: torch.Tensor, prior: Prior) -> torch.Tensor:
    """-log p(F(mu)) - H(q): the latent term of the published protocol, at the posterior mean mu.

    Not a divergence: it lacks the ½ Σ sigma² that a sample pays, so that
    reconstruction + this - Σ log|det| is not a bound of anything. For side-by-side tables only.
    """
    return -prior.log_prob(z_prime_at_mean) - posterior.entropy()


def log_aggregate_posterior(posterior: Posterior, z: torch.Tensor, chunk_size: int = 1024) -> torch.Tensor:
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


def mutual_information(log_q: torch.Tensor, log_aggregate: torch.Tensor) -> torch.Tensor:
    """I(z; x) = E[log q(z|x) - log q(z)], at one sample a sentence; an invertible flow does not change it.

    Args:
        log_q: (n,), log q(z_i|x_i); log_aggregate: (n,), log q(z_i).

    Returns:
        scalar, at most log N.
    """
    return (log_q - log_aggregate).mean()


def random_rows(number: int, seed: int = 0) -> torch.Tensor:
    """Which of so many sentences stand for a split where all pairs of it are taken: all of them, or a random sample.

    All pairs of 10,000 sentences take about 12 seconds on one core, those of 60,000 five minutes; so beyond
    `ALL_PAIRS` sentences a sample of as many is drawn, always the same. Figures of it say so, since log q(z) is then
    over the sample too, and mutual information at most the logarithm of its size.

    Returns:
        (min(number, ALL_PAIRS),), in ascending order.

    Examples:
        >>> random_rows(3)
        tensor([0, 1, 2])
    """
    if number <= ALL_PAIRS:
        return torch.arange(number)
    return torch.randperm(number, generator=torch.Generator().manual_seed(seed))[:ALL_PAIRS].sort().values


def latent_usage(posterior: Posterior, generator: torch.Generator | None = None) -> dict[str, float]:
    """How much the latent variable says: {"mutual_information", nats, "active_units"} of a whole split's posterior.

    The first is of `random_rows` of the split.
    """
    units, rows = active_units(posterior.mean), random_rows(len(posterior.mean))
    if len(rows) < len(posterior.mean):
        posterior = type(posterior).concatenate([posterior], rows)
    z = posterior.rsample(generator=generator)
    information = mutual_information(posterior.log_prob(z), log_aggregate_posterior(posterior, z))
    return {"mutual_information": information.item(), "active_units": units}


def active_units(mean: torch.Tensor, threshold: float = ACTIVE) -> int:
    """Number of dimensions whose posterior mean varies over sentences: Var_x(mu_i(x)) > threshold.

    Source: Burda et al. 2016, section 5. It is a threshold on a scale, not on information: free bits or a fixed scale
    of the mean lift every unit over 0.01, used or not. `MORE_ACTIVE` is a harder one, and `kl_of_units` is in nats.

    Args:
        mean: (n, d).

    Examples:
        >>> active_units(torch.tensor([[0.0, 1.0], [0.0, -1.0]]))
        1
    """
    return int((mean.double().var(0) > threshold).sum()) if len(mean) > 1 and mean.numel() else 0


def kl_of_units(posterior: Posterior, prior: Prior | None = None) -> list[float] | None:
    """The divergence of each unit from its prior, in closed form, averaged over the sentences: [nats] of length d.

    They sum to the KL of the whole posterior. None where there is none: a von Mises-Fisher posterior, a learned prior.

    Args:
        posterior: q(z|x) of the split.
        prior: the model's; the posterior's natural one when None.

    Examples:
        >>> from modeling_wae_rnf import GaussianPosterior
        >>> kl_of_units(GaussianPosterior(torch.tensor([[0.0, 2.0], [0.0, -2.0]]), torch.ones(2, 2)))
        [0.0, 2.0]
    """
    kl = posterior.kl_per_dimension() if prior is None else prior.kl_per_dimension(posterior)
    return None if kl is None else kl.double().mean(0).tolist()


def used_units(posterior: Posterior, prior: Prior | None = None) -> int | None:
    """How many units have a KL over 0.05 nats in the mean; None where `kl_of_units` is.

    Examples:
        >>> from modeling_wae_rnf import GaussianPosterior
        >>> used_units(GaussianPosterior(torch.tensor([[0.0, 2.0], [0.0, -2.0]]), torch.ones(2, 2)))
        1
    """
    kl = kl_of_units(posterior, prior)
    return None if kl is None else sum(value > USED_UNIT for value in kl)


def generative_model_of(objective: str) -> str:
    """The generative model that an objective trains, whose bound is the one that claims on the model are made by.

    It is known before anything is evaluated, as the lower of two bounds is not.

    Examples:
        >>> generative_model_of("paper"), generative_model_of("authors")
        ('pushforward', 'flow_posterior')
    """
    return OBJECTIVES[objective].bound_of
