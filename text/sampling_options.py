"""Options of sampling, checked before anything heavy is imported."""

import math


def check_sampling(n: int, temperature: float, top_p: float, top_k: int, prefix: str = "") -> None:
    """Raises ValueError for a number out of its range.

    Args:
        n: number of sentences.
        temperature: of the tokens.
        top_p: probability of the likeliest tokens to draw from.
        top_k: number of the likeliest tokens to draw from; 0 is all.
        prefix: of the names in the error: "--" for options of a command.

    Examples:
        >>> check_sampling(n=5, temperature=0.0, top_p=1.0, top_k=0)
        Traceback (most recent call last):
        ValueError: temperature must be positive and finite, but is 0.0
    """
    if n < 1:
        raise ValueError(f"{prefix and '-'}n must be at least 1, but is {n}")
    if not 0 < temperature < math.inf:
        raise ValueError(f"{prefix}temperature must be positive and finite, but is {temperature}")
    if top_k < 0 or not 0 < top_p <= 1:
        raise ValueError(f"{prefix}top_k must not be negative, and {prefix}top_p must lie in (0, 1]")
