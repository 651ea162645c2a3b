"""What a sentence pays: its reconstruction and the latent terms, by the objective's name.

alpha is `kl_weight`, z ~ q(z|x), z' = F(z). Nothing is imported that takes time: the command line reads this table
before it imports torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from .latent_code import LatentCode
    from .priors import Prior

    LatentTerms = Callable[[float, torch.Tensor, LatentCode], torch.Tensor]


@dataclass(frozen=True)
class Objective:
    """One sample z a sentence: reconstruction + `latent_terms`.

    Args:
        bound_of: the generative model whose ELBO a forward reports as `bound`, and whose divergence is charged:
            "pushforward", z ~ p(z) and z' = F(z), or "flow_posterior", z' ~ p(z).
        latent_terms: function of alpha, the divergence that is charged and the [`LatentCode`]; gives (batch,).
    """

    bound_of: str
    latent_terms: LatentTerms | None = None

    importance_weighted = False

    @property
    def closed_form(self) -> bool:
        """Whether the divergence is taken in closed form where the prior has one."""
        return self.bound_of == "pushforward" and not self.importance_weighted

    def kl(self, code: LatentCode, prior: Prior) -> torch.Tensor:
        """KL(q(z|x) || p(z)) in closed form, or at the sample: log q(z|x) - log p, of z or of z'. (batch,), nats."""
        if self.closed_form:
            return prior.kl_at(code.posterior, code.z)
        return self._log_q(code) - self._log_prior(code, prior)

    def _log_q(self, code: LatentCode) -> torch.Tensor:
        return code.posterior.log_prob(code.z)

    def _log_prior(self, code: LatentCode, prior: Prior) -> torch.Tensor:
        return prior.log_prob(code.z if self.bound_of == "pushforward" else code.z_prime)

    def _volume(self, code: LatentCode) -> torch.Tensor:
        return code.log_abs_det if self.bound_of == "flow_posterior" else code.zeros()

    def loss(
        self, reconstruction: torch.Tensor, charged: torch.Tensor, code: LatentCode, alpha: float
    ) -> torch.Tensor:
        """(batch,), nats per sentence.

        Args:
            reconstruction: (batch,), -log p(x|z').
            charged: the divergence, (batch,), or what free bits have left of its mean, a scalar.
        """
        return reconstruction + self.latent_terms(alpha, charged, code)

    def bound(self, reconstruction: torch.Tensor, kl: torch.Tensor, code: LatentCode) -> torch.Tensor:
        """-ELBO of the model `bound_of`, whatever alpha is: (batch,)."""
        return reconstruction + kl - self._volume(code)

    def of_sentence(self, values: torch.Tensor) -> torch.Tensor:
        """A term of the samples as one of the sentence: (batch,)."""
        return values


@dataclass(frozen=True)
class ImportanceWeighted(Objective):
    """-log (1/k) Σ_i w_i, log w = log p(x|z') - alpha (log q - log p), over k samples (Burda et al. 2016, eq. 8).

    What q's density adds is that of the model `bound_of`: log q(z|x), or log q(z|x) - Σ log|det|. At alpha = 1 it is
    a bound of -log p(x), the ELBO for k = 1; at any alpha the weights are those of the loss.

    The encoder's gradient is doubly reparameterized (Tucker et al. 2019, arXiv 1810.04152, eq. 8): the parameters of
    log q(z|x) count as constants, and what comes back to z_i is multiplied by 1 - alpha + alpha w_i / Σ_j w_j. For
    alpha = 1 that are the squared normalized weights; for others it follows in the same way, from E_q[w_i ∂ log q] =
    E_q[(∂w_i/∂z) ∂z] with a score that stands in log w with the factor -alpha. It has the expectation of the plain
    gradient. Everything else gets the ordinary gradient, weighted by w_i / Σ_j w_j: decoder, prior, and the flow,
    whose parameters stand in what is integrated over z, and not in q(z|x).
    """

    importance_weighted = True

    def _log_q(self, code: LatentCode) -> torch.Tensor:
        return code.posterior.detach().log_prob(code.z)

    def loss(
        self, reconstruction: torch.Tensor, charged: torch.Tensor, code: LatentCode, alpha: float
    ) -> torch.Tensor:
        log_weights = -(reconstruction + alpha * (charged - self._volume(code)))
        if code.z.requires_grad:
            factor = 1 - alpha + alpha * log_weights.detach().softmax(0).unsqueeze(-1)
            code.z.register_hook(lambda gradient: gradient * factor)
        return _minus_log_mean_exp(log_weights)

    def bound(self, reconstruction: torch.Tensor, kl: torch.Tensor, code: LatentCode) -> torch.Tensor:
        return _minus_log_mean_exp(-super().bound(reconstruction, kl, code).detach())

    def of_sentence(self, values: torch.Tensor) -> torch.Tensor:
        return values.mean(0)


def _minus_log_mean_exp(log_weights: torch.Tensor) -> torch.Tensor:
    return math.log(len(log_weights)) - log_weights.logsumexp(0)


def _authors_kernel_term(code: LatentCode) -> torch.Tensor:
    """½ log K_m, whose sign is the opposite of eq. 16, or -log(1 + K_g) of each step."""
    if code.flow_kernel != "gaussian":
        return 0.5 * code.log_kernel
    return -sum((term.exp().log1p() for term in code.log_kernels), code.zeros())


OBJECTIVES = {
    # eq. 16 and 17
    "paper": Objective("pushforward", lambda alpha, kl, code: alpha * (kl - code.log_abs_det - code.log_kernel)),
    # what the authors' code computes
    "authors": Objective(
        "flow_posterior", lambda alpha, kl, code: alpha * kl - code.log_abs_det + _authors_kernel_term(code)
    ),
    "pushforward": Objective("pushforward", lambda alpha, kl, code: alpha * kl),
    "flow_posterior": Objective("flow_posterior", lambda alpha, kl, code: alpha * (kl - code.log_abs_det)),
    "iwae": ImportanceWeighted("pushforward"),
    "iwae_flow_posterior": ImportanceWeighted("flow_posterior"),
}
