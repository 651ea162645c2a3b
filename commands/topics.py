"""The subcommand `topics`: the words of each topic of a model that has topics."""

from .rows import Row, beside, write
from .text_parser import open_text, text_parser

HEADING = "nats per token by which a topic's words differ from those of all, and the words"


def topics(argv: list[str]) -> None:
    """topics: each topic of a model, by the words that stand out in it."""
    parser = text_parser(
        "topics",
        "The topics of a dirichlet-vae as words: those that stand out in sentences of one topic alone. JSON lines say "
        "how often each word comes, and how many times as often as in the mean of all topics.",
        "wae-rnf topics runs/toy-topics",
        "wae-rnf topics runs/toy-topics --words 20 --samples 1000 --json",
    )
    parser.add_argument("--words", metavar="N", type=int, default=10, help="Words of each topic. (default: 10)")
    parser.add_argument(
        "--samples", metavar="N", type=int, default=256, help="Sentences drawn for each topic. (default: 256)"
    )
    options = parser.parse_args(argv)
    for name in ("words", "samples"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name} must be at least 1, but is {getattr(options, name)}")

    text = open_text(options.model_dir)
    found = text.topics(options.words, options.samples, options.seed)
    rows = (topic._asdict() | {"words": [word._asdict() for word in topic.words]} for topic in found)
    write(rows, options, in_words, len(found), HEADING)


def in_words(row: Row) -> str:
    """A row as text: the topic's number, its nats, and its words."""
    return beside(f"{row['number']:3}  {row['divergence']:.3f}  ", " ".join(word["word"] for word in row["words"]))
