"""Registers the model and its tokenizer with transformers, and waits until a program imports that.

transformers and torch take seconds to import, `wae-rnf --help` takes a tenth of one. So a finder at the head of
`sys.meta_path` watches for three imports; it finds nothing itself, and is gone once the model is registered.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

TRANSFORMERS, MODEL, TOKENIZER = "transformers", "modeling_wae_rnf", "wae_rnf.tokenization.tokenizer"


class Registrar(MetaPathFinder):
    """Registers once transformers, the model and the tokenizer are imported; the first brings the others."""

    def __init__(self) -> None:
        self.awaited = {TRANSFORMERS, MODEL, TOKENIZER}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self.awaited:
            return None
        self.awaited.discard(name)  # the other finders are asked now
        spec = find_spec(name)
        self.awaited.add(name)
        if spec is None or spec.loader is None:  # there is none, or it is a folder without code
            return spec
        execute = spec.loader.exec_module

        def execute_and_register(module: ModuleType) -> None:
            execute(module)
            self.imported(name)

        spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]  # of this import alone
        return spec

    def imported(self, name: str) -> None:
        """Takes note of an import that is complete."""
        self.awaited.discard(name)
        if name == TRANSFORMERS:
            # one of them that is being imported right now is noted when it is complete
            import_module(MODEL)
            import_module(TOKENIZER)
        if not self.awaited and self in sys.meta_path:
            sys.meta_path.remove(self)
            register()


def register() -> None:
    """Makes the tokenizer known to `AutoTokenizer`; the model has registered itself when it was imported."""
    from transformers import AutoTokenizer

    config, tokenizer = sys.modules[MODEL].WaeRnfConfig, sys.modules[TOKENIZER].WaeRnfTokenizer
    AutoTokenizer.register(config, tokenizer_class=tokenizer, exist_ok=True)


def register_with_transformers() -> None:
    """Registers at once where transformers has been imported, and otherwise as soon as it is."""
    registrar = Registrar()
    sys.meta_path.insert(0, registrar)
    for name in (MODEL, TRANSFORMERS):
        if name in sys.modules:
            registrar.imported(name)
