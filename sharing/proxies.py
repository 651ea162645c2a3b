"""The proxies of the environment, which are for other machines than this one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NAMES = ("http_proxy", "https_proxy", "all_proxy")


@contextmanager
def without_proxies() -> Iterator[None]:
    """Within it the environment names no proxy: a program asks its own page for an answer without one.

    Examples:
        >>> with without_proxies():
        ...     "HTTP_PROXY" in os.environ
        False
    """
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.lower() in NAMES}
    try:
        yield
    finally:
        os.environ.update(before)
