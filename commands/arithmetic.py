"""The subcommand `arithmetic`: how well edits by vector arithmetic in the latent space work."""

import math

from wae_rnf.training.option_parser import OptionParser

from .text_parser import add_dataset, model_parser, open_text

DESCRIPTION = """\
Edits by vector arithmetic, judged: sentences of the test split are moved along the direction from one value of an
attribute to the other, which is the difference of the mean latents of training sentences. Lexical rules say which
value a sentence has; accuracy is the part of the edited sentences that have the other one."""
EXAMPLES = (
    "wae-rnf arithmetic runs/yelp --attribute tense",
    "wae-rnf arithmetic runs/yelp --attribute sentiment --strengths 1 1.5 2 --language_model runs/yelp-lstm-lm",
)
ATTRIBUTES = ("tense", "sentiment")


def arithmetic(argv: list[str]) -> None:
    """arithmetic: accuracy, BLEU to the source and fluency over the strength of the edit."""
    options = parser().parse_args(argv)
    for name in ("max_sentences", "max_examples"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name} must be at least 1, but is {getattr(options, name)}")
    if not all(map(math.isfinite, options.strengths)):
        raise ValueError("--strengths must be finite")

    from wae_rnf.evaluation.evaluation_target import file_of_figures, named_corpus
    from wae_rnf.evaluation.provenance import note_commit
    from wae_rnf.text.edits_of_directory import edits_of_directory

    dataset = named_corpus(options.model_dir, options.dataset)
    path = file_of_figures(options.model_dir, f"arithmetic-{options.attribute}.json", options.output)
    note_commit()
    text = open_text(options.model_dir)
    text.require_latents()
    judge = open_text(options.language_model) if options.language_model else None
    names = ("attribute", "strengths", "max_examples", "max_sentences", "seed", "language_model")
    chosen = {name: getattr(options, name) for name in names}
    edits_of_directory(text, options.model_dir, path, dataset, judge=judge, **chosen)
    print(f"\nThe figures are in {path}.")


def parser() -> OptionParser:
    """The options of the command."""
    parser = model_parser("arithmetic", DESCRIPTION, *EXAMPLES)
    parser.add_argument("--attribute", default="tense", choices=ATTRIBUTES, help="What is edited. (default: tense)")
    add_dataset(parser)
    parser.add_argument(
        "--strengths",
        metavar="X",
        type=float,
        nargs="+",
        default=[0.0, 0.5, 1.0, 1.5, 2.0, 3.0],
        help="Lengths of the move, in directions; 0 reconstructs. (default: 0 0.5 1 1.5 2 3)",
    )
    parser.add_argument(
        "--max_sentences", metavar="N", type=int, default=500, help="Number of sentences of each value. (default: 500)"
    )
    parser.add_argument(
        "--max_examples",
        metavar="N",
        type=int,
        default=5000,
        help="Number of training sentences of each value, for the direction. (default: 5000)",
    )
    parser.add_argument("--language_model", metavar="DIR", help="Trained lstm-lm, for the fluency.")
    parser.add_argument(
        "--output", metavar="FILE.json", help="File; by default arithmetic-ATTRIBUTE.json in MODEL_DIR."
    )
    return parser
