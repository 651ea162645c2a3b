"""Pieces of the demo's page as HTML: tokens coloured by their surprisal, and lists of sentences."""

from collections.abc import Sequence
from html import escape

from wae_rnf.text.likelihoods import TokenSurprisals

FULL = 6.0  # nats from which on a token has the full colour
TOKEN = (
    "display:inline-block;text-align:center;margin:2px;padding:2px 6px;border-radius:6px;line-height:1.3;"
    "background:rgba(234,88,12,{strength:.2f})"
)
NOTHING = "<p><em>nothing: the sentence has no words</em></p>"


def coloured(row: TokenSurprisals) -> str:
    """The tokens of a sentence, each over its nats, the redder the more it costs.

    Examples:
        >>> from wae_rnf.text.likelihoods import Estimate
        >>> row = TokenSurprisals(["<unk>"], [3.0], 1.0, 4.0, Estimate("importance-weighted", "pushforward", 9))
        >>> "rgba(234,88,12,0.40)" in coloured(row), "&lt;unk&gt;" in coloured(row)
        (True, True)
    """
    tokens = "".join(one_token(token, nats) for token, nats in zip(row.tokens, row.nats, strict=True))
    scale = "".join(one_token(f"{nats:g}", None, nats) for nats in (0, FULL / 3, 2 * FULL / 3))
    scale += one_token(f"{FULL:g} or more", None, FULL)
    return f"<div>{tokens}</div><p style='margin-top:8px;font-size:0.85em'>nats a token: {scale}</p>"


def one_token(token: str, nats: float | None, colour: float | None = None) -> str:
    """A token on its colour, with its nats below."""
    cost = max((nats if colour is None else colour) or 0.0, 0.0)
    style = TOKEN.format(strength=0.8 * min(cost / FULL, 1.0))
    below = "" if nats is None else f"<br><small>{nats:.2f}</small>"
    return f"<span style='{style}'>{escape(token)}{below}</span>"


def listed(sentences: Sequence[str]) -> str:
    """Sentences as a numbered list.

    Examples:
        >>> listed(["a < b", ""])
        "<ol class='sentences'><li>a &lt; b</li><li><em>(empty)</em></li></ol>"
    """
    items = "".join(f"<li>{escape(sentence) or '<em>(empty)</em>'}</li>" for sentence in sentences)
    return f"<ol class='sentences'>{items}</ol>"
