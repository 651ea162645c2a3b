"""Schedules: of alpha (`kl_weight`) and lambda (`mmd_weight`), the two weights of eq. 17, and of the learning rate."""


def annealed_weights(progress, config, annealing, cycles=1):
    """alpha climbs linearly from 0 to `config.kl_weight`; alpha + lambda stays what it is at the end.

    Args:
        progress: part of the run that is done, in [0, 1].
        config: its `kl_weight` and `mmd_weight` are the last values; an `mmd_weight` of 0 stays 0.
        annealing: (start, end), the parts of the run, or of each cycle, between which alpha climbs.
        cycles: how often alpha climbs anew from 0 (Fu et al. 2019, arXiv 1903.10145).

    Returns:
        {"kl_weight": alpha, "mmd_weight": lambda}

    Example:
        >>> from modeling_wae_rnf import WaeRnfConfig
        >>> annealed_weights(0.0, WaeRnfConfig(), (0.0, 0.5))
        {'kl_weight': 0.0, 'mmd_weight': 10.0}
    """
    start, end = annealing
    part = progress * cycles % 1 if progress < 1 else 1.0
    climbed = float(part >= end) if end <= start else min(max((part - start) / (end - start), 0.0), 1.0)
    kl_weight = climbed * config.kl_weight
    mmd_weight = config.mmd_weight + config.kl_weight - kl_weight if config.mmd_weight else 0.0
    return {"kl_weight": kl_weight, "mmd_weight": mmd_weight}


def num_decays(losses, epoch, patience=0, milestones=()):
    """How often the learning rate has decayed: at each stall of validation, and after each milestone.

    Args:
        losses: of each validation that counts, in order.
        epoch: whole epochs that are done.
        patience: a stall is so many validations in a row, none under the lowest before; 0 knows no stall.
        milestones: epochs after which the learning rate decays in any case.

    Example:
        >>> num_decays([3.0, 2.0, 2.5, 2.1, 1.9], epoch=5, patience=2)
        1
        >>> num_decays([], epoch=20, milestones=[15, 35])
        1
    """
    decays = sum(epoch >= milestone for milestone in milestones)
    lowest, waited = float("inf"), 0
    for loss in losses:
        waited = 0 if loss < lowest else waited + 1
        lowest = min(loss, lowest)
        if patience and waited == patience:
            decays, waited = decays + 1, 0
    return decays
