"""Strings that end a sentence, for tokens that are whole words."""

from collections.abc import Iterable
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase, StoppingCriteria


class StopStrings(StoppingCriteria):
    """Ends a sentence as soon as its last token completes one of the strings in its text.

    Transformers' own criterion takes strings apart into parts of words, and knows no tokenizer whose tokens are words;
    this one reads the text that the tokenizer makes of the tokens.

    Args:
        stop_strings: a string, or several.
        tokenizer: the model's.

    Raises:
        ValueError: no string, or an empty one.
    """

    def __init__(self, stop_strings: str | Iterable[str], tokenizer: PreTrainedTokenizerBase) -> None:
        strings = [stop_strings] if isinstance(stop_strings, str) else list(stop_strings)
        if not strings or not all(isinstance(string, str) and string for string in strings):
            raise ValueError(f"stop_strings must be one string or several, none of them empty, not {stop_strings!r}")
        self.strings, self.tokenizer = strings, tokenizer
        self.tail = max(map(len, strings)) + 1  # tokens that a string may reach over, and the one before them

    def __call__(self, input_ids: torch.Tensor, scores: object, **kwargs: Any) -> torch.Tensor:
        tails = input_ids[:, -self.tail :].tolist()
        before, now = (self.tokenizer.batch_decode(part) for part in ([tail[:-1] for tail in tails], tails))
        stopped = [self._ends(*texts) for texts in zip(before, now, strict=True)]
        return torch.tensor(stopped, dtype=torch.bool, device=input_ids.device)

    def _ends(self, before: str, text: str) -> bool:
        # found with an end that the last token has brought
        return any(text.find(string, max(0, len(before) - len(string) + 1)) >= 0 for string in self.strings)
