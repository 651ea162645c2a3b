"""Training and judging: systems, schedules, batching, centres, loop, estimators, evaluation, report, command line.

Import from the modules themselves; importing the package alone loads nothing heavy.
"""
