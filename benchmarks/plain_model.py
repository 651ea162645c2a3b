"""The same model written the obvious way: padded batch, all logits at once, `F.cross_entropy`, default Adam."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import nn

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.alignment import Aligned
from modeling_wae_rnf.decoder_lstm import LSTMDecoder
from modeling_wae_rnf.encoder_lstm import LSTMEncoder
from modeling_wae_rnf.gaussian import standard_normal_log_prob
from modeling_wae_rnf.posterior_head import Posterior
from wae_rnf.sharing.onnx_export import lstm_decoder

from .generated_batches import Batch


class PlainModel(WaeRnfModel):
    """WAE-RNF's mathematics and parameters; the LSTMs and the projection run on padding too."""

    encoder: LSTMEncoder
    decoder: LSTMDecoder

    def __init__(self, config: WaeRnfConfig) -> None:
        super().__init__(config)
        self.encoder.dropout = self.decoder.dropout = nn.Dropout(config.dropout)  # type: ignore[assignment]  # the plain one

    def encode(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> Posterior:
        assert attention_mask is not None
        embeddings = self.encoder.dropout(self.embedding(input_ids[:, 1:]))
        hidden, _ = self.encoder.lstm(embeddings)
        return self.posterior_head(hidden[torch.arange(len(hidden)), attention_mask.sum(1) - 2])

    def score(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None,
        z_prime: torch.Tensor,
        labels: torch.Tensor | None = None,
    ) -> torch.Tensor:
        embeddings = self.decoder.dropout(self.embedding(input_ids[:, :-1]))
        state = torch.tanh(self.decoder.initial_state(z_prime)).unsqueeze(0).chunk(2, dim=-1)
        hidden, _ = self.decoder.lstm(embeddings, tuple(part.contiguous() for part in state))
        logits = self.decoder.projection(self.decoder.dropout(hidden))
        targets = input_ids[:, 1:]
        nll = F.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=self.config.pad_token_id, reduction="none"
        )
        return nll.view(targets.shape).sum(1)

    # what `forward` goes through, by way of the two above

    def _encode(self, sentences: Aligned, kl_weight: float | None = None, sample: bool = True) -> Posterior:
        return self.encode(sentences.input_ids, sentences.mask)

    def _read(
        self, sentences: Aligned, z_prime: torch.Tensor, whole: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return z_prime.new_empty(0), z_prime

    def _nll(self, sentences: Aligned, states: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        return self.score(sentences.input_ids, sentences.mask, z_prime=states)


@torch.no_grad()
def score_by_loop(model: WaeRnfModel, batches: Iterable[Batch], samples: int) -> list[torch.Tensor]:
    """Log importance weights of the pushforward model, one pass through the whole model a sample."""
    log_weights = []
    for batch in batches:
        for _ in range(samples):
            posterior = model.encode(**batch)
            z = posterior.rsample()
            nll = model.score(**batch, z_prime=model.push(z)[0])
            log_weights.append(standard_normal_log_prob(z) - posterior.log_prob(z) - nll)
    return log_weights


@torch.no_grad()
def generate_one(model: WaeRnfModel) -> torch.Tensor:
    """A sentence from the prior, word by word with `torch.multinomial`."""
    config, decoder = model.config, lstm_decoder(model)
    z_prime, _ = model.push(torch.randn(1, config.latent_size))
    state = torch.tanh(decoder.initial_state(z_prime)).unsqueeze(0).chunk(2, dim=-1)
    state = tuple(part.contiguous() for part in state)
    words = [torch.tensor([[config.bos_token_id]])]
    while len(words) <= config.max_words + 1 and words[-1] != config.eos_token_id:
        hidden, state = decoder.lstm(model.embedding(words[-1]), state)
        probabilities = decoder.projection(hidden[:, 0]).softmax(-1)
        words.append(torch.multinomial(probabilities, 1))
    return torch.cat(words, dim=1)


@torch.no_grad()
def greedy(model: WaeRnfModel, latents: torch.Tensor, words: int) -> torch.Tensor:
    """Exactly so many of the likeliest words for each latent, by PyTorch's LSTM."""
    z_prime, _ = model.push(latents)
    decoder = lstm_decoder(model)
    state = torch.tanh(decoder.initial_state(z_prime)).unsqueeze(0).chunk(2, dim=-1)
    state = tuple(part.contiguous() for part in state)
    sentences = [torch.full((len(latents), 1), model.config.bos_token_id)]
    for _ in range(words):
        hidden, state = decoder.lstm(model.embedding(sentences[-1]), state)
        sentences.append(decoder.projection(hidden[:, 0]).argmax(-1, keepdim=True))
    return torch.cat(sentences, dim=1)
