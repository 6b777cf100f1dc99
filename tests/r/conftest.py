"""R models, made by the R that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders.fixture_models import FIXTURES

SCRIPT = FIXTURES.parent / "sources" / "crates.R"


@pytest.fixture(scope="session")
def crates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the models that `fixtures/sources/crates.R` writes."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not installed: apt-get install r-base-core r-cran-jsonlite")
    folder = tmp_path_factory.mktemp("crates")
    subprocess.run(
        [rscript, "--vanilla", SCRIPT, folder], check=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    return folder
