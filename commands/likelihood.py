"""The subcommands that say how likely sentences are: score and surprisal."""

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from wae_rnf.training.option_parser import OptionParser

from .rows import WIDTH, Row, beside, write
from .text_parser import open_with, sentences_parser

if TYPE_CHECKING:
    from wae_rnf.text.text_autoencoder import TextAutoencoder

SAMPLES = 100


def score(argv: list[str]) -> None:
    """score: the nats of each sentence, and which bound they are."""
    parser = likelihood_parser(
        "score",
        "Nats of each sentence: the importance-weighted bound of -log p(x), as `evaluate` has it; exact for a "
        "language model. The error is that of the Monte-Carlo samples. JSON lines say which bound, generative model "
        "and number of samples.",
        'wae-rnf score runs/toy "the soup was cold ." "cold the was soup ."',
        "wae-rnf score runs/toy --samples 500 --json < sentences.txt",
    )
    options, sentences, text, how = open_for_likelihood(parser, argv)
    found = text.nll(sentences, **how)
    heading = f"{found.estimate}\n  nats ± error  tokens  nats/token  sentence"
    ending = (
        f"{len(sentences):,} sentences, {int(found.num_tokens.sum()):,} tokens: {found.nll.double().mean():.2f} nats "
        f"a sentence,\n{found.nats_per_token:.3f} a token, perplexity {found.perplexity:.1f}"
    )
    columns = (found.nll.tolist(), found.num_tokens.tolist(), found.monte_carlo_error.tolist())
    rows = (
        {"text": sentence, "nll": nll, "tokens": tokens, "nats_per_token": nll / tokens}
        | {"monte_carlo_error": error if error == error else None}  # not a number with one sample
        | vars(found.estimate)
        for sentence, nll, tokens, error in zip(sentences, *columns, strict=True)
    )
    write(rows, options, scored, len(sentences), heading, ending if len(sentences) > 1 else None)


def scored(row: Row) -> str:
    """A row of `score` as text: figures, and the sentence beside them."""
    error = f" ± {row['monte_carlo_error']:.2f}" if row["monte_carlo_error"] else ""
    nats = f"{row['nll']:.2f}{error}"
    return beside(f"{nats:>14}{row['tokens']:8}{row['nats_per_token']:12.3f}  ", row["text"])


def surprisal(argv: list[str]) -> None:
    """surprisal: the nats of each token given the latent, and those of the latent."""
    parser = likelihood_parser(
        "surprisal",
        "Nats of each token given the latent, and of the latent itself. Together they are the nats of the sentence, "
        "as `score` has them; in a language model the latent costs nothing. The latent has seen the whole sentence, "
        "so a token is cheap where the latent says it.",
        'wae-rnf surprisal runs/toy "the soup was cold ."',
        "wae-rnf surprisal runs/toy --json < sentences.txt",
    )
    options, sentences, text, how = open_for_likelihood(parser, argv)
    found = text.surprisal(sentences, **how)
    rows = (
        {"text": sentence, "nll": row.nll, "latent": row.latent, "tokens": row.tokens, "surprisals": row.nats}
        | vars(row.estimate)
        for sentence, row in zip(sentences, found, strict=True)
    )
    write(rows, options, in_columns, len(sentences), heading=str(found[0].estimate))


def in_columns(row: Row) -> str:
    """A row of `surprisal` as text: tokens, and under each its nats, within 80 columns."""
    from rich.cells import cell_len, set_cell_size

    tokens = sum(row["surprisals"])
    lines = [f"{row['nll']:.2f} nats = {row['latent']:.2f} for the latent + {tokens:.2f} for the tokens", "", ""]
    for token, nats in zip(row["tokens"], row["surprisals"], strict=True):
        width = max(cell_len(token), len(f"{nats:.2f}"))
        if lines[-1] and len(lines[-1]) + 2 + width > WIDTH:
            lines += ["", ""]
        lines[-2] += "  " + set_cell_size(token, width)
        lines[-1] += "  " + f"{nats:.2f}".rjust(width)
    return "\n".join(line.rstrip() for line in lines)


def likelihood_parser(name: str, description: str, *examples: str) -> OptionParser:
    """A parser of a command that draws importance samples."""
    parser = sentences_parser(name, description, *examples)
    parser.add_argument(
        "--samples",
        metavar="N",
        type=int,
        default=SAMPLES,
        help=f"Number of importance samples per sentence; more are tighter. (default: {SAMPLES})",
    )
    parser.add_argument(
        "--generative_model",
        choices=("pushforward", "flow_posterior"),
        help="Generative model: prior on z (pushforward) or on z'; by default the one that was trained.",
    )
    return parser


def open_for_likelihood(
    parser: OptionParser, argv: list[str]
) -> tuple[Namespace, list[str], "TextAutoencoder", dict[str, Any]]:
    """Options, sentences, the model, and how its likelihood is estimated."""
    options = parser.parse_intermixed_args(argv)
    if options.samples < 1:
        raise ValueError(f"--samples must be at least 1, but is {options.samples}")

    from .sentences import read_sentences

    sentences = read_sentences(options.sentences)
    text = open_with(options.model_dir, sentences, latents=False, progress=None)
    return options, sentences, text, {name: getattr(options, name) for name in ("samples", "seed", "generative_model")}
