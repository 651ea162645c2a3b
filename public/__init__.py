"""WAE-RNF: text autoencoders with Riemannian normalizing flows.

`import wae_rnf` registers the model and its tokenizer with the Auto classes of transformers, and gives the names
below. It loads neither torch nor transformers: a name is imported when it is asked for, and the model is registered
when the program imports transformers, or at once where it has done so.

Examples:
    >>> import wae_rnf
    >>> from transformers import AutoModel, AutoTokenizer
    >>> model, tokenizer = (auto.from_pretrained("runs/toy") for auto in (AutoModel, AutoTokenizer))  # doctest: +SKIP
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .registration import register_with_transformers

# each public name, and the module that it is defined in
PUBLIC = {
    "WaeRnfConfig": "modeling_wae_rnf",
    "WaeRnfModel": "modeling_wae_rnf",
    "WaeRnfOutput": "modeling_wae_rnf",
    "TextLatentPipeline": "modeling_wae_rnf",
    "WaeRnfTokenizer": "wae_rnf.tokenization.tokenizer",
    "build_tokenizer": "wae_rnf.tokenization.tokenizer",
    "load_corpus": "wae_rnf.tokenization.corpora",
    "prepare": "wae_rnf.tokenization.preparation",
    "load": "wae_rnf.text.text_autoencoder",
    "TextAutoencoder": "wae_rnf.text.text_autoencoder",
    "load_model": "wae_rnf.evaluation.model_directory",
    "TrainArguments": "wae_rnf.training.arguments",
    "train": "wae_rnf.training.run",
}
__all__ = [*PUBLIC]

try:
    __version__ = version("wae-rnf")  # it is set in setup.py
except PackageNotFoundError:  # a checkout that is not installed
    __version__ = "unknown"


def __getattr__(name: str) -> Any:
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *PUBLIC]


register_with_transformers()
