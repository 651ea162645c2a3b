"""Whether a model's latent variable has collapsed, and its metric's centres: figures in, a sentence out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import torch

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.metric import log_kernel
from modeling_wae_rnf.posterior_head import Posterior
from modeling_wae_rnf.priors import Prior

from .estimators import USED_UNIT, used_units

# One yes or no of a sentence is ln 2 = 0.69 nats: a latent variable that says less than 0.5 cannot tell two kinds of
# sentence apart, and lies under that by far more than the estimate's own error (0.03 nats on PTB's test split).
LEAST_INFORMATION = 0.5
UNITS = f"units_over_{USED_UNIT}"
# The kernel's scales 2ds are its own measure: centres matter where log K, which the loss has, is not that of a single
# centre in their middle. Under 0.01 nats, K itself is the same within 1 %.
LEAST_KERNEL = 0.01
FEWEST = 10  # sentences: mutual information is at most the logarithm of their number
NUM_PRIOR = 4096  # samples of the prior that the kernel is looked at


@dataclass
class LatentUse:
    """How much the latent variable says of a sentence.

    Args:
        mutual_information: of z and x, nats.
        kl: of q(z|x) from the prior, nats, the mean over the sentences.
        units: how many have a KL over 0.05 nats; None where the divergence is no sum over units.
        latent_size: units in all.
        sentences: that the figures are of.
    """

    mutual_information: float
    kl: float
    units: int | None
    latent_size: int
    sentences: int

    @classmethod
    def of_posterior(cls, posterior: Posterior, mutual_information: float, prior: Prior) -> Self:
        """Of a whole split's posterior, whose mutual information is known; one sample a sentence where the divergence
        from the prior has no closed form."""
        number, size = posterior.mean.shape
        kl = prior.kl_divergence(posterior)
        if kl is None:
            z = posterior.rsample(generator=torch.Generator(posterior.mean.device).manual_seed(0))
            log_prior = prior.log_prob(z.to(next(prior.parameters()))).detach()  # in its precision
            kl = posterior.log_prob(z) - log_prior.to(z)
        return cls(mutual_information, kl.mean().item(), used_units(posterior, prior), size, number)

    @classmethod
    def of_metrics(cls, metrics: Mapping[str, Any]) -> Self:
        """Of what metrics.json holds; of an older file, whose units are not known."""
        return cls(
            metrics["mutual_information"],
            metrics["pushforward"]["elbo"]["kl"],
            metrics.get(UNITS),
            metrics["options"].get("latent_size") or len(metrics.get("kl_of_units") or ()),
            metrics.get("mutual_information_sentences", metrics["num_sentences"]),
        )

    @property
    def collapsed(self) -> bool:
        """Whether it says less than `LEAST_INFORMATION`, or no unit has a KL over 0.05 nats."""
        return self.sentences >= FEWEST and (self.mutual_information < LEAST_INFORMATION or self.units == 0)

    @property
    def figures(self) -> str:
        """In words.

        Examples:
            >>> LatentUse(0.012, 0.02, 0, 32, 3000).figures
            'mutual information 0.01 nats, KL 0.02 nats, 0 of 32 units with a KL over 0.05'
        """
        units = "" if self.units is None else f", {self.units} of {self.latent_size} units with a KL over {USED_UNIT}"
        return f"mutual information {max(self.mutual_information, 0.0):.2f} nats, KL {self.kl:.2f} nats{units}"


class Advice(NamedTuple):
    """What may help, as the end of a warning: " To try: ..."; nothing where nothing is known."""

    latent: str = ""  # of a latent variable that has collapsed
    centres: str = ""  # of centres that lie too close together


def latent_warning(use: LatentUse, to_try: str = "") -> str | None:
    """A sentence on a latent variable that has collapsed, with what to try; None for one that has not.

    Args:
        use: [`LatentUse`]
        to_try: see [`Advice`].
    """
    if not use.collapsed:
        return None
    return (
        f"the latent variable has collapsed: {use.figures}. A model that uses it has {LEAST_INFORMATION} nats of "
        "mutual information at the least; this one writes as a language model does, whatever z is." + to_try
    )


def centres_effect(centres: torch.Tensor, kernel: str, bandwidth: float) -> float:
    """How far log K(z) is from that of a single centre in the middle of them: root mean square over z ~ N(0, I), nats.

    Args:
        centres: (num_centres, d).
        kernel, bandwidth: as for `log_kernel`.

    Examples:
        >>> centres_effect(torch.zeros(20, 32), "imq", 10.0)
        0.0
    """
    centres = centres.cpu().double()
    z = torch.randn(NUM_PRIOR, centres.shape[1], generator=torch.Generator().manual_seed(0)).double()
    several, one = (log_kernel(z, points, kernel, bandwidth) for points in (centres, centres.mean(0, keepdim=True)))
    return (several - one).square().mean().sqrt().item()


def centres_warning(centres: torch.Tensor, kernel: str, bandwidth: float, to_try: str = "") -> str | None:
    """A sentence on centres that lie so close together that the kernel is that of one; None where they matter.

    Args:
        centres, kernel, bandwidth: as for `centres_effect`.
        to_try: see [`Advice`].
    """
    if len(centres) < 2:
        return None
    effect = centres_effect(centres, kernel, bandwidth)
    if effect >= LEAST_KERNEL:
        return None
    distance = torch.pdist(centres.cpu().double()).mean().item()
    return (
        f"the {len(centres)} centres of the metric are as good as one: they lie {distance:.2g} apart in the mean, "
        f"where a unit of the prior has a standard deviation of 1, and log K differs from that of one centre by "
        f"{effect:.2g} nats ({LEAST_KERNEL} at the least where centres matter)." + to_try
    )


def untrained_bound_warning(kl: float) -> str:
    """A sentence on the bounds of a model whose loss has no KL divergence.

    Args:
        kl: of q(z|x) from the prior, nats, the mean over the sentences.

    Examples:
        >>> untrained_bound_warning(81.25)[:60]
        'the loss has no KL divergence, and q(z|x) of a sentence lies'
    """
    return (
        f"the loss has no KL divergence, and q(z|x) of a sentence lies {kl:.2f} nats from the prior: ELBO and IWAE "
        "are bounds of log p(x), but no training has tightened them."
    )


def warnings_of_metrics(
    metrics: Mapping[str, Any],
    model: WaeRnfModel | None = None,
    advise: Callable[[dict[str, Any]], Advice] | None = None,
) -> list[str]:
    """Every sentence that there is to say of an evaluated model; an empty list for a healthy one.

    Args:
        metrics: what metrics.json holds.
        model: the evaluated one; without it nothing is said of its loss and its centres.
        advise: gives the [`Advice`] for the options of a training; without it nothing is said of what to try.
    """
    found: list[str | None] = []
    if metrics["has_latents"]:
        options = {"system": metrics["system"]} | metrics["options"]
        advice = advise(options) if advise is not None else Advice()
        use = LatentUse.of_metrics(metrics)
        found.append(latent_warning(use, advice.latent))
        if model is not None and not model.config.kl_weight:
            found.append(untrained_bound_warning(use.kl))
        kernel = None if model is None else model.config.flow_kernel
        if model is not None and kernel is not None:
            found.append(centres_warning(model.centres, kernel, model.config.kernel_bandwidth, advice.centres))
    return [sentence for sentence in found if sentence is not None]
