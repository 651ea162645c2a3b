"""`wae-rnf demo`: a page on one sentence, samples, edits and ways between sentences, and a map of the latent space."""

import socket
from collections.abc import Callable
from typing import Any

import gradio

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.evaluation.evaluation_target import corpus_of, text_column_of
from wae_rnf.evaluation.geometry import metrics_of
from wae_rnf.evaluation.latent_map import LatentMap
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.text.text_autoencoder import TextAutoencoder
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.preparation import prepare
from wae_rnf.tokenization.tokenizations import TokenizationChoice
from wae_rnf.tokenization.tokenizer import tokenization_of

from .demo_attributes import attributes_tab
from .demo_examples import DemoExamples
from .demo_interpolation import interpolation_tab
from .demo_map import map_tab
from .demo_samples import samples_tab
from .demo_sentence import sentence_panel
from .proxies import without_proxies


def build_demo(
    directory: str,
    dataset: str | None = None,
    advise: Callable[[WaeRnfConfig], str] = lambda config: "",
    text_column: str | None = None,
) -> gradio.Blocks:
    """The page of a model directory, on which something is to be seen at once.

    Args:
        directory: what `wae-rnf train` left, or a Hub name.
        dataset: the corpus of the map, the first sentences and the directions; by default the model's own.
        advise: says for a configuration what to try where the latent variable has collapsed.
        text_column: of that corpus; by default the one that the training read.

    Returns:
        a `gradio.Blocks`; `serve` shows it.

    Raises:
        ValueError: no model there, or nothing says what it was trained on.
    """
    model, tokenizer = load_model(directory)
    text = TextAutoencoder(model, tokenizer, progress=False)
    has_map = model.config.latent_size > 1 and bool(metrics_of(model))  # whose ways are geodesics
    dataset = dataset or (corpus_of(directory) if model.config.has_latents else None)
    if has_map and dataset is None:
        raise ValueError(f"{directory} does not say what it was trained on; name the --dataset of the map")
    corpus = dataset and load_corpus(dataset, text_column=text_column or text_column_of(directory, dataset))
    examples = DemoExamples.of(text, corpus)
    with gradio.Blocks(title="WAE-RNF") as page:
        gradio.Markdown(f"# {directory}\n{description(model.config, tokenization_of(tokenizer))}")
        sentence, read = sentence_panel(text, examples.sentences[0])
        samples_tab(text)
        if model.config.has_latents:
            attributes_tab(text, examples, sentence, read)
            interpolation_tab(text, examples, sentence, read)
        if has_map:
            test = prepare(corpus, tokenizer, max_words=model.config.max_words)["test"]
            map_tab(model, tokenizer, LatentMap(model, test), advise)
    return page


def description(config: WaeRnfConfig, choice: TokenizationChoice) -> str:
    """What the model is, in a sentence."""
    if config.latent_size == 0:
        return f"A language model of {config.vocab_size:,} {choice.unit}."
    flow = f"{config.num_flows} planar flows" if config.num_flows else "no flow"
    latents = f"a latent variable of {config.latent_size} dimensions"
    return f"A text autoencoder of {config.vocab_size:,} {choice.unit}, {latents}, {flow}."


def check_port(port: int) -> None:
    """Raises ValueError where another program listens already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ValueError(f"port {port} cannot be listened on ({error.strerror}); name another --port") from error


def serve(page: gradio.Blocks, port: int, **options: Any) -> None:
    """Serves a page on this machine until it is interrupted.

    Args:
        page: what `build_demo` gives.
        options: of `gradio.Blocks.launch`.
    """
    with without_proxies():
        page.launch(server_port=port, **options)
