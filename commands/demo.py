"""The subcommand `demo`: a page to look at."""

import warnings

from wae_rnf.training.option_parser import OptionParser

from .model_argument import add_model_dir


def demo(argv: list[str]) -> None:
    """demo: a page to look at."""
    parser = OptionParser(
        prog="wae-rnf demo",
        description="A page to look at: what a sentence and its tokens cost, samples, edits along attributes, ways "
        "between sentences, a map of the latent space.",
        epilog="Example: wae-rnf demo runs/toy",
    )
    add_model_dir(parser)
    parser.add_argument(
        "--dataset",
        help="Corpus whose test split is on the map, and whose training split gives the attributes; by default the "
        "model's own.",
    )
    parser.add_argument("--text_column", help="Column of its text, as in train; by default the one of the training.")
    parser.add_argument("--port", type=int, default=7860, help="Port of the page. (default: 7860)")
    options = parser.parse_args(argv)
    if not 1 <= options.port <= 65535:
        raise ValueError(f"--port must lie in 1 to 65535, but is {options.port}")
    from wae_rnf.sharing.proxies import without_proxies

    try:
        with without_proxies():  # it cannot be imported where one is a SOCKS proxy
            import gradio  # noqa: F401
    except ImportError as error:
        raise ValueError("the demo needs gradio: pip install gradio") from error

    from wae_rnf.sharing.demo import build_demo, check_port, serve
    from wae_rnf.text.text_input import UnreadTextWarning
    from wae_rnf.training.remedies import advice
    from wae_rnf.training.systems import system_of

    warnings.simplefilter("ignore", UnreadTextWarning)  # the page itself says what is not read
    check_port(options.port)
    page = build_demo(
        options.model_dir,
        options.dataset,
        lambda config: advice({"system": system_of(config)}).latent,
        options.text_column,
    )
    serve(page, options.port)
