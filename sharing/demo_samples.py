"""The demo's tab of samples from the prior."""

import gradio

from wae_rnf.text.text_autoencoder import TextAutoencoder

from .demo_html import listed
from .demo_toasts import refusal

COUNT = 8


def samples_tab(text: TextAutoencoder) -> None:
    """Sentences from the prior, the first of which are there at once."""

    def write(count: float, temperature: float, seed: float | None) -> str:
        if seed is None or not 0 <= seed < 2**32:
            raise refusal("The seed must be a whole number from 0 to 4294967295.")
        return listed(text.sample(int(count), temperature, seed=int(seed)))

    with gradio.Tab("Samples"):
        gradio.Markdown("Sentences from the prior.")
        sentences = gradio.HTML(write(COUNT, 1.0, 0), elem_id="samples")
        with gradio.Row():
            count = gradio.Slider(1, 20, COUNT, step=1, label="Sentences", min_width=200)
            temperature = gradio.Slider(0.1, 1.5, 1.0, step=0.05, label="Temperature", min_width=200)
            seed = gradio.Number(0, label="Seed", precision=0, min_width=100)
        gradio.Button("Draw", elem_id="draw").click(write, [count, temperature, seed], sentences)
