"""SIGTERM and Ctrl-C while training: the step is finished, the state saved, and the program ends."""

import signal
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(Exception):
    """Training was stopped by a signal, and its state is saved.

    Args:
        number: of the signal.
        step: that the checkpoint is of.
    """

    def __init__(self, number, step):
        self.number = number
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name} after step {step}; the state is saved, go on with --resume")


@contextmanager
def stop_requests():
    """Within it a first SIGTERM or Ctrl-C is only remembered; a second one acts at once.

    Yields:
        a list, empty until the signal's number is in it.

    In a thread, where no signal can be caught, nothing changes.
    """
    asked, before = [], {}

    def remember(number, _):
        asked.append(number)
        for name, handler in before.items():
            signal.signal(name, handler)

    try:
        for name in SIGNALS:
            before[name] = signal.signal(name, remember)
    except ValueError:
        before = {}
    try:
        yield asked
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
