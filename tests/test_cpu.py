"""The processor's name from what each system tells of it, and the instruction set from torch and the environment."""

import platform
import subprocess
from types import SimpleNamespace

import pytest
import torch

from wae_rnf.evaluation import cpu, provenance
from wae_rnf.evaluation.cpu import instruction_set, processor_name

INTEL = "processor\t: 0\nmodel name\t: Some(R) CPU @ 2.00GHz\n\nprocessor\t: 1\nmodel name\t: Another\n"
ARM = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n\nprocessor\t: 1\nCPU part\t: 0xd41\n"


@pytest.fixture
def system(monkeypatch, tmp_path):
    """Builds what a system tells: text of /proc/cpuinfo, name, processor, machine, and sysctl's output or error."""

    def build(cpuinfo=None, name="Linux", known="", machine="", sysctl=None):
        path = tmp_path / "cpuinfo"
        if cpuinfo is not None:
            path.write_bytes(cpuinfo if isinstance(cpuinfo, bytes) else cpuinfo.encode())
        monkeypatch.setattr(cpu, "CPUINFO", path)
        told = {"system": lambda: name, "processor": lambda: known, "machine": lambda: machine}
        monkeypatch.setattr(cpu, "platform", SimpleNamespace(**told))

        def run(command, **_):
            assert command[0] == "sysctl"
            if isinstance(sysctl, Exception):
                raise sysctl
            return subprocess.CompletedProcess(command, 0, stdout=sysctl)

        monkeypatch.setattr(cpu.subprocess, "run", run)
        processor_name.cache_clear()

    yield build
    monkeypatch.undo()
    processor_name.cache_clear()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"cpuinfo": INTEL, "machine": "x86_64"}, "Some(R) CPU @ 2.00GHz"),
        ({"cpuinfo": ARM, "machine": "aarch64"}, "aarch64 implementer 0x41, part 0xd40"),
        ({"cpuinfo": "CPU part : 0x1\n", "machine": "aarch64"}, "aarch64 implementer unknown, part 0x1"),
        ({"cpuinfo": b"\xff\xfe", "machine": "riscv64"}, "riscv64"),
        ({"name": "Darwin", "sysctl": "Apple M2\n", "known": "arm"}, "Apple M2"),
        ({"name": "Darwin", "sysctl": FileNotFoundError(), "known": "arm"}, "arm"),
        ({"name": "Darwin", "sysctl": subprocess.CalledProcessError(1, "sysctl"), "machine": "arm64"}, "arm64"),
        ({"name": "Darwin", "sysctl": subprocess.TimeoutExpired("sysctl", 10), "machine": "arm64"}, "arm64"),
        ({"name": "Windows", "known": "Intel64 Family 6", "machine": "AMD64"}, "Intel64 Family 6"),
        ({}, "unknown processor"),
    ],
)
def test_name(system, told, expected):
    system(**told)
    assert processor_name() == expected


def test_name_is_what_linux_shows():
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        pytest.skip("other systems name it otherwise")
    shown = subprocess.run(["grep", "-m1", "model name", "/proc/cpuinfo"], capture_output=True, text=True).stdout
    assert processor_name() == shown.partition(":")[2].strip()


@pytest.mark.parametrize(
    ("environment", "limit"),
    [
        ({}, ""),
        ({"DNNL_MAX_CPU_ISA": "SSE41"}, ", oneDNN at most SSE41"),
        ({"DNNL_MAX_CPU_ISA": "SSE41", "ONEDNN_MAX_CPU_ISA": "AVX2"}, ", oneDNN at most AVX2"),
        ({"ONEDNN_MAX_CPU_ISA": ""}, ""),
    ],
)
def test_instruction_set(monkeypatch, environment, limit):
    for name in cpu.ONEDNN_LIMITS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert instruction_set() == torch.backends.cpu.get_cpu_capability() + limit


def test_a_build_that_tells_no_instruction_set(monkeypatch):
    monkeypatch.delattr("torch.backends.cpu.get_cpu_capability")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert instruction_set() == "unknown instruction set, oneDNN at most AVX2"


def test_device_in_words(monkeypatch):
    monkeypatch.setattr(provenance, "processor_name", lambda: "A CPU")
    monkeypatch.setattr(provenance, "instruction_set", lambda: "AVX2")
    threads = f"{torch.get_num_threads()} threads"
    assert provenance.device_in_words(torch.device("cpu")) == f"cpu (A CPU, AVX2, {threads})"
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: f"GPU {device.index}")
    assert provenance.device_in_words(torch.device("cuda", 1)) == f"cuda (GPU 1, {threads})"


def test_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("no-such-package", "torch"))
    versions = provenance.provenance("cpu", seed=0, seconds=0)["versions"]
    assert versions["no-such-package"] is None
    assert versions["torch"] == torch.__version__
