"""The bag-of-words loss: z' alone has to say which words a sentence has."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from .auxiliary_loss import AuxiliaryLoss
from .decoder import Decoder
from .latent_code import LatentCode

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class BagOfWords(AuxiliaryLoss):
    """-Σ_t log softmax(b)_{x_t}, b = W₂ tanh(W₁ z') (Zhao et al. 2017, arXiv 1703.10960, section 3.3).

    The words' order plays no part, so that the decoder's own memory is of no help.

    Args:
        hidden_size: of W₁.

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> from .modeling_wae_rnf import WaeRnfModel
        >>> config = WaeRnfConfig(vocab_size=9, auxiliary_losses={"bag_of_words": 1.0})
        >>> WaeRnfModel(config).train()(torch.tensor([[1, 5, 6, 2]])).auxiliary["bag_of_words"].shape
        torch.Size([1])
    """

    def __init__(self, config: "WaeRnfConfig", *, hidden_size: int = 400) -> None:
        super().__init__()
        self.scores = nn.Sequential(
            nn.Linear(config.latent_size, hidden_size), nn.Tanh(), nn.Linear(hidden_size, config.vocab_size)
        )

    def forward(self, code: LatentCode, targets: torch.Tensor, scored: torch.Tensor, decoder: Decoder) -> torch.Tensor:
        scores = self.scores(code.z_prime)  # (batch, vocab_size)
        log_probs = scores.to(torch.promote_types(scores.dtype, torch.float32)).log_softmax(-1)
        return -(log_probs.gather(-1, targets.clamp_min(0)) * scored).sum(-1)
