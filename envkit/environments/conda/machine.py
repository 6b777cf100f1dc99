"""The machine as conda sees it: its platform, and what else decides which packages fit it.

conda calls these virtual packages: `__cuda` is the CUDA version that the graphics driver supports,
`__archspec` the instruction set of the processor.
https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html

The kernel's version (`__linux`) is not among these facts: it changes with each update, and packages
only ask whether it is younger than those of a decade ago.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from envkit.child.variables import Variables

_SUBDIRS = {
    ("linux", "x86_64"): "linux-64",
    ("linux", "i686"): "linux-32",
    ("darwin", "x86_64"): "osx-64",
    ("darwin", "arm64"): "osx-arm64",
}
_DRIVERS = (
    "libcuda.so.1",
    "libcuda.so",
    "/usr/lib64/nvidia/libcuda.so",
    "/usr/lib/wsl/lib/libcuda.so.1",
)
_PROCESSORS = Path("/proc/cpuinfo")
_FIRST_PROCESSOR = 16_384  # bytes that hold its description
_LEVELS = {  # https://gitlab.com/x86-psABIs/x86-64-ABI: what each level adds, by the kernel's names
    "v2": {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"},
    "v3": {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"},
    "v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
}


def subdir() -> str:
    """Return conda's name of this machine's platform: `linux-64`, `linux-aarch64`, `osx-arm64`."""
    machine = platform.machine()
    return _SUBDIRS.get((sys.platform, machine), f"{sys.platform}-{machine}")


def facts(environ: Variables) -> Iterator[str]:
    """Yield `cuda 12.4` and `x86_64 v3`, where they exist and no `CONDA_OVERRIDE_…` is set."""
    if "CONDA_OVERRIDE_CUDA" not in environ:
        version = _cuda()
        if version:
            yield f"cuda {version}"
    if "CONDA_OVERRIDE_ARCHSPEC" not in environ and platform.machine() == "x86_64":
        yield f"x86_64 {_level()}"


def _cuda() -> str:
    """Return the newest CUDA that the driver supports, or an empty text.

    The driver answers this without waking a device.
    """
    # 5 ms that only conda environments cost
    import ctypes

    for name in _DRIVERS:
        try:
            driver = ctypes.CDLL(name)
            version = ctypes.c_int(0)
            failed = driver.cuDriverGetVersion(ctypes.byref(version))
        except (OSError, AttributeError):
            continue
        if not failed and version.value:
            return f"{version.value // 1000}.{version.value % 1000 // 10}"
    return ""


def _level() -> str:
    flags = _processor_flags()
    level = "v1"
    for name, added in _LEVELS.items():
        if not added <= flags:
            break
        level = name
    return level


def _processor_flags() -> set[str]:
    try:
        with _PROCESSORS.open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(_FIRST_PROCESSOR)
    except OSError:
        return set()
    for line in text.splitlines():
        if line.startswith("flags"):
            _, _, flags = line.partition(":")
            return set(flags.split())
    return set()
