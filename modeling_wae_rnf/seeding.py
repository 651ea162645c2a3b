"""Random numbers that follow from a generator, for what takes none."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded_by(generator: torch.Generator | None, device: torch.device) -> Iterator[None]:
    """Within it the global random numbers follow from the generator's; without one nothing changes."""
    if generator is None:
        yield
        return
    devices = [device] if device.type == "cuda" else []
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
