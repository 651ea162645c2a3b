"""The LSTM encoder: a sentence's embedded words in, the LSTM's state after its last token out."""

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from .dropout import Dropout
from .encoder import Encoder
from .padded_lstm import call_lstm, run_lstm

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class LSTMEncoder(Encoder):
    """One-layer LSTM. Returns h_n, or (h_n, c_n) side by side for the authors' linear head.

    Sentences are padded on the right, so what follows the last token cannot reach its state.
    """

    def __init__(self, config: "WaeRnfConfig") -> None:
        super().__init__()
        self.dropout = Dropout(config.dropout if config.encoder_dropout is None else config.encoder_dropout)
        self.lstm = nn.LSTM(config.embedding_size, config.hidden_size, batch_first=True)
        self.with_cell = config.posterior_head == "linear"
        self.state_size = 2 * config.hidden_size if self.with_cell else config.hidden_size

    def forward(self, embeddings: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        embeddings = self.dropout(embeddings)
        if self.with_cell:  # only a packed sequence yields each sentence's own c_n
            packed = pack_padded_sequence(embeddings, lengths.cpu(), batch_first=True, enforce_sorted=False)
            _, (hidden, cell) = call_lstm(self.lstm, packed)
            return torch.cat([hidden[0], cell[0]], dim=-1)
        states = run_lstm(self.lstm, embeddings, lengths)
        return states[torch.arange(len(states), device=states.device), lengths - 1]
