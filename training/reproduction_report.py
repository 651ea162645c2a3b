"""The report of a reproduction: the paper's tables with its figures beside ours, and drawings, from the results."""

import statistics
from collections import defaultdict
from pathlib import Path

from .drawings import draw_collapse, draw_mutual_information
from .model_directory import read_json
from .published import TABLES, published
from .systems import SYSTEMS

REPORT = "README.md"
MAPPED, MAP = "wae-rnf", "latent_map.png"  # the row whose latent space is drawn, and the drawing
FLOWS = ("wae", "wae-nf", "wae-rnf")
SAMPLED = ("vae", "wae-rnf")
OF_A_RUN = ("system", "seed", "output_dir", "centres_from", "resume", "save_steps")  # say nothing of the model
READINGS = {"pushforward": "pushforward", "flow_posterior": "flow posterior"}


def write_report(results):
    """Writes README.md and two drawings into a folder of results; returns the path of README.md.

    Args:
        results: a folder with one JSON file of metrics a system, or more with several seeds.

    Raises:
        ValueError: no results there, or not of one dataset.
    """
    results = Path(results)
    runs = read_runs(results)
    datasets = {metrics["dataset"] for several in runs.values() for metrics in several}
    if len(datasets) != 1:
        raise ValueError(f"{results} must hold the results of one dataset, not of {len(datasets)}")
    (dataset,) = datasets
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
        "The latent space": f"![Posterior means of {MAPPED}]({MAP})" if (results / MAP).exists() else "",
        "Table 4: samples from the prior": table_4(runs),
        "How they were made": origin(runs),
    }
    title = f"# The paper's systems on {Path(dataset).name}\n\n{schedule(runs)}"
    parts = [title, *(f"## {heading}\n\n{text}" for heading, text in sections.items() if text)]
    path = results / REPORT
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def read_runs(results):
    """{row: [metrics of each seed]}: systems in the order of their table, then other rows by name."""
    runs = defaultdict(list)
    for path in sorted(Path(results).glob("*.json")):
        metrics = read_json(path)
        runs[metrics.get("row", metrics["system"])].append(metrics)
    return {row: runs[row] for row in [*SYSTEMS, *sorted(runs.keys() - SYSTEMS.keys())] if row in runs}


def schedule(runs):
    """One sentence: how long the systems were trained, and that it is shorter than the paper's where it is."""
    first = next(iter(runs.values()))[0]["options"]
    epochs = sorted({metrics["options"]["num_epochs"] for several in runs.values() for metrics in several})
    length = f"{' or '.join(map(str, epochs))} epoch{'' if epochs == [1] else 's'}"
    steps = f", at most {first['max_steps']:,} steps" if first["max_steps"] else ""
    shorter = epochs[0] < TABLES["table_3"]["num_epochs"] or first["max_steps"]
    note = (
        f", **shortened from the paper's {TABLES['table_3']['num_epochs']}**, annealing scaled to it"
        if shorter
        else ""
    )
    sizes = next(iter(runs.values()))[0]
    seeds = max(map(len, runs.values()))
    several = f" Mean ± standard deviation over {seeds} seeds." if seeds > 1 else ""
    return (
        f"{length} of each system{steps}{note}. Test split: {sizes['num_sentences']:,} sentences, "
        f"{sizes['num_tokens']:,} tokens; nats per sentence, perplexity per token.{several} What the paper publishes "
        "is no bound (it is computed at the posterior mean); its columns are for comparison alone, and the honest "
        "ones are the ELBO and the importance-weighted bound beside them."
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
    header += ["KL", "MI", "AU"]
    rows = []
    for system, several in runs.items():
        theirs = published("table_1", dataset, system)
        paper = f"{theirs['nll']:.1f} ({number(theirs['kl'], 2)}) {theirs['ppl']:.1f}" if theirs else "–"
        ours = [over_seeds(several, lambda m, name=name: m["published"][name], 1) for name in ("nll", "kl", "ppl")]
        two = several[0]["pushforward"]["iwae"]["nll"] != several[0]["flow_posterior"]["iwae"]["nll"]
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
            rows.append([*head, READINGS[reading] if two else "", *honest, *use])
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
    options = {row: several[0]["options"] for row, several in runs.items()}
    names = dict.fromkeys(name for own in options.values() for name in own if name not in OF_A_RUN)
    differing = [name for name in names if len({str(own.get(name)) for own in options.values()}) > 1]
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
    count = next(iter(runs.values()))[0]["text"]["samples"]["num_sentences"]
    return (
        f"Of {count:,} samples from the prior: distinct n-grams, self-BLEU; of more of them the perplexity under the "
        "language model of the corpus (forward), and that of the test split under a language model of the samples "
        "(reverse). BLEU is of greedy reconstructions from the posterior mean.\n\n" + table([*header, "BLEU"], rows)
    )


def table_4(runs):
    chosen = [(system, runs[system][0]["samples"]) for system in SAMPLED if system in runs]
    if not chosen:
        return "Neither vae nor wae-rnf was trained."
    return "\n\n".join(f"{system}:\n\n" + "\n".join(f"- {line}" for line in lines) for system, lines in chosen)


def origin(runs):
    rows = [
        [
            system,
            f"`{metrics['training']['commit'][:12] if metrics['training']['commit'] else 'unknown'}`",
            metrics["seed"],
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
