"""The terms of a loss by name, and their means over steps or sentences, kept on the device until they are read."""

from collections.abc import Mapping

import torch


class WeightedSums:
    """Sums of terms, each addition with its weight. Reading them is what waits for a GPU, adding is not.

    Examples:
        >>> sums = WeightedSums()
        >>> sums.add({"loss": torch.tensor(3.0)}, weight=2)
        >>> sums.add({"loss": torch.tensor(6.0)}, weight=1)
        >>> sums.over(3)
        {'loss': 4.0}
    """

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.values: torch.Tensor | None = None

    def add(self, terms: Mapping[str, torch.Tensor], weight: float = 1.0) -> None:
        """Adds {name: scalar tensor}; the names are the same at each call."""
        values = torch.stack(list(terms.values())) * weight
        self.names, self.values = tuple(terms), values if self.values is None else self.values + values

    def add_sums(self, other: "WeightedSums") -> None:
        """Adds what another has summed, of the same names."""
        added = other.total
        self.names, self.values = other.names, added if self.values is None else self.values + added

    @property
    def total(self) -> torch.Tensor:
        """The sums, in the order of `names`."""
        assert self.values is not None, "nothing was added"
        return self.values

    @property
    def loss(self) -> torch.Tensor:
        """The sum of the losses, a scalar tensor."""
        return self.total[self.names.index("loss")]

    def over(self, number: float) -> dict[str, float]:
        """{name: the sum over a number}, of weights say, as Python's floats."""
        return dict(zip(self.names, (self.total / number).tolist(), strict=True))


class FirstBadStep:
    """The first step whose loss was not finite: noticed on the device, read where one waits for it anyway.

    Args:
        device: of the losses.
    """

    def __init__(self, device: torch.device) -> None:
        self._step = torch.full((), -1, device=device)

    def see(self, loss: torch.Tensor, step: int) -> None:
        bad = loss.isfinite().logical_not() & (self._step < 0)
        self._step = torch.where(bad, step, self._step)

    @property
    def step(self) -> int | None:
        """Its number; None where every loss was finite."""
        step = int(self._step)
        return None if step < 0 else step
