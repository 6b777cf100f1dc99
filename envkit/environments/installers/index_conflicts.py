"""Refuse a name that several indexes have with different files: the choice would be a guess.

uv takes a package from the first index that has its name, pip the best version from any: in some
orders both take the wrong one, which is how packages of a company are replaced by those of a
stranger. Mirrors, which have the same files, are no conflict, and where every file is named by its
digest there is nothing to choose. Each index is asked by itself, by uv.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from envkit.child import process, uv
from envkit.environments.plan import Plan
from envkit.errors import BuildFailed
from envkit.formats import redaction
from envkit.formats.credentials import filled, without_credentials
from envkit.formats.requirement import Requirement
from envkit.interpreters.interpreter import Interpreter

_ASKED_AT_ONCE = 4
_SECONDS = 60.0
_NO_SOLUTION = 1  # uv's status when all was answered and nothing fits; else it is 2
_DIGEST = re.compile(r"--hash=(\w+:\w+)")
_INDEX_OPTIONS = {"--index-url", "--extra-index-url"}


def refuse(
    plan: Plan,
    machine: Sequence[str],
    interpreter: Interpreter,
    cache: Path,
    environ: Mapping[str, str],
) -> None:
    """Raise `BuildFailed` when several indexes have different files for a requirement.

    `machine` are the URLs of this machine's indexes, the first of which the model's own
    `--index-url` replaces.
    """
    indexes = list(_indexes(plan, machine, environ))
    names = [
        f"{requirement.name}{requirement.specifier}"
        for requirement in (*plan.requirements, *plan.constraints)
        if _comes_from_an_index(requirement)
    ]
    if len(indexes) < 2 or not names:
        return

    # before there are threads: what it asks of `sysconfig` is not safe there
    program = uv.program()
    questions = [(line, index) for line in dict.fromkeys(names) for index in indexes]
    with (
        tempfile.TemporaryDirectory(prefix="envkit-") as folder,
        ThreadPoolExecutor(_ASKED_AT_ONCE) as threads,
    ):

        def ask(asked: tuple[int, tuple[str, str]]) -> frozenset[str]:
            number, (line, index) = asked
            file = Path(folder, f"{number}.in")  # one each: they are read at the same time
            file.write_text(f"{line}\n", encoding="utf-8")
            return _files(program, file, index, interpreter, cache, environ)

        answers = dict(zip(questions, threads.map(ask, enumerate(questions)), strict=True))
    for line in dict.fromkeys(names):
        offers = {index: answers[line, index] for index in indexes if answers[line, index]}
        if len(offers) > 1 and not frozenset.intersection(*offers.values()):
            raise BuildFailed(
                f"choose the index of {line}: there are different files of that name",
                "\n".join(f"  {without_credentials(index)}" for index in offers)
                + "\nLock the model (`envkit lock MODEL`), or name one index alone.",
            )


def _indexes(plan: Plan, machine: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    given = [option for option in plan.options if option.name in _INDEX_OPTIONS]
    if any(option.name == "--no-index" for option in plan.options):
        return
    own = any(option.name == "--index-url" for option in given)
    found = [
        *(filled(option.value or "", environ) for option in given),
        *(machine[1:] if own else machine),
    ]
    yield from {without_credentials(index).rstrip("/"): index for index in found}.values()


def _comes_from_an_index(requirement: Requirement) -> bool:
    """Whether an index chooses the file: the requirement has no digest or URL, and applies here."""
    if requirement.hashes or requirement.url is not None or requirement.pep508 is None:
        return False
    return requirement.marker is None or requirement.marker.evaluate()


def _files(
    program: Path,
    asked: Path,
    index: str,
    interpreter: Interpreter,
    cache: Path,
    environ: Mapping[str, str],
) -> frozenset[str]:
    """Give the digests of the files that an index has for a requirement; none when it has none.

    Raises `BuildFailed` when it did not answer: what it has may be what another index is not meant
    to have.
    """
    argv: list[str | Path] = [
        program,
        "pip",
        "compile",
        asked,
        "--no-config",
        "--no-deps",
        "--no-header",
    ]
    argv += [
        "--generate-hashes",
        "--no-build",
        "--no-annotate",
        "--color",
        "never",
        "--cache-dir",
        cache,
    ]
    ended = process.run(
        [*argv, "--python", interpreter.executable],
        # not an argument, which others can read
        environment={**_without_indexes(environ), "UV_DEFAULT_INDEX": index},
        timeout=_SECONDS,
        keep_output=True,
    )
    if ended.succeeded:
        return frozenset(_DIGEST.findall(ended.output))
    if ended.status == _NO_SOLUTION:
        return frozenset()
    raise BuildFailed(
        f"ask the index {without_credentials(index)}, one of several: it did not answer",
        redaction.redacted(ended.output, redaction.secrets_in([index])),
    )


def _without_indexes(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if not re.fullmatch(r"UV_(INDEX|INDEX_URL|EXTRA_INDEX_URL|DEFAULT_INDEX|FIND_LINKS)", name)
    }
