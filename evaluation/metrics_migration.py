"""Metrics of older formats, brought to today's."""

from typing import Any, NotRequired, TypedDict

from .estimators import GENERATIVE_MODELS, generative_model_of
from .latent_use import warnings_of_metrics
from .metrics import FORMAT, Metrics, PaperProtocol, SplitMetrics


class OldBound(TypedDict):
    nll: float
    ppl: float


class OldModel(TypedDict):
    elbo: OldBound
    iwae: OldBound


class OldText(TypedDict):
    samples: dict[str, Any]


class OldSizes(TypedDict):
    """What every file has had, whatever its format."""

    num_sentences: int
    num_tokens: int
    pushforward: OldModel
    flow_posterior: OldModel


class Format3(OldSizes):
    """What format 4 changed of format 3."""

    reading: str  # today's `generative_model`


class OldMetrics(OldSizes):
    """What every file before format 3 has."""

    system: str
    dataset: str
    split: str
    published: PaperProtocol
    mutual_information: float
    active_units: int
    options: dict[str, Any]
    text: NotRequired[OldText]


def migrated(metrics: dict) -> Metrics:
    """The content of a file of format 0 (which has no number), 1 or 2, in the format of today.

    Args:
        metrics: content that fits [`OldMetrics`].
    """
    options = metrics["options"]
    system = options.get("system", metrics["system"])
    unknown = {
        "has_latents": system != "lstm-lm",
        "has_flow": metrics["pushforward"]["iwae"]["nll"] != metrics["flow_posterior"]["iwae"]["nll"],
        "reading": generative_model_of(
            options.get("objective") or ("flow_posterior" if system == "vae-nf" else "paper")
        ),
        "hub_dataset": None,
        "language": None,
        "samples": [],
        "training": None,
        "weights": None,
    }
    evaluation = {
        "iwae_samples": metrics["pushforward"]["iwae"].get("samples"),
        "proposal": "posterior",
        "max_sentences": options.get("eval_max_sentences"),
        "mixed_precision": options.get("mixed_precision", "no"),
        "seed": metrics.get("seed"),
    }
    prior = {"prior": "uniform_sphere" if system == "vmf-vae" else "standard_normal"}
    new: Any = unknown | migrated_split(prior | metrics) | {"evaluation": evaluation | metrics.get("evaluation", {})}
    if "text" in new:
        new["text"], perplexities = _text(new["text"])
        new |= _reproduction(metrics, perplexities)
    new.pop("row", None)
    return of_format_3({"warnings": warnings_of_metrics(new)} | new)


def of_format_3(metrics: dict) -> Metrics:
    """The content of a file of format 3 in that of today: before there was a choice, tokens were lower-case words.

    Args:
        metrics: content that fits [`Format3`].
    """
    renamed = {"generative_model" if name == "reading" else name: value for name, value in metrics.items()}
    found: Any = with_words(renamed)
    return found | {"tokenization": {"tokenization": "words", "lowercase": True}, "format": FORMAT}


def with_words(metrics: dict) -> dict:
    """Figures of a split with those per white-space word, where each token but the last is a word."""
    sizes = {"num_words": metrics["num_tokens"] - metrics["num_sentences"], "num_bytes": None}
    models = {
        generative_model: {
            name: bound | {"ppl_per_word": bound["ppl"], "bits_per_byte": None}
            for name, bound in metrics[generative_model].items()
        }
        for generative_model in GENERATIVE_MODELS
    }
    return metrics | sizes | models


def migrated_split(metrics: dict) -> SplitMetrics:
    """The part of `migrated` that an evaluation of a split finds."""
    unknown = {
        "prior": "standard_normal",  # before priors were learned
        "mutual_information_standard_error": None,
        "mutual_information_monte_carlo_error": None,
        "mutual_information_sentences": metrics["num_sentences"],
        "active_units_0.1": None,
        "units_over_0.05": None,
        "kl_of_units": None,
    }
    new = unknown | {name: value for name, value in metrics.items() if name != "published"}
    new["paper_protocol"] = metrics["published"]
    for generative_model in GENERATIVE_MODELS:
        bounds = {name: {"monte_carlo_error": None} | bound for name, bound in metrics[generative_model].items()}
        bounds = {name: _without(bound, "above_language_model") for name, bound in bounds.items()}
        bounds["iwae"] = {"proposal": "posterior"} | bounds["iwae"]
        new[generative_model] = bounds
    curve = {generative_model: [metrics[generative_model]["iwae"]["nll"]] for generative_model in GENERATIVE_MODELS}
    curve |= {"num_sentences": metrics["num_sentences"], "k": [metrics["pushforward"]["iwae"].get("samples")]}
    found: Any = with_words({"bound_over_k": curve} | new)
    return found


def _text(text: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The text's quality, and the perplexities of samples that stood in it."""
    names = {"perplexity_samples": "num_samples", "forward_ppl": "forward_ppl", "reverse_ppl": "reverse_ppl"}
    samples = {name: value for name, value in text["samples"].items() if name not in names}
    perplexities = {new: text["samples"].get(old) for old, new in names.items()}
    new = text | {"samples": samples}
    if "reconstructions" in text:
        new["reconstructions"] = {"examples": []} | text["reconstructions"]
    return new, perplexities


def _reproduction(metrics: dict[str, Any], perplexities: dict[str, Any]) -> dict[str, Any]:
    """What `wae-rnf reproduce` had added, at four places."""
    added: dict[str, Any] = {"row": metrics.get("row", metrics["system"])}
    if perplexities["forward_ppl"] is not None:
        added["perplexities"] = perplexities
    name = "above_language_model"
    if name in metrics["pushforward"]["elbo"]:
        added[name] = {
            generative_model: {
                kind: {"mean": bound[name], "standard_error": bound[f"{name}_standard_error"]}
                for kind, bound in metrics[generative_model].items()
            }
            for generative_model in GENERATIVE_MODELS
        }
    return {"reproduction": added} if len(added) > 1 or "row" in metrics else {}


def _without(bound: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name: value for name, value in bound.items() if not name.startswith(prefix)}
