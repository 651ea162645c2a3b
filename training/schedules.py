"""The schedule of alpha (`kl_weight`) and lambda (`mmd_weight`), the two weights of eq. 17."""

from typing import TYPE_CHECKING

from .systems import System

if TYPE_CHECKING:
    from modeling_wae_rnf import WaeRnfConfig


class Annealing:
    """The two weights at each step of a stage.

    Args:
        system: its row, of which `annealing`, `climbs_from` and `constant_sum` count.
        config: the model's, whose weights are the last ones.
        cycles: see `annealed_weights`.
        num_steps: of the stage.
    """

    def __init__(self, system: System, config: "WaeRnfConfig", cycles: int, num_steps: int) -> None:
        self.annealing, self.climbs_from, self.constant_sum = system.annealing, system.climbs_from, system.constant_sum
        self.config, self.cycles, self.num_steps = config, cycles, num_steps

    def weights(self, step: int) -> dict[str, float]:
        """{"kl_weight": alpha, "mmd_weight": lambda} after so many steps."""
        progress = step / self.num_steps
        how = self.annealing, self.cycles, self.constant_sum, self.climbs_from
        return annealed_weights(progress, self.config, *how)

    def is_over(self, step: int) -> bool:
        """Whether alpha has its last value at a step, for good; one of 0 always has."""
        end = self.annealing[1]
        return not self.config.kl_weight or step / self.num_steps >= (self.cycles - 1 + end) / self.cycles


def annealed_weights(
    progress: float,
    config: "WaeRnfConfig",
    annealing: tuple[float, float],
    cycles: int = 1,
    constant_sum: bool = True,
    climbs_from: float = 0.0,
) -> dict[str, float]:
    """alpha climbs linearly to `config.kl_weight`, and either alpha + lambda or lambda stays what it is at the end.

    Args:
        progress: part of the run that is done, in [0, 1].
        config: its `kl_weight` and `mmd_weight` are the last values; an `mmd_weight` of 0 stays 0.
        annealing: (start, end), the parts of the run, or of each cycle, between which alpha climbs.
        cycles: how often alpha climbs anew (Fu et al. 2019, arXiv 1903.10145).
        constant_sum: whether alpha + lambda is constant, as in the paper, or lambda alone.
        climbs_from: the part of its last value that alpha climbs from.

    Returns:
        {"kl_weight": alpha, "mmd_weight": lambda}

    Examples:
        >>> from modeling_wae_rnf import WaeRnfConfig
        >>> annealed_weights(0.0, WaeRnfConfig(), (0.0, 0.5))
        {'kl_weight': 0.0, 'mmd_weight': 10.0}
        >>> annealed_weights(0.0, WaeRnfConfig(), (0.0, 0.5), constant_sum=False)
        {'kl_weight': 0.0, 'mmd_weight': 9.2}
    """
    start, end = annealing
    part = progress * cycles % 1 if progress < 1 else 1.0
    climbed = float(part >= end) if end <= start else min(max((part - start) / (end - start), 0.0), 1.0)
    kl_weight = (climbs_from + (1 - climbs_from) * climbed) * config.kl_weight
    mmd_weight = config.mmd_weight
    if constant_sum and mmd_weight:
        mmd_weight += config.kl_weight - kl_weight
    return {"kl_weight": kl_weight, "mmd_weight": mmd_weight}
