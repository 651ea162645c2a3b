"""`wae-rnf reproduce`: the systems of the paper, trained and judged one after the other, and the tables of them."""

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from wae_rnf.evaluation.columns import Row, cells
from wae_rnf.evaluation.estimators import GENERATIVE_MODELS
from wae_rnf.evaluation.evaluation_target import same_corpus
from wae_rnf.evaluation.json_files import read_json, write_json
from wae_rnf.evaluation.metrics import METRICS_FILE, BoundOverK, Excess, Metrics, Perplexities, Reproduction
from wae_rnf.evaluation.metrics_files import (
    keep_sentences,
    read_metrics,
    read_sentences,
    sentences_file,
    write_record,
)
from wae_rnf.evaluation.shared_work import on_main
from wae_rnf.evaluation.terminal_table import print_table
from wae_rnf.tokenization.corpus_names import corpus_name
from wae_rnf.training.arguments import TrainArguments
from wae_rnf.training.model_options import check_model

from .arguments import LANGUAGE_MODEL, ComparisonArguments, rows_of, tell_left_out
from .captions import first_run
from .paired_bounds import above_language_model
from .paper_columns import terminal_columns
from .results_folder import datasets_in, read_runs

BOUND_SENTENCES = 200  # that the bound over k is of where nobody says otherwise


def reproduce(options: ComparisonArguments, shared: dict[str, Any]) -> Path:
    """Trains every system that is not finished yet, writes its results, and then the report.

    Args:
        options: [`ReproduceArguments`].
        shared: options of training that all systems take, by name.

    Returns:
        the path of the report.
    """
    from .corpus_report import MAP, MAPPED, write_report  # matplotlib takes its time to import

    results = Path(options.results_dir) / corpus_name(options.dataset)
    results.mkdir(parents=True, exist_ok=True)
    for path, dataset in datasets_in(results).items():  # the report is of one corpus; reported before any training
        if not same_corpus(dataset, options.dataset):
            raise ValueError(f"{path} is of {dataset}, not of {options.dataset}; name another --results_dir")
    rows = rows_of(options, shared)
    for own in rows.values():  # a row that no model can have is reported before the first one is trained
        check_model(TrainArguments(**own))
    on_main(partial(tell_left_out, options, shared))
    for seed in range(options.seeds):
        for row, own in rows.items():
            name = name_of(row, seed, options.seeds)
            arguments = train_arguments(options, own, name, seed)
            metrics = finished_run(arguments)
            language_model = Path(arguments.output_dir).with_name(name_of(LANGUAGE_MODEL, seed, options.seeds))
            added = additions(options, arguments, row, language_model, metrics["has_latents"])
            on_main(partial(keep, arguments.output_dir, results / f"{name}.json", {**metrics, **added}))
            if name == MAPPED and arguments.latent_size > 1 and not (results / MAP).exists():
                draw_map(arguments, results / MAP)

    def finish() -> Path:
        print_results(results)
        return write_report(results)

    return on_main(finish)


def print_results(results: Path) -> None:
    """The bounds of all rows in a folder, as a table in the terminal."""
    runs = read_runs(results)
    shown = terminal_columns(above_language_model(results, runs))
    header, rows = cells([Row.own(name, seeds) for name, seeds in runs.items()], shown)
    first = first_run(runs)
    title = f"\n{Path(first['dataset']).name}, test split: {first['num_sentences']:,} sentences; nats per sentence"
    print_table(header, rows, title, "±: standard error over sentences, or standard deviation over seeds.")


def additions(
    options: ComparisonArguments, arguments: TrainArguments, row: str, language_model: Path, has_latents: bool
) -> dict[str, Any]:
    """What results hold of a run beyond its own metrics: `reproduction`, and the bound over more samples.

    Args:
        options: [`ReproduceArguments`].
        arguments: of the run.
        row: that it belongs to.
        language_model: the directory of the language model, which may not be there.
        has_latents: whether the run's model has a latent variable.
    """
    reproduction: Reproduction = {"row": row}
    if (language_model / METRICS_FILE).exists():
        reproduction["perplexities"] = perplexities(arguments, options.num_samples, language_model)
        if above := compared(arguments.output_dir, language_model):
            reproduction["above_language_model"] = above
    added: dict[str, Any] = {"reproduction": reproduction}
    if options.bound_over_k and has_latents:
        sentences = options.bound_sentences or BOUND_SENTENCES
        added["bound_over_k"] = bound_over_k(arguments, options.bound_over_k, sentences)
    return added


def keep(directory: str | Path, path: Path, metrics: dict[str, Any]) -> None:
    """Writes what results hold of a run: its metrics, and beside them the bounds of each sentence that tables need."""
    record = Path(directory, METRICS_FILE)
    if sentences_file(record).exists():
        keep_sentences(record, sentences_file(path))
    write_record(path, metrics)


def name_of(row: str, seed: int, seeds: int) -> str:
    return row if seeds == 1 else f"{row}-{seed}"


def train_arguments(options: ComparisonArguments, shared: dict[str, Any], name: str, seed: int) -> TrainArguments:
    """The options of one run."""
    runs = Path(options.runs_dir) / corpus_name(options.dataset)
    own = {
        "dataset": options.dataset,
        "seed": seed,
        "output_dir": str(runs / name),
        "eval_iwae_samples": options.iwae_samples,
        "eval_max_sentences": options.eval_max_sentences,
        "eval_proposal": options.eval_proposal if shared["system"] != LANGUAGE_MODEL else "posterior",
    }
    return TrainArguments(**shared | own)


def finished_run(arguments: TrainArguments) -> Metrics:
    """The metrics of a run: read if it is finished, gone on with if it was stopped, made if there is none."""
    from wae_rnf.evaluation.run_file import RUN_FILE
    from wae_rnf.training.run import train
    from wae_rnf.training.run_directory import check_output_dir

    directory = Path(arguments.output_dir)
    arguments = replace(arguments, resume=(directory / RUN_FILE).exists())
    if (directory / METRICS_FILE).exists():
        check_output_dir(directory, asdict(arguments), arguments.resume)
        metrics = finished_metrics(arguments)
        if metrics is not None:
            return metrics
    return train(arguments)  # one that is trained to the end already is only evaluated anew


def finished_metrics(arguments: TrainArguments) -> Metrics | None:
    """The metrics of a run, if they are of its end and of the evaluation that the arguments ask for; None otherwise.

    `wae-rnf evaluate` may have written them since, in another precision, with other samples or before the end.
    """
    try:
        metrics = read_metrics(Path(arguments.output_dir, METRICS_FILE))
    except ValueError:  # of another program, or not finite: evaluated anew
        return None
    wanted = {
        "iwae_samples": arguments.eval_iwae_samples,
        "proposal": arguments.eval_proposal,
        "max_sentences": arguments.eval_max_sentences,
        "mixed_precision": arguments.mixed_precision,
        "seed": arguments.seed,
        "text_column": arguments.text_column,
    }
    evaluation = {"text_column": None} | metrics["evaluation"]  # there was none before
    same = metrics["split"] == "test" and same_corpus(metrics["dataset"], arguments.dataset)
    finished = metrics["training"] and metrics["samples"] and "text" in metrics
    return metrics if same and finished and evaluation == wanted else None


def draw_map(arguments: TrainArguments, path: Path) -> None:
    """The latent space of a finished run: posterior means of the test split, see [`LatentMap`]."""
    from wae_rnf.evaluation.latent_map import LatentMap
    from wae_rnf.evaluation.model_directory import load_model
    from wae_rnf.training.open_corpus import open_corpus

    model, _ = load_model(arguments.output_dir)
    _, _, data = open_corpus(arguments)
    drawn = LatentMap(model, data["test"])
    on_main(lambda: drawn.save(path))


def compared(directory: str | Path, language_model: str | Path) -> dict[str, dict[str, Excess]]:
    """By how much each bound of a run lies above the language model's exact figure, in pairs.

    Returns:
        {generative model: {bound: [`Excess`]}}; {} where the two were not evaluated on the same sentences, or before
        these were kept.
    """
    files = [Path(run, METRICS_FILE) for run in (directory, language_model)]
    if not all(sentences_file(file).exists() for file in files):
        return {}
    from wae_rnf.evaluation.evaluate_split import excess

    ours, theirs = map(read_sentences, files)
    if not np.array_equal(ours["length"], theirs["length"]):
        return {}
    exact = torch.tensor(theirs["pushforward_elbo"])
    return {
        generative_model: {
            bound: excess(torch.tensor(ours[f"{generative_model}_{bound}"]), exact) for bound in ("elbo", "iwae")
        }
        for generative_model in GENERATIVE_MODELS
    }


def bound_over_k(arguments: TrainArguments, samples: int, num_sentences: int) -> BoundOverK:
    """The bound over k of a finished run, which keeps it in its directory: see `wae_rnf.evaluation.evaluate_split`.

    Args:
        arguments: of the run.
        samples: the largest k.
        num_sentences: the first so many of the test split.
    """
    from wae_rnf.evaluation.evaluate_split import evaluate
    from wae_rnf.evaluation.model_directory import load_model
    from wae_rnf.training.launch import start_accelerator
    from wae_rnf.training.open_corpus import open_corpus
    from wae_rnf.training.systems import SYSTEMS

    path = Path(
        arguments.output_dir, f"bound_over_{samples}_samples_of_{num_sentences}_{arguments.eval_proposal}.json"
    )
    if path.exists():
        return cast(BoundOverK, read_json(path))
    accelerator = start_accelerator(arguments, SYSTEMS[arguments.system])
    model, _ = load_model(arguments.output_dir, accelerator.device)
    _, _, data = open_corpus(arguments)
    with accelerator.autocast():
        found = evaluate(
            model,
            data["test"],
            samples,
            arguments.seed,
            max_sentences=num_sentences,
            progress=True,
            proposal=arguments.eval_proposal,
        )["bound_over_k"]
    on_main(lambda: write_json(path, found))
    return found


def perplexities(arguments: TrainArguments, num_samples: int, language_model: str | Path) -> Perplexities:
    """[`Perplexities`] of a finished run, which keeps them in its directory.

    Args:
        arguments: of the run.
        num_samples: from its prior.
        language_model: the directory of the model that judges them.
    """
    from wae_rnf.evaluation.model_directory import load_model
    from wae_rnf.training.open_corpus import open_corpus

    from .sample_perplexity import forward_perplexity, reverse_perplexity, sample_sentences

    directory = Path(arguments.output_dir)
    path = directory / f"perplexities_of_{num_samples}_samples.json"
    if path.exists():
        kept = read_json(path)
        return {"num_samples": num_samples, "forward_ppl": kept["forward_ppl"], "reverse_ppl": kept["reverse_ppl"]}
    model, tokenizer = load_model(directory)
    samples = sample_sentences(model, num_samples, arguments.seed)
    _, _, data = open_corpus(arguments)
    found: Perplexities = {
        "num_samples": num_samples,
        "forward_ppl": forward_perplexity(load_model(language_model)[0], samples),
        "reverse_ppl": reverse_perplexity(samples, data, tokenizer, arguments, directory / "reverse"),
    }
    on_main(lambda: write_json(path, found))
    return found
