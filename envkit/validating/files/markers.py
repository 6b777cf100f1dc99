"""Where environment markers hold (PEP 508), tried on a table of Pythons and platforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product

from packaging.markers import Marker, UndefinedEnvironmentName

PYTHONS = tuple(f"3.{minor}" for minor in range(7, 16))
PLATFORMS: tuple[Mapping[str, str], ...] = (
    {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
    },
    {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": "aarch64",
    },
    {
        "sys_platform": "darwin",
        "platform_system": "Darwin",
        "os_name": "posix",
        "platform_machine": "x86_64",
    },
    {
        "sys_platform": "darwin",
        "platform_system": "Darwin",
        "os_name": "posix",
        "platform_machine": "arm64",
    },
    {
        "sys_platform": "win32",
        "platform_system": "Windows",
        "os_name": "nt",
        "platform_machine": "AMD64",
    },
)
IMPLEMENTATIONS = (("cpython", "CPython"), ("pypy", "PyPy"))


def overlap(first: Marker | None, second: Marker | None) -> bool:
    """Whether two markers hold together on any Python and platform of the table."""
    if first is None or second is None:
        return True
    return any(_holds(first, each) and _holds(second, each) for each in _everywhere())


def holds_for(marker: Marker | None, python: str | None) -> bool:
    """Whether a marker holds on any platform, of one Python (a full version) or of all of the table."""
    if marker is None:
        return True
    return any(
        _holds(marker, each)
        for each in (_everywhere() if python is None else _environments((python,)))
    )


@cache
def _everywhere() -> tuple[dict[str, str], ...]:
    return tuple(_environments(PYTHONS))


def _environments(pythons: tuple[str, ...]) -> Iterator[dict[str, str]]:
    for python, platform, (name, title) in product(pythons, PLATFORMS, IMPLEMENTATIONS):
        full = python if python.count(".") > 1 else f"{python}.0"
        yield {
            **platform,
            "python_version": ".".join(full.split(".")[:2]),
            "python_full_version": full,
            "implementation_name": name,
            "platform_python_implementation": title,
            "implementation_version": full,
            "extra": "",
        }


def _holds(marker: Marker, environment: Mapping[str, str]) -> bool:
    try:
        return marker.evaluate(dict(environment))
    except UndefinedEnvironmentName:  # such as `extras`, which means something in locks alone
        return True
