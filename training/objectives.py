"""The model's table of objectives, for the command line: without the package around it, whose import takes seconds."""

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path


def load_alone(name):
    """A module of `modeling_wae_rnf` that imports nothing heavy, without the package's own imports.

    Example:
        >>> load_alone("objectives").CLOSED_FORM
        ('paper', 'pushforward')
    """
    (folder,) = find_spec("modeling_wae_rnf").submodule_search_locations
    spec = spec_from_file_location(f"{__name__}.{name}", Path(folder) / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OBJECTIVES = load_alone("objectives").OBJECTIVES
CLOSED_FORM = load_alone("objectives").CLOSED_FORM
