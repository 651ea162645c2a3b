"""The subcommands that write text or codes with a trained model: sample, reconstruct, interpolate, embed."""

import argparse
import json
import math
import sys
from contextlib import nullcontext
from functools import partial
from itertools import chain

from wae_rnf.training.option_parser import OptionParser

from .model_argument import add_model_dir

BATCH_SIZE = 256


def model_parser(name, description, *examples):
    """The options that every command on a model takes."""
    epilog = "\n  ".join(("Examples:", *examples))
    parser = OptionParser(prog=f"wae-rnf {name}", description=description, epilog=epilog)
    add_model_dir(parser)
    parser.add_argument("--seed", metavar="N", type=seed, default=0, help="Seed of the samples. (default: 0)")
    return parser


def seed(text):
    """A seed as an argument; the parser turns the error into a sentence that names it."""
    value = int(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"{value} does not lie in [0, 2**32)")
    return value


def text_parser(name, description, example):
    parser = model_parser(name, description, example)
    parser.add_argument("--output", metavar="FILE", help="File for the output, instead of the standard output.")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text.")
    return parser


def open_model(directory):
    import torch

    from wae_rnf.evaluation.model_directory import load_model

    return load_model(directory, torch.accelerator.current_accelerator(check_available=True) or "cpu")


def sample(argv):
    """sample: sentences from the prior, one a line."""
    parser = text_parser("sample", "Sentences from the prior.", "wae-rnf sample runs/toy -n 10 --temperature 0.8")
    parser.add_argument("-n", "--num_samples", type=int, default=10, help="Number of samples. (default: 10)")
    parser.add_argument(
        "--prior",
        default="pushforward",
        choices=("pushforward", "flow_posterior"),
        help="Generative model: prior on z (pushforward) or on z'. (default: pushforward)",
    )
    parser.add_argument(
        "--temperature", type=float, default=1.0, help="Temperature; under 1 favours likelier words. (default: 1)"
    )
    parser.add_argument(
        "--top_k", type=int, default=0, help="Number of likeliest words to draw from; 0 is all. (default: 0)"
    )
    parser.add_argument(
        "--top_p", type=float, default=1.0, help="Probability of the likeliest words to draw from. (default: 1)"
    )
    parser.add_argument("--greedy", action="store_true", help="Greedy decoding: the likeliest word at every step.")
    parser.add_argument("--prompt", default="", help="Words that every sentence begins with.")
    options = parser.parse_args(argv)
    if options.num_samples < 1:
        raise ValueError(f"-n must be at least 1, but is {options.num_samples}")
    if not 0 < options.temperature < math.inf:
        raise ValueError(f"--temperature must be positive and finite, but is {options.temperature}")
    if options.top_k < 0 or not 0 < options.top_p <= 1:
        raise ValueError("--top_k must not be negative, and --top_p must lie in (0, 1]")

    import torch

    from wae_rnf.sharing.text_input import warn
    from wae_rnf.tokenization.unread import unknown_words

    model, tokenizer = open_model(options.model_dir)
    generator = torch.Generator(model.device).manual_seed(options.seed)
    drawing = {"temperature": options.temperature, "top_k": options.top_k, "top_p": options.top_p}
    how = {"do_sample": False} if options.greedy else drawing
    warn(unknown_words(tokenizer, [options.prompt]))
    prompt = tokenizer(options.prompt, return_tensors="pt") if options.prompt.strip() else {}

    def rows():
        for part in in_batches(range(options.num_samples)):
            ids = model.generate(num_samples=len(part), prior=options.prior, generator=generator, **prompt, **how)
            yield from ({"text": text} for text in tokenizer.batch_decode(ids, skip_special_tokens=True))

    write(rows(), options, lambda row: row["text"], options.num_samples)


def reconstruct(argv):
    """reconstruct: each sentence and what the decoder makes of its posterior mean."""
    parser = text_parser(
        "reconstruct",
        "Sentences through the posterior mean and back, decoded greedily.",
        'wae-rnf reconstruct runs/toy "the soup was cold ."',
    )
    options, sentences, model, tokenizer, encode = open_with_sentences(parser, argv)

    def rows():
        for part in in_batches(sentences):
            texts = tokenizer.batch_decode(model.reconstruct(encode(part)), skip_special_tokens=True)
            yield from ({"input": a, "reconstruction": b} for a, b in zip(part, texts, strict=True))

    write(rows(), options, lambda row: f"in   {row['input']}\nout  {row['reconstruction']}", len(sentences))


def interpolate(argv):
    """interpolate: decoded points on the way between two posterior means."""
    parser = text_parser(
        "interpolate",
        "Sentences on the way between the latent codes of two, decoded greedily.",
        'wae-rnf interpolate runs/toy "the soup was cold ." "shares of the bank rose ." --steps 9',
    )
    parser.add_argument("first", help="Sentence to start from.")
    parser.add_argument("second", help="Sentence to end at.")
    parser.add_argument("--steps", type=int, default=7, help="Number of points, ends included. (default: 7)")
    parser.add_argument(
        "--path",
        choices=("straight", "spherical", "geodesic"),
        help="Path; by default straight, and spherical for a vMF posterior.",
    )
    parser.add_argument(
        "--metric",
        choices=("euclidean", "flow", "conformal", "decoder"),
        help="Metric of a geodesic, the shortest path. (default: flow)",
    )
    parser.add_argument(
        "--space",
        default="z",
        choices=("z", "z_prime"),
        help="Latent space: before (z) or after the flow (z_prime). (default: z)",
    )
    options = parser.parse_args(argv)
    if options.steps < 2:
        raise ValueError(f"--steps must be at least 2, but is {options.steps}")
    if options.metric and options.path != "geodesic":
        raise ValueError("--metric is of --path geodesic alone")
    if options.path == "geodesic" and options.space != "z":
        raise ValueError("--path geodesic runs in z, so --space z_prime does not go with it")

    from .sentences import read_sentences

    sentences = read_sentences([options.first, options.second])
    model, tokenizer, encode = open_encoder(options.model_dir, sentences)
    ends = (encode([sentence]) for sentence in sentences)
    (ids,) = model.interpolate(
        *ends, steps=options.steps, path=options.path, space=options.space, metric=options.metric
    )
    texts = tokenizer.batch_decode(ids, skip_special_tokens=True)
    rows = ({"position": number / (options.steps - 1), "text": text} for number, text in enumerate(texts))
    write(rows, options, lambda row: row["text"], options.steps)


def embed(argv):
    """embed: the posterior mean of each sentence."""
    parser = text_parser(
        "embed",
        "Posterior means as sentence features: a line of numbers for each sentence, tabs between them.",
        "wae-rnf embed runs/toy < sentences.txt > features.tsv",
    )
    options, sentences, model, _, encode = open_with_sentences(parser, argv)

    def rows():
        for part in in_batches(sentences):
            means = model.embed(**encode(part)).tolist()
            yield from ({"text": a, "embedding": b} for a, b in zip(part, means, strict=True))

    write(rows(), options, lambda row: "\t".join(f"{value:.6g}" for value in row["embedding"]), len(sentences))


def open_with_sentences(parser, argv):
    """Options, sentences from the command line or the standard input, and what `open_encoder` gives."""
    parser.add_argument(
        "sentences", nargs="*", help="Sentences; by default they are read from standard input, one a line."
    )
    options = parser.parse_args(argv)

    from .sentences import read_sentences

    sentences = read_sentences(options.sentences)
    return options, sentences, *open_encoder(options.model_dir, sentences)


def open_encoder(directory, sentences):
    """Model, tokenizer, and the function from a batch of sentences to the model's inputs.

    What the model will not read of the sentences is told.
    """
    from wae_rnf.sharing.text_input import encode, warn_of_unread

    model, tokenizer = open_model(directory)
    if model.config.latent_size == 0:
        raise ValueError("a language model has no latent code: it encodes no sentence")
    warn_of_unread(tokenizer, sentences)
    return model, tokenizer, partial(encode, model, tokenizer)


def in_batches(items):
    return (items[start : start + BATCH_SIZE] for start in range(0, len(items), BATCH_SIZE))


def write(rows, options, text_of, total):
    """Rows as text or JSON lines, to a file or the standard output; a progress bar beside a file or a pipe."""
    from tqdm.auto import tqdm

    if not options.output and sys.stdout.isatty():
        bar = rows
    else:
        bar = tqdm(rows, total=total, unit="sentence", leave=False, disable=None if total > BATCH_SIZE else True)
    bar = iter(bar)
    first = next(bar)  # where this fails, a file that is there stays as it is
    with open(options.output, "w", encoding="utf-8") if options.output else nullcontext(sys.stdout) as file:
        for row in chain([first], bar):
            print(json.dumps(row, ensure_ascii=False) if options.json else text_of(row), file=file)
