"""R models: run by every command that runs models, and refused by those for Python models."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import envkit
from envkit import pyfunc
from envkit.cli.main import main
from envkit.errors import (
    InvalidArgument,
    InvalidFile,
    PathOutsideModel,
    PredictionFailed,
    ToolNotFound,
)
from envkit.models import get_flavor_backend
from envkit.pyfunc.backend import FlavorBackend, PyFuncBackend, RFuncBackend

CARS = pd.DataFrame({"wt": [2.62, 3.44], "cyl": [6, 8]})
MPG = [22.27914467, 16.64695758]  # as `predict` of R prints them with ten digits
VERSION = ".".join(map(str, sys.version_info[:3]))
pytestmark = pytest.mark.e2e


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_a_data_frame_is_predicted_on(crates: Path) -> None:
    assert envkit.predict(crates / "fuel", CARS) == pytest.approx(MPG, abs=1e-8)


def test_the_command_predicts_on_csv_in_the_sandbox(crates: Path, tmp_path: Path) -> None:
    CARS.to_csv(tmp_path / "cars.csv", index=False)

    result = command(
        "predict", crates / "fuel", "-t", "csv", "-i", tmp_path / "cars.csv", "--sandbox"
    )

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["predictions"] == pytest.approx(MPG, abs=1e-8)
    assert "A model of R: it runs in the local R " in result.stderr


def test_an_error_of_r_is_the_models_error_without_a_python_traceback(
    crates: Path, tmp_path: Path
) -> None:
    (tmp_path / "request").write_text('{"inputs": ["raise"]}')

    result = command("predict", "-q", crates / "whims", "-i", tmp_path / "request")

    assert (result.exit_code, result.stdout) == (6, "")
    lines = result.stderr.splitlines()
    assert lines[:2] == ["Error in model(data) : a secret", "Calls: model"]
    assert lines[2:] == ["Error: The model failed while predicting: RError: a secret"]


@pytest.mark.parametrize(
    ("whim", "how"), [("quit", "ended with status 3"), ("die", "was killed by SIGKILL")]
)
def test_the_error_says_how_r_ended(crates: Path, whim: str, how: str) -> None:
    with pytest.raises(PredictionFailed, match=f"predicting: its process {how}"):
        envkit.predict(crates / "whims", {"inputs": [whim]})


def test_r_is_stopped_after_the_timeout(crates: Path) -> None:
    with pytest.raises(PredictionFailed, match="still running after 2 s"):
        envkit.predict(crates / "whims", {"inputs": ["sleep"]}, timeout=2)


def test_variables_reach_the_model(crates: Path) -> None:
    assert envkit.predict(
        crates / "whims", {"inputs": ["variable"]}, extra_envs={"TOLD": "yes"}
    ) == ["yes"]


def test_a_server_answers_and_outlives_the_models_errors(crates: Path) -> None:
    def ask(body: str, kind: str = "application/json") -> bytes:
        with urlopen(
            Request(f"{server.url}/invocations", body.encode(), {"Content-Type": kind})
        ) as answer:
            content: bytes = answer.read()
            return content

    backend = get_flavor_backend(crates / "whims")
    with backend.serve(crates / "whims", port=0, synchronous=False) as server:
        assert ask('{"inputs": ["texts"]}').decode() == '{"predictions": ["\\u00e9", null]}'
        for body, status in (
            ('{"inputs": ["raise"]}', 500),
            ("[", 400),
            ('{"inputs": ["quit"]}', 502),
        ):
            with pytest.raises(HTTPError) as refused:
                ask(body)
            assert refused.value.code == status
            assert b"secret" not in refused.value.read()
        assert json.loads(ask("x\nmatrix\n", "text/csv")) == {"predictions": [[1, 3], [2, 4]]}


def test_without_r_the_error_says_what_to_install(
    crates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(
            ToolNotFound, match=r"Rscript is not installed.*r-base-core r-cran-jsonlite"
        ):
            envkit.predict(crates / "fuel", CARS)
        assert not get_flavor_backend(crates / "fuel").can_score_model()
    for name in ("R_LIBS", "R_LIBS_SITE", "R_LIBS_USER"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(ToolNotFound, match=r"package jsonlite is not installed.*r-cran-jsonlite"):
        envkit.prepare_env(crates / "fuel")


def test_a_broken_r_is_an_error_with_its_output(
    crates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "Rscript"
    program.write_text("#!/bin/sh\necho it is broken\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(ToolNotFound, match="ended with status 3: it is broken"):
        envkit.prepare_env(crates / "fuel")


def test_preparing_finds_r_and_builds_nothing(crates: Path, own_store: Path) -> None:
    prepared = get_flavor_backend(crates / "fuel").prepare_env(crates / "fuel")

    assert (prepared.built, prepared.key, (prepared.path / "library" / "base").is_dir()) == (
        False,
        "",
        True,
    )
    assert "nothing is rebuilt" in prepared.notes[0]
    assert not own_store.exists()


def test_options_for_python_are_refused_for_an_r_model(crates: Path) -> None:
    with pytest.raises(InvalidArgument, match="no requirements"):
        envkit.predict(crates / "fuel", CARS, pip_requirements_override="numpy==2")
    with pytest.raises(InvalidArgument, match="no Python"):
        envkit.prepare_env(crates / "fuel", python="python3.11")


def test_the_model_file_must_exist_and_be_in_the_model(crates: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(crates / "fuel", tmp_path / "model"))
    (model / "crate.bin").unlink()
    with pytest.raises(InvalidFile, match=r"flavors\.crate\.model: there is no file crate\.bin"):
        envkit.predict(model, CARS)
    (model / "crate.bin").symlink_to("/etc/hostname")
    with pytest.raises(PathOutsideModel, match=r"flavors\.crate\.model"):
        envkit.predict(model, CARS)


@pytest.mark.parametrize(
    "words", [("capture",), ("capture", "--static"), ("deps",), ("lock",), ("pack", "-o", "x.tar")]
)
def test_commands_for_python_models_refuse_an_r_model(crates: Path, words: tuple[str, ...]) -> None:
    result = command(*words, crates / "fuel")

    assert result.exit_code == 3
    assert "This is an R model: `envkit predict` and `envkit serve` run it" in result.stderr


def test_validate_reports_one_finding_for_an_r_model(crates: Path) -> None:
    result = command("validate", "--json", crates / "fuel")

    findings = [each for model in json.loads(result.stdout)["models"] for each in model["findings"]]
    assert [each["rule"] for each in findings] == ["ENV102"]
    assert "R runs this model" in findings[0]["problem"]


def test_an_r_model_is_not_loaded_into_python(crates: Path) -> None:
    with pytest.raises(InvalidFile, match="This is an R model"):
        pyfunc.load_model(crates / "fuel")


def test_the_backend_is_that_of_the_flavor_and_python_is_preferred(
    crates: Path, tmp_path: Path
) -> None:
    assert type(get_flavor_backend(crates / "fuel")) is RFuncBackend
    assert get_flavor_backend(crates / "fuel").can_score_model()

    model = Path(shutil.copytree(crates / "fuel", tmp_path / "model"))
    (model / "code").mkdir()
    (model / "code" / "both.py").write_text(
        "def _load_pyfunc(path): return type('M', (), {'predict': lambda self, data: 'Python'})()"
    )
    (model / "requirements.txt").write_text("")
    flavors = {
        "crate": {"model": "crate.bin"},
        "python_function": {"loader_module": "both", "code": "code", "python_version": VERSION},
    }
    (model / "MLmodel").write_text(json.dumps({"flavors": flavors}))
    backend: FlavorBackend = get_flavor_backend(model, env_manager="local")

    assert type(backend) is PyFuncBackend
    assert envkit.predict(model, {"inputs": 1}, env_manager="local") == "Python"
