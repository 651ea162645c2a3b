"""The subcommand `push`: a trained model to the Hub, with a model card."""

from wae_rnf.training.option_parser import OptionParser

from .model_argument import add_model_dir


def push(argv: list[str]) -> None:
    """push: a model directory to the Hub, with its card."""
    parser = OptionParser(
        prog="wae-rnf push",
        description="Put a trained model on the Hub: weights, tokenizer, code, metrics and a model card.",
        epilog="Example: wae-rnf push runs/toy user/wae-rnf-toy",
    )
    add_model_dir(parser, from_hub=False)
    parser.add_argument("repository", help="Repository user/name; it is created if there is none.")
    parser.add_argument("--private", action="store_true", help="Private repository, if it is created.")
    options = parser.parse_args(argv)

    from wae_rnf.sharing.hub import push as run

    print(run(options.model_dir, options.repository, options.private))
