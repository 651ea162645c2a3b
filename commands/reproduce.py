"""The subcommand `reproduce`: every system of the paper on one corpus, and the tables of them."""

from wae_rnf.reproduction.arguments import ReproduceArguments, rows_of
from wae_rnf.training.first_checks import check_corpus
from wae_rnf.training.option_files import options_of_files
from wae_rnf.training.option_parser import parser_of

DESCRIPTION = """\
Train the paper's systems on a corpus, evaluate them, write tables and figures. A system that is finished is not
trained again, one that was stopped goes on."""
EXAMPLES = """\
Examples:
  wae-rnf reproduce --dataset toy --config examples/toy.yaml --num_epochs 4
  wae-rnf reproduce --dataset ptb --config examples/reproduction.yaml --seeds 3
  wae-rnf reproduce --dataset toy --variants examples/ablation.yaml"""


def reproduce(argv):
    """reproduce: every system of the paper on one corpus, and the tables of them."""
    parser = parser_of(ReproduceArguments, prog="wae-rnf reproduce", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument(
        "--config",
        metavar="FILE",
        action="append",
        help="YAML file of options of train, for all rows; may be repeated.",
    )
    given = vars(parser.parse_args(argv))
    shared = options_of_files(given.pop("config", []))
    options = ReproduceArguments(**given)
    check_corpus(options.dataset)
    rows_of(options, shared)

    from wae_rnf.reproduction.reproduce import reproduce as run
    from wae_rnf.training.launch import leave_processes

    print(f"The report is {run(options, shared)}.")
    leave_processes()
