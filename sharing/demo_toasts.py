"""What the demo's page says beside its results: refusals, and what the model does not read."""

import gradio

from wae_rnf.text.text_autoencoder import TextAutoencoder
from wae_rnf.text.text_input import warn_of_unread


def refusal(sentence: str) -> gradio.Error:
    """What the page shows of an input it cannot take; the terminal shows nothing."""
    return gradio.Error(sentence, print_exception=False)


def tell_unread(text: TextAutoencoder, sentence: str) -> None:
    """Shows what the model does not read of a sentence."""
    for message in warn_of_unread(text.tokenizer, [sentence]):
        gradio.Warning(message)
