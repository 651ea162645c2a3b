"""The light modules of `modeling_wae_rnf`, without the package around them, whose import takes seconds.

`wae_rnf.training.network.objectives` is a second copy of `modeling_wae_rnf.objectives`: for tables of plain values,
which the command line reads before torch is imported.

Examples:
    >>> from wae_rnf.training.network.objectives import OBJECTIVES
    >>> OBJECTIVES["paper"].closed_form
    True
"""

from importlib.util import find_spec

__path__ = find_spec("modeling_wae_rnf").submodule_search_locations  # type: ignore[union-attr,assignment]
