"""Where code lies: in the model, in the standard library, in a distribution, or elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envkit.capturing.trace import Import, Trace, VariableRead
from envkit.installed.distributions import Distribution, InstalledDistributions

# the package name under which `envkit/inside` runs; it acts on the model's behalf
RUNNER = "_envkit"

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


class Places:
    """Tells where the files of one trace belong."""

    def __init__(
        self,
        trace: Trace,
        installed: InstalledDistributions,
        model: Path,
        own: Sequence[Path] | None = None,
    ) -> None:
        """`own`: the files and folders below `model` that are the model, default all."""
        self._installed = installed
        self._model = f"{model}/"
        self._own = tuple(f"{each}/" for each in own or (model,))
        self._standard = tuple(f"{folder.rstrip('/')}/" for folder in trace.interpreter.stdlib)
        self._programs = f"{Path(trace.interpreter.executable).parent}/"
        self._search_path = tuple(f"{folder.rstrip('/')}/" for folder in trace.interpreter.sys_path)

    def is_local(self, file: str) -> bool:
        """Whether the file is part of the model."""
        return f"{file}/".startswith(self._own)

    def is_standard(self, file: str) -> bool:
        """Whether the file is part of the standard library."""
        return file.startswith(self._standard) and not {"site-packages", "dist-packages"} & set(
            Path(file).parts
        )

    def is_of_the_system(self, file: str) -> bool:
        """Whether the file is part of Python's standard library or of the operating system, not of anyone's project."""
        return self.is_standard(file) or file.startswith(SYSTEM)

    def source(self, each: Import) -> Distribution | None:
        """The distribution whose code made the import; None when it was the model, or the runner for it."""
        file = each.importer_file
        if (
            each.artifact
            or file is None
            or each.importer.partition(".")[0] == RUNNER
            or self.is_local(file)
        ):
            return None
        return self._installed.owner(file)

    def owner(self, file: str) -> Distribution | None:
        """The distribution that the file belongs to; None for those of the model, too."""
        if self.is_local(file):
            return None
        return self._installed.owner(file)

    def reader(self, read: VariableRead) -> str:
        """Who read a variable: `model`, `python` or the name of a distribution."""
        file = read.reader_file
        if file is None or self.is_local(file):
            return "model"
        if self.is_standard(file):
            return "python"
        owner = self._installed.owner(file)
        if owner:
            return owner.name
        return "model"

    def relative(self, file: str) -> str:
        """The path as seen from the model or from its folder of the search path, else as it is.

        A program of the environment is `bin/…`, wherever the environment lies.
        """
        roots = (self._model, *self._standard, *self._search_path)
        if file.startswith(self._programs) and not self._programs.startswith(SYSTEM):
            return f"bin/{file[len(self._programs) :]}"
        inside = [root for root in roots if file.startswith(root)]
        if inside:
            return file[len(max(inside, key=len)) :]
        return file
