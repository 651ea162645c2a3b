"""Semi-amortized inference: the encoder's posterior is where gradient ascent on a sentence's own ELBO begins."""

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from .alignment import Aligned
from .gaussian import GaussianPosterior
from .inference import Inference
from .objectives import OBJECTIVES
from .recomputed_gradient import recomputed_gradient

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig
    from .modeling_wae_rnf import WaeRnfModel

SEED = 0  # of the noise outside of training
RULES = {  # of the options: the condition, in words too
    "steps": (lambda value: type(value) is int and value >= 0, "a whole number from 0 on"),
    "step_size": (lambda value: isinstance(value, (int, float)) and value > 0, "a number over 0"),
    "momentum": (lambda value: isinstance(value, (int, float)) and 0 <= value < 1, "a number in [0, 1)"),
    "max_norm": (lambda value: isinstance(value, (int, float)) and value > 0, "a number over 0"),
    "second_order": (lambda value: type(value) is bool, "true or false"),
}


class SemiAmortized(Inference):
    """q(z|x) = N(mean, diag(variance)) at lambda_K = (mean, log variance), K steps of gradient ascent from the
    encoder's lambda_0 (Kim et al. 2018, arXiv 1802.02550, algorithm 1):

        v_k = momentum · v_{k-1} + clip(∇ ELBO(x, lambda_{k-1})),  lambda_k = lambda_{k-1} + step_size · v_k.

    Any q is an honest ELBO's, and this one is a function of the sentence alone. While training, the ELBO is what the
    sentence pays: with the objective's weight of the KL, this step's noise, drawn anew for each k, and dropout. What
    is of the whole batch, free bits and the MMD, has no part in it. Outside of training the weight is 1, there is no
    dropout, and the noise at each k is always the same, and that of all sentences.

    The loss at lambda_K trains the encoder through the K steps, and the decoder through their gradients too. Each step
    is computed again in the backward pass, with the same dropout, so that the memory is that of one.

    Args:
        steps: K.
        step_size, max_norm: of a sentence's own gradient. The authors' 1 and 5 are those of the mean over a batch of
            32; for 32 sentences alike that is 1/32 of a sentence's gradient, clipped at 5 √32. The means' and the log
            variances' part are clipped apart, as theirs are.
        momentum: the part of v that is kept.
        second_order: differentiate ∇ ELBO as well; otherwise it counts as a constant, and lambda_K = lambda_0 + a
            constant: several times as fast, and another gradient.
    """

    by_sentence = True

    def __init__(
        self,
        config: "WaeRnfConfig",
        *,
        steps: int = 20,
        step_size: float = 1 / 32,
        momentum: float = 0.5,
        max_norm: float = 5 * 32**0.5,
        second_order: bool = True,
    ) -> None:
        super().__init__(config)
        self.refinement_steps, self.step_size, self.momentum = steps, step_size, momentum
        self.max_norm, self.second_order = max_norm, second_order

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        for name, value in config.inference_kwargs.items():
            holds, words = RULES[name]
            if not holds(value):
                raise ValueError(f"inference_kwargs: {name} must be {words}, but is {value!r}")
        if config.posterior != "gaussian":
            raise ValueError(f"semi_amortized refines a gaussian posterior, not {config.posterior!r}")
        if config.objective in OBJECTIVES and OBJECTIVES[config.objective].importance_weighted:
            raise ValueError(f"semi_amortized refines by one sample a sentence, and {config.objective!r} has several")
        if config.input_drop or config.input_shuffle:
            raise ValueError("semi_amortized refines on the sentence, which input_drop and input_shuffle change")

    def forward(
        self, model: "WaeRnfModel", sentences: Aligned, kl_weight: float | None = None, sample: bool = True
    ) -> GaussianPosterior:
        if torch.is_inference_mode_enabled():  # whose tensors can have no gradient, unlike copies of them
            with torch.inference_mode(False), torch.no_grad():
                return self(model, Aligned(sentences.input_ids.clone(), sentences.mask.clone()), kl_weight, sample)
        first = self.amortize(model, sentences)
        assert isinstance(first, GaussianPosterior)  # the configuration refuses others
        lambda_0 = torch.cat([first.mean, 2 * first.stddev.log()], dim=-1)
        through = self.second_order and torch.is_grad_enabled()
        lambda_k = lambda_0 if through else lambda_0.detach()
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        velocity = torch.zeros_like(lambda_k)
        for noise in self._noise(first.mean, sample):
            slope_at = partial(slope_of_loss, model, sentences, noise, kl_weight)
            slope = recomputed_gradient(slope_at, lambda_k, weights) if through else slope_at(lambda_k)
            velocity = self.momentum * velocity - self._clipped(slope)
            lambda_k = lambda_k + self.step_size * velocity
        return posterior_of(lambda_k if through else lambda_0 + (lambda_k - lambda_0.detach()))

    def _noise(self, mean: torch.Tensor, sample: bool) -> torch.Tensor:
        """Of z at each step, in standard deviations: (steps, batch or 1, latent_size)."""
        if not self.training:  # drawn on the CPU: the same on every device
            generator = torch.Generator().manual_seed(SEED)
            return torch.randn(self.refinement_steps, 1, mean.shape[-1], generator=generator).to(mean)
        noise = torch.randn if sample else torch.zeros
        return noise(self.refinement_steps, *mean.shape, dtype=mean.dtype, device=mean.device)

    def _clipped(self, slope: torch.Tensor) -> torch.Tensor:
        parts = slope.unflatten(-1, (2, -1))
        norm = parts.norm(dim=-1, keepdim=True)
        return (parts * (self.max_norm / norm.clamp_min(self.max_norm))).flatten(-2)


def posterior_of(parameters: torch.Tensor) -> GaussianPosterior:
    """(batch, 2 latent_size), mean and log variance side by side -> the posterior.

    Examples:
        >>> posterior_of(torch.zeros(3, 8)).stddev.shape
        torch.Size([3, 4])
    """
    mean, log_variance = parameters.chunk(2, dim=-1)
    return GaussianPosterior(mean, (0.5 * log_variance).exp())


def slope_of_loss(
    model: "WaeRnfModel",
    sentences: Aligned,
    noise: torch.Tensor,
    kl_weight: float | None,
    parameters: torch.Tensor,
    through: bool = False,
) -> torch.Tensor:
    """The gradient of each sentence's loss with respect to its posterior's parameters: (batch, 2 latent_size).

    Args:
        noise: (batch or 1, latent_size), of the sample, in standard deviations.
        parameters: (batch, 2 latent_size), as for `posterior_of`.
        through: whether it can be differentiated again.
    """
    # cuDNN's LSTM has a gradient in training alone, and like fused attention none of second order
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH):
        parameters = parameters if parameters.requires_grad else parameters.detach().requires_grad_()
        posterior = posterior_of(parameters)
        z = posterior.mean + posterior.stddev * noise
        losses = model.sentence_losses(sentences, posterior, z, kl_weight, fused=not through)
        return torch.autograd.grad(losses.sum(), parameters, create_graph=through)[0]
