"""A model directory and a split in, metrics.json out. Nothing is trained here."""
