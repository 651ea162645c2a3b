"""The report of a reproduction: the paper's tables with its figures beside ours, and drawings, from the results."""

import statistics
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

from .arguments import TrainArguments
from .drawings import collapsed, draw_collapse, draw_mutual_information
from .estimators import READINGS
from .evaluation_target import same_corpus
from .metrics import read_metrics
from .option_scope import with_part
from .published import TABLES, another_corpus, published
from .run_directory import FREE_TO_CHANGE, read_json
from .systems import SYSTEMS

REPORT = "README.md"
PRECISIONS = {"no": "single precision", "bf16": "bfloat16", "fp16": "float16"}
MAPPED, MAP = "wae-rnf", "latent_map.png"  # the row whose latent space is drawn, and the drawing
FLOWS = ("wae", "wae-nf", "wae-rnf")
SAMPLED = ("vae", "wae-rnf")
OF_A_RUN = ("system", "centres_from", "seed", *FREE_TO_CHANGE)  # say nothing of the model, or are told elsewhere


def write_report(results):
    """Writes README.md and two drawings into a folder of results; returns the path of README.md.

    Args:
        results: a folder with one JSON file of metrics a system, or more with several seeds.

    Raises:
        ValueError: no results there, or not of one dataset.
    """
    results = Path(results)
    dataset, *others = datasets_in(results).values() or [None]
    if dataset is None or not all(same_corpus(dataset, other) for other in others):
        number = len({dataset, *others} - {None})
        raise ValueError(f"{results} must hold the results of one dataset, not of {number}")
    runs = read_runs(results)
    draw_mutual_information(runs, results / "mutual_information.png")
    draw_collapse(runs, results / "collapse.png")
    sections = {
        "Table 1: likelihoods": table_1(runs, dataset),
        "Table 2: what the flow and the metric change": table_2(runs, dataset),
        "Table 3: settings": table_3(runs),
        "What the rows differ in": differences(runs),
        "Text": text_table(runs),
        "Figure 3: mutual information": "![Mutual information on the test split](mutual_information.png)",
        "Figure 4: the code's use over training": "![KL, mutual information, active units](collapse.png)",
        "The latent space": latent_space(runs) if (results / MAP).exists() else "",
        "Table 4: samples from the prior": table_4(runs),
        "How they were made": origin(runs),
    }
    title = f"# The paper's systems on {Path(dataset).name}\n\n{introduction(runs)}"
    parts = [title, *(f"## {heading}\n\n{text}" for heading, text in sections.items() if text)]
    path = results / REPORT
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def datasets_in(results):
    """{path: dataset} of the results in a folder.

    Raises:
        ValueError: a JSON file that holds no results.
    """
    datasets = {path: read_json(path).get("dataset") for path in sorted(Path(results).glob("*.json"))}
    for path, dataset in datasets.items():
        if not isinstance(dataset, str):
            raise ValueError(f"{path} is not what wae-rnf reproduce writes: it has no 'dataset'; move it elsewhere")
    return datasets


def read_runs(results):
    """{row: [metrics of each seed]}: systems in the order of their table, then other rows by name.

    Raises:
        ValueError: a file that holds something else, or metrics that say nothing of the training.
    """
    runs = defaultdict(list)
    for path in sorted(Path(results).glob("*.json")):
        metrics = read_metrics(path)
        for name in ("training", "text"):
            if not isinstance(metrics.get(name), dict):
                raise ValueError(f"{path} is not what wae-rnf reproduce writes: it has no {name!r}")
        runs[metrics.get("row", metrics["system"])].append(metrics)
    return {row: runs[row] for row in [*SYSTEMS, *sorted(runs.keys() - SYSTEMS.keys())] if row in runs}


def training_in_words(several):
    """Of several runs' metrics: how long they were trained, whether shorter than the paper's, in which precision."""
    options = [metrics["options"] for metrics in several]
    epochs, papers = sorted({own["num_epochs"] for own in options}), TABLES["table_3"]["num_epochs"]
    steps = options[0]["max_steps"]
    parts = [f"{' or '.join(map(str, epochs))} epoch{'' if epochs == [1] else 's'} of each system"]
    parts += [f"at most {steps:,} steps"] if steps else []
    parts += (
        [f"**shortened from the paper's {papers}**, annealing scaled to it"] if epochs[0] < papers or steps else []
    )
    return ", ".join([*parts, " or ".join(sorted({PRECISIONS[own["mixed_precision"]] for own in options}))])


def introduction(runs):
    """What the reader must know of the figures."""
    all_of_them = [metrics for several in runs.values() for metrics in several]
    sizes, seeds = all_of_them[0], max(map(len, runs.values()))
    spread = f" Mean ± standard deviation over {seeds} seeds." if seeds > 1 else ""
    return (
        f"{training_in_words(all_of_them)}. Test split: {sizes['num_sentences']:,} sentences, "
        f"{sizes['num_tokens']:,} tokens; nats per sentence, perplexity per token.{spread} What the paper publishes "
        "is no bound (it is computed at the posterior mean); its columns are for comparison alone, and the honest "
        "ones are the ELBO and the importance-weighted bound beside them." + another_corpus(sizes["dataset"])
    )


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def over_seeds(several, read, digits=2):
    """The value that `read` takes from each run's metrics: mean, and ± standard deviation over more than one."""
    values = [read(metrics) for metrics in several]
    if values[0] is None:
        return "–"
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread}"


def above_language_model(several, reading):
    """How far a bound lies from the language model's likelihood, in pairs, ± standard error; the first seed."""
    bound = several[0][reading]["iwae"]
    if "above_language_model" not in bound or not several[0]["has_latents"]:
        return "–"
    return f"{bound['above_language_model']:+.2f} ± {bound['above_language_model_standard_error']:.2f}"


def best_reading(metrics):
    """The reading whose importance-weighted bound is lower."""
    return min(READINGS, key=lambda reading: metrics[reading]["iwae"]["nll"])


def label(reading):
    return reading.replace("_", " ")


def number(value, digits):
    return "–" if value is None else f"{value:.{digits}f}"


def table_1(runs, dataset):
    header = [
        "system",
        "paper: NLL (KL) PPL",
        "ours, published protocol",
        "reading",
        "ELBO",
        "IWAE",
        "k",
        "PPL of IWAE",
    ]
    compared = any("above_language_model" in m["pushforward"]["iwae"] for several in runs.values() for m in several)
    header += [*(["IWAE above lstm-lm"] if compared else []), "KL", "MI", "AU"]
    rows = []
    for system, several in runs.items():
        theirs = published("table_1", dataset, system)
        paper = f"{theirs['nll']:.1f} ({number(theirs['kl'], 2)}) {theirs['ppl']:.1f}" if theirs else "–"
        ours = [over_seeds(several, lambda m, name=name: m["published"][name], 1) for name in ("nll", "kl", "ppl")]
        two = several[0]["has_flow"]
        for reading in READINGS if two else ("pushforward",):
            head = [system, paper, f"{ours[0]} ({ours[1]}) {ours[2]}"] if reading == "pushforward" else ["", "", ""]
            honest = [
                over_seeds(several, lambda m, r=reading: m[r]["elbo"]["nll"]),
                over_seeds(several, lambda m, r=reading: m[r]["iwae"]["nll"]),
                several[0][reading]["iwae"]["samples"],
                over_seeds(several, lambda m, r=reading: m[r]["iwae"]["ppl"], 1),
            ]
            use = [
                over_seeds(several, lambda m, r=reading: m[r]["elbo"]["kl"]),
                over_seeds(several, lambda m: m["mutual_information"]),
                over_seeds(several, lambda m: m["active_units"], 0),
            ]
            above = [above_language_model(several, reading)] if compared else []
            rows.append([*head, label(reading) if two else "", *honest, *above, *use])
    first = next(iter(runs.values()))[0]
    entropy = f" The entropy of the corpus is {first['entropy']:.2f} nats." if "entropy" in first else ""
    exact = "IWAE takes k samples a sentence; a language model's likelihood is exact with one."
    return f"{exact}{entropy}\n\n{table(header, rows)}"


def table_2(runs, dataset):
    names = ("nll", "kl", "log_abs_det", "ppl")
    rows = []
    for system in FLOWS:
        if system in runs:
            theirs = published("table_2", dataset, system)
            ours = [over_seeds(runs[system], lambda m, name=name: m["published"][name], 1) for name in names]
            rows.append([system, *(number(theirs.get(name), 1) for name in names), *ours])
    if not rows:
        return "None of wae, wae-nf and wae-rnf was trained."
    titles = ("NLL", "Re-KL", "Log-J", "PPL")
    header = ["system", *(f"paper: {title}" for title in titles), *(f"ours: {title}" for title in titles)]
    return "All by the published protocol.\n\n" + table(header, rows)


def table_3(runs):
    options = next(iter(runs.values()))[0]["options"]
    rows = [[name, value, options[name]] for name, value in TABLES["table_3"].items()]
    return table(["setting", "paper", "ours"], rows)


def differences(runs):
    """The options that are not the same in all rows; nothing where the systems alone differ."""
    # an option that is newer than a run had its default
    options = {row: with_part(asdict(TrainArguments()) | several[0]["options"]) for row, several in runs.items()}
    names = dict.fromkeys(name for own in options.values() for name in own if name not in OF_A_RUN)
    differing = [name for name in names if len({str(own[name]) for own in options.values() if name in own}) > 1]
    if not differing:
        return ""
    header = ["row", "system", *(f"`{name}`" for name in differing)]
    rows = [[row, own["system"], *(own.get(name, "–") for name in differing)] for row, own in options.items()]
    return table(header, rows)


def text_table(runs):
    names = {"distinct_1": 3, "distinct_2": 3, "distinct_3": 3, "self_bleu": 1, "forward_ppl": 1, "reverse_ppl": 1}
    rows = [
        [
            system,
            *(over_seeds(several, lambda m, n=name: m["text"]["samples"].get(n), d) for name, d in names.items()),
            over_seeds(several, lambda m: m["text"].get("reconstructions", {}).get("bleu"), 1),
        ]
        for system, several in runs.items()
    ]
    header = ["system", "distinct-1", "distinct-2", "distinct-3", "self-BLEU", "forward PPL", "reverse PPL"]
    samples = [metrics["text"]["samples"] for several in runs.values() for metrics in several]
    more = sorted({own["perplexity_samples"] for own in samples if "perplexity_samples" in own})
    more = " or ".join(f"{number:,}" for number in more) or "more of them"
    return (
        f"Of {samples[0]['num_sentences']:,} samples from the prior: distinct n-grams, self-BLEU; of {more} the "
        "perplexity under the language model of the corpus (forward), and that of the test split under a language "
        "model that was trained on them for as many epochs (reverse). BLEU is of greedy reconstructions from the "
        "posterior mean.\n\n" + table([*header, "BLEU"], rows)
    )


def table_4(runs):
    chosen = [(system, runs[system][0]["samples"]) for system in SAMPLED if system in runs]
    if not chosen:
        return "Neither vae nor wae-rnf was trained."
    return "\n\n".join(f"{system}:\n\n" + "\n".join(f"- {line}" for line in lines) for system, lines in chosen)


def latent_space(runs):
    """The map, and what it is worth."""
    metrics = runs[MAPPED][0] if MAPPED in runs else None
    caution = (
        f"{MAPPED} is collapsed: its posterior means are all but one point, I(z; x) is "
        f"{abs(metrics['mutual_information']):.2f} nats. Mind the scale of the axes: what they show is noise.\n\n"
        if metrics and collapsed(metrics)
        else ""
    )
    return f"{caution}![Posterior means of {MAPPED}]({MAP})"


def origin(runs):
    rows = [
        [
            system,
            f"`{metrics['training']['commit'][:12] if metrics['training']['commit'] else 'unknown'}`",
            metrics["options"]["seed"],
            f"{metrics['training']['steps']:,}",
            f"{metrics['training']['seconds'] / 60:.1f}",
            f"{metrics['seconds'] / 60:.1f}",
            metrics["training"]["device"],
            metrics["options"]["mixed_precision"],
        ]
        for system, several in runs.items()
        for metrics in several
    ]
    command = next(iter(runs.values()))[0]["command"]
    header = ["system", "commit", "seed", "steps", "minutes of training", "of evaluation", "device", "mixed precision"]
    return f"`{command}`; versions and all options are in the JSON files beside this page.\n\n{table(header, rows)}"
