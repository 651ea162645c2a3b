"""A step of training, ours and the plain one, on the same batches: speed, memory, and the same losses."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial

import torch

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel

from .floor import SQUARE, matrix_rate, training_flop
from .generated_batches import SIZES, TINY, Batch, Sizes
from .plain_model import PlainModel
from .subprocesses import output_of, peak_mb
from .timing import Figures, alternate

BATCHES, ROUNDS = 4, 5
CURVE_STEPS = 200
MODELS = {"plain": (PlainModel, False), "ours": (WaeRnfModel, True)}
QUICK = {"all_sizes": TINY, "batches": 1, "rounds": 1, "curve_steps": 2, "square": 64}


def measure(
    all_sizes: Mapping[str, Sizes] = SIZES,
    batches: int = BATCHES,
    rounds: int = ROUNDS,
    curve_steps: int = CURVE_STEPS,
    square: int = SQUARE,
) -> Figures:
    """{size: {order of the sentences: {implementation: …}}}, peak memory, and the largest gap of the loss curves.

    Args:
        all_sizes: {"ptb", "yahoo"}, of the vocabulary and the sentences.
        batches: steps of one round.
        rounds: how often each implementation is timed.
        curve_steps: of the loss curves.
        square: rows of the product that the floor is measured with.
    """
    rate = matrix_rate(square=square)
    steps = {}
    for name, sizes in all_sizes.items():
        orders = {"random": sizes.batches(batches), "grouped by length": sizes.grouped_batches(batches)}
        steps[name] = {order: measure_steps(sizes, given, rate, rounds) for order, given in orders.items()}
        steps[name]["peak_memory_mb"] = {model: peak_memory(model, sizes) for model in MODELS}
    return {"matrix_rate": rate, "steps": steps, "loss_curve": compare_curves(all_sizes["ptb"], curve_steps)}


def build(name: str, config: WaeRnfConfig) -> tuple[WaeRnfModel, torch.optim.Optimizer]:
    """A model in training mode and its optimizer, always with the same weights."""
    kind, fused = MODELS[name]
    torch.manual_seed(0)
    model = kind(config).train()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused or None)


def step(model: WaeRnfModel, optimizer: torch.optim.Optimizer, batch: Batch) -> torch.Tensor:
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


def measure_steps(sizes: Sizes, batches: list[Batch], rate: float, rounds: int) -> Figures:
    tokens = sum(int(batch["attention_mask"].sum()) - len(batch["input_ids"]) for batch in batches)
    padded = sum(batch["input_ids"].numel() - len(batch["input_ids"]) for batch in batches)
    built = {name: build(name, sizes.config()) for name in MODELS}
    seconds = alternate({name: partial(run, *pair, batches) for name, pair in built.items()}, rounds)
    floor = training_flop(sizes.config()) * tokens / rate
    measured = {
        name: {
            "milliseconds_per_step": 1e3 * value / len(batches),
            "tokens_per_second": tokens / value,
            "fraction_of_floor": floor / value,
        }
        for name, value in seconds.items()
    }
    return measured | {
        "tokens_per_batch": tokens / len(batches),
        "padded_tokens_per_token": padded / tokens,
        "ratio": seconds["plain"] / seconds["ours"],
    }


def run(model: WaeRnfModel, optimizer: torch.optim.Optimizer, batches: Iterable[Batch]) -> None:
    for batch in batches:
        step(model, optimizer, batch)


def compare_curves(sizes: Sizes, steps: int) -> dict[str, float]:
    """Losses of both over the same batches and samples, without dropout: the largest relative difference."""
    config = sizes.config(dropout=0.0)
    built = {name: build(name, config) for name in MODELS}
    losses: dict[str, list[float]] = {name: [] for name in MODELS}
    for number, batch in enumerate(sizes.batches(steps)):
        for name, (model, optimizer) in built.items():
            torch.manual_seed(number)
            losses[name].append(step(model, optimizer, batch).item())
    differences = [abs(a / b - 1) for a, b in zip(losses["ours"], losses["plain"], strict=True)]
    ends = {"first_loss": losses["plain"][0], "last_loss": losses["plain"][-1]}
    return ends | {"steps": steps, "largest_relative_difference": max(differences)}


def peak_memory(name: str, sizes: Sizes) -> float:
    """Megabytes that a process needs beyond its loaded libraries for three steps."""
    return float(output_of("benchmarks.training_step", name, json.dumps(asdict(sizes))))


def print_peak_memory(name: str, sizes: str) -> None:
    loaded = peak_mb(reset=True)
    given = Sizes(**json.loads(sizes))
    run(*build(name, given.config()), given.batches(3))
    print(peak_mb() - loaded)


if __name__ == "__main__":
    print_peak_memory(*sys.argv[1:])
