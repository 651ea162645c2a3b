"""The argument MODEL_DIR of every command that works on a trained model."""

from argparse import ArgumentParser, ArgumentTypeError

from wae_rnf.evaluation.model_names import check_model_dir


def add_model_dir(parser: ArgumentParser, from_hub: bool = True) -> None:
    """Adds the argument MODEL_DIR to a command that works on a trained model."""

    def model_dir(name: str) -> str:
        try:
            return check_model_dir(name)
        except ValueError as error:
            raise ArgumentTypeError(error) from error

    described = "Directory that `wae-rnf train` left" + (", or a Hub name." if from_hub else ".")
    parser.add_argument("model_dir", metavar="MODEL_DIR", type=model_dir, help=described)
