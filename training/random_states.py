"""The states of torch's random generators: read, set, and kept through what draws from them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def random_state() -> dict:
    """Those of the CPU, of all CUDA devices and of an Apple GPU, as tensors on the CPU."""
    state = {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}
    return state | ({"mps": torch.mps.get_rng_state()} if torch.backends.mps.is_available() else {})


def set_random_state(state: dict) -> None:
    """Sets the generators of the devices that there are; a state may come from a machine with others."""
    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available():
        for device, saved in zip(range(torch.cuda.device_count()), state["cuda"], strict=False):
            torch.cuda.set_rng_state(saved, device)
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])


@contextmanager
def kept_random_state() -> Iterator[None]:
    """Whatever is drawn within it, what comes after draws as if nothing had been.

    Examples:
        >>> _ = torch.manual_seed(0)
        >>> with kept_random_state():
        ...     inside = torch.rand(1)
        >>> torch.equal(torch.rand(1), inside)
        True
    """
    state = random_state()
    try:
        yield
    finally:
        set_random_state(state)
