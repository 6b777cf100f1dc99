"""Start the program folder `envkit/inside` in another interpreter and read what it reports.

The request goes in as a file, the answer comes back as a journal. So the model may print, close
descriptors, crash or be killed without disturbing what was seen before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from envkit import inside
from envkit.child import hidden_paths, journal, process, r, scratch
from envkit.child.journal import Journal
from envkit.child.process import Ended
from envkit.child.sandbox import Confinement
from envkit.child.variables import Variables
from envkit.models.directory import R_LOADER

PROGRAM = Path(inside.__file__).resolve().with_name("__main__.py")


def run_inside(
    python: Path,
    request: Mapping[str, Any],
    *,
    environment: Variables,
    timeout: float | None,
    isolated: bool,
    confinement: Confinement | None = None,
    interpreter_paths: Sequence[Path] = (),
    readable: Sequence[Path] = (),
    inherit: Sequence[int] = (),
) -> Journal:
    """Run one request in `python` and return its journal.

    `request` is the request of the protocol without its `journal`. `environment` and `timeout`
    (seconds) are as for `process.run`. `isolated` keeps `PYTHON*` variables, the user site and the
    working directory out of what is imported (`-I`): right for a rebuilt environment, wrong for an
    interpreter whose environment is to be seen as the user has it. With a `confinement` the program
    sees of private places only the `interpreter_paths` (see `interpreters.visible_paths`), its
    input, and the `readable` paths, default the model. `inherit` are descriptors that it keeps
    open.

    Raises `OSError` when the interpreter cannot be started, `InvalidArgument` when what must be
    readable would lay private places open.
    """
    with scratch.folder() as folder:
        argv, variables = prepare(
            python,
            request,
            folder,
            environment=environment,
            timeout=timeout,
            isolated=isolated,
            confinement=confinement,
            interpreter_paths=interpreter_paths,
            readable=readable,
        )
        ended = process.run(
            argv, environment=variables, timeout=timeout, inherit=inherit, supervised=True
        )
        return read_journal(folder, ended, confinement)


def prepare(
    python: Path,
    request: Mapping[str, Any],
    folder: Path,
    *,
    environment: Variables,
    timeout: float | None,
    isolated: bool,
    confinement: Confinement | None,
    interpreter_paths: Sequence[Path] = (),
    readable: Sequence[Path] = (),
) -> tuple[list[str | Path], dict[str, str]]:
    """Write the request into a private folder; return the program's words and its variables."""
    request_file = folder / "REQUEST.json"
    content = {**request, "journal": str(folder / journal.FILE_NAME)}
    flags = ["-I"] if isolated else []
    argv: list[str | Path] = [python, *flags, PROGRAM, request_file]
    variables = dict(environment)
    if confinement is not None:
        content["limits"] = confinement.limits(
            timeout=timeout, memory_bytes=request.get("memory_bytes")
        )
        needed = [*(readable or [Path(request["model"])]), *_input_file(request)]
        confinement.check(needed, environment)
        of_interpreter = [PROGRAM.parent, python, *interpreter_paths]
        of_r = _r_paths(request, environment)
        argv = confinement.argv(
            argv,
            environ=environment,
            readable=[*needed, *of_interpreter, *of_r],
            writable=[folder, *_output_folder(request)],
        )
        variables = confinement.variables(environment)
    request_file.write_text(json.dumps(content), encoding="utf-8")
    return argv, variables


def read_journal(folder: Path, ended: Ended, confinement: Confinement | None) -> Journal:
    """Read what a program reported that `prepare` prepared in this folder, and that has ended."""
    if confinement is not None:
        ended = confinement.as_ended(ended)
    return journal.read(folder / journal.FILE_NAME, ended)


def _input_file(request: Mapping[str, Any]) -> Iterator[Path]:
    source = request.get("input")
    if source:
        yield Path(source["path"])


def _output_folder(request: Mapping[str, Any]) -> Iterator[Path]:
    output = request.get("output")
    if output:
        yield Path(output).parent


def _r_paths(request: Mapping[str, Any], environment: Variables) -> Iterator[Path]:
    """Yield what R consists of, and its packages, where R runs the model."""
    if request["python_function"].get("loader_module") != R_LOADER:
        return
    installation = r.find(environment)
    yield installation.program
    yield from installation.libraries
    yield from hidden_paths.of_prefix(installation.home.parent.parent, environment)
