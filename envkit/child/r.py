"""The R that is installed, which describes itself."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from envkit.child.variables import Variables
from envkit.errors import ToolNotFound

PROGRAM = "Rscript"
OLDEST = (3, 3)  # as MLflow has it
INSTALL = "apt-get install r-base-core r-cran-jsonlite"
_SECONDS = 30.0
_DESCRIBE = """cat("\\n", sep = "", paste0("envkit:", c(
  paste(R.version$major, R.version$minor, sep = "."),
  R.home(),
  requireNamespace("jsonlite", quietly = TRUE),
  .libPaths()), "\\n"))"""


@dataclass(frozen=True, kw_only=True, slots=True)
class RInstallation:
    """program: Rscript, absolute. home: the folder of R. libraries: the folders of R packages."""

    program: Path
    version: str
    home: Path
    libraries: tuple[Path, ...]


def find(environment: Variables) -> RInstallation:
    """Find R, with what a model needs of it. environment: the variables that R gets.

    Raises `ToolNotFound` when there is no R, no jsonlite, or too old an R.
    """
    on_path = shutil.which(PROGRAM, path=environment.get("PATH"))
    if on_path is None:
        raise ToolNotFound(
            PROGRAM,
            f"A model of R needs it on the PATH: `{INSTALL}`, or https://cran.r-project.org.",
        )
    version, home, has_jsonlite, *libraries = _describe(on_path, environment)
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise ToolNotFound("R 3.3 or newer", f"{on_path} is R {version}.")
    if has_jsonlite != "TRUE":
        raise ToolNotFound(
            "R's package jsonlite",
            "A model of R gets its data through it. "
            f"Install it for R {version}, which looked in {', '.join(libraries)}: "
            '`apt-get install r-cran-jsonlite`, or `install.packages("jsonlite")` in R.',
        )
    return RInstallation(
        program=Path(on_path).absolute(),
        version=version,
        home=Path(home),
        libraries=tuple(map(Path, libraries)),
    )


def _describe(program: str, environment: Variables) -> list[str]:
    # imports much that a look for an environment in the store does without
    from envkit.child import process

    try:
        ended = process.run(
            [program, "-e", _DESCRIBE],
            environment=environment,
            timeout=_SECONDS,
            keep_output=True,
        )
    except OSError as error:
        raise ToolNotFound("A working R", f"{program}: {error.strerror}.") from error
    description = re.findall(r"(?m)^envkit:(.*)$", ended.output)
    if ended.succeeded and len(description) >= 3:
        return description
    lines = ended.output.strip().splitlines() or ["it printed nothing"]
    raise ToolNotFound("A working R", f"{program} {ended.how}: {lines[-1]}.")
