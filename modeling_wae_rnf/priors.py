"""p(z): the distribution that a model is sampled from, and that its bounds measure q(z|x) by."""

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import nn

from .affine_coupling import AffineCoupling
from .encoder import Encoder
from .gaussian import GaussianPosterior, standard_normal_log_prob
from .part import Part
from .posterior_head import Posterior, PosteriorHead
from .precision import full_precision
from .von_mises_fisher import log_area

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig

SPREAD = 0.1  # standard deviation of a mixture's means at the start: near N(0, I), and no two components alike
PSEUDO_LENGTH = 10  # embeddings of a pseudo-input
ROWS_AT_ONCE = 4096  # samples whose density is taken under all components at a time


class Prior(Part, nn.Module):
    """The contract: samples, their density and, where it is known, the divergence of a posterior from it.

    Samples have no gradient: a learned prior is learned by its density alone. The MMD moves q(z) towards the prior,
    and never the prior towards q(z).

    Args:
        config: a [`WaeRnfConfig`].
        encoder, head: the model's own, for a prior that is made of posteriors.

    Attributes:
        space: where z lies; the path of `interpolate` follows from it.
        has_kl_per_dimension: whether `kl_per_dimension` has a closed form, which free bits need.
    """

    space = "euclidean"
    has_kl_per_dimension = False

    def __init__(
        self, config: "WaeRnfConfig | None" = None, encoder: Encoder | None = None, head: PosteriorHead | None = None
    ) -> None:
        super().__init__()

    def sample(
        self,
        shape: Sequence[int],
        generator: torch.Generator | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        """z of a shape (..., latent_size).

        Args:
            generator: of any device; the global one when None.
            device, dtype: of the result; by default the prior's own.
        """
        raise NotImplementedError

    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        """log p(z), nats: (..., latent_size) -> (...)."""
        raise NotImplementedError

    def kl_per_dimension(self, posterior: Posterior) -> torch.Tensor | None:
        """KL(q(z_i|x) || p(z_i)) in closed form, (batch, latent_size) nats; None where there is none."""
        return None

    def kl_divergence(self, posterior: Posterior) -> torch.Tensor | None:
        """KL(q(z|x) || p(z)) in closed form, (batch,) nats per sentence; None where there is none."""
        return None

    def kl_at(self, posterior: Posterior, z: torch.Tensor) -> torch.Tensor:
        """The divergence in closed form as far as it is known, and the rest of it at a sample z of q(z|x), whose
        expectation it is: log q(z|x) - log p(z). (batch,), nats per sentence."""
        known = self.kl_divergence(posterior)
        return posterior.log_prob(z) - self.log_prob(z) if known is None else known

    def project(self, z: torch.Tensor) -> torch.Tensor:
        """z (..., latent_size) that was moved, brought back to where it may lie."""
        return z


class StandardNormal(Prior):
    """N(0, I), without parameters.

    Examples:
        >>> StandardNormal().log_prob(torch.zeros(1, 2))
        tensor([-1.8379])
    """

    has_kl_per_dimension = True

    @torch.no_grad()
    def sample(
        self,
        shape: Sequence[int],
        generator: torch.Generator | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        source: dict[str, Any] = {} if generator is None else {"generator": generator}  # torch.compile refuses None
        return torch.randn(shape, device=device, dtype=dtype, **source)

    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        return standard_normal_log_prob(z)

    def kl_per_dimension(self, posterior: Posterior) -> torch.Tensor | None:
        return posterior.kl_per_dimension()

    def kl_divergence(self, posterior: Posterior) -> torch.Tensor | None:
        return posterior.kl_divergence()


class UniformSphere(StandardNormal):
    """Uniform on the unit sphere, without parameters; the divergence of a von Mises-Fisher posterior is known."""

    space, has_kl_per_dimension = "sphere", False

    def sample(
        self,
        shape: Sequence[int],
        generator: torch.Generator | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        return F.normalize(super().sample(shape, generator, device, dtype), dim=-1)

    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        """One value for all z."""
        return z.new_full(z.shape[:-1], -log_area(z.shape[-1]))

    def project(self, z: torch.Tensor) -> torch.Tensor:
        return F.normalize(z, dim=-1)


def noise(shape: Sequence[int], generator: torch.Generator | None, like: torch.Tensor) -> torch.Tensor:
    """N(0, 1) as a tensor like another, drawn where the generator is."""
    if generator is None:
        return torch.randn(shape, dtype=like.dtype, device=like.device)
    return torch.randn(shape, dtype=like.dtype, device=generator.device, generator=generator).to(like.device)


class MixturePrior(Prior):
    """Σ_k π_k N(z; m_k, diag(s_k²)) of K = `prior_components`, all three learned; it starts near N(0, I).

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> prior = MixturePrior(WaeRnfConfig(latent_size=2, prior_components=3))
        >>> prior.sample((5, 2)).shape, prior.log_prob(torch.zeros(4, 5, 2)).shape
        (torch.Size([5, 2]), torch.Size([4, 5]))
    """

    def __init__(
        self, config: "WaeRnfConfig", encoder: Encoder | None = None, head: PosteriorHead | None = None
    ) -> None:
        super().__init__()
        size = (config.prior_components, config.latent_size)
        self.mean = nn.Parameter(torch.empty(size))
        self.log_stddev = nn.Parameter(torch.empty(size))
        self.logits = nn.Parameter(torch.empty(size[0]))
        self.reset_parameters()

    def reset_parameters(self, init: ModuleType = nn.init) -> None:
        init.normal_(self.mean, std=SPREAD)
        init.zeros_(self.log_stddev)
        init.zeros_(self.logits)

    def components(self) -> tuple[GaussianPosterior, torch.Tensor]:
        """N(m_k, diag(s_k²)) as one distribution of K rows, and log π (K,)."""
        return GaussianPosterior(self.mean, self.log_stddev.exp()), self.logits.log_softmax(0)

    @torch.no_grad()
    def sample(
        self,
        shape: Sequence[int],
        generator: torch.Generator | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        components, log_weights = self.components()
        weights = log_weights.exp() if generator is None else log_weights.exp().to(generator.device)
        number = torch.Size(shape[:-1]).numel()
        chosen = torch.multinomial(weights, number, replacement=True, generator=generator).to(log_weights.device)
        mean, stddev = (values[chosen].view(shape) for values in (components.mean, components.stddev))
        return (mean + stddev * noise(shape, generator, mean)).to(device=device, dtype=dtype)

    @full_precision
    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        components, log_weights = self.components()
        rows = z.reshape(-1, 1, z.shape[-1]).split(ROWS_AT_ONCE)  # against each component: (rows, K)
        found = [(components.log_prob(part) + log_weights).logsumexp(-1) for part in rows]
        return torch.cat(found).view(z.shape[:-1])


class VampPrior(MixturePrior):
    """(1/K) Σ_k q(z|u_k), the posterior's mixture over K learned pseudo-inputs (Tomczak and Welling 2018, eq. 8).

    Words cannot be learned by gradient, so u_k is a sequence of `PSEUDO_LENGTH` embeddings, which go the encoder's
    way in evaluation form: without dropout, normalized by the running statistics. It starts as random words do; a
    state of the encoder would be cheaper, but there is no telling where such states lie before training.

    Args:
        config: a [`WaeRnfConfig`].
        encoder, head: the model's own; they are used here and belong to the model.
    """

    def __init__(self, config: "WaeRnfConfig", encoder: Encoder, head: PosteriorHead) -> None:
        Prior.__init__(self)
        self.stddev = config.embedding_std
        self.pseudo_inputs = nn.Parameter(torch.empty(config.prior_components, PSEUDO_LENGTH, config.embedding_size))
        self._parts = (encoder, head)  # in a tuple, they are no submodules
        self.reset_parameters()

    def reset_parameters(self, init: ModuleType = nn.init) -> None:
        init.normal_(self.pseudo_inputs, std=self.stddev)

    def components(self) -> tuple[GaussianPosterior, torch.Tensor]:
        posterior = self._encode(self.pseudo_inputs)
        return posterior, posterior.mean.new_zeros(len(posterior.mean)).log_softmax(0)

    @full_precision
    def _encode(self, embeddings: torch.Tensor) -> GaussianPosterior:
        encoder, head = self._parts
        # an LSTM alone is the same in both forms, and cuDNN's has gradients in that of training only
        modules = [part for parent in self._parts for part in parent.modules() if not isinstance(part, nn.LSTM)]
        training = [part.training for part in modules]
        try:
            for part in modules:
                part.training = False
            lengths = torch.full((len(embeddings),), embeddings.shape[1], device=embeddings.device)
            return head(encoder(embeddings, lengths))
        finally:
            for part, mode in zip(modules, training, strict=True):
                part.training = mode


class FlowPrior(Prior):
    """z = G(y), y ~ N(0, I), by `prior_layers` affine coupling layers (Ding and Gimpel 2021); near N(0, I) at first.

    log p(z) = log N(G⁻¹(z); 0, I) - log|det dG/dy|, exactly.

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> FlowPrior(WaeRnfConfig(latent_size=2)).sample((5, 2)).shape
        torch.Size([5, 2])
    """

    def __init__(
        self, config: "WaeRnfConfig", encoder: Encoder | None = None, head: PosteriorHead | None = None
    ) -> None:
        super().__init__()
        self.layers: Sequence[AffineCoupling] = nn.ModuleList(  # type: ignore[assignment]  # whose stubs know no kind
            AffineCoupling(config.latent_size, config.hidden_size, flipped=number % 2 == 1)
            for number in range(config.prior_layers)
        )

    @torch.no_grad()
    def sample(
        self,
        shape: Sequence[int],
        generator: torch.Generator | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> torch.Tensor:
        z = noise(shape, generator, next(self.parameters()))
        for layer in self.layers:
            z, _ = layer(z)
        return z.to(device=device, dtype=dtype)

    @full_precision
    def log_prob(self, z: torch.Tensor) -> torch.Tensor:
        volume = z.new_zeros(z.shape[:-1])
        for layer in reversed(self.layers):
            z, log_abs_det = layer.inverse(z)
            volume = volume + log_abs_det
        return standard_normal_log_prob(z) - volume
