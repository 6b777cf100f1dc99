"""Confine a program that runs a model: with bubblewrap where that works, else with resource limits.

*bubblewrap* (https://github.com/containers/bubblewrap, Linux) gives the program name spaces of its
own: no network, not even the local host; no processes but its own, all of which end with it; a file
system on which nothing can be written but an empty home and an empty `/tmp`, which vanish, and in
which private places are empty (`hidden_paths`).

*Resource limits* (`man 2 setrlimit`) bound what each process takes. They keep a mishap small; they
confine nobody, and the superuser least of all. They hold in bubblewrap too. The program in `inside`
puts them on itself before it touches the model.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from envkit.child import hidden_paths, process
from envkit.child.progress import Reporter
from envkit.child.variables import Variables
from envkit.errors import InvalidArgument, ToolNotFound

FILE_BYTES = 10_000_000_000  # of one file that is written
OPEN_FILES = 16_384
PROCESSES = 4_096  # and threads, more than the machine has already
PROBE_SECONDS = 10.0
_DEVICES = ("nvidia*", "dri", "kfd")  # for computations
_REMEDY = (
    "Install it (`apt-get install bubblewrap`, `dnf install bubblewrap`), "
    "or use what is available: `--sandbox`."
)


class Sandbox(StrEnum):
    """What confines a model. AUTO: bubblewrap, or else resource limits."""

    AUTO = "auto"
    BUBBLEWRAP = "bubblewrap"
    LIMITS = "limits"


@dataclass(frozen=True, kw_only=True, slots=True)
class Confinement:
    """What confines a program: bubblewrap, or resource limits alone where `program` is None.

    why_not: why there is no bubblewrap.
    """

    program: Path | None
    why_not: str = ""

    @property
    def kind(self) -> str:
        """`bubblewrap` or `limits`."""
        if self.program:
            return Sandbox.BUBBLEWRAP.value
        return Sandbox.LIMITS.value

    def __str__(self) -> str:
        if self.program:
            return (
                "Sandbox: bubblewrap; no network, nothing can be written, "
                "home and /tmp are empty and private."
            )
        because = f" ({self.why_not})" if self.why_not else ""
        return (
            f"Sandbox: resource limits only{because}; "
            "the model can reach the network and your files."
        )

    def check(self, needed: Sequence[Path], environ: Variables) -> None:
        """Refuse paths that would expose private places. Raises `InvalidArgument`."""
        if self.program is None:
            return
        for path in needed:
            place = hidden_paths.exposed_place(path, environ)
            if place is not None:
                raise InvalidArgument(
                    f"The sandbox hides {place}, and {path} contains it. "
                    "Put the model into a folder of its own."
                )

    def argv(
        self,
        argv: Sequence[str | Path],
        *,
        environ: Variables,
        readable: Sequence[Path],
        writable: Sequence[Path],
    ) -> list[str | Path]:
        """Return the words that start a program confined. `environ` is the program's."""
        if self.program is None:
            return list(argv)
        return [self.program, *_options(environ, readable, writable), "--", *argv]

    def variables(self, variables: Variables) -> dict[str, str]:
        """Return the program's variables: none points to a temporary folder that is hidden."""
        kept = dict(variables)
        if self.program is not None:
            for name in ("TMPDIR", "TMP", "TEMP"):
                kept.pop(name, None)
        return kept

    def limits(self, *, timeout: float | None, memory_bytes: int | None) -> dict[str, int]:
        """Return the resource limits by their names, without `RLIMIT_`."""
        limits = {
            "CORE": 0,
            "FSIZE": FILE_BYTES,
            "NOFILE": OPEN_FILES,
            "NPROC": _tasks() + PROCESSES,
        }
        if timeout is not None:
            limits["CPU"] = min(int(timeout * (os.cpu_count() or 1)) + 1, 2**31)
        # CUDA reserves far more than the machine has
        if memory_bytes is None and not any(Path("/dev").glob("nvidia*")):
            limits["AS"] = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return limits

    def as_ended(self, ended: process.Ended) -> process.Ended:
        """Return the end of the program.

        Bubblewrap reports a signal as a shell does: 128 and its number.
        """
        if self.program is None or not 128 < ended.status <= 128 + max(signal.valid_signals()):
            return ended
        return replace(ended, status=128 - ended.status)

    def hint(self, message: str) -> str:
        """Return a line when the sandbox may be why a model failed with this message, else nothing.

        The line has its break before it.
        """
        hints = [*_HINTS_OF_LIMITS]
        if self.program is not None:
            hints += _HINTS_OF_BUBBLEWRAP
        for pattern, hint in hints:
            if re.search(pattern, message):
                return f"\n{hint}"
        return ""


_HINTS_OF_LIMITS = (
    (
        r"MemoryError|bad_alloc|Cannot allocate memory",
        "The sandbox limits the address space, by default to the machine's memory: "
        "`--memory-limit MB` sets it.",
    ),
    (
        r"File too large",
        "In the sandbox a file may have 10 GB at most.",
    ),
    (
        r"Too many open files",
        f"In the sandbox a process may have {OPEN_FILES:,} open files at most.",
    ),
)
_HINTS_OF_BUBBLEWRAP = (
    (
        r"gaierror|ConnectionError|ConnectionRefused|Network is unreachable"
        r"|Cannot assign requested|[Nn]ame resolution|URLError|Name or service not known"
        r"|Max retries exceeded",
        "The sandbox has no network: run a model that needs it without `--sandbox`.",
    ),
    (
        r"Read-only file system",
        "In the sandbox a model can write only to its home and to /tmp; both are empty and vanish.",
    ),
    (
        r"FileNotFoundError|No such file or directory",
        "The sandbox hides home folders and /tmp except for the model and its environment: "
        "a model that reads other files there needs to run without `--sandbox`.",
    ),
)


SandboxOption = Confinement | Sandbox | str | bool | None
"""True means `auto`, False and None mean no sandbox; a `Confinement` was found before."""


def confinement(option: SandboxOption, report: Reporter | None = None) -> Confinement | None:
    """Find out what confines a model as `option` says, and report it; None for no sandbox.

    Raises `InvalidArgument` for another option, `ToolNotFound` when bubblewrap is required and does
    not work.
    """
    if option is None or option is False:
        return None
    if isinstance(option, Confinement):
        return option
    try:
        sandbox = Sandbox.AUTO if option is True else Sandbox(option)
    except ValueError:
        raise InvalidArgument(
            f"sandbox must be one of {', '.join(Sandbox)}, not {option!r}."
        ) from None
    best = _best(sandbox)
    if report is not None:
        report(str(best))
    return best


def _best(sandbox: Sandbox) -> Confinement:
    if sandbox is Sandbox.LIMITS:
        return Confinement(program=None)
    on_path = shutil.which("bwrap")
    if on_path is None:
        problem = "bwrap, of the package bubblewrap, is not on the PATH"
    else:
        program = Path(on_path).absolute()
        problem = _problem(program)
        if not problem:
            return Confinement(program=program)
    if sandbox is Sandbox.BUBBLEWRAP:
        raise ToolNotFound("A working bubblewrap", f"({problem}.) {_REMEDY}")
    return Confinement(program=None, why_not=problem)


def _problem(program: Path) -> str:
    """Say why bubblewrap does not work, as in many containers; empty when it does."""
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
    if ended.succeeded:
        return ""
    lines = ended.output.strip().splitlines() or [ended.how]
    return f"{program} does not work: {lines[-1].removeprefix('bwrap: ').rstrip('.')}"


def _options(environ: Variables, readable: Sequence[Path], writable: Sequence[Path]) -> list[str]:
    """Return bubblewrap's options; it applies them in this order."""
    view = hidden_paths.view(environ, [*readable, *_libraries(environ)])
    scratch = _scratch(environ)
    options = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    options += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    # root could write the kernel's settings there, as `core_pattern`, which runs on the host
    options += ["--ro-bind", "/proc/sys", "/proc/sys"]
    for device in _devices():
        options += ["--dev-bind", device, device]
    for file in hidden_paths.SECRET_FILES:
        if os.access(file, os.R_OK):
            options += ["--ro-bind", "/dev/null", file]
    for folder in view.hidden:
        options += ["--tmpfs", str(folder)]
    options += ["--dir", scratch]
    for place, target in view.links:
        options += ["--symlink", target, str(place)]
    for path in view.shown:
        options += ["--ro-bind", str(path), str(path)]
    for path in writable:
        options += ["--bind", str(path), str(path)]
    return [*options, "--chdir", scratch]


def _devices() -> Iterator[str]:
    for pattern in _DEVICES:
        for device in sorted(Path("/dev").glob(pattern)):
            yield str(device)


def _libraries(environ: Variables) -> list[Path]:
    folders = environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    return [Path(folder) for folder in folders if folder.startswith("/")]


def _scratch(environ: Variables) -> str:
    """Return the folder in which the program starts: its home, which is empty and writable."""
    home = environ.get("HOME", "")
    if home.startswith("/") and home != "/" and Path(home).is_dir():
        return home
    return "/tmp"  # noqa: S108


def _tasks() -> int:
    """Count the processes and threads of the machine: the limit is on all that a user has."""
    try:
        _, _, _, tasks, _ = Path("/proc/loadavg").read_text(encoding="ascii").split()
    except OSError:
        return 10_000
    return int(tasks.partition("/")[2])
