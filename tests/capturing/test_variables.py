"""Which environment variables the user of a model must know, and which of them it requires."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envkit.analysis.source_file import SourceFiles
from envkit.capturing.variables import Variable, VariablePatterns, classify
from tests.builders.sites import Site
from tests.builders.traces import traced


def read(
    name: str, file: Path | str | None, *, line: int = 1, is_set: bool = True, needed: bool = False
) -> dict[str, Any]:
    where = {
        "reader": "x",
        "reader_file": None if file is None else str(file),
        "line": line,
        "phase": "load",
    }
    return {"event": "variable", "name": name, "set": is_set, "needed": needed, **where}


def found(
    site: Site, *events: dict[str, Any], patterns: VariablePatterns | None = None
) -> dict[str, Variable]:
    trace, places = traced(site, *events)
    variables = classify(trace, places, SourceFiles(), patterns or VariablePatterns())
    return {variable.name: variable for variable in variables}


def test_what_the_model_reads_is_recorded_and_what_libraries_find_set(site: Site) -> None:
    site.install("lib", files={"lib.py": ""})
    lib = site.file("lib.py")

    variables = found(
        site,
        read("MINE", None),
        read("LIB_BACKEND", lib),
        read("LIB_UNSET", lib, is_set=False),
        read("OMP_NUM_THREADS", None),
        read("X_TOKEN", lib),
    )

    recorded = {name for name, each in variables.items() if each.recorded}
    assert recorded == {"MINE", "LIB_BACKEND", "X_TOKEN"}
    assert not variables["LIB_BACKEND"].required


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "PATH",
        "LANG",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "PYTHONPATH",
        "https_proxy",
        "SSH_AUTH_SOCK",
        "MLFLOW_DISABLE_TELEMETRY",
        "DO_NOT_TRACK",
    ],
)
def test_what_libraries_read_of_the_machine_is_not_recorded(site: Site, name: str) -> None:
    site.install("lib", files={"lib.py": ""})

    assert not found(site, read(name, site.file("lib.py")))[name].recorded


def test_patterns_decide_where_they_match_and_ignoring_comes_first(site: Site) -> None:
    patterns = VariablePatterns(include=("OMP_*", "B*"), ignore=("MY_*", "BAD"))

    variables = found(
        site, *(read(name, None) for name in ("OMP_X", "MY_TOKEN", "BAD", "A")), patterns=patterns
    )

    assert {name for name, each in variables.items() if each.recorded} == {"OMP_X", "A"}


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("API_TOKEN", True),
        ("DB_PASSWORD", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("openai_api_key", True),
        ("DATABASE_DSN", True),
        ("PGPASS", False),
        ("TOKENIZERS_PARALLELISM", False),
        ("PWD", False),
        ("REGION", False),
        ("KEYBOARD", False),
        ("PASSENGERS", False),
    ],
)
def test_names_look_like_secrets_or_not(site: Site, name: str, secret: bool) -> None:
    assert found(site, read(name, None))[name].secret is secret


@pytest.mark.parametrize(
    ("code", "line", "required"),
    [
        ("os.environ['MINE']", 1, True),
        ("try:\n    os.environ['MINE']\nexcept KeyError:\n    pass", 2, False),
        ("try:\n    os.environ['MINE']\nexcept ValueError:\n    pass", 2, True),
        ("try:\n    pass\nexcept KeyError:\n    os.environ['MINE']", 4, True),
        ("with contextlib.suppress(KeyError):\n    os.environ['MINE']", 2, False),
        ("if 'MINE' in os.environ:\n    os.environ['MINE']", 2, False),
        ("if 'MINE' not in os.environ:\n    raise X\nos.environ['MINE']", 3, True),
        ("if 'OTHER' in os.environ:\n    os.environ['MINE']", 2, True),
        ("x = os.environ['MINE'] if os.getenv('MINE') else 1", 1, False),
        ("x = 'MINE' in os.environ and os.environ['MINE']", 1, False),
        ("not python", 1, True),
    ],
)
def test_a_variable_is_required_if_no_code_handles_its_absence(
    site: Site, tmp_path: Path, code: str, line: int, required: bool
) -> None:
    path = tmp_path / "reads.py"
    path.write_text(code)

    assert found(site, read("MINE", path, line=line, needed=True))["MINE"].required is required


def test_a_variable_that_was_not_set_is_optional(site: Site) -> None:
    assert not found(site, read("MINE", None, is_set=False, needed=True))["MINE"].required
