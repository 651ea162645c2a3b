"""The same model written the obvious way: padded batch, all logits at once, `F.cross_entropy`, default Adam."""

import torch
import torch.nn.functional as F
from torch import nn

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.gaussian import standard_normal_log_prob


class PlainModel(WaeRnfModel):
    """WAE-RNF's mathematics and parameters; the LSTMs and the projection run on padding too."""

    def __init__(self, config):
        super().__init__(config)
        self.encoder.dropout = self.decoder.dropout = nn.Dropout(config.dropout)

    def encode(self, input_ids, attention_mask=None):
        embeddings = self.encoder.dropout(self.embedding(input_ids[:, 1:]))
        hidden, _ = self.encoder.lstm(embeddings)
        return self.posterior_head(hidden[torch.arange(len(hidden)), attention_mask.sum(1) - 2])

    def score(self, input_ids, attention_mask, z_prime, labels=None):
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

    def _encode(self, sentences, kl_weight=None):
        return self.encode(sentences.input_ids, sentences.mask)

    def _read(self, sentences, z_prime, whole=False):
        return None, z_prime

    def _nll(self, sentences, states, labels):
        return self.score(sentences.input_ids, sentences.mask, z_prime=states)


@torch.no_grad()
def score_by_loop(model, batches, samples):
    """Log importance weights of the pushforward reading, one pass through the whole model a sample."""
    log_weights = []
    for batch in batches:
        for _ in range(samples):
            posterior = model.encode(**batch)
            z = posterior.rsample()
            nll = model.score(**batch, z_prime=model.push(z)[0])
            log_weights.append(standard_normal_log_prob(z) - posterior.log_prob(z) - nll)
    return log_weights


@torch.no_grad()
def generate_one(model):
    """A sentence from the prior, word by word with `torch.multinomial`."""
    config = model.config
    z_prime, _ = model.push(torch.randn(1, config.latent_size))
    state = torch.tanh(model.decoder.initial_state(z_prime)).unsqueeze(0).chunk(2, dim=-1)
    state = tuple(part.contiguous() for part in state)
    words = [torch.tensor([[config.bos_token_id]])]
    while len(words) <= config.max_words + 1 and words[-1] != config.eos_token_id:
        hidden, state = model.decoder.lstm(model.embedding(words[-1]), state)
        probabilities = model.decoder.projection(hidden[:, 0]).softmax(-1)
        words.append(torch.multinomial(probabilities, 1))
    return torch.cat(words, dim=1)


@torch.no_grad()
def greedy(model, latents, words):
    """Exactly so many of the likeliest words for each code, by the LSTM of the library."""
    z_prime, _ = model.push(latents)
    state = torch.tanh(model.decoder.initial_state(z_prime)).unsqueeze(0).chunk(2, dim=-1)
    state = tuple(part.contiguous() for part in state)
    sentences = [torch.full((len(latents), 1), model.config.bos_token_id)]
    for _ in range(words):
        hidden, state = model.decoder.lstm(model.embedding(sentences[-1]), state)
        sentences.append(model.decoder.projection(hidden[:, 0]).argmax(-1, keepdim=True))
    return torch.cat(sentences, dim=1)
