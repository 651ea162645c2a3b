"""Processes of their own: what must be measured from a program's start, or in fresh memory."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def output_of(module: str, *arguments: object) -> str:
    """What `python -m module …` prints."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout


def peak_mb(reset: bool = False) -> float:
    """The most memory this process has had, in megabytes (Linux); `reset` begins to count anew, and returns that."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
