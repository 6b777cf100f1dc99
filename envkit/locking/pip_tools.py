"""pip-tools as resolver: for those who must have it, and for indexes that only pip is configured with.

https://pip-tools.readthedocs.io/. It works with pip's own configuration: variables, `pip.conf`, netrc, keyring.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from envkit.child import process
from envkit.errors import InvalidArgument
from envkit.formats import requirements_txt
from envkit.formats.credentials import without_credentials
from envkit.formats.pylock_toml import LockedPackage
from envkit.formats.requirement_lines import Option
from envkit.inside.programs import pip_candidates
from envkit.locking import indexes
from envkit.locking.query import ANSWER_SECONDS, Found, NotFound, Question

_QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


class PipTools:
    """Lists what pip would find; resolves with `pip-compile`, for the Python that runs envkit alone."""

    name = "pip-tools"

    def ask(self, question: Question) -> Found | NotFound:
        """See `Resolver`."""
        _check(question)
        with tempfile.TemporaryDirectory(prefix="envkit-lock-") as name:
            folder = Path(name)
            requirements = question.requirements
            if question.closure:
                compiled = folder / "requirements.txt"
                ended = self._compile(question, folder, compiled)
                if not ended.succeeded:
                    return NotFound(said=_last(ended.output) or f"pip-compile {ended.how}")
                requirements = requirements_txt.read(compiled).requirements
            pins = [
                (requirement.name, requirement.version)
                for requirement in requirements
                if requirement.name and requirement.version and requirement.url is None
            ]
            if len(pins) != len(requirements):
                return NotFound(said="pip-tools looks up pinned packages of indexes only")
            return self._candidates(pins, question.options, folder)

    def _compile(self, question: Question, folder: Path, compiled: Path) -> process.Ended:
        asked = folder / "requirements.in"
        _write(asked, (*question.options, *question.requirements))
        command: list[str | Path] = [
            sys.executable,
            "-P",
            "-m",
            "piptools",
            "compile",
            "--quiet",
            "--no-header",
        ]
        command += [
            "--no-annotate",
            "--strip-extras",
            "--no-emit-index-url",
            "--no-emit-find-links",
        ]
        command += [
            "--no-emit-options",
            "--pip-args",
            "--only-binary=:all: --retries=1 --timeout=10",
            "--output-file",
        ]
        command += [compiled]
        if question.constraints:
            constraints = folder / "constraints.txt"
            _write(constraints, question.constraints)
            command += ["--constraint", constraints]
        return _run([*command, asked], folder)

    def _candidates(
        self, pins: list[tuple[str, str]], options: tuple[Option, ...], folder: Path
    ) -> Found | NotFound:
        asked, answer = folder / "asked.json", folder / "answer.json"
        asked.write_text(json.dumps({"pins": pins, "options": _words(options)}), encoding="utf-8")
        ended = _run([sys.executable, "-P", pip_candidates.__file__, asked, answer], folder)
        if not ended.succeeded:
            return NotFound(said=_last(ended.output) or f"pip-tools {ended.how}")
        found = json.loads(answer.read_text(encoding="utf-8"))
        missing = frozenset(name for name, version in pins if not found[name])
        if missing:
            return NotFound(
                said=f"no index that pip knows has wheels of {', '.join(sorted(missing))}",
                missing=missing,
            )
        return Found(packages=tuple(_package(name, version, found[name]) for name, version in pins))


def _check(question: Question) -> None:
    target = question.target
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if target.elsewhere or target.exclude_newer:
        raise InvalidArgument(
            "pip-tools locks for this platform and of today alone. "
            "Use `--resolver uv` with --platform, --universal and --exclude-newer."
        )
    if question.closure and ".".join(target.python.split(".")[:2]) != here:
        raise InvalidArgument(
            f"pip-tools resolves for the Python that runs envkit, {here}, not for {target.python}. Use `--resolver uv`."
        )


def _run(command: list[str | Path], folder: Path) -> process.Ended:
    environment = {**_QUIET, **os.environ}
    return process.run(
        command, environment=environment, directory=folder, timeout=ANSWER_SECONDS, keep_output=True
    )


def _words(options: tuple[Option, ...]) -> list[str]:
    """Options of indexes as arguments, `${NAME}` filled in as pip does in files."""
    return [
        f"{option.name}={os.path.expandvars(option.value or '')}"
        for option in options
        if option.name in ("--index-url", "--extra-index-url", "--find-links")
    ]


def _write(path: Path, lines: Iterable[object]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _last(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if lines:
        return without_credentials(lines[-1])
    return ""


def _package(name: str, version: str, files: list[dict[str, Any]]) -> LockedPackage:
    wheels = [{"url": without_credentials(each["url"]), "hashes": each["hashes"]} for each in files]
    index = next((each["index"] for each in files if each["index"]), "")
    entry: dict[str, Any] = {"name": name, "version": version, "wheels": wheels}
    if index and "//pypi.org/" not in index:
        return {**entry, "index": indexes.placeheld(index)}
    return entry
