"""What an engine is: the one who makes a virtual environment and installs a plan into it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from envkit.child import process
from envkit.child.progress import Reporter, step
from envkit.environments.installers.output import Listener
from envkit.environments.plan import Plan
from envkit.errors import BuildFailed
from envkit.formats import redaction
from envkit.interpreters.interpreter import Interpreter

_SHOWN_LINES = 40
_LACKS_WHEEL = re.compile(
    r"building from source|Building source distributions|no usable wheels|No matching distribution"
)
_YANKED = re.compile(
    r"^(?:warning|WARNING): (.*\byanked\b.*(?:\n(?!warning|WARNING)Reason.*)?)", re.MULTILINE
)
_NO_SOURCE = (
    "Only wheels are installed; `--allow-source` lets what has none be built, which runs its code."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Workshop:
    """Where an engine works and how it starts its tools.

    place: the environment. cache: for downloads. variables: of the tools. inherit: descriptors that
    tools keep open. secrets: what must not appear in messages. allow_source: whether source
    distributions may be built. settings: of uv (see `uv_settings`). warn: is told what installers
    warn of that the user should know. report: is shown how far they are.
    """

    place: Path
    cache: Path
    variables: Mapping[str, str]
    inherit: tuple[int, ...] = ()
    secrets: frozenset[str] = frozenset()
    allow_source: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    warn: Callable[[str], None] = lambda _: None
    report: Reporter | None = None

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.place / "bin" / "python"

    @property
    def papers(self) -> Path:
        """A private folder for what installers read; removed when the build is done."""
        folder = self.place / ".envkit-build"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def with_own_temporary_files(self) -> Workshop:
        """Let tools put temporary files among the papers: killed, it leaves nothing elsewhere."""
        folder = self.papers / "tmp"
        folder.mkdir(exist_ok=True)
        return replace(self, variables={**self.variables, "TMPDIR": str(folder)})

    def write(self, name: str, lines: Iterable[object]) -> Path:
        """Write lines for an installer. Only the user may read them: they may hold credentials."""
        path = self.papers / name
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as stream:
            stream.writelines(f"{line}\n" for line in lines)
        return path

    def install(
        self, argv: Sequence[str | Path], doing: str, variables: Mapping[str, str] | None = None
    ) -> None:
        """Run an installer as `run` does, and show what it downloads and installs."""
        with step(self.report, "Finding packages") as advance:
            self.run(argv, doing, variables, Listener(advance))

    def run(
        self,
        argv: Sequence[str | Path],
        doing: str,
        variables: Mapping[str, str] | None = None,
        heard: Callable[[str], None] | None = None,
        explain: Callable[[str, str], BuildFailed | None] | None = None,
    ) -> str:
        """Run a tool to its end and give what it said.

        `explain` makes the error of a tool that says in its own format why it failed, of what it
        was doing and of all that it printed; None where it did not say.

        Raises `BuildFailed`, which says what it was `doing` and its last words, without
        credentials.
        """
        ended = process.run(
            argv,
            environment={**self.variables, **(variables or {})},
            directory=self.place.parent,
            keep_output=True,
            inherit=self.inherit,
            on_line=heard,
        )
        if ended.succeeded:
            for line in _YANKED.findall(ended.output):
                self.warn(redaction.redacted(line.strip(), self.secrets))
            return ended.output.strip()
        text = redaction.redacted(ended.output, self.secrets)
        last = "\n".join(text.splitlines()[-_SHOWN_LINES:])
        if "No space left on device" in text or "os error 28" in text:
            doing = f"{doing}: no space left in {self.place.parents[1]}"
        elif ended.status < 0:
            doing = f"{doing}: the installer {ended.how}"
        elif not self.allow_source and _LACKS_WHEEL.search(text):
            last += f"\n{_NO_SOURCE}"
        failure = explain(doing, text) if explain is not None else None
        if failure is not None:
            raise failure
        raise BuildFailed(doing, last)


class Engine(Protocol):
    """Makes environments of one kind.

    Both methods raise `BuildFailed`, or `ToolNotFound` for a missing tool.
    """

    def create(self, interpreter: Interpreter, workshop: Workshop) -> Interpreter | None:
        """Make an environment at `workshop.place` without any Python packages, not even pip.

        A conda environment brings its conda packages, and an interpreter of its own, which is what
        is given.
        """
        ...

    def install(self, plan: Plan, workshop: Workshop) -> None:
        """Install the plan and nothing else; check every hash that it names."""
        ...
