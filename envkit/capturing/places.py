"""Where a file lies: in the model, in the standard library, in a distribution, or elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from envkit.capturing.trace import CodeLocation, Trace
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions

SYSTEM = (
    "/etc/",
    "/usr/",
    "/bin/",
    "/sbin/",
    "/lib/",
    "/lib64/",
    "/proc/",
    "/sys/",
    "/dev/",
    "/run/",
    "/var/",
    "/System/",
    "/Library/",
)
SITE_FOLDERS = frozenset({"site-packages", "dist-packages"})


def _as_prefixes(folders: Iterable[str | Path]) -> tuple[str, ...]:
    return tuple(f"{str(folder).rstrip('/')}/" for folder in folders)


class Places:
    """Tells where the files of one trace lie."""

    def __init__(
        self,
        trace: Trace,
        installed: InstalledDistributions,
        model: Path,
        own: Sequence[Path] | None = None,
    ) -> None:
        """`own`: the files and folders below `model` that are the model, default all."""
        interpreter = trace.interpreter
        self._installed = installed
        self._model = f"{model}/"
        self._own = _as_prefixes(own or (model,))
        self._standard = _as_prefixes(interpreter.stdlib)
        self._programs = f"{Path(interpreter.executable).parent}/"
        self._roots = (self._model, *self._standard, *_as_prefixes(interpreter.sys_path))

    def is_local(self, file: str) -> bool:
        """Whether the file is part of the model."""
        return f"{file}/".startswith(self._own)

    def local_sources(self, trace: Trace) -> dict[str, str]:
        """The source files of the model's modules that the trace saw, by module, sorted."""
        return {
            module: file
            for module, file in sorted(trace.files.items())
            if file is not None and file.endswith(".py") and self.is_local(file)
        }

    def is_standard(self, file: str) -> bool:
        """Whether the file is part of the standard library."""
        if not file.startswith(self._standard):
            return False
        return SITE_FOLDERS.isdisjoint(Path(file).parts)

    def is_of_the_system(self, file: str) -> bool:
        """Whether the file is part of the standard library or of the operating system."""
        return self.is_standard(file) or file.startswith(SYSTEM)

    def owner(self, file: str) -> Distribution | None:
        """The distribution that the file belongs to; None for the files of the model too."""
        if self.is_local(file):
            return None
        return self._installed.owner(file)

    def distribution_of(self, code: CodeLocation) -> Distribution | None:
        """The distribution whose code it is; None for the model's code, and the runner's."""
        if code.file is None or code.is_runner:
            return None
        return self.owner(code.file)

    def reader(self, code: CodeLocation) -> str:
        """Who reads a variable with this code: `model`, `python` or the name of a distribution."""
        if code.file is None or self.is_local(code.file):
            return "model"
        if self.is_standard(code.file):
            return "python"
        owner = self._installed.owner(code.file)
        return owner.name if owner is not None else "model"

    def relative(self, file: str) -> str:
        """The path relative to the model or to its folder of the search path, else as it is.

        A program of the environment is `bin/…`, wherever the environment lies.
        """
        if file.startswith(self._programs) and not self._programs.startswith(SYSTEM):
            return f"bin/{file.removeprefix(self._programs)}"
        containing = [root for root in self._roots if file.startswith(root)]
        if not containing:
            return file
        return file.removeprefix(max(containing, key=len))
