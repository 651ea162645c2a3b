"""The subcommand `evaluate`: bounds, mutual information and active units of a trained model."""

from wae_rnf.evaluation.proposals import PROPOSAL_HELP, PROPOSALS, check_proposal
from wae_rnf.training.option_parser import OptionParser

from .text_parser import add_dataset, add_split, model_parser

DESCRIPTION = """\
Bounds of the likelihood, mutual information, active units, quality of text. Those of the whole test split of the
model's own corpus are written to metrics.json in MODEL_DIR, with the bounds of each sentence in sentences.tsv; those
of anything else to metrics-CORPUS-SPLIT.json and .tsv beside them."""
EXAMPLES = (
    "wae-rnf evaluate runs/toy",
    "wae-rnf evaluate runs/toy --split validation --iwae_samples 50 --max_sentences 500",
    "wae-rnf evaluate user/name --dataset toy --output metrics.json",
)


def evaluate(argv: list[str]) -> None:
    """evaluate: a file of metrics, the bounds of each sentence, and a table."""
    options = parser().parse_args(argv)
    for name in ("iwae_samples", "max_sentences"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ValueError(f"--{name} must be at least 1, but is {value}")
    check_proposal(options.proposal, options.iwae_samples)

    from wae_rnf.evaluation.evaluation_target import EvaluationOptions, destination, named_corpus, text_column_of
    from wae_rnf.evaluation.metrics import METRICS_FILE
    from wae_rnf.evaluation.shared_work import on_main
    from wae_rnf.training.launch import join_processes, leave_processes

    dataset = named_corpus(options.model_dir, options.dataset)
    column = options.text_column or text_column_of(options.model_dir, dataset)
    names = ("split", "iwae_samples", "proposal", "max_sentences", "mixed_precision", "seed")
    chosen = {name: getattr(options, name) for name in names}
    evaluation = EvaluationOptions(dataset, text_column=column, **chosen)
    path = destination(options.model_dir, evaluation, options.output)

    from wae_rnf.evaluation.provenance import note_commit
    from wae_rnf.training.report import evaluate_model

    note_commit()
    accelerator = join_processes(mixed_precision=options.mixed_precision)
    evaluate_model(options.model_dir, evaluation, accelerator, path, verbose=options.verbose)
    kept = "" if path.name == METRICS_FILE else f"; {METRICS_FILE}, the record of the model, is left as it was"
    on_main(lambda: print(f"\nThe metrics are in {path}{kept}."))
    leave_processes()


def parser() -> OptionParser:
    """The options of the command."""
    parser = model_parser("evaluate", DESCRIPTION, *EXAMPLES)
    data, measures = parser.add_argument_group("data"), parser.add_argument_group("evaluation")
    add_dataset(data)
    data.add_argument(
        "--text_column", metavar="NAME", help="Column of the text, as in train; by default the one of the training."
    )
    add_split(data)
    data.add_argument(
        "--max_sentences", metavar="N", type=int, help="Maximum number of sentences, the first of the split."
    )
    measures.add_argument(
        "--iwae_samples",
        metavar="N",
        type=int,
        default=500,
        help="Number of importance samples per sentence. (default: 500)",
    )
    proposal = measures.add_argument(
        "--proposal", default="posterior", choices=PROPOSALS, help=f"{PROPOSAL_HELP} (default: posterior)"
    )
    precision = measures.add_argument(
        "--mixed_precision",
        default="no",
        choices=("no", "bf16", "fp16"),
        help="Precision of matrix products. (default: no)",
    )
    measures.add_argument(
        "--output", metavar="FILE.json", help="File for the metrics; FILE.tsv beside it has those of each sentence."
    )
    measures.add_argument(
        "--verbose",
        action="store_true",
        help="Also print the other generative model, the paper's protocol and the bound over k.",
    )
    for action in (proposal, precision):
        parser.hide(action)
    return parser
