"""The subcommand `arithmetic`: how well edits by vector arithmetic in the latent space work."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .text_parser import model_parser

if TYPE_CHECKING:
    from wae_rnf.text.edit_quality import EditQuality

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
    parser = model_parser("arithmetic", DESCRIPTION, *EXAMPLES)
    parser.add_argument("--attribute", default="tense", choices=ATTRIBUTES, help="What is edited. (default: tense)")
    parser.add_argument("--dataset", metavar="NAME", help="Corpus, as in train; by default the model's own.")
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
    options = parser.parse_args(argv)
    for name in ("max_sentences", "max_examples"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name} must be at least 1, but is {getattr(options, name)}")
    if not all(map(math.isfinite, options.strengths)):
        raise ValueError("--strengths must be finite")

    from wae_rnf.evaluation.evaluation_target import corpus_of, text_column_of
    from wae_rnf.evaluation.json_files import write_json
    from wae_rnf.evaluation.provenance import provenance
    from wae_rnf.evaluation.terminal_table import print_table
    from wae_rnf.text.attributes import ATTRIBUTES as RULES
    from wae_rnf.text.edit_quality import LabelledTexts, edit_quality
    from wae_rnf.tokenization.corpora import load_corpus

    from .text_parser import open_text

    dataset = options.dataset or corpus_of(options.model_dir)
    if dataset is None:
        raise ValueError(f"{options.model_dir} does not say what it was trained on; name a --dataset")
    start, rule = time.perf_counter(), RULES[options.attribute]
    corpus = load_corpus(str(dataset), text_column=text_column_of(options.model_dir, str(dataset)))
    text = open_text(options.model_dir)
    text.require_latents()
    judge = open_text(options.language_model) if options.language_model else None
    examples = LabelledTexts.of(corpus["train"]["text"], rule, options.max_examples)
    sentences = LabelledTexts.of(corpus["test"]["text"], rule, options.max_sentences)
    found = edit_quality(text, rule, examples, sentences, options.strengths, judge)
    path = Path(options.output or Path(options.model_dir, f"arithmetic-{options.attribute}.json"))
    counts = {"examples": [*map(len, examples)], "sentences": [*map(len, sentences)]}
    origin = provenance(text.model.device, options.seed, time.perf_counter() - start)
    edits = [quality._asdict() for quality in found]
    named = {"attribute": options.attribute, "values": rule.values, "dataset": str(dataset)}
    write_json(path, origin | named | counts | {"language_model": options.language_model, "edits": edits})
    print_table(*in_cells(found), title=f"{options.attribute}: {' ↔ '.join(rule.values)}", caption=caption(counts))
    print(f"\nThe figures are in {path}.")


def in_cells(found: "Sequence[EditQuality]") -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table."""
    header = ["strength", "accuracy", "BLEU to the source"] + ["perplexity"] * (found[0].perplexity is not None)
    rows = [
        [f"{one.strength:g}", f"{one.accuracy:.1%}", f"{one.bleu:.1f}"]
        + ([] if one.perplexity is None else [f"{one.perplexity:.1f}"])
        for one in found
    ]
    return header, rows


def caption(counts: dict[str, list[int]]) -> str:
    """What the figures are of."""
    edited, given = sum(counts["sentences"]), " and ".join(f"{number:,}" for number in counts["examples"])
    return f"{edited:,} edited sentences, both ways; the direction is of {given} training sentences."
