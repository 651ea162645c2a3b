"""The subcommand `train`: options of a run, from the command line, files and a preset."""

import os

from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.first_checks import check_run
from wae_rnf.training.option_files import options_of_files, with_main_job, with_preset
from wae_rnf.training.option_parser import parser_of
from wae_rnf.training.option_scope import check_scope
from wae_rnf.training.run_directory import with_earlier

DESCRIPTION = """\
Train a system, evaluate it on the test split, print samples from the prior.

Without options it is the main job, the same as `make train`: WAE-RNF on the generated corpus with the settings of
--preset toy, a few minutes on two cores. Once an option says otherwise, the others have the defaults below."""
EXAMPLES = """\
Examples:
  wae-rnf train
  wae-rnf train --preset toy --system vae --output_dir runs/vae
  wae-rnf train --dataset FOLDER --preset recipe --mixed_precision bf16
  wae-rnf train --output_dir runs/vae --resume"""


def train(argv: list[str]) -> None:
    """train: options, and YAML files of options that the command line overrides."""
    parser = parser_of(TrainArguments, prog="wae-rnf train", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_config("YAML file of options, `name: value` a line; may be repeated.")
    given = vars(parser.parse_args(argv))
    given = options_of_files(given.pop("config", [])) | given
    resume = given.get("resume")
    chosen = with_preset(given if resume else with_main_job(given))
    arguments = TrainArguments(**(with_earlier(chosen) if resume else chosen))
    check_scope(chosen, arguments)
    check_run(arguments)
    if "preset" in chosen and "preset" not in given and os.environ.get("RANK", "0") == "0":
        print("The main job: WAE-RNF on the generated corpus, with the settings of --preset toy.")

    from wae_rnf.training.launch import leave_processes
    from wae_rnf.training.run import train as run

    run(arguments)
    leave_processes()
