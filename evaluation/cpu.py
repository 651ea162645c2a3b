"""The CPU in words: its name, and the instruction set that torch uses of it."""

import os
import platform
import subprocess
from functools import cache
from pathlib import Path

import torch

CPUINFO = Path("/proc/cpuinfo")
ONEDNN_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")  # the newer name counts


@cache
def processor_name() -> str:
    """The processor's name as its maker gives it, or the architecture where the system does not tell more.

    Examples:
        >>> bool(processor_name())
        True
    """
    return from_cpuinfo() or from_sysctl() or platform.processor() or platform.machine() or "unknown processor"


def from_cpuinfo() -> str:
    """Of Linux; Arm's processors have numbers there instead of a name. "" where there is no such file."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    fields: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        fields.setdefault(name.strip(), value.strip())
    if "CPU part" in fields:
        numbers = f"implementer {fields.get('CPU implementer', 'unknown')}, part {fields['CPU part']}"
        return fields.get("model name") or f"{platform.machine()} {numbers}"
    return fields.get("model name", "")


def from_sysctl() -> str:
    """Of macOS; "" elsewhere."""
    if platform.system() != "Darwin":
        return ""
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def instruction_set() -> str:
    """The one that torch's own kernels are chosen for, and the limit of oneDNN's where the environment sets one.

    Two processors of the same kind give other digits with another instruction set, and bfloat16 may need a newer one.

    Returns:
        For example "AVX512", or "AVX512, oneDNN at most AVX2"; "DEFAULT" is torch's word for none in particular.
    """
    try:
        found = torch.backends.cpu.get_cpu_capability()
    except (AttributeError, RuntimeError):  # not in every build of torch
        found = "unknown instruction set"
    limit = next((os.environ[name] for name in ONEDNN_LIMITS if os.environ.get(name)), "")
    return found + (f", oneDNN at most {limit}" if limit else "")
