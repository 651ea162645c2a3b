"""What all interchangeable parts have in common."""

from inspect import Parameter, signature
from types import ModuleType
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from .configuration_wae_rnf import WaeRnfConfig


class Part:
    """A part that a configuration names, see `components.py`.

    It is built as `part(config, ...)`. Options that are its own are the keyword-only parameters of its constructor;
    `<kind>_kwargs` of the configuration sets them.
    """

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """The names of the options that are the part's own."""
        parameters = signature(cls.__init__).parameters.values()
        return tuple(parameter.name for parameter in parameters if parameter.kind is Parameter.KEYWORD_ONLY)

    @classmethod
    def check(cls, config: "WaeRnfConfig") -> None:
        """Whether the part can be built from the fields of a [`WaeRnfConfig`], before it is.

        Raises:
            ValueError: it cannot.
        """

    def reset_parameters(self, init: ModuleType = nn.init) -> None:
        """Starts anew the parameters that PyTorch's bounds for linear layers and LSTMs are not meant for.

        Args:
            init: where `normal_`, `zeros_` and the like come from; these leave parameters alone that are loaded.
        """
