"""The subcommands of `wae-rnf`: each parses its options and calls one function."""

from pathlib import Path

from .arguments import TrainArguments
from .first_checks import check_corpus, check_run
from .model_source import add_model_dir
from .option_files import read_options
from .option_parser import OptionParser, parser_of
from .option_scope import check_scope
from .reproduction_arguments import ReproduceArguments, rows_of
from .run_directory import dataset_of
from .text_commands import embed, interpolate, model_parser, reconstruct, sample


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
    given = options_of_files(given.pop("config", [])) | given
    arguments = TrainArguments(**given)
    check_scope(given, arguments)
    check_run(arguments)

    from .processes import leave
    from .training import train as run

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

    from .processes import leave
    from .reproduction import reproduce as run

    print(f"The report is {run(options, shared)}.")
    leave()


def options_of_files(paths):
    """The options in the files that --config names, the later ones first in force."""
    options = {}
    for path in paths:
        options |= read_options(path)
    return options


def evaluate(argv):
    """evaluate: metrics.json, sentences.tsv and a table."""
    parser = model_parser(
        "evaluate",
        "Honest bounds of both readings, the published protocol, mutual information, active units. They are written "
        "to metrics.json in MODEL_DIR, and the bounds of each sentence to sentences.tsv beside it.",
        "wae-rnf evaluate runs/toy --split test --iwae_samples 500",
    )
    parser.add_argument("--dataset", help="as in train; by default what the model was trained on")
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    parser.add_argument("--iwae_samples", type=int, default=500, help="importance samples a sentence (default: 500)")
    parser.add_argument("--max_sentences", type=int, help="the first so many sentences of the split")
    parser.add_argument("--mixed_precision", default="no", choices=("no", "bf16", "fp16"))
    options = parser.parse_args(argv)
    if options.max_sentences is not None and options.max_sentences < 1:
        raise ValueError(f"--max_sentences must be at least 1, but is {options.max_sentences}")

    from tokenization_wae_rnf.corpora import load_corpus
    from tokenization_wae_rnf.preparation import prepare

    from .evaluation import evaluate as measure
    from .model_directory import load_model, read_run, write_metrics
    from .processes import join, leave, main_first, on_main
    from .provenance import commit
    from .report import print_report
    from .text_evaluation import judge_text

    commit()  # of the code that runs, asked before the checkout can change
    accelerator = join(mixed_precision=options.mixed_precision)
    model, tokenizer = load_model(options.model_dir, accelerator.device)
    run = read_run(options.model_dir) if Path(options.model_dir, "run.json").exists() else {}
    trained = run.get("options", {})
    dataset = options.dataset or trained.get("dataset")
    if dataset is None:
        raise ValueError(f"{options.model_dir} does not say what it was trained on; name a --dataset")

    source = options.dataset or dataset_of(run)
    data = main_first(lambda: prepare(load_corpus(str(source)), tokenizer, max_words=model.config.max_words))
    sentences = data[options.split]
    if options.max_sentences is not None:
        sentences = sentences.select(range(min(options.max_sentences, len(sentences))))
    with accelerator.autocast():
        metrics = measure(model, sentences, options.iwae_samples, options.seed, progress=accelerator.is_main_process)
    metrics |= {"system": trained.get("system", options.model_dir), "dataset": dataset, "split": options.split}
    evaluated = {"eval_iwae_samples": options.iwae_samples, "eval_max_sentences": options.max_sentences}
    metrics |= {"options": trained | evaluated, "training": run.get("training")}

    def finish():
        metrics["text"] = judge_text(model, tokenizer, sentences, seed=options.seed)
        print_report(write_metrics(options.model_dir, metrics))

    on_main(finish)
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

    from .publishing import push as run

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
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise ValueError("the demo needs gradio: pip install gradio") from error

    from .demo import build_demo

    build_demo(options.model_dir, options.dataset).launch(server_port=options.port)


COMMANDS = {
    "train": train,
    "reproduce": reproduce,
    "evaluate": evaluate,
    "sample": sample,
    "reconstruct": reconstruct,
    "interpolate": interpolate,
    "embed": embed,
    "push": push,
    "demo": demo,
}
