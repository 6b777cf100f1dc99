"""What is to be known of the interpreter itself, found without a costly import."""

from __future__ import annotations

import os
import sys
from typing import Any, Iterator

TOOLS = ("pip", "setuptools", "wheel")


def describe() -> dict[str, Any]:
    """Give the event `interpreter`."""
    from sysconfig import get_platform

    return {
        "event": "interpreter",
        "executable": sys.executable,
        "version": _python_version(),
        "implementation": sys.implementation.name,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "platform": get_platform(),
        "stdlib": list(stdlib_folders()),
        "sys_path": [os.path.abspath(each) for each in sys.path],
        "markers": markers(),
        "packages": installed_versions(TOOLS),
    }


def stdlib_folders() -> Iterator[str]:
    """Yield the folders and the archive of the standard library, as configured and with links resolved."""
    version = "{}.{}".format(*sys.version_info[:2])
    library = getattr(sys, "platlibdir", "lib")
    found = (
        os.path.dirname(os.path.abspath(os.__file__)),
        os.path.join(sys.base_prefix, "lib", f"python{version}"),
        os.path.join(sys.base_exec_prefix, library, f"python{version}"),
        os.path.join(sys.base_prefix, library, f"python{version.replace('.', '')}.zip"),
    )
    yield from dict.fromkeys(each for path in found for each in (path, os.path.realpath(path)))


def markers() -> dict[str, str]:
    """Give the marker environment (PEP 508, "Environment Markers"), all eleven names."""
    machine = os.uname() if hasattr(os, "uname") else _platform_uname()
    version = sys.implementation.version
    implementation = "{}.{}.{}".format(*version[:3])
    if version.releaselevel != "final":
        implementation += f"{version.releaselevel[0]}{version.serial}"
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation,
        "os_name": os.name,
        "platform_machine": machine[4],
        "platform_release": machine[2],
        "platform_system": machine[0],
        "platform_version": machine[3],
        "python_full_version": _python_version(),
        "platform_python_implementation": _implementation(),
        "python_version": "{}.{}".format(*sys.version_info[:2]),
        "sys_platform": sys.platform,
    }


def installed_versions(names: tuple[str, ...]) -> dict[str, str | None]:
    """Find the versions of installed distributions by the names of their metadata folders on `sys.path`."""
    versions: dict[str, str | None] = dict.fromkeys(names)
    for folder in sys.path:
        try:
            entries = os.listdir(folder or os.curdir)
        except OSError:
            continue
        for entry in entries:
            stem, extension = os.path.splitext(entry)
            name, _, version = stem.partition("-")
            if (
                extension in (".dist-info", ".egg-info")
                and versions.get(name, "") is None
                and version
            ):
                versions[name] = version.partition("-")[0]
    return versions


def _python_version() -> str:
    return sys.version.split()[0]


def _implementation() -> str:
    known = {"cpython": "CPython", "pypy": "PyPy"}
    if sys.implementation.name in known:
        return known[sys.implementation.name]
    import platform

    return platform.python_implementation()


def _platform_uname() -> tuple[str, ...]:
    import platform

    return tuple(platform.uname())[:5]
