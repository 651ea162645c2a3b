"""A run's directory is held by one training: others are refused, and a killed one leaves it free."""

import errno
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from wae_rnf.commands.main import main
from wae_rnf.evaluation.json_files import write_json
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.training import run_lock
from wae_rnf.training.run import train
from wae_rnf.training.run_directory import claimed
from wae_rnf.training.run_lock import LOCK_FILE, locked

from .small_runs import options

pytestmark = pytest.mark.usefixtures("workplace", "no_steps")
HOLD = """
import sys, time
from wae_rnf.training.run_directory import claimed
with claimed(sys.argv[1], {}, resume=len(sys.argv) > 2):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def held_by_another_process(directory, *more):
    process = subprocess.Popen([sys.executable, "-c", HOLD, directory, *more], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait(timeout=20)
        process.stdout.close()


def test_a_second_process_is_refused_and_a_kill_frees_the_directory():
    with held_by_another_process("run") as first:
        with pytest.raises(ValueError, match="another process is training into --output_dir run"), locked("run"):
            pass
        write_json("run/run.json", {"options": vars(options())})
        with pytest.raises(ValueError, match="another process is training into --output_dir run"):
            train(options(resume=True))
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=20)
    with locked("run"):
        pass


def test_of_many_that_start_at_once_one_trains():
    """A race that check-then-act loses: all of them look before any of them has written."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, "run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    deadline = time.monotonic() + 60
    while sum(process.poll() is None for process in processes) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    (winner,) = (process for process in processes if process.poll() is None)
    winner.kill()
    errors = [process.communicate(timeout=20)[1] for process in processes if process is not winner]
    winner.communicate(timeout=20)
    assert len(errors) == 3
    assert all("another process is training" in error or "holds another run" in error for error in errors)


def test_a_training_holds_its_directory_to_its_end(monkeypatch, workplace):
    monkeypatch.undo()
    monkeypatch.chdir(workplace)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", workplace / "cache")
    found = []

    def second(arguments, *_):
        with pytest.raises(ValueError, match="another process is training"), claimed("run", vars(arguments), True):
            pass
        found.append(main(["sample", "run", "-n", "1"]))  # who reads need not hold it
        found.append(read_run("run")["training"]["history"][0]["mutual_information_sentences"])

    monkeypatch.setattr("wae_rnf.training.run.report", second)
    train(options(max_steps=1))
    assert found == [0, 12]
    with locked("run"):
        pass


def test_a_lock_file_that_was_removed_meanwhile_is_none(monkeypatch, workplace):
    """Its directory was given up between opening and locking it: the lock would be of a file that nobody sees."""
    (workplace / "run").mkdir()
    lock, calls = run_lock._lock, []

    def removed_before(descriptor, directory):
        calls.append(descriptor)
        if len(calls) == 1:
            os.unlink(workplace / "run" / LOCK_FILE)
        lock(descriptor, directory)

    monkeypatch.setattr(run_lock, "_lock", removed_before)
    with locked(workplace / "run"):
        assert len(calls) == 2
        with pytest.raises(ValueError, match="another process"), locked(workplace / "run"):
            pass


def test_a_file_system_without_locks_is_said(monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    Path("run").mkdir()
    monkeypatch.setattr(run_lock.fcntl, "flock", none)
    with pytest.warns(UserWarning, match="has no locks"), locked("run"):
        pass
