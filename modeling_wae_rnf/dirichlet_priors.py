"""p(z, t): priors of a latent variable that has the proportions of topics beside a Gaussian part."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn

from .dirichlet import FLOOR, LARGEST, Dirichlet, concentration_of
from .encoder import Encoder
from .gaussian import standard_normal_log_prob
from .gaussian_dirichlet import GaussianDirichletHead, GaussianDirichletPosterior, split_topics
from .posterior_head import Posterior
from .precision import full_precision
from .priors import Prior, noise

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class DirichletPrior(Prior):
    """z ~ N(0, I), and t ~ Dir(a, …, a) whatever z is.

    Args:
        head: the model's own, which says how many topics there are.
        concentration: a; under 1 a sentence has few topics.
    """

    space = "simplex"

    def __init__(
        self, config: "WaeRnfConfig", encoder: Encoder, head: GaussianDirichletHead, *, concentration: float = 1.0
    ) -> None:
        super().__init__()
        self.num_topics, self.concentration = head.num_topics, concentration

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        for given in config.prior_kwargs.values():
            if not isinstance(given, (int, float)) or not 1 / LARGEST <= given <= LARGEST:
                raise ValueError(
                    f"the topics' concentration must be a number in [{1 / LARGEST:g}, {LARGEST:g}], not {given!r}"
                )

    def topics(self, z: torch.Tensor) -> Dirichlet:
        """p(t|z): (..., latent_size - num_topics) -> of (..., num_topics)."""
        return Dirichlet(z.new_full((*z.shape[:-1], self.num_topics), self.concentration))

    @torch.no_grad()
    def sample(
        self,
        shape: Sequence[int],
        generator: torch.Generator | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        like = next(self.parameters(), torch.empty((), device=device, dtype=dtype))
        z = noise((*shape[:-1], shape[-1] - self.num_topics), generator, like)
        return torch.cat([z, self.topics(z).rsample(generator=generator)], dim=-1).to(device=device, dtype=dtype)

    @full_precision
    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        """log p(z) + log p(t|z) of [z ; t]: (..., latent_size) -> (...)."""
        z, t = split_topics(z, self.num_topics)
        return standard_normal_log_prob(z) + self.topics(z).log_prob(t)

    def kl_divergence(self, posterior: Posterior) -> torch.Tensor | None:
        return self.kl_at(posterior, posterior.mean)

    def kl_at(self, posterior: Posterior, z: torch.Tensor) -> torch.Tensor:
        """KL(q(z|x) || p(z)) + KL(q(t|x) || p(t|z)), of which the sample [z ; t] is needed for p(t|z) alone."""
        assert isinstance(posterior, GaussianDirichletPosterior)  # the configuration lets no other one have this prior
        z, _ = split_topics(z, self.num_topics)
        return posterior.gaussian.kl_divergence() + posterior.topics.kl_divergence(self.topics(z))

    def project(self, z: torch.Tensor) -> torch.Tensor:
        z, t = split_topics(z, self.num_topics)
        return torch.cat([z, F.normalize(t.clamp_min(FLOOR), p=1.0, dim=-1)], dim=-1)


class ConditionalDirichletPrior(DirichletPrior):
    """z ~ N(0, I), and t ~ Dir(exp MLP(z)) (Xiao et al. 2018, arXiv 1811.00135): topics that go with z, learned."""

    def __init__(self, config: "WaeRnfConfig", encoder: Encoder, head: GaussianDirichletHead) -> None:
        Prior.__init__(self)
        self.num_topics, width = head.num_topics, config.hidden_size
        size = config.latent_size - self.num_topics
        self.scores = nn.Sequential(nn.Linear(size, width), nn.ReLU(), nn.Linear(width, self.num_topics))

    def topics(self, z: torch.Tensor) -> Dirichlet:
        return Dirichlet(concentration_of(self.scores(z.to(next(self.parameters()).dtype))))

    def kl_divergence(self, posterior: Posterior) -> None:
        """None: E[KL(q(t|x) || p(t|z))] over z is known at samples alone."""
