"""Geodesics under the decoder's metric: all pairs at once, and one after the other by the plain way."""

import itertools
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.decoder_metric import DecoderMetric
from modeling_wae_rnf.geodesics import bowed_lines, curve_length
from modeling_wae_rnf.metric_tensor import metric_of
from modeling_wae_rnf.riemannian_metric import straight_line
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.tokenization.toy.corpus import generate

from .subprocesses import ROOT
from .timing import timed

DIRECTORY = ROOT / "runs" / "toy"  # of `make train`
PAIRS, STEPS = 200, 21
LOOP = 1  # pairs of the plain loop
ITERATIONS = 200  # of the plain loop's L-BFGS, at most
QUICK = {"directory": ROOT / "tests" / "golden" / "models" / "wae-rnf", "pairs": 2, "steps": 5, "iterations": 2}


def measure(
    directory: str | Path = DIRECTORY,
    pairs: int = PAIRS,
    steps: int = STEPS,
    loop: int = LOOP,
    iterations: int = ITERATIONS,
) -> dict[str, Any]:
    """Seconds of geodesics between sentences of toy, and of the plain loop.

    Args:
        directory: of a model.
        pairs: solved at once.
        steps: points of a curve, its ends included.
        loop: pairs that are solved one after the other.
        iterations: of the plain loop, at most, for each start.

    Raises:
        ValueError: no model there; `make train` leaves it.
    """
    model, tokenizer = load_model(directory)
    texts = [str(row["text"]) for row in itertools.islice(generate("test", 2 * pairs, seed=0), 2 * pairs)]
    a, b = model.embed(**tokenizer(texts, return_tensors="pt", padding=True)).chunk(2)
    found: dict[str, Any] = {}
    seconds = timed(lambda: found.update(ours=model.shortest_curves(a, b, steps, metric="decoder")))
    ends = zip(a[:loop], b[:loop], strict=True)
    plain = timed(lambda: found.update(plain=[by_itself(model, *pair, steps, iterations) for pair in ends]))
    ours = found["ours"]
    lengths = model.curve_length(ours.points[:loop].float(), metric="decoder")
    straight = model.curve_length(straight_line(a, b, steps), metric="decoder")
    return {
        "pairs": pairs,
        "steps": steps,
        "threads": torch.get_num_threads(),
        "seconds_of_all": seconds,
        "seconds_per_pair": seconds / pairs,
        "seconds_per_pair_of_the_loop": plain / loop,
        "ratio": plain / loop / (seconds / pairs),
        "unconverged": int((~ours.converged).sum()),
        "straight_over_geodesic": (straight / model.curve_length(ours.points, metric="decoder")).mean().item(),
        "length_over_the_loop_s": (lengths.double() / torch.stack(found["plain"])).mean().item(),
    }


def by_itself(model: WaeRnfModel, a: Tensor, b: Tensor, steps: int, iterations: int) -> Tensor:
    """The length of one geodesic by torch's L-BFGS on the points of each of three starts, all scores at once."""
    metric = cast(DecoderMetric, metric_of(model, "decoder", torch.stack([a, b]).double()[None]))
    a, b = a.double()[None], b.double()[None]
    lengths = []
    for start in (straight_line(a, b, steps), *bowed_lines(a, b, steps, 2)):
        inner = start[:, 1:-1].clone().requires_grad_()
        optimizer = torch.optim.LBFGS([inner], max_iter=iterations, line_search_fn="strong_wolfe")

        def energy(inner: Tensor = inner, optimizer: torch.optim.LBFGS = optimizer, start: Tensor = start) -> Tensor:
            optimizer.zero_grad()
            log_probs = metric.logits(torch.cat([start[:, :1], inner, start[:, -1:]], dim=1)).log_softmax(-1)
            divergence = (log_probs.exp().diff(dim=1) * log_probs.diff(dim=1)).sum(-1)
            value = (divergence * metric.mask[:, None, :, 1:]).sum(-1).mean(-1).sum()
            value.backward()
            return value

        optimizer.step(energy)
        points = torch.cat([start[:, :1], inner.detach(), start[:, -1:]], dim=1)
        lengths.append(curve_length(metric, points)[0].detach())
    return torch.stack(lengths).min()
