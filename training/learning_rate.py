"""The learning rate of each epoch: it decays at stalls of validation, and at milestones."""

from collections.abc import Sequence

from .arguments import TrainArguments


def learning_rate(arguments: TrainArguments, epoch: int, losses: Sequence[float]) -> float:
    """That of an epoch. It depends on the validations before it alone, so that a resumed run has the same.

    Args:
        arguments: [`TrainArguments`]; its `learning_rate`, `lr_decay`, `lr_patience` and `lr_milestones`.
        epoch: whole epochs that are done.
        losses: of each validation that counts, in order.

    Examples:
        >>> from wae_rnf.training.arguments import TrainArguments
        >>> learning_rate(TrainArguments(learning_rate=0.1, lr_decay=0.5, lr_milestones=[2]), epoch=2, losses=[])
        0.05
    """
    decays = num_decays(losses, epoch, arguments.lr_patience, arguments.lr_milestones or ())
    return arguments.learning_rate * arguments.lr_decay**decays


def num_decays(losses: Sequence[float], epoch: int, patience: int = 0, milestones: Sequence[int] = ()) -> int:
    """How often the learning rate has decayed: at each stall of validation, and after each milestone.

    Args:
        losses: of each validation that counts, in order.
        epoch: whole epochs that are done.
        patience: a stall is so many validations in a row, none under the lowest before; 0 knows no stall.
        milestones: epochs after which the learning rate decays in any case.

    Examples:
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
