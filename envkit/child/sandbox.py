"""Confine a program that runs a model: with bubblewrap where that works, with resource limits alone elsewhere.

*bubblewrap* (https://github.com/containers/bubblewrap, Linux) gives the program name spaces of its own: no network, not
even that of this machine; no processes but its own, all of which end with it; a file system on which nothing can be
written but an empty home and an empty `/tmp`, which vanish, and in which private places are empty (`hidden_places`).

*Resource limits* (`man 2 setrlimit`) bound what each process takes. They keep a mishap small; they confine nobody, and
the superuser least of all. They hold in bubblewrap too. The program in `inside` puts them on itself before it touches
the model.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from envkit.child import hidden_paths, process
from envkit.errors import InvalidArgument, ToolNotFound

FILE_BYTES = 10_000_000_000  # of one file that is written
OPEN_FILES = 16_384
PROCESSES = 4_096  # and threads, more than the machine has already
PROBE_SECONDS = 10.0
_DEVICES = ("nvidia*", "dri", "kfd")  # what computes
_REMEDY = "Install it (`apt-get install bubblewrap`, `dnf install bubblewrap`), or take what there is: `--sandbox`."


class Sandbox(StrEnum):
    """What is wished for. AUTO: bubblewrap, or else resource limits."""

    AUTO = "auto"
    BUBBLEWRAP = "bubblewrap"
    LIMITS = "limits"


@dataclass(frozen=True, kw_only=True, slots=True)
class Confinement:
    """What a program is confined by. program: bubblewrap, None for resource limits alone, and then why not."""

    program: Path | None
    why_not: str = ""

    @property
    def kind(self) -> str:
        """`bubblewrap` or `limits`."""
        return (Sandbox.BUBBLEWRAP if self.program else Sandbox.LIMITS).value

    def __str__(self) -> str:
        if self.program:
            return "Sandbox: bubblewrap; no network, nothing can be written, home and /tmp are empty and private."
        because = f" ({self.why_not})" if self.why_not else ""
        return f"Sandbox: resource limits only{because}; the model can reach the network and your files."

    def check(self, needed: Sequence[Path], environ: Mapping[str, str]) -> None:
        """Refuse what could be shown only together with private places. Raises `InvalidArgument`."""
        for path in needed if self.program else ():
            place = hidden_paths.lays_open(path, environ)
            if place is not None:
                raise InvalidArgument(
                    f"The sandbox hides {place}, and {path} holds it. Put the model into a folder of its own."
                )

    def argv(
        self,
        argv: Sequence[str | Path],
        *,
        environ: Mapping[str, str],
        readable: Sequence[Path],
        writable: Sequence[Path],
    ) -> list[str | Path]:
        """Give the words that start a program confined. `environ` is the program's."""
        if self.program is None:
            return list(argv)
        return [self.program, *_options(environ, readable, writable), "--", *argv]

    def variables(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Give the program's variables: none points to a temporary folder that is not there."""
        left_out = ("TMPDIR", "TMP", "TEMP") if self.program else ()
        return {name: value for name, value in variables.items() if name not in left_out}

    def limits(self, *, timeout: float | None, memory_bytes: int | None) -> dict[str, int]:
        """Give the resource limits by their names, without `RLIMIT_`."""
        found = {
            "CORE": 0,
            "FSIZE": FILE_BYTES,
            "NOFILE": OPEN_FILES,
            "NPROC": _tasks() + PROCESSES,
        }
        if timeout is not None:
            found["CPU"] = min(int(timeout * (os.cpu_count() or 1)) + 1, 2**31)
        # CUDA reserves far more than there is
        if memory_bytes is None and not any(Path("/dev").glob("nvidia*")):
            found["AS"] = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return found

    def as_ended(self, ended: process.Ended) -> process.Ended:
        """Tell the end of the program, which bubblewrap tells as a shell does: 128 and the signal."""
        if self.program is None or not 128 < ended.status <= 128 + max(signal.valid_signals()):
            return ended
        return replace(ended, status=128 - ended.status)

    def hint(self, said: str) -> str:
        """Give a line, with its break before it, when the sandbox may be why a model failed that said this."""
        possible = (*_OF_LIMITS, *(_OF_BUBBLEWRAP if self.program else ()))
        hints = (hint for pattern, hint in possible if re.search(pattern, said))
        return next((f"\n{hint}" for hint in hints), "")


_OF_LIMITS = (
    (
        r"MemoryError|bad_alloc|Cannot allocate memory",
        "The sandbox limits the address space, by default to the machine's memory: `--memory-limit MB` sets it.",
    ),
    (r"File too large", "In the sandbox a file may have 10 GB at most."),
    (
        r"Too many open files",
        f"In the sandbox a process may have {OPEN_FILES:,} open files at most.",
    ),
)
_OF_BUBBLEWRAP = (
    (
        r"gaierror|ConnectionError|ConnectionRefused|Network is unreachable|Cannot assign requested|[Nn]ame resolution"
        r"|URLError|Name or service not known|Max retries exceeded",
        "There is no network in the sandbox: a model that needs it runs without `--sandbox`.",
    ),
    (
        r"Read-only file system",
        "In the sandbox a model can write to its home and to /tmp alone, which are empty and vanish.",
    ),
    (
        r"FileNotFoundError|No such file or directory",
        "The sandbox hides home folders and /tmp but for the model and its environment: what else a model reads "
        "there, it finds without `--sandbox`.",
    ),
)


Wish = Confinement | Sandbox | str | bool | None
"""True means `auto`, False and None mean no sandbox; a `Confinement` has been found out before."""


def confinement(wished: Wish, report: Callable[[str], None] | None = None) -> Confinement | None:
    """Find out how a wish can be met; None when there is none. `report` is told what was found.

    Raises `InvalidArgument` for another wish, `ToolNotFound` when bubblewrap is insisted on and
    does not work.
    """
    if wished is None or wished is False or isinstance(wished, Confinement):
        return wished or None
    try:
        found = _best(Sandbox.AUTO if wished is True else Sandbox(wished))
    except ValueError:
        raise InvalidArgument(
            f"sandbox must be one of {', '.join(Sandbox)}, not {wished!r}."
        ) from None
    if report is not None:
        report(str(found))
    return found


def _best(sandbox: Sandbox) -> Confinement:
    if sandbox is Sandbox.LIMITS:
        return Confinement(program=None)
    found = shutil.which("bwrap")
    if found:
        problem = _problem(Path(found).absolute())
    else:
        problem = "bwrap, of the package bubblewrap, is not on the PATH"
    if found and not problem:
        return Confinement(program=Path(found).absolute())
    if sandbox is Sandbox.BUBBLEWRAP:
        raise ToolNotFound("A working bubblewrap", f"({problem}.) {_REMEDY}")
    return Confinement(program=None, why_not=problem)


def _problem(program: Path) -> str:
    """Say why bubblewrap does not work here, in containers often; empty when it does."""
    options = _options(os.environ, [program], [])
    try:
        ended = process.run(
            [program, *options, "--", program, "--version"],
            environment=os.environ,
            timeout=PROBE_SECONDS,
            keep_output=True,
        )
    except OSError as error:
        return f"{program}: {error.strerror}"
    lines = ended.output.strip().splitlines() or [ended.how]
    if ended.succeeded:
        return ""
    return f"{program} does not work here: {lines[-1].removeprefix('bwrap: ').rstrip('.')}"


def _options(
    environ: Mapping[str, str], readable: Sequence[Path], writable: Sequence[Path]
) -> list[str]:
    """Give bubblewrap's options, which it follows in this order."""
    view = hidden_paths.view(environ, [*readable, *_libraries(environ)])
    options = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    options += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for device in (
        str(each) for pattern in _DEVICES for each in sorted(Path("/dev").glob(pattern))
    ):
        options += ["--dev-bind", device, device]
    for file in hidden_paths.SECRET_FILES:
        if os.access(file, os.R_OK):
            options += ["--ro-bind", "/dev/null", file]
    for folder in view.hidden:
        options += ["--tmpfs", str(folder)]
    options += ["--dir", _scratch(environ)]
    for place, target in view.links:
        options += ["--symlink", target, str(place)]
    for path in view.shown:
        options += ["--ro-bind", str(path), str(path)]
    for path in writable:
        options += ["--bind", str(path), str(path)]
    return [*options, "--chdir", _scratch(environ)]


def _libraries(environ: Mapping[str, str]) -> list[Path]:
    return [
        Path(each)
        for each in environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
        if each.startswith("/")
    ]


def _scratch(environ: Mapping[str, str]) -> str:
    """The folder in which the program starts: its home, which is empty and writable."""
    home = environ.get("HOME", "")
    return home if home.startswith("/") and home != "/" and Path(home).is_dir() else "/tmp"  # noqa: S108


def _tasks() -> int:
    """Count the processes and threads of this machine: the limit is on all that a user has."""
    try:
        return int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[2])
    except OSError:
        return 10_000
