"""The report of a reproduction: the paper's tables with its figures beside ours, and drawings, from the results."""

import statistics
from collections import defaultdict
from pathlib import Path

import numpy as np

from wae_rnf.evaluation.estimators import READINGS
from wae_rnf.evaluation.evaluation_target import same_corpus
from wae_rnf.evaluation.json_files import read_json
from wae_rnf.evaluation.metrics import read_metrics, read_sentences, sentences_file
from wae_rnf.training.option_scope import unlike_system, with_part
from wae_rnf.training.run_directory import FREE_TO_CHANGE
from wae_rnf.training.systems import SYSTEMS

from .arguments import LANGUAGE_MODEL
from .drawings import bounds_over_k, collapsed, draw_bound_over_k, draw_collapse, draw_mutual_information
from .intervals import paired_difference
from .paper_figures import QUANTITIES, TABLES, another_corpus, published, same_quantity

REPORT, OVER_K = "README.md", "bound_over_k.png"
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
    curves = bounds_over_k(runs)
    if curves:
        draw_bound_over_k(runs, results / OVER_K)
    sections = {
        "Table 1: likelihoods": table_1(runs, dataset, above_language_model(results, runs)),
        "Table 2: what the flow and the metric change": table_2(runs, dataset),
        "Table 3: settings": table_3(runs),
        "What the rows differ in": differences(runs),
        "Text": text_table(runs),
        "Figure 3: mutual information": "![Mutual information on the test split](mutual_information.png)",
        "Figure 4: the code's use over training": "![KL, mutual information, active units](collapse.png)",
        "The bound over k": over_k(curves) if curves else "",
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


def files_of_rows(results):
    """{row: [path of each seed's metrics]}: systems in the order of their table, then other rows by name."""
    files = defaultdict(list)
    for path in sorted(Path(results).glob("*.json")):
        metrics = read_metrics(path)
        files[metrics.get("row", metrics["system"])].append(path)
    return {row: files[row] for row in [*SYSTEMS, *sorted(files.keys() - SYSTEMS.keys())] if row in files}


def read_runs(results):
    """{row: [metrics of each seed]}, in the order of `files_of_rows`.

    Raises:
        ValueError: a file that holds something else, or metrics that say nothing of the training.
    """
    runs = {row: list(map(read_metrics, paths)) for row, paths in files_of_rows(results).items()}
    for row, paths in files_of_rows(results).items():
        for path, metrics in zip(paths, runs[row], strict=True):
            for name in ("training", "text"):
                if not isinstance(metrics.get(name), dict):
                    raise ValueError(f"{path} is not what wae-rnf reproduce writes: it has no {name!r}")
    return runs


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
        f"{sizes['num_tokens']:,} tokens; nats per sentence, perplexity per token.{spread} The paper's "
        "figures are not all of one quantity: those of systems with flows are computed at the posterior mean, and are "
        "no bounds. Each stands beside the same quantity of ours, for comparison alone; the honest columns are the "
        "ELBO and the importance-weighted bound." + another_corpus(sizes["dataset"])
    )


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def over_seeds(several, read, digits=2):
    """The value that `read` takes from each run's metrics: mean, and ± standard deviation over more than one."""
    values = [read(metrics) for metrics in several]
    if None in values:
        return "–"
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread}"


def above_language_model(results, runs):
    """{(row, reading): by how much its importance-weighted bound lies above the language model's exact figure}.

    A [`Difference`] over seeds and sentences, of rows whose bounds of each sentence lie beside their metrics and are
    of the same sentences as those of all seeds of `lstm-lm`.
    """
    kept = {row: read_bounds(paths) for row, paths in files_of_rows(results).items()}
    language_model = kept.pop(LANGUAGE_MODEL, None)
    found = {}
    for row, bounds in kept.items():
        if bounds and language_model and np.array_equal(bounds["length"], language_model["length"]):
            for reading in READINGS if runs[row][0]["has_flow"] else ("pushforward",):
                found[row, reading] = paired_difference(bounds[reading], language_model["pushforward"])
    return found


def read_bounds(paths):
    """The importance-weighted bound of each sentence: {"length": (sentences,), reading: (seeds, sentences)}.

    None where a seed's are not kept, or are of other sentences than the first one's.
    """
    files = [path for path in paths if sentences_file(path).exists()]
    columns = [read_sentences(path) for path in files]
    lengths = [one["length"] for one in columns]
    if len(files) < len(paths) or not all(np.array_equal(lengths[0], other) for other in lengths):
        return None
    bounds = {
        reading: np.stack([one.get(f"{reading}_iwae", one["pushforward_iwae"]) for one in columns])
        for reading in READINGS
    }
    return {"length": lengths[0]} | bounds


def above_in_words(several, row, reading, above):
    """A row's cell: the difference with its interval, or what older results have, ± standard error of one seed."""
    if (row, reading) in above:
        return str(above[row, reading])
    bound = several[0][reading]["iwae"]
    if "above_language_model" not in bound or not several[0]["has_latents"]:
        return "–"
    return f"{bound['above_language_model']:+.2f} ± {bound['above_language_model_standard_error']:.2f}"


def about_intervals(above):
    """What the brackets in a table are."""
    if not above:
        return ""
    alone = all(found.over_seeds for found in above.values())
    return (
        " Above lstm-lm: paired differences of the importance-weighted bound, with the 95% interval of a bootstrap "
        f"over seeds and sentences{'' if alone else ', over sentences alone where a row has one seed'}."
    )


def label(reading):
    return reading.replace("_", " ")


def number(value, digits):
    return "–" if value is None else f"{value:.{digits}f}"


def of_paper(metrics, dataset, row):
    """The paper's figures of a row, from its first table or its second; {} of a row that is no system of its own."""
    if row != metrics["system"]:
        return {}
    return published("table_1", dataset, row) or published("table_2", dataset, row)


def k_of(bound):
    """The number of importance samples, and where it is not q(z|x) what they were drawn from."""
    return f"{bound['samples']}" + (" of a mixture" if bound.get("proposal") == "mixture" else "")


ABOUT_ERRORS = (
    "Its ± is the standard error over sentences, or the standard deviation over seeds; in brackets, the Monte-Carlo "
    "error, of the samples alone."
)


def iwae_with_errors(several, reading):
    """The importance-weighted bound with its errors: over sentences or seeds, and of the samples where it is known."""
    bound = several[0][reading]["iwae"]
    value = over_seeds(several, lambda metrics: metrics[reading]["iwae"]["nll"])
    if len(several) == 1:
        value += f" ± {number(bound['standard_error'], 2)}"
    error = bound.get("monte_carlo_error")
    return f"{value} ({error:.3f})" if error else value


def units(several):
    """Units whose mean varies by more than 0.01, by more than 0.1, and those of more than 0.05 nats."""
    names = ("active_units", "active_units_0.1", "units_over_0.05")
    return " / ".join(over_seeds(several, lambda m, name=name: m.get(name), 0) for name in names)


UNITS = "AU 0.01 / AU 0.1 / KL > 0.05"


def table_1(runs, dataset, above):
    compared = above or any(
        "above_language_model" in metrics["pushforward"]["iwae"] for several in runs.values() for metrics in several
    )
    header = ["system", "paper: NLL (KL) PPL", "which is", "ours, the same", "reading", "ELBO", "IWAE", "k"]
    header += ["PPL of IWAE", *(["IWAE above lstm-lm"] if compared else []), "KL", "MI", UNITS]
    rows = []
    for system, several in runs.items():
        two = several[0]["has_flow"]
        for reading in READINGS if two else ("pushforward",):
            head = [system, *beside_the_paper(several, dataset, system)] if reading == "pushforward" else [""] * 4
            own = ", its own" if reading == several[0]["reading"] else ""
            bounds = [
                over_seeds(several, lambda m, r=reading: m[r]["elbo"]["nll"]),
                iwae_with_errors(several, reading),
                k_of(several[0][reading]["iwae"]),
                over_seeds(several, lambda m, r=reading: m[r]["iwae"]["ppl"], 1),
                *([above_in_words(several, system, reading, above)] if compared else []),
                over_seeds(several, lambda m, r=reading: m[r]["elbo"]["kl"]),
            ]
            use = [over_seeds(several, lambda m: m["mutual_information"]), units(several)]
            rows.append([*head, label(reading) + own if two else "", *bounds, *use])
    first = next(iter(runs.values()))[0]
    entropy = f" The entropy of the corpus is {first['entropy']:.2f} nats." if "entropy" in first else ""
    text = (
        f"IWAE takes k samples a sentence; a language model's likelihood is exact with one. {ABOUT_ERRORS} A reading "
        "is a row's own where its objective trains that generative model: claims are made by it."
        f"{entropy}{about_intervals(above)}"
    )
    return f"{text}\n\n{table(header, rows)}"


def beside_the_paper(several, dataset, row):
    """The paper's NLL (KL) PPL of a row, which quantity that is, and ours of the same one."""
    theirs = of_paper(several[0], dataset, row)
    if not theirs:
        return ["–", "–", "–"]
    ours = [
        over_seeds(several, lambda m, name=name: same_quantity(m, theirs["protocol"])[name], 1)
        for name in ("nll", "kl", "ppl")
    ]
    nll, kl, ppl = f"{theirs['nll']:.1f}", number(theirs["kl"], 2), f"{theirs['ppl']:.1f}"
    return [f"{nll} ({kl}) {ppl}", QUANTITIES[theirs["protocol"]], f"{ours[0]} ({ours[1]}) {ours[2]}"]


def table_2(runs, dataset):
    names = ("nll", "kl", "log_abs_det", "ppl")
    rows = []
    for system in FLOWS:
        if system in runs:
            theirs = published("table_2", dataset, system)
            protocol = theirs.get("protocol", "published")
            ours = [
                over_seeds(runs[system], lambda m, name=name, p=protocol: same_quantity(m, p).get(name), 1)
                for name in names
            ]
            rows.append([system, QUANTITIES[protocol], *(number(theirs.get(name), 1) for name in names), *ours])
    if not rows:
        return "None of wae, wae-nf and wae-rnf was trained."
    titles = ("NLL", "Re-KL", "Log-J", "PPL")
    header = ["system", "which is", *(f"paper: {title}" for title in titles), *(f"ours: {title}" for title in titles)]
    return table(header, rows)


def table_3(runs):
    options = next(iter(runs.values()))[0]["options"]
    rows = [[name, value, options[name]] for name, value in TABLES["table_3"].items()]
    return table(["setting", "paper", "ours"], rows)


def differences(runs):
    """The options that are not the same in all rows; nothing where the systems alone differ."""
    options = {row: with_part(several[0]["options"]) for row, several in runs.items()}
    names = dict.fromkeys(name for own in options.values() for name in own if name not in OF_A_RUN)

    def differs(name):
        rows = [own for own in options.values() if name in own]
        return all(len({str(own.get(name)) for own in of}) > 1 for of in (rows, map(unlike_system, rows)))

    differing = [name for name in names if differs(name)]
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


def over_k(curves):
    """The drawing of the bound over k, and what it is of."""
    of = sorted({metrics["bound_over_k"]["num_sentences"] for metrics in curves.values()})
    return (
        f"Of the first {' or '.join(f'{count:,}' for count in of)} test sentences, the mean over disjoint groups of k "
        "samples, in each row's own reading. Where a curve still falls at its end, the likelihood is better than the "
        f"bound says.\n\n![The importance-weighted bound over k]({OVER_K})"
    )


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
