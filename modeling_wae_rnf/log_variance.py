"""The penalty on the posterior's log variance: q(z|x) keeps a spread where no KL divergence gives it one."""

from typing import TYPE_CHECKING

import torch

from .auxiliary_loss import AuxiliaryLoss
from .decoder import Decoder
from .gaussian import GaussianPosterior
from .latent_code import LatentCode

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class LogVariance(AuxiliaryLoss):
    """Σ_i |log σ_i²| of q(z|x) (Rubenstein et al. 2018, arXiv 1802.03761), without unit.

    An autoencoder that pays reconstruction alone lets σ shrink. For an adversarial one Shen et al. 2020 give it a
    weight of 0.01 or more.

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> from .modeling_wae_rnf import WaeRnfModel
        >>> config = WaeRnfConfig(vocab_size=9, auxiliary_losses={"log_variance": 0.01})
        >>> WaeRnfModel(config).train()(torch.tensor([[1, 5, 6, 2]])).auxiliary["log_variance"].shape
        torch.Size([1])
    """

    def __init__(self, config: "WaeRnfConfig") -> None:
        super().__init__()

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        if config.posterior != "gaussian":
            raise ValueError(f"the auxiliary loss log_variance is of a gaussian posterior, not of {config.posterior}")

    def forward(self, code: LatentCode, targets: torch.Tensor, scored: torch.Tensor, decoder: Decoder) -> torch.Tensor:
        assert isinstance(code.posterior, GaussianPosterior)  # the configuration refuses any other
        return 2 * code.posterior.stddev.log().abs().sum(-1)
