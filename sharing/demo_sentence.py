"""The demo's first panel: a sentence, what it and each of its tokens costs, and what comes back of it."""

from collections.abc import Callable
from typing import Any

import gradio

from wae_rnf.text.text_autoencoder import TextAutoencoder

from .demo_html import coloured
from .demo_toasts import refusal, tell_unread

SAMPLES = 100  # importance samples


def sentence_panel(text: TextAutoencoder, first: str) -> tuple[gradio.Textbox, list[Callable[..., Any]]]:
    """A sentence typed or given, its bound, its surprisals, and for an autoencoder its reconstruction.

    Args:
        first: the sentence that it begins with.

    Returns:
        the box of the sentence, and the events that read it.
    """

    def read(sentence: str) -> list[str]:
        if not sentence.strip():
            raise refusal("Write a sentence first.")
        tell_unread(text, sentence)
        return analysis(text, sentence)

    bound, tokens, *back = analysis(text, first)
    gradio.Markdown("## Sentence")
    with gradio.Row(equal_height=True):
        box = gradio.Textbox(first, show_label=False, container=False, scale=4, min_width=200, elem_id="sentence")
        button = gradio.Button("Read", variant="primary", scale=1, min_width=80, elem_id="read")
    shown: list[Any] = [gradio.Markdown(bound, elem_id="bound")]
    with gradio.Row():
        with gradio.Column(scale=3, min_width=300):
            shown.append(gradio.HTML(tokens, elem_id="tokens"))
        if back:
            with gradio.Column(scale=2, min_width=240):
                shown.append(gradio.Textbox(*back, label="What comes back", lines=2, elem_id="reconstruction"))
    events = [button.click, box.submit]
    gradio.on(events, read, box, shown)
    return box, events


def analysis(text: TextAutoencoder, sentence: str) -> list[str]:
    """Its bound in words, its tokens as HTML, and for an autoencoder its reconstruction."""
    (row,), found = text.surprisal([sentence], SAMPLES), text.nll([sentence], SAMPLES)
    error = found.monte_carlo_error[0].item()
    exact = row.estimate.bound == "exact"
    split = "" if exact else f": {row.latent:.2f} for the latent and {sum(row.nats):.2f} for the tokens given it"
    nats = f"**{row.nll:.2f}{'' if exact else f' ± {error:.2f}'} nats**"
    bound = f"{nats}{split}. Perplexity {found.perplexity:.1f}; {row.estimate}."
    return [bound, coloured(row)] + (text.reconstruct([sentence]) if text.latent_size else [])
