"""The topics of a model as words: those that stand out where a sentence is of one topic alone."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.gaussian_dirichlet import GaussianDirichletHead
from modeling_wae_rnf.seeding import seeded_by

BATCH_SIZE = 256
# Sentences of the model's own distribution, whatever its directory says.
OWN_WORDS: dict[str, Any] = {
    "do_sample": True, "num_beams": 1, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "return_dict_in_generate": False
}  # fmt: skip


class TopicWord(NamedTuple):
    """A word of a topic: its part of the topic's tokens, and how many times that of its part of all topics' tokens."""

    word: str
    probability: float
    ratio: float


class Topic(NamedTuple):
    """A topic of a model.

    Attributes:
        number: its place in t, from 0.
        divergence: KL of the topic's words from those of all topics, nats per token; near 0 where the decoder does
            not tell the topic from the others, and nearer with more samples.
        words: those that add most to this divergence, the first adds most.
    """

    number: int
    divergence: float
    words: list[TopicWord]


def num_topics_of(model: WaeRnfModel) -> int:
    """How many topics a model has.

    Raises:
        ValueError: it has none.
    """
    head = getattr(model, "posterior_head", None)
    if not isinstance(head, GaussianDirichletHead):
        raise ValueError("the model has no topics; one that has is trained by wae-rnf train --system dirichlet-vae")
    return head.num_topics


@torch.no_grad()
def topics_of(
    model: WaeRnfModel, tokenizer: PreTrainedTokenizerFast, words: int = 10, samples: int = 256, seed: int = 0
) -> list[Topic]:
    """The words of each topic.

    Sentences are drawn with t at a corner of the simplex, t_k = 1, and z ~ N(0, I), the same z for every topic. The
    distribution p_k over tokens is the mean of the decoder's own at every place of them. A topic's words are those
    that add most to KL(p_k || p), p the mean of all p_k: p_k(w) log(p_k(w) / p(w)). The likeliest words alone would
    be the same in every topic. Special tokens and unknown words are left out.

    Args:
        model: in evaluation mode.
        tokenizer: the model's own.
        words: of each topic, at most.
        samples: sentences that are drawn for each topic.
        seed: of the sentences.

    Raises:
        ValueError: a model without topics, no words or no samples.
    """
    number = num_topics_of(model)
    for name, value in (("words", words), ("samples", samples)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    tokens = torch.stack([_token_distribution(model, topic, number, samples, seed) for topic in range(number)])
    special = {*tokenizer.all_special_ids, model.config.unk_token_id} - {None}
    tokens[:, sorted(special)] = 0.0
    tokens /= tokens.sum(1, keepdim=True)
    ratio = tokens / tokens.mean(0).clamp_min(torch.finfo(tokens.dtype).tiny)
    parts = torch.special.xlogy(tokens, ratio)
    return [
        Topic(topic, parts[topic].sum().item(), _words(tokenizer, tokens[topic], ratio[topic], parts[topic], words))
        for topic in range(number)
    ]


def _token_distribution(model: WaeRnfModel, topic: int, number: int, samples: int, seed: int) -> Tensor:
    """p_k: (vocab_size,), in double precision on the CPU."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(samples, model.config.latent_size - number, generator=generator)
    t = torch.nn.functional.one_hot(torch.full((samples,), topic), number)
    total = torch.zeros(model.config.vocab_size, dtype=torch.float64)
    for latents in torch.cat([z, t], dim=1).to(model.device, model.dtype).split(BATCH_SIZE):
        with seeded_by(generator, model.device):
            ids = model.generate(latents=latents, **OWN_WORDS)
        assert isinstance(ids, Tensor)  # no dictionary
        mask = ids.ne(model.config.pad_token_id).long()
        logits = model(input_ids=ids, attention_mask=mask, latents=latents).logits[:, :-1]
        total += logits[mask[:, 1:].bool()].double().softmax(-1).sum(0).cpu()
    return total / total.sum()


def _words(
    tokenizer: PreTrainedTokenizerFast, tokens: Tensor, ratio: Tensor, parts: Tensor, words: int
) -> list[TopicWord]:
    """The words that add most, as far as they are likelier than in all topics."""
    chosen = parts.topk(min(words, int((parts > 0).sum()))).indices.tolist()
    texts = [text.strip() for text in tokenizer.batch_decode([[token] for token in chosen])]
    figures = ((values[chosen].tolist()) for values in (tokens, ratio))
    return [TopicWord(*row) for row in zip(texts, *figures, strict=True)]
