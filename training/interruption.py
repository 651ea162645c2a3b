"""SIGTERM and Ctrl-C while training: the step is finished, the state saved, and the program ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(Exception):
    """Training was stopped by a signal, and its state is saved.

    Args:
        number: of the signal.
        step: that the checkpoint is of.
    """

    def __init__(self, number: int, step: int) -> None:
        self.number = number
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name} after step {step}; the state is saved, go on with --resume")


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Within it a first SIGTERM or Ctrl-C is only remembered; a second one acts at once.

    Yields:
        a list, empty until the signal's number is in it.

    In a thread, where no signal can be caught, nothing changes.
    """
    asked: list[int] = []
    before: dict[signal.Signals, Any] = {}  # what was in force

    def remember(number: int, _: FrameType | None) -> None:
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
