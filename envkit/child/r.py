"""R, as it is on this machine: asked of itself."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envkit.errors import ToolNotFound

PROGRAM = "Rscript"
OLDEST = (3, 3)  # as MLflow has it
INSTALL = "apt-get install r-base-core r-cran-jsonlite"
_SECONDS = 30.0
_ASK = """cat("\\n", sep = "", paste0("envkit:", c(
  paste(R.version$major, R.version$minor, sep = "."),
  R.home(),
  requireNamespace("jsonlite", quietly = TRUE),
  .libPaths()), "\\n"))"""


@dataclass(frozen=True, kw_only=True, slots=True)
class R:
    """program: Rscript, absolute. home: the folder of R itself. libraries: the folders in which packages lie."""

    program: Path
    version: str
    home: Path
    libraries: tuple[Path, ...]


def find(environment: Mapping[str, str]) -> R:
    """Find the R of this machine, with what a model needs of it. environment: the variables that R gets.

    Raises `ToolNotFound` when there is no R, no jsonlite, or too old an R.
    """
    # imports much that asking for an environment that is there does without
    from envkit.child import process

    found = shutil.which(PROGRAM, path=environment.get("PATH"))
    if found is None:
        raise ToolNotFound(
            PROGRAM,
            f"A model of R needs it on the PATH: `{INSTALL}`, or https://cran.r-project.org.",
        )
    try:
        ended = process.run(
            [found, "-e", _ASK], environment=environment, timeout=_SECONDS, keep_output=True
        )
    except OSError as error:
        raise ToolNotFound("A working R", f"{found}: {error.strerror}.") from error
    told = re.findall(r"(?m)^envkit:(.*)$", ended.output)
    if not ended.succeeded or len(told) < 3:
        said = (ended.output.strip().splitlines() or ["it says nothing"])[-1]
        raise ToolNotFound("A working R", f"{found} {ended.how}: {said}.")
    version, home, has_jsonlite, *libraries = told
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise ToolNotFound("R 3.3 or newer", f"{found} is R {version}.")
    if has_jsonlite != "TRUE":
        raise ToolNotFound(
            "R's package jsonlite",
            f"A model of R gets its data by it. Install it for R {version}, which looked in {', '.join(libraries)}: "
            '`apt-get install r-cran-jsonlite`, or `install.packages("jsonlite")` in R.',
        )
    return R(
        program=Path(found).absolute(),
        version=version,
        home=Path(home),
        libraries=tuple(map(Path, libraries)),
    )
