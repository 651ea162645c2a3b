"""The optimizer of a stage: AdamW, whose weight decay spares vectors."""

from typing import Any

import torch

from .arguments import TrainArguments


def build_optimizer(model: torch.nn.Module, arguments: TrainArguments) -> torch.optim.AdamW:
    """AdamW over all parameters of a model.

    Args:
        arguments: [`TrainArguments`]; its `learning_rate` and `weight_decay`.
    """
    groups = parameter_groups(model, arguments.weight_decay)
    return torch.optim.AdamW(groups, arguments.learning_rate, fused=True)


def parameter_groups(model: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The parameters as AdamW takes them: matrices decay, vectors (biases, batch normalization, flows) do not.

    Examples:
        >>> [len(group["params"]) for group in parameter_groups(torch.nn.Linear(2, 2), 0.1)]
        [1, 1]
    """
    if not weight_decay:
        return [{"params": list(model.parameters()), "weight_decay": 0.0}]
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
