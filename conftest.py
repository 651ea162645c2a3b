"""Doctests of modules whose libraries are extras of the package run where these are installed."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("gradio") else ["sharing/demo*.py"]
