"""The digest of the code that a cached file came from: a change of the code has it made anew."""

import hashlib
import unicodedata
from functools import cache
from pathlib import Path

import tokenizers

__all__ = ["code_digest"]


@cache
def code_digest(*modules: str) -> str:
    """Return a digest of modules of this package, and of what splits, strips and lowers for them.

    The library of data sets hashes an installed function by its name alone, so that a file in its cache would outlive
    the code that wrote it. This digest among the arguments of such a function tells old and new apart.

    Args:
        modules: names, in which `*` stands for any characters.

    Examples:
        >>> code_digest("lines") == code_digest("lines") != code_digest("lines", "tokenizer")
        True
    """
    digest = hashlib.sha256(f"{unicodedata.unidata_version} {tokenizers.__version__}".encode())
    for module in modules:
        paths = sorted(Path(__file__).parent.glob(f"{module}.py"))
        if not paths:
            raise ValueError(f"there is no module {module}")
        for path in paths:
            digest.update(path.read_bytes())
    return digest.hexdigest()
