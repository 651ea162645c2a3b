"""The subcommand `probe`: how well a linear classifier does on the latents, over the number of labels."""

from argparse import Namespace
from typing import TYPE_CHECKING

from wae_rnf.training.option_parser import OptionParser

from .text_parser import add_dataset, model_parser, open_text

if TYPE_CHECKING:
    from wae_rnf.text.labelled_sentences import LabelledSentences

DESCRIPTION = """\
Few-label classification on frozen features: a linear classifier of posterior means, trained on a few labelled
sentences of the training split and tested on the test split. Beside it stand the same classifier on bags of words and
on an untrained encoder. Labels are those of a column of a table (--label_column), or a value that sentences have
(--attribute): by the grammar of toy, and by lexical rules elsewhere."""
EXAMPLES = (
    "wae-rnf probe runs/toy --attribute topic",
    "wae-rnf probe runs/yelp --attribute sentiment --num_labels 100 1000 --draws 10",
    "wae-rnf probe runs/reviews --dataset reviews --label_column stars",
)


def probe(argv: list[str]) -> None:
    """probe: test accuracy of a linear classifier over the number of its labels."""
    options = parser().parse_args(argv)
    if options.draws < 1:
        raise ValueError(f"--draws must be at least 1, but is {options.draws}")
    if min(options.num_labels) < 2:
        raise ValueError(f"--num_labels must be at least 2 each, but one is {min(options.num_labels)}")

    from wae_rnf.evaluation.evaluation_target import file_of_figures, named_corpus
    from wae_rnf.evaluation.provenance import note_commit
    from wae_rnf.text.probe_of_directory import probe_of_directory

    dataset = named_corpus(options.model_dir, options.dataset)
    name = options.label_column or options.attribute
    path = file_of_figures(options.model_dir, f"probe-{name}.json", options.output)
    note_commit()
    text = open_text(options.model_dir)
    text.require_latents()
    splits, source = labelled(options, dataset)
    about = {"name": name, "dataset": dataset, "labels_from": source}
    chosen = {name: getattr(options, name) for name in ("num_labels", "draws", "seed")}
    probe_of_directory(text, path, splits, about, **chosen)
    print(f"\nThe figures are in {path}.")


def labelled(options: Namespace, dataset: str) -> tuple[dict[str, "LabelledSentences"], str]:
    """The labelled sentences of the splits, and where their labels are from: "column", "grammar" or "rule"."""
    from wae_rnf.evaluation.evaluation_target import text_column_of
    from wae_rnf.text.label_column import labels_of_column
    from wae_rnf.text.labelled_sentences import labels_by_attribute

    text_column = options.text_column or text_column_of(options.model_dir, dataset)
    if options.label_column:
        return labels_of_column(dataset, options.label_column, text_column), "column"
    return labels_by_attribute(dataset, options.attribute, text_column)


def parser() -> OptionParser:
    """The options of the command."""
    parser = model_parser("probe", DESCRIPTION, *EXAMPLES)
    add_dataset(parser)
    parser.add_argument(
        "--text_column", metavar="NAME", help="Column of the text, as in train; by default the one of the training."
    )
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument(
        "--attribute",
        metavar="NAME",
        default="sentiment",
        help="What is told apart: tense or sentiment; of toy also topic, form, polarity or length. "
        "(default: sentiment)",
    )
    labels.add_argument(
        "--label_column", metavar="NAME", help="Column of the labels, of a folder with a table for train and for test."
    )
    parser.add_argument(
        "--num_labels",
        metavar="N",
        type=int,
        nargs="+",
        default=[100, 500, 1000, 2000, 10_000],
        help="Numbers of labelled training sentences. (default: 100 500 1000 2000 10000)",
    )
    parser.add_argument(
        "--draws", metavar="N", type=int, default=5, help="Number of random draws of these sentences. (default: 5)"
    )
    parser.add_argument("--output", metavar="FILE.json", help="File; by default probe-NAME.json in MODEL_DIR.")
    return parser
