"""Describe the Python that runs this file: `PYTHON [-I] .../describe_python.py`.

The last line of the output is one JSON object:

    version          "3.11.7"
    implementation   "cpython"; of Python 2 "python2"
    platform         as `sysconfig.get_platform()` has it
    abi              `SOABI`, which distinguishes free-threaded and debug builds; may be empty
    executable       the program, as it was started
    base_executable  the real path of the program below all virtual environments

and, from Python 3.8 on:

    prefix, base_prefix
    library          the folders of the standard library, as `sysconfig` names them
    library_folder   the folder of shared libraries (`LIBDIR`); may be empty
    stdlib           folders and archive of the standard library, also with links resolved
    sys_path         absolute paths
    markers          the marker environment (PEP 508)
    tools            {name: version or null} of pip, setuptools and wheel

An older Python must be able to say how old it is, so this file keeps to the syntax of Python 2.7:
types stand in comments, and there are no f-strings.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    # used in comments
    from typing import Any, Dict, Iterator, List, Optional, Tuple  # noqa: F401

OLDEST = (3, 8)  # what `envkit/inside` runs in
TOOLS = ("pip", "setuptools", "wheel")


def describe():  # type: () -> Dict[str, Any]
    """Collect all that the docstring above lists."""
    report = identify()
    if sys.version_info < OLDEST:
        return report
    import sysconfig

    libraries = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    report.update(
        prefix=sys.prefix,
        base_prefix=sys.base_prefix,
        library=sorted(libraries),
        library_folder=sysconfig.get_config_var("LIBDIR") or "",
        stdlib=list(stdlib_folders()),
        sys_path=[os.path.abspath(folder) for folder in sys.path],
        markers=marker_environment(),
        tools=installed_versions(TOOLS),
    )
    return report


def identify():  # type: () -> Dict[str, Any]
    """Collect what any Python can say, also an old one."""
    import sysconfig

    implementation = getattr(sys, "implementation", None)
    base_executable = getattr(sys, "_base_executable", None) or sys.executable
    return {
        "version": _python_version(),
        "implementation": getattr(implementation, "name", "python2"),
        "platform": sysconfig.get_platform(),
        "abi": sysconfig.get_config_var("SOABI") or "",
        "executable": sys.executable,
        "base_executable": os.path.realpath(base_executable),
    }


def stdlib_folders():  # type: () -> Iterator[str]
    """Yield the folders and the archive of the standard library, also with links resolved."""
    version = "{}.{}".format(*sys.version_info[:2])
    library = getattr(sys, "platlibdir", "lib")
    configured = (
        os.path.dirname(os.path.abspath(os.__file__)),
        os.path.join(sys.base_prefix, "lib", "python" + version),
        os.path.join(sys.base_exec_prefix, library, "python" + version),
        os.path.join(sys.base_prefix, library, "python" + version.replace(".", "") + ".zip"),
    )
    seen = set()
    for folder in configured:
        for path in (folder, os.path.realpath(folder)):
            if path not in seen:
                seen.add(path)
                yield path


def marker_environment():  # type: () -> Dict[str, str]
    """Collect the eleven names of PEP 508, "Environment Markers"."""
    machine = _uname()
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": _implementation_version(),
        "os_name": os.name,
        "platform_machine": machine[4],
        "platform_release": machine[2],
        "platform_system": machine[0],
        "platform_version": machine[3],
        "python_full_version": _python_version(),
        "platform_python_implementation": _implementation_title(),
        "python_version": "{}.{}".format(*sys.version_info[:2]),
        "sys_platform": sys.platform,
    }


def installed_versions(names):  # type: (Tuple[str, ...]) -> Dict[str, Optional[str]]
    """Find the versions of distributions by the names of their metadata folders on `sys.path`."""
    versions = dict.fromkeys(names)  # type: Dict[str, Optional[str]]
    for folder in sys.path:
        for name, version in _metadata_folders(folder):
            if name in versions and versions[name] is None:
                versions[name] = version
    return versions


def _metadata_folders(folder):  # type: (str) -> List[Tuple[str, str]]
    try:
        entries = os.listdir(folder or os.curdir)
    except OSError:
        return []
    pairs = []
    for entry in entries:
        stem, extension = os.path.splitext(entry)
        name, _, rest = stem.partition("-")
        version = rest.partition("-")[0]
        if extension in (".dist-info", ".egg-info") and version:
            pairs.append((name, version))
    return pairs


def _python_version():  # type: () -> str
    return sys.version.split()[0]


def _implementation_version():  # type: () -> str
    version = sys.implementation.version
    text = "{}.{}.{}".format(*version[:3])
    if version.releaselevel != "final":
        text += version.releaselevel[0] + str(version.serial)
    return text


def _implementation_title():  # type: () -> str
    known = {"cpython": "CPython", "pypy": "PyPy"}
    if sys.implementation.name in known:
        return known[sys.implementation.name]
    # importing it takes milliseconds
    import platform

    return platform.python_implementation()


def _uname():  # type: () -> Tuple[str, ...]
    if hasattr(os, "uname"):
        return tuple(os.uname())
    import platform

    return tuple(platform.uname())[:5]


def main():  # type: () -> None
    """Print the report and end at once, so that nothing that runs at exit prints after it."""
    folder = os.path.dirname(os.path.abspath(__file__))
    if sys.path and os.path.abspath(sys.path[0]) == folder:
        # Python put it there; before the next import, which could find a file of this folder
        del sys.path[0]
    import json

    line = json.dumps(describe())
    sys.stdout.flush()
    os.write(1, ("\n" + line + "\n").encode("ascii"))
    os._exit(0)


if __name__ == "__main__":
    main()
