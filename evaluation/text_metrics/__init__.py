"""Metrics of text, each an `evaluate.Metric`."""
