"""pip-tools as resolver: for users who must use it, and for indexes that only pip knows.

https://pip-tools.readthedocs.io/. It uses pip's own configuration: variables, `pip.conf`, netrc,
keyring.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from envkit.child import process
from envkit.errors import InvalidArgument
from envkit.formats import requirements_txt
from envkit.formats.credentials import without_credentials
from envkit.formats.pylock import Package, PackageWheel
from envkit.formats.requirement_lines import Option
from envkit.inside.programs import pip_candidates
from envkit.locking import indexes
from envkit.locking.query import ANSWER_SECONDS, FoundFiles, MissingFiles, Query

_QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
_INDEX_OPTIONS = ("--index-url", "--extra-index-url", "--find-links", "--no-index")


class PipTools:
    """Lists what pip finds; resolves with `pip-compile`, for the Python that runs envkit alone."""

    name = "pip-tools"

    def resolve(self, query: Query) -> FoundFiles | MissingFiles:
        """See `Resolver`."""
        _check(query)
        with tempfile.TemporaryDirectory(prefix="envkit-lock-") as name:
            folder = Path(name)
            requirements = query.requirements
            if query.closure:
                compiled = folder / "requirements.txt"
                ended = _compile(query, folder, compiled)
                if not ended.succeeded:
                    output = _last_line(ended.output) or f"pip-compile {ended.how}"
                    return MissingFiles(output=output)
                requirements = requirements_txt.read(compiled).requirements
            pins = [
                (requirement.name, requirement.version)
                for requirement in requirements
                if requirement.name and requirement.version and requirement.url is None
            ]
            if len(pins) != len(requirements):
                return MissingFiles(output="pip-tools looks up pinned packages of indexes only")
            return _candidates(pins, query.options, folder)


def _compile(query: Query, folder: Path, compiled: Path) -> process.Ended:
    requirements = _written(folder / "requirements.in", (*query.options, *query.requirements))
    command: list[str | Path] = [sys.executable, "-P", "-m", "piptools", "compile", requirements]
    command += ["--quiet", "--no-header", "--no-annotate", "--strip-extras"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-emit-options"]
    command += ["--pip-args", "--only-binary=:all: --retries=1 --timeout=10"]
    command += ["--output-file", compiled]
    if query.constraints:
        command += ["--constraint", _written(folder / "constraints.txt", query.constraints)]
    return _run(command, folder)


def _candidates(
    pins: list[tuple[str, str]], options: tuple[Option, ...], folder: Path
) -> FoundFiles | MissingFiles:
    """List the wheels of pins with pip's own finder, in another process."""
    request, answer = folder / "request.json", folder / "answer.json"
    content = {"pins": pins, "options": _arguments(options)}
    request.write_text(json.dumps(content), encoding="utf-8")
    ended = _run([sys.executable, "-P", pip_candidates.__file__, request, answer], folder)
    if not ended.succeeded:
        return MissingFiles(output=_last_line(ended.output) or f"pip-tools {ended.how}")
    files = json.loads(answer.read_text(encoding="utf-8"))
    missing = frozenset(name for name, _ in pins if not files[name])
    if missing:
        names = ", ".join(sorted(missing))
        return MissingFiles(
            output=f"no index that pip knows has wheels of {names}", missing=missing
        )
    return FoundFiles(
        packages=tuple(_package(name, version, files[name]) for name, version in pins)
    )


def _check(query: Query) -> None:
    target = query.target
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if target.elsewhere or target.exclude_newer:
        raise InvalidArgument(
            "pip-tools locks for the current platform and date only. "
            "Use `--resolver uv` with --platform, --universal and --exclude-newer."
        )
    if query.closure and ".".join(target.python.split(".")[:2]) != running:
        raise InvalidArgument(
            f"pip-tools resolves for the Python that runs envkit, {running}, "
            f"not for {target.python}. "
            "Use `--resolver uv`."
        )


def _run(command: list[str | Path], folder: Path) -> process.Ended:
    return process.run(
        command,
        environment={**_QUIET, **os.environ},
        directory=folder,
        timeout=ANSWER_SECONDS,
        keep_output=True,
    )


def _arguments(options: tuple[Option, ...]) -> list[str]:
    """Options of indexes as arguments, `${NAME}` filled in as pip does in files."""
    arguments = []
    for option in options:
        if option.name not in _INDEX_OPTIONS:
            continue
        if option.value is None:
            arguments.append(option.name)
        else:
            arguments.append(f"{option.name}={os.path.expandvars(option.value)}")
    return arguments


def _written(path: Path, lines: Iterable[object]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if lines:
        return without_credentials(lines[-1])
    return ""


def _package(name: str, version: str, files: list[Mapping[str, Any]]) -> Package:
    wheels = [
        PackageWheel(url=without_credentials(file["url"]), hashes=file["hashes"]) for file in files
    ]
    index = next((file["index"] for file in files if file["index"]), "")
    is_named = bool(index) and "//pypi.org/" not in index
    return Package(
        name=canonicalize_name(name),
        version=Version(version),
        index=indexes.with_placeholders(index) if is_named else None,
        wheels=wheels,
    )
