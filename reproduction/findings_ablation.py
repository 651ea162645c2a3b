"""The section of docs/findings.md on the ablation: what the flow, the kernel, the MMD and the heads contribute."""

import math

from .corpus_report import table, training_in_words

COLUMNS = {
    "ELBO, pushforward": lambda m: f"{m['pushforward']['elbo']['nll']:.2f}",
    "IWAE, pushforward": lambda m: f"{m['pushforward']['iwae']['nll']:.2f}",
    "IWAE, flow posterior": lambda m: f"{m['flow_posterior']['iwae']['nll']:.2f}",
    "published protocol": lambda m: f"{m['published']['nll']:.2f}",
    "KL": lambda m: f"{m['pushforward']['elbo']['kl']:.2f}",
    "MI": lambda m: f"{m['mutual_information']:.2f}",
    "AU": lambda m: m["active_units"],
    "Σ log\\|det\\|": lambda m: f"{m['published']['log_abs_det']:.2f}",
    "MMD": lambda m: f"{m['mmd']:.4f}",
    "BLEU": lambda m: f"{m['text']['reconstructions']['bleu']:.1f}",
}


def ablation_section(found):
    """What kernel, MMD, batch normalization and objective contribute."""
    parts = ["![Ablation](ablation.png)"]
    for name, rows in found.items():
        cells = [[row, *(column(metrics) for column in COLUMNS.values())] for row, metrics in rows.items()]
        parts.append(
            f"{name} ({training_in_words(rows.values())}; [more of it](../results/ablation/{name}/README.md)):"
        )
        parts.append(table(["row", *COLUMNS], cells))
        parts += [*effects(rows), about_centres(rows), about_the_gaussian_kernel(rows)]
    return parts


def about_centres(rows):
    """Whether the clusters that the metric is made of lie apart."""
    metrics = rows["wae-rnf"]
    distance, prior = metrics["mean_distance_of_centres"], math.sqrt(2 * metrics["options"]["latent_size"])
    information = rows["vae"]["mutual_information"]
    return (
        f"The centres of K_m and K_g are clusters of a VAE's posterior means. That VAE says {information:.2f} nats "
        f"about a sentence, and its centres lie {distance:.2f} apart on average, where two samples of the prior lie "
        f"some {prior:.1f} apart."
    )


def about_the_gaussian_kernel(rows):
    """Why K_g is too much in the paper's objective, and nothing in the authors'."""
    rnf, authors, without = (rows[name] for name in ("wae-rnf-gaussian", "wae-rnf-gaussian-authors", "wae-nf-authors"))
    log_kernel = rnf["training"]["history"][-1]["log_kernel"]
    difference = authors["pushforward"]["iwae"]["nll"] - without["pushforward"]["iwae"]["nll"]
    return (
        "K_g = exp(-10 r²) is narrow for distances r of this size. Eq. 16 adds its logarithm, -10 r², which pulls "
        f"the codes to the centres, away from the prior (MMD {rnf['mmd']:.2f}), and is {log_kernel:.0f} nats a "
        "sentence at the end, summed over the steps of the flow. In the authors' form, "
        "-log(1 + K_g), the same kernel is next to nothing: with it the importance-weighted bound differs by "
        f"{difference:.2g} nats from that of the row without."
    )


PAIRS = {
    "the flow (wae to wae-nf)": ("wae", "wae-nf"),
    "the kernel K_m (wae-nf to wae-rnf)": ("wae-nf", "wae-rnf"),
    "the kernel K_g (wae-nf to wae-rnf-gaussian)": ("wae-nf", "wae-rnf-gaussian"),
    "the kernel K_m in the authors' objective": ("wae-nf-authors", "wae-rnf-authors"),
    "the kernel K_g in the authors' objective": ("wae-nf-authors", "wae-rnf-gaussian-authors"),
    "the kernel K_m, plain heads": ("wae-nf-plain_heads", "wae-rnf-plain_heads"),
    "the kernel K_g, plain heads": ("wae-nf-plain_heads", "wae-rnf-gaussian-plain_heads"),
    "the MMD in wae": ("wae-no_mmd", "wae"),
    "the MMD in wae-nf": ("wae-nf-no_mmd", "wae-nf"),
    "the MMD in wae-rnf": ("wae-rnf-no_mmd", "wae-rnf"),
    "K_m's MMD instead of the Gaussian one, wae": ("wae-gaussian_mmd", "wae"),
    "K_m's MMD instead of the Gaussian one, wae-rnf": ("wae-rnf-gaussian_mmd", "wae-rnf"),
    "batch normalization in wae": ("wae-plain_heads", "wae"),
    "batch normalization in wae-nf": ("wae-nf-plain_heads", "wae-nf"),
    "batch normalization in wae-rnf": ("wae-rnf-plain_heads", "wae-rnf"),
    "the paper's instead of the authors' objective, wae-rnf": ("wae-rnf-authors", "wae-rnf"),
}


def difference(rows, without, with_it):
    """By how much a row's bound (IWAE, pushforward), published figure, mutual information and active units change."""
    one, other = rows[without], rows[with_it]
    return [
        other["pushforward"]["iwae"]["nll"] - one["pushforward"]["iwae"]["nll"],
        other["published"]["nll"] - one["published"]["nll"],
        other["mutual_information"] - one["mutual_information"],
        other["active_units"] - one["active_units"],
    ]


def contributions(rows):
    """(ingredient, change of the bound, change of the mutual information) of WAE-RNF's ingredients."""
    without = {
        "flow": "wae",
        "kernel K_m": "wae-nf",
        "MMD": "wae-rnf-no_mmd",
        "batch-normalized heads": "wae-rnf-plain_heads",
    }
    for name, row in without.items():
        nats, _, information, _ = difference(rows, row, "wae-nf" if name == "flow" else "wae-rnf")
        yield name, nats, information


def effects(rows):
    """How each ingredient, added, changes the figures."""
    cells = []
    for ingredient, (without, with_it) in PAIRS.items():
        if without in rows and with_it in rows:
            *changes, units = difference(rows, without, with_it)
            cells.append([ingredient, *(f"{change:+.2f}" for change in changes), f"{units:+d}"])
    header = ["what is added", "honest IWAE", "published protocol", "MI", "AU"]
    return ["Each ingredient added to the row without it; nats, under 0 is a better likelihood:", table(header, cells)]
