"""The subcommands that train several rows and compare them: reproduce and tradeoff."""

from wae_rnf.reproduction.arguments import ComparisonArguments, ReproduceArguments, TradeoffArguments, rows_of
from wae_rnf.training.first_checks import check_corpus
from wae_rnf.training.option_files import options_of_files
from wae_rnf.training.option_parser import parser_of

SYSTEMS = """\
Train the paper's systems on a corpus, evaluate them, write tables and figures. A system that is finished is not
trained again, one that was stopped goes on."""
SYSTEMS_EXAMPLES = """\
Examples:
  wae-rnf reproduce --dataset toy --config examples/toy.yaml --num_epochs 4
  wae-rnf reproduce --dataset ptb --config examples/reproduction.yaml --seeds 3
  wae-rnf reproduce --dataset toy --variants examples/ablation.yaml"""
WEIGHTS = """\
Reconstructions against samples: train a system with several weights of the KL divergence, and draw BLEU of its
reconstructions against the perplexity of its samples under a language model of the corpus, one curve. What is
finished is not trained again."""
WEIGHTS_EXAMPLES = """\
Examples:
  wae-rnf tradeoff --dataset toy --config examples/toy.yaml --num_epochs 4
  wae-rnf tradeoff --dataset yelp --system vae --kl_weights 0.05 0.2 1 --seeds 3"""


def reproduce(argv: list[str]) -> None:
    """reproduce: the systems that the paper compares on one corpus, and the tables of them."""
    compare(ReproduceArguments, argv, prog="wae-rnf reproduce", description=SYSTEMS, epilog=SYSTEMS_EXAMPLES)


def tradeoff(argv: list[str]) -> None:
    """tradeoff: one system over the weight of its KL divergence."""
    compare(TradeoffArguments, argv, prog="wae-rnf tradeoff", description=WEIGHTS, epilog=WEIGHTS_EXAMPLES)


def compare(kind: type[ComparisonArguments], argv: list[str], **about: str) -> None:
    """Trains the rows of a comparison, and writes its page.

    Args:
        kind: of the comparison, which says what its options are and which rows there are.
        argv: of the command.
        about: the program's name and what its help says.
    """
    parser = parser_of(kind, **about)
    parser.add_config("YAML file of options of train, for all rows; may be repeated.")
    given = vars(parser.parse_args(argv))
    shared = options_of_files(given.pop("config", []))
    options = kind(**given)
    check_corpus(options.dataset)
    rows_of(options, shared)

    from wae_rnf.reproduction.reproduce import reproduce as run
    from wae_rnf.training.launch import leave_processes

    print(f"The report is {run(options, shared)}.")
    leave_processes()
