"""A model of two latent dimensions as a map: where sentences lie, what they are, volume, a line and a geodesic.

python -m wae_rnf.reproduction.latent_plane runs/plane
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from modeling_wae_rnf.riemannian_metric import straight_line
from wae_rnf.evaluation.encode_split import encode_split
from wae_rnf.evaluation.latent_volume import log_volumes
from wae_rnf.evaluation.metrics_files import write_record
from wae_rnf.evaluation.model_directory import digest_of_weights, load_model
from wae_rnf.evaluation.path_text import decode
from wae_rnf.evaluation.provenance import provenance
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.evaluation.toy_quality import likeliest_attributes
from wae_rnf.tokenization.corpora import TOY, load_corpus
from wae_rnf.tokenization.preparation import prepare

PLANE = Path("results/geometry/plane.json")
SENTENCES, SIDE, STEPS = 1000, 41, 21  # sentences drawn, points of a side of the grid, points of a curve
MARGIN = 1.1  # of the map around the sentences
METRIC = "decoder"


def measure_plane(directory: str, number: int = SENTENCES, side: int = SIDE, steps: int = STEPS) -> dict:
    """What the map shows, as results/geometry/plane.json has it.

    Args:
        directory: of a model of two latent dimensions, trained on toy.
        number: of sentences, the first of the test split.
        side: points of a side of the grid of volumes.
        steps: points of a curve.

    Raises:
        ValueError: a model of another latent size.
    """
    start = time.perf_counter()
    model, tokenizer = load_model(directory)
    if model.config.latent_size != 2:
        raise ValueError(f"{directory} has {model.config.latent_size} latent dimensions; the map is of two")
    corpus = load_corpus(TOY)
    rows = prepare(corpus, tokenizer, max_words=model.config.max_words)["test"].select(range(number))
    means, texts = encode_split(model, rows).mean, corpus["test"]["text"][:number]
    attributes = [likeliest_attributes(text) for text in texts]
    reach = MARGIN * means.abs().max().item()
    axis = torch.linspace(-reach, reach, side, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    a, b = farthest(means)
    found = model.shortest_curves(a, b, steps, metric=METRIC)
    paths = {"straight": straight_line(a, b, steps), "geodesic": found.points}
    return {
        "means": rounded(means),
        "topics": [values["topic"] for values in attributes],
        "polarities": [values["polarity"] for values in attributes],
        "axis": rounded(axis),
        "log_volume": rounded(log_volumes(model, grid, METRIC).view(side, side)),
        "paths": {
            name: {
                "points": rounded(points[0]),
                "length": model.curve_length(points, metric=METRIC).item(),
                "texts": decode(model, tokenizer, points)[0],
            }
            for name, points in paths.items()
        },
        "converged": bool(found.converged),
        "metric": METRIC,
        "options": read_run(directory)["options"],
        "weights": digest_of_weights(model),
    } | provenance("cpu", 0, time.perf_counter() - start)


def farthest(means: Tensor) -> tuple[Tensor, Tensor]:
    """Two sentences at opposite ends of the map, (1, 2) each: along the first principal component, at 2% and 98%."""
    centred = means - means.mean(0)
    along = (centred @ torch.linalg.svd(centred, full_matrices=False)[2][0]).argsort()
    ends = along[torch.tensor([int(0.02 * len(along)), int(0.98 * len(along))])]
    first, last = means[ends].split(1)
    return first, last


def rounded(values: Tensor) -> list:
    return np.round(values.cpu().double().numpy(), 4).tolist()


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", help="Model of two latent dimensions, trained on toy.")
    parser.add_argument("--output", type=Path, default=PLANE, help="File of the figures.")
    options = parser.parse_args(argv)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_record(options.output, measure_plane(options.directory))


if __name__ == "__main__":
    main()
