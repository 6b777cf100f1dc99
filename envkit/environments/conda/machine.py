"""What of this machine decides which conda packages fit, besides its platform and its C library.

conda calls these virtual packages: `__cuda` is what the graphics driver can, `__archspec` what the processor can.
https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html
The kernel's version (`__linux`) is none of these facts: it changes with each update, and packages ask only whether it
is younger than those of a decade ago.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

_DRIVERS = (
    "libcuda.so.1",
    "libcuda.so",
    "/usr/lib64/nvidia/libcuda.so",
    "/usr/lib/wsl/lib/libcuda.so.1",
)
_PROCESSORS = Path("/proc/cpuinfo")
_FIRST_PROCESSOR = 16_384  # bytes in which it is told
_LEVELS = {  # https://gitlab.com/x86-psABIs/x86-64-ABI: what each level adds, by the kernel's names
    "v2": {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"},
    "v3": {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"},
    "v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
}


def facts(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield `cuda 12.4` and `x86_64 v3`, as far as there is such a thing and `CONDA_OVERRIDE_…` does not say it."""
    if "CONDA_OVERRIDE_CUDA" not in environ and (version := _cuda()):
        yield f"cuda {version}"
    if "CONDA_OVERRIDE_ARCHSPEC" not in environ and platform.machine() == "x86_64":
        yield f"x86_64 {_level()}"


def _cuda() -> str:
    """The newest CUDA that the driver supports, as the driver itself says without waking a device; else empty."""
    import ctypes  # 5 ms that only conda environments cost

    for name in _DRIVERS:
        try:
            driver = ctypes.CDLL(name)
            found = ctypes.c_int(0)
            if driver.cuDriverGetVersion(ctypes.byref(found)) == 0 and found.value:
                return f"{found.value // 1000}.{found.value % 1000 // 10}"
        except (OSError, AttributeError):
            continue
    return ""


def _level() -> str:
    try:
        with _PROCESSORS.open(encoding="utf-8", errors="replace") as stream:
            told = stream.read(_FIRST_PROCESSOR)
    except OSError:
        return "v1"
    flags = next(
        (
            set(line.split(":", 1)[1].split())
            for line in told.splitlines()
            if line.startswith("flags")
        ),
        set(),
    )
    level = "v1"
    for name, wanted in _LEVELS.items():
        if not wanted <= flags:
            break
        level = name
    return level
