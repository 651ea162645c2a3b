"""The subcommand `train`: options of a run, from the command line, files and a preset."""

from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.first_checks import check_run
from wae_rnf.training.option_files import options_of_files, with_preset
from wae_rnf.training.option_parser import parser_of
from wae_rnf.training.option_scope import check_scope


def train(argv):
    """train: options, and YAML files of options that the command line overrides."""
    parser = parser_of(
        TrainArguments,
        prog="wae-rnf train",
        description="Train a system, evaluate it on the test split, print samples from the prior.",
        epilog="Example: wae-rnf train --config examples/toy.yaml --output_dir runs/toy",
    )
    parser.add_argument("--config", action="append", help="YAML file of options, `name: value` a line.")
    given = vars(parser.parse_args(argv))
    given = with_preset(options_of_files(given.pop("config", [])) | given)
    arguments = TrainArguments(**given)
    check_scope(given, arguments)
    check_run(arguments)

    from wae_rnf.training.launch import leave
    from wae_rnf.training.run import train as run

    run(arguments)
    leave()
