"""uv as resolver: https://docs.astral.sh/uv/pip/compile/."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from envkit.child import process, uv
from envkit.formats import pylock_toml
from envkit.formats.pylock import Package
from envkit.locking import indexes
from envkit.locking.query import ANSWER_SECONDS, FoundFiles, MissingFiles, Query

_NAME = "[A-Za-z0-9][A-Za-z0-9._-]*"
_UNSATISFIABLE = re.compile(rf"you require ({_NAME})==")
_UNKNOWN = re.compile(rf"({_NAME}) was not found in the (?:package registry|provided package)")
_UNRELEASED = re.compile(rf"there is no version of ({_NAME})==")
# as with `UV_OFFLINE`: a package that uv does not find may exist all the same
_OFFLINE = "the network was disabled"
_UNREACHABLE = re.compile(
    r"Failed to fetch|error sending request|Request failed|Could not connect|timed out"
)
# what is lost by a failure is a hash, not an environment
_FAIL_EARLY = {"UV_HTTP_RETRIES": "1", "UV_HTTP_TIMEOUT": "10"}
# wheels are chosen by their names: no interpreter is needed for that
_NO_PYTHON = {"UV_PYTHON_DOWNLOADS": "never"}
_YANKED = re.compile(
    r"^warning: `([A-Za-z0-9._-]+)==[^`]*` is yanked(?: \(reason: \"(.*)\"\))?", re.MULTILINE
)
_REMARKS = re.compile(r"^(?:warning: .*(?:\n  cause: .*)*|Using .*|Resolved .*)\n?", re.MULTILINE)
_FROM_INDEX = re.compile(r"^([A-Za-z0-9._-]+)==.*\n +# from (\S+)", re.MULTILINE)
_PYPI_FILES = ("https://files.pythonhosted.org/", "https://pypi.org/")


class Uv:
    """Asks the indexes that uv is configured with, or its cache of their answers.

    For pins the cache is asked first: the files of a version do not change, and asking the index
    again takes more processor time than all the rest of a lock. For a resolution the cache is asked
    last, when no index can be reached.
    """

    name = "uv"

    def resolve(self, query: Query) -> FoundFiles | MissingFiles:
        """See `Resolver`."""
        if not query.closure:
            cached = _resolve(query, "--offline")
            if isinstance(cached, FoundFiles):
                return cached
            return _resolve(query)
        answer = _resolve(query)
        if isinstance(answer, MissingFiles) and _UNREACHABLE.search(answer.output):
            cached = _resolve(query, "--offline")
            if isinstance(cached, FoundFiles):
                return cached
        return answer


def _resolve(query: Query, *options: str) -> FoundFiles | MissingFiles:
    with tempfile.TemporaryDirectory(prefix="envkit-lock-") as name:
        folder = Path(name)
        command = _command(query, folder, *options)
        lock = folder / "pylock.toml"
        ended = _run(
            [*command, "--generate-hashes", "--format", "pylock.toml", "--output-file", lock]
        )
        if not ended.succeeded:
            # uv breaks lines where a terminal would end
            output = " ".join(_REMARKS.sub("", ended.output).split())
            return _unresolved(output or f"uv {ended.how}")
        packages = tuple(pylock_toml.LockFile(path=lock).lock.packages)
        if any(map(_is_from_another_index, packages)):
            by_name = _indexes_by_name(command)
            packages = tuple(_with_index(package, by_name) for package in packages)
    yanked = {str(canonicalize_name(name)): reason for name, reason in _yanked(ended.output)}
    return FoundFiles(packages=packages, yanked=yanked)


def _yanked(output: str) -> list[tuple[str, str]]:
    return [(found[1], found[2] or "") for found in _YANKED.finditer(output)]


def _unresolved(output: str) -> MissingFiles:
    """Find in uv's error, which names packages in normalized form, which of them are missing."""
    if _OFFLINE in output:
        return MissingFiles(output=output)
    missing = frozenset(_UNSATISFIABLE.findall(output))
    return MissingFiles(
        output=output,
        missing=missing,
        unknown=missing & frozenset(_UNKNOWN.findall(output)),
        unreleased=missing & frozenset(_UNRELEASED.findall(output)),
    )


def _command(query: Query, folder: Path, *options: str) -> list[str | Path]:
    target = query.target
    requirements = _written(folder / "requirements.in", (*query.options, *query.requirements))
    command: list[str | Path] = [uv.program(), "pip", "compile", requirements]
    command += ["--color", "never", "--no-header", "--no-annotate", *options]
    command += ["--only-binary", ":all:"]
    if not query.closure:
        command += ["--no-deps"]
    if target.executable:
        command += ["--python", target.executable]
    else:
        command += ["--python-version", target.python]
    if target.platform:
        command += ["--python-platform", target.platform]
    if target.universal:
        command += ["--universal"]
    if target.exclude_newer:
        command += ["--exclude-newer", target.exclude_newer]
    if query.constraints:
        command += ["--constraints", _written(folder / "constraints.txt", query.constraints)]
    return command


def _written(path: Path, lines: Iterable[object]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _run(command: list[str | Path]) -> process.Ended:
    return process.run(
        command,
        environment={**_FAIL_EARLY, **os.environ, **_NO_PYTHON},
        # not in a folder where a project would configure uv
        directory=Path(tempfile.gettempdir()),
        timeout=ANSWER_SECONDS,
        keep_output=True,
    )


def _is_from_another_index(package: Package) -> bool:
    """Whether a wheel is on another index than PyPI."""
    urls = [wheel.url for wheel in package.wheels or () if wheel.url is not None]
    return any(not url.startswith(_PYPI_FILES) for url in urls)


def _indexes_by_name(command: list[str | Path]) -> dict[str, str]:
    """The index of each package, which uv prints in the form of a requirements file only."""
    ended = _run([*command, "--emit-index-annotation"])
    return {
        name: indexes.with_placeholders(url)
        for name, url in _FROM_INDEX.findall(ended.output)
        if not url.startswith("file:")
    }


def _with_index(package: Package, by_name: Mapping[str, str]) -> Package:
    index = by_name.get(package.name)
    if index is None or not _is_from_another_index(package):
        return package
    return replace(package, index=index)
