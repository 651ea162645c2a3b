"""The model card: what a repository on the Hub says of a model, from its metrics.json."""

from pathlib import Path

from huggingface_hub import EvalResult, ModelCard, ModelCardData

TEMPLATE = Path(__file__).with_name("model_card_template.md")
PRIORS = {"pushforward": "z ~ N(0, I), z' = F(z)", "flow_posterior": "z' ~ N(0, I)"}


def bounds(metrics):
    """[(label, {"nll", "ppl", …})]: the honest bounds, tightest first, and then the published protocol."""
    language_model = metrics["options"]["system"] == "lstm-lm"
    if language_model:
        return [("exact likelihood", metrics["pushforward"]["elbo"])]
    two = metrics["pushforward"]["iwae"]["nll"] != metrics["flow_posterior"]["iwae"]["nll"]
    found = []
    for reading, prior in PRIORS.items() if two else [("pushforward", "z ~ N(0, I)")]:
        samples = metrics[reading]["iwae"]["samples"]
        found.append((f"importance-weighted bound, {samples} samples, {prior}", metrics[reading]["iwae"]))
        found.append((f"ELBO, {prior}", metrics[reading]["elbo"]))
    found.sort(key=lambda bound: bound[1]["nll"])
    return [*found, ("published protocol, no bound", metrics["published"])]


def eval_results(metrics):
    """The figures as the Hub's model index has them, honest ones first."""
    dataset = {"dataset_type": Path(metrics["dataset"]).name, "dataset_name": Path(metrics["dataset"]).name}
    shared = {"task_type": "text-generation", "dataset_split": metrics["split"]} | dataset
    results = [
        EvalResult(metric_type=kind, metric_name=f"{unit}: {label}", metric_value=round(figures[kind], 3), **shared)
        for label, figures in bounds(metrics)
        for kind, unit in (("nll", "nats per sentence"), ("ppl", "perplexity per token"))
    ]
    for name in ("mutual_information", "active_units"):
        value = round(metrics[name], 3)
        results.append(EvalResult(metric_type=name, metric_name=name.replace("_", " "), metric_value=value, **shared))
    return results


def model_card(repository, metrics, config):
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
        license="mit",
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["text-autoencoder", "variational-autoencoder", "normalizing-flow", metrics["system"]],
        model_name=name,
        eval_results=eval_results(metrics),
    )
    values = {
        "name": name,
        "repository": repository,
        "dataset": Path(metrics["dataset"]).name,
        "bounds": bounds(metrics),
        "metrics": metrics,
        "config": config,
    }
    return ModelCard.from_template(data, template_path=str(TEMPLATE), **values)
