"""Text in, text out: a trained model and its tokenizer as one object that takes and gives strings.

Importing the package alone loads neither torch nor transformers: a name is imported when it is asked for.
"""

from importlib import import_module
from typing import Any

# each public name, and the module that it is defined in
PUBLIC = {
    "TextAutoencoder": "text_autoencoder",
    "load": "text_autoencoder",
    "LatentEmbedding": "latent_embedding",
    "UnreadTextWarning": "text_input",
}
__all__ = [*PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{PUBLIC[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *PUBLIC]
