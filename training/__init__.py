"""Options in, a model directory out: systems, their options, the stages of a run, checkpoints."""
