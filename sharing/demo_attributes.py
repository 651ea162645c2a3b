"""The demo's tab of attributes: sliders that move the sentence along directions of the latent space."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio

from wae_rnf.text.attributes import ATTRIBUTES
from wae_rnf.text.text_autoencoder import TextAutoencoder

from .demo_examples import DemoExamples

ABOUT = (
    "The sentence above, moved along the way from the mean latent of training sentences of one kind to that of the "
    "other. A strength of 1 is the whole way between the two means; 0 is the reconstruction."
)
FARTHEST = 4.0


def attributes_tab(
    text: TextAutoencoder, examples: DemoExamples, sentence: gradio.Textbox, read: Sequence[Callable[..., Any]]
) -> None:
    """A slider for each attribute that has a direction, and why there is none for the others.

    Args:
        examples: of which the directions are.
        sentence: the box of the sentence.
        read: the events that read it.
    """
    directions = examples.directions

    def move(source: str, *strengths: float) -> str:
        if not source.strip():
            return ""
        moves = [strength * way for strength, way in zip(strengths, directions.values(), strict=True)]
        return text.edit([source], sum(moves[1:], moves[0]))[0]

    with gradio.Tab("Edit"):
        gradio.Markdown(ABOUT)
        for name, reason in examples.missing.items():
            gradio.Markdown(f"No slider for **{name}**: {reason}.")
        if not directions:
            return
        with gradio.Row():
            sliders = [
                gradio.Slider(-FARTHEST, FARTHEST, 0, step=0.25, label=label_of(name), elem_id=f"slider-{name}")
                for name in directions
            ]
        first = move(examples.sentences[0], *(0.0 for _ in sliders))
        edited = gradio.Textbox(first, label="The edited sentence", lines=2, elem_id="edited")
        changed = [slider.change for slider in sliders]
        gradio.on([*read, *changed], move, [sentence, *sliders], edited, trigger_mode="always_last")


def label_of(name: str) -> str:
    """What a slider does: "tense: present (-) to past (+)"."""
    first, second = ATTRIBUTES[name].values
    return f"{name}: {first} (-) to {second} (+)"
