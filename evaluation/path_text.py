"""Text along paths of the latent space: how fluent it is, how smoothly it changes, how much of it is new."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch

BATCH_SIZE = 256


def edit_distance(one: Sequence, other: Sequence) -> int:
    """Insertions, deletions and substitutions that lead from one sequence to another (Levenshtein 1966).

    Examples:
        >>> edit_distance("the cat sat".split(), "the old cat slept".split())
        2
    """
    row = list(range(len(other) + 1))
    for number, item in enumerate(one, 1):
        before, row = row, [number]
        for place, found in enumerate(other, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (item != found)))
    return row[-1]


def path_figures(texts: Sequence[str]) -> dict[str, float]:
    """What a path says, from its first to its last sentence: edit distances in words, and new sentences.

    Examples:
        >>> path_figures(["a b", "a c", "a c", "d c"])
        {'mean_edits': 0.6666666666666666, 'largest_edit': 1, 'new_sentences': 1}
    """
    words = [text.split() for text in texts]
    edits = [edit_distance(one, other) for one, other in pairwise(words)]
    new = set(texts[1:-1]) - {texts[0], texts[-1]}
    return {"mean_edits": sum(edits) / len(edits), "largest_edit": max(edits), "new_sentences": len(new)}


@torch.no_grad()
def decode(model: Any, tokenizer: Any, points: torch.Tensor) -> list[list[str]]:
    """The greedy sentences at points (paths, steps, d), a list for each path."""
    rows = points.to(model.device, model.dtype).flatten(0, 1).split(BATCH_SIZE)
    texts = [text for z in rows for text in tokenizer.batch_decode(model.generate(latents=z, do_sample=False),
                                                                   skip_special_tokens=True)]  # fmt: skip
    return [texts[start : start + points.shape[1]] for start in range(0, len(texts), points.shape[1])]


class Fluency:
    """-log p of sentences under a language model, nats per token.

    Args:
        language_model, tokenizer: of a model directory; a model without a latent variable.

    Raises:
        ValueError: a model with one.
    """

    def __init__(self, language_model: Any, tokenizer: Any) -> None:
        if language_model.config.has_latents:
            raise ValueError("--language_model must name a model of the system lstm-lm, without a latent variable")
        self.model, self.tokenizer = language_model, tokenizer

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> list[float]:
        """Of each sentence, its end counted as a token."""
        values: list[float] = []
        for start in range(0, len(texts), BATCH_SIZE):
            part = list(texts[start : start + BATCH_SIZE])
            inputs = self.tokenizer(part, return_tensors="pt", padding=True).to(self.model.device)
            nothing = torch.zeros(len(part), 0, device=self.model.device)
            nll = self.model.score(**inputs, z_prime=nothing)
            values += (nll / (inputs["attention_mask"].sum(-1) - 1)).tolist()
        return values

    def unknown(self, texts: Sequence[str]) -> int:
        """How many words of the sentences it does not know."""
        known = self.tokenizer.get_vocab()
        return sum(word not in known for text in texts for word in text.split())
