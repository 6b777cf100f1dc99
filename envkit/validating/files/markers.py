"""Where environment markers hold (PEP 508), evaluated for a table of Pythons and platforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product

from packaging.markers import Marker, UndefinedEnvironmentName

PYTHONS = tuple(f"3.{minor}" for minor in range(7, 16))
PLATFORMS = (  # sys_platform, platform_system, os_name, platform_machine
    ("linux", "Linux", "posix", "x86_64"),
    ("linux", "Linux", "posix", "aarch64"),
    ("darwin", "Darwin", "posix", "x86_64"),
    ("darwin", "Darwin", "posix", "arm64"),
    ("win32", "Windows", "nt", "AMD64"),
)
IMPLEMENTATIONS = (("cpython", "CPython"), ("pypy", "PyPy"))


def overlap(first: Marker | None, second: Marker | None) -> bool:
    """Whether two markers hold together for any Python and platform of the table."""
    if first is None or second is None:
        return True
    return any(_holds(first, each) and _holds(second, each) for each in _all_environments())


def holds_for(marker: Marker | None, python: str | None) -> bool:
    """Whether a marker holds on any platform, for one Python (a full version) or any."""
    if marker is None:
        return True
    environments = _all_environments() if python is None else tuple(_environments((python,)))
    return any(_holds(marker, environment) for environment in environments)


@cache
def _all_environments() -> tuple[dict[str, str], ...]:
    return tuple(_environments(PYTHONS))


def _environments(pythons: tuple[str, ...]) -> Iterator[dict[str, str]]:
    for python, platform, (name, title) in product(pythons, PLATFORMS, IMPLEMENTATIONS):
        sys_platform, system, os_name, machine = platform
        full = python if python.count(".") > 1 else f"{python}.0"
        yield {
            "sys_platform": sys_platform,
            "platform_system": system,
            "os_name": os_name,
            "platform_machine": machine,
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
    # such as `extras`, which means something in locks alone
    except UndefinedEnvironmentName:
        return True
