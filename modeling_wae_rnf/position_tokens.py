"""The loss of tokens by position: z' alone has to say which token stands at each position of a sentence."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from .auxiliary_loss import AuxiliaryLoss
from .decoder import Decoder
from .latent_code import LatentCode
from .linear_cross_entropy import projected_nll

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class PositionTokens(AuxiliaryLoss):
    """-Σ_t log softmax(W f_t + b)_{x_t}, f the decoder's features of z' (Semeniuta et al. 2017, arXiv 1702.02390).

    f is made of z' and of no token, so what the decoder's LSTM remembers is of no help. It is computed once more here,
    of the one z that an auxiliary loss is taken at.

    Examples:
        >>> from .configuration_wae_rnf import WaeRnfConfig
        >>> from .modeling_wae_rnf import WaeRnfModel
        >>> config = WaeRnfConfig(vocab_size=9, decoder_type="hybrid", auxiliary_losses={"position_tokens": 0.2})
        >>> WaeRnfModel(config).train()(torch.tensor([[1, 5, 6, 2]])).auxiliary["position_tokens"].shape
        torch.Size([1])
    """

    reads_position_features = True

    def __init__(self, config: "WaeRnfConfig") -> None:
        super().__init__()
        self.projection = nn.Linear(config.embedding_size, config.vocab_size)

    def forward(self, code: LatentCode, targets: torch.Tensor, scored: torch.Tensor, decoder: Decoder) -> torch.Tensor:
        columns = torch.arange(1, scored.shape[1] + 1, device=scored.device)
        lengths = (scored * columns).amax(1)  # up to the last token that counts
        features = decoder.position_features(code.z_prime, lengths, scored.shape[1])
        token_nll = projected_nll(self.projection, features[scored], targets[scored])
        return token_nll.new_zeros(scored.shape).masked_scatter(scored, token_nll).sum(-1)
