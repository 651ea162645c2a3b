"""The demo's tab of interpolation: the sentences on the way from one to another, as a list."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio

from wae_rnf.text.text_autoencoder import TextAutoencoder

from .demo_examples import DemoExamples
from .demo_html import listed
from .demo_toasts import tell_unread

STEPS = 7


def interpolation_tab(
    text: TextAutoencoder, examples: DemoExamples, sentence: gradio.Textbox, read: Sequence[Callable[..., Any]]
) -> None:
    """The way from the sentence to a second one, in as many steps as a slider says.

    Args:
        examples: the second of whose sentences is the first end.
        sentence: the box of the sentence.
        read: the events that read it.
    """

    def between(first: str, second: str, steps: float) -> str:
        if not (first.strip() and second.strip()):
            return ""
        return listed(text.interpolate(first, second, int(steps)))

    def to_another(first: str, second: str, steps: float) -> str:
        tell_unread(text, second)
        return between(first, second, steps)

    with gradio.Tab("Between"):
        gradio.Markdown("The way from the sentence above to this one, both ends as they come back.")
        second = gradio.Textbox(examples.sentences[1], label="To", elem_id="second")
        steps = gradio.Slider(2, 15, STEPS, step=1, label="Steps", elem_id="steps")
        inputs = [sentence, second, steps]
        way = gradio.HTML(between(*examples.sentences, STEPS), elem_id="between")
        gradio.on([*read, steps.change], between, inputs, way, trigger_mode="always_last")
        second.submit(to_another, inputs, way)
