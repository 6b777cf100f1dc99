"""Where code lies: in the model, in the standard library, in a distribution, or elsewhere."""

from __future__ import annotations

from pathlib import Path

from envkit.capture.distributions import Distribution, InstalledDistributions
from envkit.capture.trace import Import, Trace

RUNNER = "_envkit"  # the package name under which `envkit/inside` runs; it acts on the model's behalf


class Places:
    """Tells where the files of one trace belong."""

    def __init__(self, trace: Trace, installed: InstalledDistributions, model: Path) -> None:
        self._installed = installed
        self._model = f"{model}/"
        self._standard = tuple(f"{folder.rstrip('/')}/" for folder in trace.interpreter.stdlib)

    def is_local(self, file: str) -> bool:
        """Whether the file is part of the model."""
        return file.startswith(self._model)

    def is_standard(self, file: str) -> bool:
        """Whether the file is part of the standard library."""
        return file.startswith(self._standard) and not {"site-packages", "dist-packages"} & set(Path(file).parts)

    def source(self, each: Import) -> Distribution | None:
        """The distribution whose code made the import; None when it was the model, or the runner for it."""
        file = each.importer_file
        if each.artifact or file is None or each.importer.partition(".")[0] == RUNNER or self.is_local(file):
            return None
        return self._installed.owner(file)
