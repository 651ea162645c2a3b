"""The subcommands of `wae-rnf`: each parses its options and calls one function."""

from wae_rnf.reproduction.arguments import ReproduceArguments, rows_of
from wae_rnf.training.arguments import PROPOSAL_HELP, PROPOSALS, TrainArguments, check_proposal
from wae_rnf.training.centres_from import add_model_dir
from wae_rnf.training.first_checks import check_corpus, check_run
from wae_rnf.training.option_files import read_options, with_preset
from wae_rnf.training.option_parser import OptionParser, parser_of
from wae_rnf.training.option_scope import check_scope

from .export import export
from .text import embed, interpolate, model_parser, reconstruct, sample


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


def reproduce(argv):
    """reproduce: every system of the paper on one corpus, and the tables of them."""
    parser = parser_of(
        ReproduceArguments,
        prog="wae-rnf reproduce",
        description="Train the paper's systems on a corpus, judge them, write tables and figures. A system that is "
        "finished is not trained again, one that was stopped goes on.",
        epilog="Example: wae-rnf reproduce --dataset toy --config examples/toy.yaml --num_epochs 4",
    )
    parser.add_argument("--config", action="append", help="YAML file of options of train, for all systems.")
    given = vars(parser.parse_args(argv))
    shared = options_of_files(given.pop("config", []))
    options = ReproduceArguments(**given)
    check_corpus(options.dataset)
    rows_of(options, shared)

    from wae_rnf.reproduction.reproduce import reproduce as run
    from wae_rnf.training.launch import leave

    print(f"The report is {run(options, shared)}.")
    leave()


def options_of_files(paths):
    """The options in the files that --config names, the later ones first in force."""
    options = {}
    for path in paths:
        options |= read_options(path)
    return options


def evaluate(argv):
    """evaluate: a file of metrics, the bounds of each sentence, and a table."""
    parser = model_parser(
        "evaluate",
        "Honest bounds of both readings, the published protocol, mutual information, active units. Those of the whole "
        "test split of the model's own corpus are written to metrics.json in MODEL_DIR, with the bounds of each "
        "sentence in sentences.tsv; those of anything else to metrics-CORPUS-SPLIT.json and .tsv beside them.",
        "wae-rnf evaluate runs/toy --split test --iwae_samples 500",
    )
    parser.add_argument("--dataset", help="as in train; by default what the model was trained on")
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    parser.add_argument("--iwae_samples", type=int, default=500, help="importance samples per sentence (default: 500)")
    parser.add_argument("--proposal", default="posterior", choices=PROPOSALS, help=PROPOSAL_HELP)
    parser.add_argument("--max_sentences", type=int, help="only the first sentences of the split, at most so many")
    parser.add_argument("--mixed_precision", default="no", choices=("no", "bf16", "fp16"))
    parser.add_argument("--output", metavar="FILE.json", help="write the metrics there, and FILE.tsv beside it")
    options = parser.parse_args(argv)
    for name in ("iwae_samples", "max_sentences"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ValueError(f"--{name} must be at least 1, but is {value}")
    check_proposal(options.proposal, options.iwae_samples)

    from wae_rnf.evaluation.evaluation_target import METRICS_FILE, EvaluationOptions, corpus_of, destination
    from wae_rnf.training.launch import join, leave, on_main

    dataset = options.dataset or corpus_of(options.model_dir)
    if dataset is None:
        raise ValueError(f"{options.model_dir} does not say what it was trained on; name a --dataset")
    names = ("split", "iwae_samples", "proposal", "max_sentences", "mixed_precision", "seed")
    evaluation = EvaluationOptions(str(dataset), **{name: getattr(options, name) for name in names})
    path = destination(options.model_dir, evaluation, options.output)

    from wae_rnf.evaluation.evaluate_directory import evaluate_directory
    from wae_rnf.evaluation.provenance import commit

    commit()  # of the code that runs, asked before the checkout can change
    accelerator = join(mixed_precision=options.mixed_precision)
    evaluate_directory(options.model_dir, evaluation, accelerator, path)
    kept = "" if path.name == METRICS_FILE else f"; {METRICS_FILE}, the record of the model, is left as it was"
    on_main(lambda: print(f"\nThe metrics are in {path}{kept}."))
    leave()


def push(argv):
    """push: a model directory to the Hub, with its card."""
    parser = OptionParser(
        prog="wae-rnf push",
        description="Put a trained model on the Hub: weights, tokenizer, code, metrics and a model card.",
        epilog="Example: wae-rnf push runs/toy user/wae-rnf-toy",
    )
    add_model_dir(parser, from_hub=False)
    parser.add_argument("repository", help="user/name; it is created if there is none")
    parser.add_argument("--private", action="store_true", help="create it for your eyes alone")
    options = parser.parse_args(argv)

    from wae_rnf.sharing.hub import push as run

    print(run(options.model_dir, options.repository, options.private))


def demo(argv):
    """demo: a page to look at."""
    parser = OptionParser(
        prog="wae-rnf demo",
        description="A page to look at: samples, reconstructions, ways between sentences, a map of the latent space.",
        epilog="Example: wae-rnf demo runs/toy",
    )
    add_model_dir(parser)
    parser.add_argument("--dataset", help="whose test split is on the map; by default what the model was trained on")
    parser.add_argument("--port", type=int, default=7860, help="of the page (default: 7860)")
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

    check_port(options.port)
    serve(build_demo(options.model_dir, options.dataset), options.port)


COMMANDS = {
    "train": train,
    "reproduce": reproduce,
    "evaluate": evaluate,
    "sample": sample,
    "reconstruct": reconstruct,
    "interpolate": interpolate,
    "embed": embed,
    "export": export,
    "push": push,
    "demo": demo,
}
