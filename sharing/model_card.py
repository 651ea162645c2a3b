"""The model card: what a repository on the Hub says of a model, from its metrics.json."""

from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.evaluation.columns import NOTHING, Row, columns, listed, symbol_of_prior
from wae_rnf.evaluation.markdown import table
from wae_rnf.evaluation.metrics import AnyMetrics

TEMPLATE = Path(__file__).with_name("model_card_template.md")
MINIMUM_VERSIONS = {"transformers": "5.17", "torch": "2.13"}  # as setup.py has them
FIGURES = {  # of a bound: heading, and name and form of the figure
    "NLL": ("nll", ".2f"),
    "perplexity": ("ppl", ".1f"),
    "per word": ("ppl_per_word", ".1f"),
    "bits per byte": ("bits_per_byte", ".3f"),
}
VOCABULARY = {"words": "words", "punctuation": "words and punctuation marks"}
LATENT_USE = ("mutual_information", "active_units", "active_units_0.1", "units_over_0.05")
TEXT = ("bleu", "self_bleu", "distinct_1", "distinct_2", "distinct_3")
PRIORS = {"pushforward": "z ~ {}, z' = F(z)", "flow_posterior": "z' ~ {}"}


def honest_bounds(metrics: AnyMetrics) -> list[tuple[str, AnyMetrics]]:
    """[(label, {"nll", "ppl", …})]: the bounds of the likelihood, tightest first."""
    if not metrics["has_latents"]:
        return [("exact likelihood", metrics["pushforward"]["elbo"])]
    found = []
    for generative_model, prior in PRIORS.items() if metrics["has_flow"] else [("pushforward", "z ~ {}")]:
        prior = prior.format(symbol_of_prior(metrics))
        samples = metrics[generative_model]["iwae"]["samples"]
        found.append((f"importance-weighted bound, {samples} samples, {prior}", metrics[generative_model]["iwae"]))
        found.append((f"ELBO, {prior}", metrics[generative_model]["elbo"]))
    return sorted(found, key=lambda bound: bound[1]["nll"])


def bounds_table(metrics: AnyMetrics) -> str:
    """The honest bounds, and then the paper's protocol, as a table."""
    protocol = [("the paper's protocol, no bound", metrics["paper_protocol"])] if metrics["has_latents"] else []
    rows = [
        (label, *(formatted(of.get(name), form) for name, form in FIGURES.values()))
        for label, of in honest_bounds(metrics) + protocol
    ]
    return table(["", *FIGURES], rows)


def formatted(figure: float | None, form: str) -> str:
    """A figure of a table; a dash where it is not known."""
    return NOTHING if figure is None else format(figure, form)


def vocabulary_in_words(metrics: AnyMetrics, config: WaeRnfConfig) -> str:
    """What the model reads and writes.

    Examples:
        >>> from types import SimpleNamespace
        >>> config = SimpleNamespace(vocab_size=300)
        >>> vocabulary_in_words({"tokenization": {"tokenization": "bpe", "lowercase": False}}, config)
        'reads and writes 300 pieces of words, cased as written; no word is unknown to it'
    """
    name, lowercase = metrics["tokenization"].values()
    case = "in lower case" if lowercase else "cased as written"
    if name == "bpe":
        return f"reads and writes {config.vocab_size:,} pieces of words, {case}; no word is unknown to it"
    return (
        f"knows the {config.vocab_size:,} {VOCABULARY[name]} of its vocabulary, {case}, and writes `<unk>` for others"
    )


def other_figures(metrics: AnyMetrics) -> str:
    """The use of the latent variable and the quality of text, as a table of a line a figure."""
    shown = columns("entropy", *LATENT_USE, *TEXT)
    lines = listed(Row.own(metrics["system"], [metrics]), shown)
    return table(["figure", "value", "unit"], lines) if lines else ""


def eval_results(metrics: AnyMetrics) -> list[EvalResult]:
    """The figures as the Hub's model index has them: honest ones alone, since it has no room for a reservation."""
    name = Path(metrics["dataset"]).name
    shared: dict[str, Any] = {"task_type": "text-generation", "dataset_split": metrics["split"]}
    shared |= {"dataset_type": metrics["hub_dataset"] or name, "dataset_name": name}
    results = [
        EvalResult(metric_type=kind, metric_name=f"{unit}: {label}", metric_value=round(figures[kind], 3), **shared)
        for label, figures in honest_bounds(metrics)
        for kind, unit in (("nll", "nats per sentence"), ("ppl", "perplexity per token"))
    ]
    for name in ("mutual_information", "active_units") if metrics["has_latents"] else ():
        value = round(metrics[name], 3)
        results.append(EvalResult(metric_type=name, metric_name=name.replace("_", " "), metric_value=value, **shared))
    return results


def tags(metrics: AnyMetrics) -> list[str]:
    """What the model is, for the Hub's search."""
    kinds = {
        "text-autoencoder": "has_latents",
        "variational-autoencoder": "has_latents",
        "normalizing-flow": "has_flow",
    }
    return [*(kind for kind, condition in kinds.items() if metrics[condition]), metrics["system"]]


def model_card(repository: str, metrics: AnyMetrics, config: WaeRnfConfig) -> ModelCard:
    """The card of a model.

    Args:
        repository: `user/name`.
        metrics: what metrics.json holds.
        config: the model's configuration.

    Returns:
        a `huggingface_hub.ModelCard`.
    """
    name = repository.split("/")[-1]
    data = ModelCardData(
        language=metrics["language"],
        datasets=[metrics["hub_dataset"]] if metrics["hub_dataset"] else None,
        license="mit",
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=tags(metrics),
        model_name=name,
        eval_results=eval_results(metrics),
    )
    values: dict[str, Any] = {
        "name": name,
        "repository": repository,
        "dataset": Path(metrics["dataset"]).name,
        "bounds": bounds_table(metrics),
        "figures": other_figures(metrics),
        "vocabulary": vocabulary_in_words(metrics, config),
        "metrics": metrics,
        "config": config,
        "minimum_versions": MINIMUM_VERSIONS,
    }
    return ModelCard.from_template(data, template_path=str(TEMPLATE), **values)
