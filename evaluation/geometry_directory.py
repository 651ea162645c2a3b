"""A model directory and a split in, geometry.json out."""

import time
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

from modeling_wae_rnf import WaeRnfConfig
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.preparation import prepare

from .evaluation_target import text_column_of
from .geometry import GeometryOptions, measure_geometry, metrics_of
from .geometry_table import print_geometry
from .latent_map import LatentMap
from .metrics_files import write_record
from .model_directory import digest_of_weights, load_model
from .path_text import Fluency
from .provenance import provenance
from .run_file import RUN_FILE, read_run

GEOMETRY_FILE = "geometry.json"


def geometry_of_directory(
    directory: str,
    path: Path,
    dataset: str,
    metrics: tuple[str, ...] | None = None,
    language_model: str | None = None,
    device: Any = "cpu",
    picture: tuple[Path, str] | None = None,
    system_of: Callable[[WaeRnfConfig], str] = attrgetter("model_type"),
    **options: Any,
) -> dict:
    """Measures the geometry of a model, writes it to `path` and prints it.

    Args:
        directory: of the model, or its name on the Hub.
        path: of the file.
        metrics: their names; by default all that the model has.
        language_model: the directory of a language model, which judges text.
        device: of the models.
        picture: a PNG for the map of the split, and the metric whose volume is its background.
        system_of: names the system of a model whose directory has no run.json.
        options: see [`GeometryOptions`].

    Returns:
        what the file holds.

    Raises:
        ValueError: a model without a latent variable or without one of the metrics, another kind of language model.
    """
    start = time.perf_counter()
    model, tokenizer = load_model(directory, device)
    if not model.config.has_latents:
        raise ValueError(f"{directory} is a language model: it has no latent space, and no geometry of one")
    if not metrics_of(model):
        raise ValueError(f"{directory} has topics, whose proportions lie on a simplex: there is no metric for it here")
    asked = [*(metrics or ()), *(picture[1:] if picture else ())]
    if missing := [name for name in asked if name not in metrics_of(model)]:
        raise ValueError(f"{directory} has no metric {missing[0]}; it has {', '.join(metrics_of(model))}")
    fluency = Fluency(*load_model(language_model, device)) if language_model is not None else None
    chosen = GeometryOptions(dataset=dataset, metrics=metrics or metrics_of(model), **options)
    corpus = load_corpus(dataset, text_column=text_column_of(directory, dataset))
    sentences = prepare(corpus, tokenizer, max_words=model.config.max_words)[chosen.split]
    run = read_run(directory) if Path(directory, RUN_FILE).exists() else {"options": {}}
    figures = {
        "system": run["options"].get("system") or system_of(model.config),
        "training": run["options"],
        "weights": digest_of_weights(model),
        "language_model": None if fluency is None else digest_of_weights(fluency.model),
    } | measure_geometry(model, tokenizer, sentences, chosen, fluency)
    record = write_record(path, figures | provenance(device, chosen.seed, time.perf_counter() - start))
    print_geometry(record)
    if picture is not None:
        LatentMap(model, sentences).save(*picture)
    return record
