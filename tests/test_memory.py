"""Memory that a step gives back is there for the next one; systems without such options are not asked for them."""

import os
import platform
import resource
import sys
from types import SimpleNamespace

import pytest
import torch

from wae_rnf.training import launch
from wae_rnf.training.launch import MALLOC, keep_memory_flat

PAGES = 5_000_000 * 4 // resource.getpagesize()  # of a large tensor


@pytest.fixture
def asked(monkeypatch):
    """What is asked of malloc, on a system without any of the variables in its environment."""
    calls = {}
    for variable, *_ in MALLOC:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    library = SimpleNamespace(mallopt=lambda number, size: calls.update({number: size}))
    monkeypatch.setattr(launch, "ctypes", SimpleNamespace(CDLL=lambda name: library))
    return calls


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc" or any(name in os.environ for name, *_ in MALLOC),
    reason="of glibc, without options in the environment",
)
def test_large_tensors_are_not_asked_of_the_kernel_anew():
    keep_memory_flat()
    for _ in range(30):  # the heap grows until what is freed fits what is asked for
        torch.ones(5_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(5_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < PAGES  # of 10 * PAGES, were each one new


def test_options_are_given_where_the_environment_has_none(asked, monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000")
    keep_memory_flat()
    assert asked == {number: size for variable, number, size in MALLOC if variable != "MALLOC_TRIM_THRESHOLD_"}


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_other_systems_are_not_asked(asked, system, monkeypatch):
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr(launch, "ctypes", None)
    keep_memory_flat()
    assert asked == {}


def test_another_library_of_c(asked, monkeypatch):
    monkeypatch.setattr(launch, "ctypes", SimpleNamespace(CDLL=lambda name: object()))
    keep_memory_flat()
    assert asked == {}
