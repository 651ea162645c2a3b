"""Strings that end a sentence, for tokens that are whole words."""

import torch
from transformers import StoppingCriteria


class StopStrings(StoppingCriteria):
    """Ends a sentence as soon as its last token completes one of the strings in its text.

    The library's own criterion takes strings apart into parts of words, and knows no tokenizer whose tokens are words;
    this one reads the text that the tokenizer makes of the tokens.

    Args:
        stop_strings: a string, or several.
        tokenizer: the model's.

    Raises:
        ValueError: no string, or an empty one.
    """

    def __init__(self, stop_strings, tokenizer):
        strings = [stop_strings] if isinstance(stop_strings, str) else list(stop_strings)
        if not strings or not all(isinstance(string, str) and string for string in strings):
            raise ValueError(f"stop_strings must be one string or several, none of them empty, not {stop_strings!r}")
        self.strings, self.tokenizer = strings, tokenizer
        self.tail = max(map(len, strings)) + 1  # tokens that a string may reach over, and the one before them

    def __call__(self, input_ids, scores, **kwargs):
        tails = input_ids[:, -self.tail :].tolist()
        stopped = [self._ends(self.tokenizer.decode(tail[:-1]), self.tokenizer.decode(tail)) for tail in tails]
        return torch.tensor(stopped, dtype=torch.bool, device=input_ids.device)

    def _ends(self, before, text):
        # found with an end that the last token has brought
        return any(text.find(string, max(0, len(before) - len(string) + 1)) >= 0 for string in self.strings)
