"""Whether a module may be computed from its weights, without calling it."""

import torch
from torch import nn


def is_plain(module: nn.Module) -> bool:
    """Whether calling a module does what its class does with its weights, and nothing else.

    Adapters (peft), quantization (torchao), parametrizations and hooks (weights that accelerate keeps on the CPU or on
    disk) stand in a module's place, or around it: such a module has to be called.

    Examples:
        >>> linear = nn.Linear(2, 3)
        >>> is_plain(linear)
        True
        >>> _ = linear.register_forward_hook(lambda module, inputs, output: 2 * output)
        >>> is_plain(linear)
        False
    """
    return (
        type(module) in (nn.Linear, nn.LSTM)
        and "forward" not in vars(module)  # accelerate puts its own there
        and not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)
        # an export puts tensors of its own in the parameters' place
        and (torch.compiler.is_exporting() or all(type(weight) is nn.Parameter for weight in module.parameters(False)))
    )
