"""`wae-rnf demo`: a page of samples, reconstructions, ways between two sentences, and a map of the latent space."""

import socket

import gradio
import torch

from wae_rnf.evaluation.evaluation_target import corpus_of, text_column_of
from wae_rnf.evaluation.geometry import metrics_of
from wae_rnf.evaluation.latent_map import LatentMap
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.text.text_input import encode, warn_of_unread
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.preparation import prepare
from wae_rnf.tokenization.tokenizer import tokenization_of

from .demo_map import map_tab
from .proxies import without_proxies

KL_SAMPLES = 100  # of a divergence that has no closed form


def build_demo(directory, dataset=None, advise=lambda config: "", text_column=None):
    """The page of a model directory.

    Args:
        directory: what `wae-rnf train` left, or a Hub name.
        dataset: whose test split is on the map; by default what the model was trained on.
        text_column: of that corpus; by default the one that the training read.
        advise: says for a configuration what to try where the latent variable has collapsed.

    Returns:
        a `gradio.Blocks`; `serve` shows it.

    Raises:
        ValueError: no model there, or nothing says what it was trained on.
    """
    model, tokenizer = load_model(directory)
    has_map = model.config.latent_size > 1 and bool(metrics_of(model))  # whose ways are geodesics
    dataset = dataset or (corpus_of(directory) if has_map else None)
    if has_map and dataset is None:
        raise ValueError(f"{directory} does not say what it was trained on; name the --dataset of the map")
    with gradio.Blocks(title="WAE-RNF") as page:
        gradio.Markdown(f"# {directory}\n{description(model, tokenization_of(tokenizer))}")
        samples_tab(model, tokenizer)
        if model.config.latent_size:
            reconstruction_tab(model, tokenizer)
            interpolation_tab(model, tokenizer)
        if has_map:
            corpus = load_corpus(dataset, text_column=text_column or text_column_of(directory, dataset))
            test = prepare(corpus, tokenizer, max_words=model.config.max_words)["test"]
            map_tab(model, tokenizer, LatentMap(model, test), advise)
    return page


def description(model, choice):
    config = model.config
    if config.latent_size == 0:
        return f"A language model of {config.vocab_size:,} {choice.unit}."
    flow = f"{config.num_flows} planar flows" if config.num_flows else "no flow"
    latents = f"a latent variable of {config.latent_size} dimensions"
    return f"A text autoencoder of {config.vocab_size:,} {choice.unit}, {latents}, {flow}."


def check_port(port):
    """Raises ValueError where another program listens already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ValueError(f"port {port} cannot be listened on ({error.strerror}); name another --port") from error


def serve(page, port, **options):
    """Serves a page on this machine until it is interrupted.

    Args:
        page: what `build_demo` gives.
        options: of `gradio.Blocks.launch`.
    """
    with without_proxies():
        return page.launch(server_port=port, **options)


def refusal(sentence):
    """What the page shows of an input it cannot take; the terminal shows nothing."""
    return gradio.Error(sentence, print_exception=False)


def samples_tab(model, tokenizer):
    def write(count, temperature, seed):
        if seed is None or not 0 <= seed < 2**32:
            raise refusal("The seed must be a whole number from 0 to 4294967295.")
        generator = torch.Generator(model.device).manual_seed(int(seed))
        ids = model.generate(num_samples=int(count), temperature=temperature, generator=generator)
        return "\n".join(tokenizer.batch_decode(ids, skip_special_tokens=True))

    with gradio.Tab("Samples"):
        with gradio.Row():
            count = gradio.Slider(1, 20, 8, step=1, label="Sentences")
            temperature = gradio.Slider(0.1, 1.5, 1.0, step=0.05, label="Temperature")
            seed = gradio.Number(0, label="Seed", precision=0)
        button = gradio.Button("Draw from the prior", variant="primary", elem_id="draw")
        sentences = gradio.Textbox(label="From the prior", lines=8, elem_id="samples")
        button.click(write, [count, temperature, seed], sentences)


def reconstruction_tab(model, tokenizer):
    def there_and_back(sentence):
        if not sentence.strip():
            raise refusal("Write a sentence first.")
        for message in warn_of_unread(tokenizer, [sentence]):
            gradio.Warning(message)
        inputs = encode(model, tokenizer, [sentence])
        (text,) = tokenizer.batch_decode(model.reconstruct(inputs), skip_special_tokens=True)
        return text, f"{nats_of_code(model, model.encode(**inputs)):.2f}"

    with gradio.Tab("Reconstruct"):
        sentence = gradio.Textbox(label="A sentence", elem_id="sentence")
        button = gradio.Button("There and back", variant="primary", elem_id="reconstruct")
        with gradio.Row():
            text = gradio.Textbox(label="What comes back", scale=4, elem_id="reconstruction")
            nats = gradio.Textbox(label="KL to the prior, nats")
        button.click(there_and_back, sentence, [text, nats])
        sentence.submit(there_and_back, sentence, [text, nats])


def nats_of_code(model, posterior):
    """KL(q(z|x) || p(z)) of one sentence, in closed form or, from a learned prior, over samples."""
    known = model.prior.kl_divergence(posterior)
    if known is None:
        with torch.no_grad():
            z = posterior.rsample((KL_SAMPLES,))
            known = (posterior.log_prob(z) - model.prior.log_prob(z)).mean(0)
    return known.item()


def interpolation_tab(model, tokenizer):
    def between(first, second, position):
        if not (first.strip() and second.strip()):
            return ""
        a, b = (model.embed(**encode(model, tokenizer, [sentence])) for sentence in (first, second))
        ids = model.generate(latents=torch.lerp(a, b, position), do_sample=False)
        return tokenizer.batch_decode(ids, skip_special_tokens=True)[0]

    with gradio.Tab("Between two sentences"):
        first = gradio.Textbox(label="From", elem_id="first")
        second = gradio.Textbox(label="To", elem_id="second")
        position = gradio.Slider(0, 1, 0, step=0.05, label="Position", elem_id="position")
        text = gradio.Textbox(label="There", elem_id="between")
        for changed in (first, second, position):
            changed.change(between, [first, second, position], text)
