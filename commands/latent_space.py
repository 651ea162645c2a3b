"""The subcommands that work in the latent space: edit and nearest."""

import math
from collections.abc import Iterator

from .rows import Row, beside, write
from .text_parser import in_parts, open_with, sentences_parser


def edit(argv: list[str]) -> None:
    """edit: sentences moved along the direction from one file of examples to another."""
    parser = sentences_parser(
        "edit",
        "Sentences moved along a direction of the latent space and decoded greedily. The direction is the difference "
        "of the mean latents of two files of examples.",
        'wae-rnf edit runs/toy --from_file bad.txt --to_file good.txt "the soup was cold ."',
        "wae-rnf edit runs/toy --from_file past.txt --to_file present.txt --strength 2 < sentences.txt",
    )
    parser.add_argument("--from_file", metavar="FILE", required=True, help="Sentences to move away from, one a line.")
    parser.add_argument("--to_file", metavar="FILE", required=True, help="Sentences to move towards, one a line.")
    parser.add_argument(
        "--strength",
        metavar="X",
        type=float,
        default=1.0,
        help="Length of the move, in directions; 0 reconstructs. (default: 1)",
    )
    options = parser.parse_intermixed_args(argv)
    if not math.isfinite(options.strength):
        raise ValueError(f"--strength must be finite, but is {options.strength}")

    from .sentences import read_file, read_sentences

    examples = [read_file(path) for path in (options.from_file, options.to_file)]
    sentences = read_sentences(options.sentences)
    text = open_with(options.model_dir, *examples, sentences)
    direction = text.direction(*examples)

    def rows() -> Iterator[Row]:
        for part in in_parts(sentences):
            pairs = zip(part, text.edit(part, direction, options.strength), strict=True)
            yield from ({"input": a, "edited": b, "strength": options.strength} for a, b in pairs)

    write(rows(), options, lambda row: f"in   {row['input']}\nout  {row['edited']}", len(sentences))


def nearest(argv: list[str]) -> None:
    """nearest: the sentences of a file whose latents are nearest."""
    parser = sentences_parser(
        "nearest",
        "Sentences of a file that are nearest in the latent space, by their posterior means.",
        'wae-rnf nearest runs/toy --corpus sentences.txt "the soup was cold ."',
        "wae-rnf nearest runs/toy --corpus sentences.txt -k 1 --metric euclidean --json < queries.txt",
    )
    parser.add_argument("--corpus", metavar="FILE", required=True, help="Sentences to look among, one a line.")
    parser.add_argument("-k", "--neighbours", metavar="N", type=int, default=5, help="Number of them. (default: 5)")
    parser.add_argument(
        "--metric",
        default="cosine",
        choices=("cosine", "euclidean"),
        help="Similarity (cosine) or distance (euclidean) of the latents. (default: cosine)",
    )
    options = parser.parse_intermixed_args(argv)
    if options.neighbours < 1:
        raise ValueError(f"-k must be at least 1, but is {options.neighbours}")

    from .sentences import read_file, read_sentences

    corpus = read_file(options.corpus)
    sentences = read_sentences(options.sentences)
    text = open_with(options.model_dir, corpus, sentences, progress=None)
    found = text.nearest(sentences, corpus, options.neighbours, options.metric)
    rows = (
        {"text": sentence, "metric": options.metric, "nearest": [neighbour._asdict() for neighbour in neighbours]}
        for sentence, neighbours in zip(sentences, found, strict=True)
    )
    write(rows, options, in_lines, len(sentences), heading=HEADINGS[options.metric])


HEADINGS = {"cosine": "cosine similarity of the latents", "euclidean": "Euclidean distance of the latents"}


def in_lines(row: Row) -> str:
    """A row of `nearest` as text: the sentence, and its neighbours under it."""
    near = (beside(f"  {neighbour['value']:6.3f}  ", neighbour["text"]) for neighbour in row["nearest"])
    return "\n".join([beside("", row["text"]), *near])
