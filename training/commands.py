"""The subcommands of `wae-rnf`: each parses its options and calls one function."""

import argparse
import sys
from pathlib import Path

from transformers import HfArgumentParser

from .arguments import TrainArguments
from .option_files import flags, read_options, typed


def train(argv):
    """train: options, and YAML files of options that the command line overrides."""
    parser = HfArgumentParser(
        TrainArguments,
        prog="wae-rnf train",
        description="Train a system, evaluate it on the test split, print samples from the prior.",
        epilog="Example: wae-rnf train --config examples/toy.yaml --output_dir runs/toy",
        allow_abbrev=False,
    )
    parser.add_argument("--config", action="append", default=[], help="YAML file of options, `name: value` a line.")
    arguments, _ = parser.parse_args_into_dataclasses([*flags(options_of_files(argv)), *argv])

    from .training import train as run

    run(arguments)


def reproduce(argv):
    """reproduce: every system of the paper on one corpus, and the tables of them."""
    from .reproduction import ReproduceArguments
    from .reproduction import reproduce as run

    parser = HfArgumentParser(
        ReproduceArguments,
        prog="wae-rnf reproduce",
        description="Train the paper's systems on a corpus, judge them, write tables and figures. A system that is "
        "finished is not trained again, one that was stopped goes on.",
        epilog="Example: wae-rnf reproduce --dataset toy --config examples/toy.yaml --num_epochs 4",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--config", action="append", default=[], help="YAML file of options of train, for all systems."
    )
    options, _ = parser.parse_args_into_dataclasses(argv)
    print(f"The report is {run(options, typed(options_of_files(argv)))}.")


def options_of_files(argv):
    """The options in the files that --config names, the later ones first in force."""
    files = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    files.add_argument("--config", action="append", default=[])
    known, _ = files.parse_known_args(argv)
    options = {}
    for path in known.config:
        options |= read_options(path)
    return options


def model_parser(name, description, epilog):
    parser = argparse.ArgumentParser(prog=f"wae-rnf {name}", description=description, epilog=epilog)
    parser.add_argument("model_dir", metavar="MODEL_DIR", help="a directory that `wae-rnf train` left")
    parser.add_argument("--seed", type=int, default=0, help="of the samples (default: 0)")
    return parser


def open_model(directory):
    import torch

    from .model_directory import load_model

    return load_model(directory, "cuda" if torch.cuda.is_available() else "cpu")


def evaluate(argv):
    """evaluate: metrics.json and a table."""
    parser = model_parser(
        "evaluate",
        "Honest bounds of both readings, the published protocol, mutual information, active units.",
        "Example: wae-rnf evaluate runs/toy --split test --iwae_samples 500",
    )
    parser.add_argument("--dataset", help="as in train; by default what the model was trained on")
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    parser.add_argument("--iwae_samples", type=int, default=500, help="importance samples a sentence (default: 500)")
    parser.add_argument("--max_sentences", type=int, help="the first so many sentences of the split")
    options = parser.parse_args(argv)
    if options.max_sentences is not None and options.max_sentences < 1:
        raise ValueError(f"--max_sentences must be at least 1, but is {options.max_sentences}")

    from tokenization_wae_rnf.corpora import load_corpus
    from tokenization_wae_rnf.preparation import prepare

    from .evaluation import evaluate as measure
    from .model_directory import read_run, write_json
    from .report import print_report
    from .text_evaluation import judge_text

    model, tokenizer = open_model(options.model_dir)
    run = read_run(options.model_dir) if Path(options.model_dir, "run.json").exists() else {}
    trained = run.get("options", {})
    dataset = options.dataset or trained.get("dataset")
    if dataset is None:
        raise ValueError(f"{options.model_dir} does not say what it was trained on; name a --dataset")
    sentences = prepare(load_corpus(dataset), tokenizer, max_words=model.config.max_words)[options.split]
    metrics = measure(model, sentences, options.iwae_samples, options.seed, options.max_sentences, progress=True)
    metrics |= {"system": trained.get("system", options.model_dir), "dataset": dataset, "split": options.split}
    evaluated = {"eval_iwae_samples": options.iwae_samples, "eval_max_sentences": options.max_sentences}
    metrics |= {"options": trained | evaluated, "training": run.get("training")}
    metrics["text"] = judge_text(model, tokenizer, sentences, seed=options.seed)
    write_json(Path(options.model_dir) / "metrics.json", metrics)
    print_report(metrics)


def sample(argv):
    """sample: sentences from the prior, one a line."""
    parser = model_parser("sample", "Sentences from the prior.", "Example: wae-rnf sample runs/toy -n 10")
    parser.add_argument("-n", "--num_samples", type=int, default=10, help="how many (default: 10)")
    parser.add_argument("--prior", default="pushforward", choices=("pushforward", "flow_posterior"))
    parser.add_argument("--temperature", type=float, default=1.0, help="under 1 keeps to likelier words (default: 1)")
    parser.add_argument("--greedy", action="store_true", help="the likeliest word at every step")
    options = parser.parse_args(argv)
    if options.num_samples < 1:
        raise ValueError(f"-n must be at least 1, but is {options.num_samples}")
    if not options.temperature > 0:
        raise ValueError(f"--temperature must be positive, but is {options.temperature}")

    import torch

    model, tokenizer = open_model(options.model_dir)
    sentences = model.generate(
        num_samples=options.num_samples,
        prior=options.prior,
        do_sample=not options.greedy,
        temperature=options.temperature,
        generator=torch.Generator(model.device).manual_seed(options.seed),
    )
    print("\n".join(tokenizer.batch_decode(sentences, skip_special_tokens=True)))


def reconstruct(argv):
    """reconstruct: each sentence and what the decoder makes of its posterior mean."""
    parser = model_parser(
        "reconstruct",
        "Sentences through the posterior mean and back, decoded greedily.",
        'Example: wae-rnf reconstruct runs/toy "the soup was cold ."',
    )
    parser.add_argument("sentences", nargs="*", help="by default they are read from standard input, one a line")
    options = parser.parse_args(argv)
    sentences = options.sentences or [line.strip() for line in sys.stdin if line.strip()]
    if not sentences:
        raise ValueError("there is no sentence to reconstruct; give some, or send them to standard input")
    model, tokenizer = open_model(options.model_dir)
    decoded = decode_greedily(model, tokenizer, posterior_mean(model, tokenizer, sentences))
    for sentence, reconstruction in zip(sentences, decoded, strict=True):
        print(f"in   {sentence}\nout  {reconstruction}")


def interpolate(argv):
    """interpolate: decoded points of the straight line between two posterior means."""
    parser = model_parser(
        "interpolate",
        "Sentences on the straight line between the latent codes of two, decoded greedily.",
        'Example: wae-rnf interpolate runs/toy "the soup was cold ." "shares of the bank rose ."',
    )
    parser.add_argument("first", help="the sentence to start from")
    parser.add_argument("second", help="the sentence to arrive at")
    parser.add_argument("--steps", type=int, default=7, help="points of the line, ends included (default: 7)")
    options = parser.parse_args(argv)
    if options.steps < 2:
        raise ValueError(f"--steps must be at least 2, but is {options.steps}")

    import torch

    model, tokenizer = open_model(options.model_dir)
    first, second = posterior_mean(model, tokenizer, [options.first, options.second])
    position = torch.linspace(0, 1, options.steps, device=first.device).unsqueeze(1)
    print("\n".join(decode_greedily(model, tokenizer, torch.lerp(first, second, position))))


def posterior_mean(model, tokenizer, sentences):
    import torch

    if model.config.latent_size == 0:
        raise ValueError("this model is a language model without a latent code; it encodes no sentence")
    with torch.no_grad():
        inputs = tokenizer(sentences, return_tensors="pt", padding=True, truncation=True).to(model.device)
        return model.encode(**inputs).mean


def decode_greedily(model, tokenizer, latents):
    return tokenizer.batch_decode(model.generate(latents=latents, do_sample=False), skip_special_tokens=True)


COMMANDS = {
    "train": train,
    "reproduce": reproduce,
    "evaluate": evaluate,
    "sample": sample,
    "reconstruct": reconstruct,
    "interpolate": interpolate,
}
