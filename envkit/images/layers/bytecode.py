"""Bytecode for a read-only image, which could not keep what it compiles at each start."""

from __future__ import annotations

import json
import os
import posixpath
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from envkit.child import process, variables
from envkit.environments.packing.members import Member
from envkit.errors import BuildFailed
from envkit.inside import programs

_PROGRAM = Path(programs.__file__).resolve().with_name("compile_bytecode.py")
_SECONDS = 1800.0
IsWanted = Callable[[str, str], bool]
_ROOT = re.compile(r".*?(?:/(?:site|dist)-packages/|/lib(?:64)?/python\d\.\d+/(?!site-packages/))")


class Bytecode(StrEnum):
    """Which modules are compiled: those that the model's capture recorded, all, or none."""

    USED = "used"
    ALL = "all"
    NONE = "none"


@contextmanager
def compiled(
    members: Iterable[Member],
    prefix: str,
    python: Path,
    minor: str,
    environ: Mapping[str, str],
    is_wanted: IsWanted | None = None,
) -> Iterator[list[Member]]:
    """Give the bytecode of members that lie below `prefix` in the image.

    python: of the environment, or of the same version. is_wanted: chooses modules by their name
    and the path of their file; None: all. What is given can be read as long as the context lasts.
    Raises `BuildFailed` when the interpreter fails.
    """
    tag = f"cpython-{minor.replace('.', '')}"
    with tempfile.TemporaryDirectory(prefix="envkit-") as name:
        folder = Path(name)
        listed: list[tuple[str, str, str]] = []
        targets: dict[str, Path] = {}
        for number, member in enumerate(members):
            if not member.name.endswith(".py") or member.link:
                continue
            if is_wanted is not None and not is_wanted(module_of(member.name), member.name):
                continue
            source = _source(member, folder / f"{number}.py")
            target = folder / f"{number}.pyc"
            listed.append((str(source), str(target), f"/{prefix}/{member.name}"))
            targets[_bytecode_name(member.name, tag)] = target
        _run(listed, folder, python, environ)
        yield [
            Member(name=name, content=target)
            for name, target in sorted(targets.items())
            if target.is_file()
        ]


def module_of(path: str) -> str:
    """Name the module of a source or extension by its path: `…/site-packages/a/b.py` is `a.b`."""
    inner = _ROOT.sub("", f"/{path}", count=1).lstrip("/")
    stem, _, _ = posixpath.basename(inner).partition(".")
    folder = posixpath.dirname(inner).replace("/", ".")
    if stem == "__init__":
        return folder
    return f"{folder}.{stem}" if folder else stem


def _bytecode_name(source: str, tag: str) -> str:
    folder, name = posixpath.split(source)
    return posixpath.join(folder, "__pycache__", f"{name.removesuffix('.py')}.{tag}.pyc")


def _source(member: Member, path: Path) -> Path:
    if isinstance(member.content, Path):
        return member.content
    path.write_bytes(member.data)
    return path


def _run(
    listed: list[tuple[str, str, str]], folder: Path, python: Path, environ: Mapping[str, str]
) -> None:
    request = folder / "request.json"
    request.write_text(json.dumps(listed), encoding="utf-8")
    # not `-I`: it ignores the seed, and sets of constants would be written in another order
    argv: list[str | Path] = [python, "-s", "-S", _PROGRAM, request]
    own = {**variables.for_program(environ, python), "PYTHONHASHSEED": "0"}
    try:
        ended = process.run(argv, environment=own, timeout=_SECONDS, keep_output=True)
    except OSError as error:
        raise BuildFailed(
            "compile bytecode", f"{python}: {os.strerror(error.errno or 0)}"
        ) from error
    if not ended.succeeded:
        raise BuildFailed(f"compile bytecode: {python} {ended.how}", ended.output[-2000:])
