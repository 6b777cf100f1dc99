"""uv as resolver: https://docs.astral.sh/uv/pip/compile/."""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from envkit.child import process, uv
from envkit.formats.pylock_toml import LockedPackage
from envkit.locking import indexes
from envkit.locking.query import ANSWER_SECONDS, Found, NotFound, Question

_UNSATISFIABLE = re.compile(r"you require ([A-Za-z0-9][A-Za-z0-9._-]*)==")
_UNKNOWN = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*) was not found in the (?:package registry|provided package)"
)
_UNRELEASED = re.compile(r"there is no version of ([A-Za-z0-9][A-Za-z0-9._-]*)==")
# as `UV_OFFLINE` does: what is not found may be there all the same
_OFFLINE = "the network was disabled"
_UNREACHABLE = re.compile(
    r"Failed to fetch|error sending request|Request failed|Could not connect|timed out"
)
# what is lost is a hash, not an environment
_HASTE = {"UV_HTTP_RETRIES": "1", "UV_HTTP_TIMEOUT": "10"}
# wheels are chosen by their names: no interpreter is needed for it
_NO_PYTHON = {"UV_PYTHON_DOWNLOADS": "never"}
_YANKED = re.compile(
    r"^warning: `([A-Za-z0-9._-]+)==[^`]*` is yanked(?: \(reason: \"(.*)\"\))?", re.MULTILINE
)
_REMARKS = re.compile(r"^(?:warning: .*(?:\n  cause: .*)*|Using .*|Resolved .*)\n?", re.MULTILINE)
_OF_PYPI = ("https://files.pythonhosted.org/", "https://pypi.org/")


class Uv:
    """Asks the indexes that uv is configured with, or its cache of what they said.

    For pins the cache is asked first: the files of a version do not change, and asking again costs
    the processor more than all the rest of a lock. For a resolution it is asked last, when no index
    can be reached.
    """

    name = "uv"

    def ask(self, question: Question) -> Found | NotFound:
        """See `Resolver`."""
        if question.closure:
            cached = None
        else:
            cached = self._ask(question, "--offline")
        if isinstance(cached, Found):
            return cached
        answer = self._ask(question)
        if question.closure and isinstance(answer, NotFound) and _UNREACHABLE.search(answer.said):
            cached = self._ask(question, "--offline")
        if isinstance(cached, Found):
            return cached
        return answer

    def _ask(self, question: Question, *options: str) -> Found | NotFound:
        with tempfile.TemporaryDirectory(prefix="envkit-lock-") as name:
            folder = Path(name)
            asked = _command(question, folder, *options)
            output = folder / "pylock.toml"
            ended = _run(
                [*asked, "--generate-hashes", "--format", "pylock.toml", "--output-file", output]
            )
            if not ended.succeeded:
                said = _REMARKS.sub("", ended.output)  # it breaks lines where a terminal would end
                said = " ".join(said.split()) or f"uv {ended.how}"
                if _OFFLINE in said:
                    return NotFound(said=said)
                return _refused(said)
            packages = tomllib.loads(output.read_text(encoding="utf-8")).get("packages", ())
            if any(map(_is_elsewhere, packages)):
                of_index = _indexes(asked)
            else:
                of_index = {}
        yanked = {
            str(canonicalize_name(name)): str(reason)
            for name, reason in _YANKED.findall(ended.output)
        }
        return Found(
            packages=tuple(_with_index(each, of_index) for each in packages), yanked=yanked
        )


def _refused(said: str) -> NotFound:
    """What it said when it had asked; it names packages as they are normalised."""
    found = (frozenset(each.findall(said)) for each in (_UNSATISFIABLE, _UNKNOWN, _UNRELEASED))
    missing, unknown, unreleased = found
    return NotFound(
        said=said, missing=missing, unknown=unknown & missing, unreleased=unreleased & missing
    )


def _command(question: Question, folder: Path, *options: str) -> list[str | Path]:
    target = question.target
    asked = folder / "requirements.in"
    asked.write_text(_lines((*question.options, *question.requirements)), encoding="utf-8")
    command: list[str | Path] = [
        uv.program(),
        "pip",
        "compile",
        "--color",
        "never",
        "--no-header",
        *options,
    ]
    command += ["--no-annotate", "--only-binary", ":all:"]
    command += [] if question.closure else ["--no-deps"]
    command += (
        ["--python", target.executable]
        if target.executable
        else ["--python-version", target.python]
    )
    command += ["--python-platform", target.platform] if target.platform else []
    command += ["--universal"] if target.universal else []
    command += ["--exclude-newer", target.exclude_newer] if target.exclude_newer else []
    if question.constraints:
        constraints = folder / "constraints.txt"
        constraints.write_text(_lines(question.constraints), encoding="utf-8")
        command += ["--constraints", constraints]
    return [*command, asked]


def _lines(lines: Iterable[object]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _run(command: list[str | Path]) -> process.Ended:
    return process.run(
        command,
        environment={**_HASTE, **os.environ, **_NO_PYTHON},
        directory=Path(tempfile.gettempdir()),  # not where a project would configure uv
        timeout=ANSWER_SECONDS,
        keep_output=True,
    )


def _is_elsewhere(package: Mapping[str, Any]) -> bool:
    return any(
        "url" in each and not each["url"].startswith(_OF_PYPI) for each in package.get("wheels", ())
    )


def _indexes(asked: list[str | Path]) -> dict[str, str]:
    """The index of each package; uv tells it only in the form of a requirements file."""
    ended = _run([*asked, "--emit-index-annotation"])
    found = re.findall(r"^([A-Za-z0-9._-]+)==.*\n +# from (\S+)", ended.output, re.MULTILINE)
    return {name: indexes.placeheld(url) for name, url in found if not url.startswith("file:")}


def _with_index(package: LockedPackage, of_index: Mapping[str, str]) -> LockedPackage:
    index = of_index.get(package["name"])
    if index is None or not _is_elsewhere(package):
        return package
    return {**package, "index": index}
