"""`get_flavor_backend`, and what the backend of a model does."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pandas as pd
import pytest

from envkit import predict
from envkit.errors import InputMismatch, InvalidArgument, InvalidFile
from envkit.models import FlavorBackend, Model, enforce, get_flavor_backend, infer_signature
from tests.builders.files import write_files
from tests.builders.fixture_models import FixtureModel
from tests.builders.models import loader_code, write_model


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    """A model that returns its input, and requires no library."""
    return write_model(tmp_path / "echo", loader_code(), requirements="", python_version="3.11.7")


def test_the_backend_is_chosen_without_reading_the_model(
    fixture_model: Callable[[str], FixtureModel],
) -> None:
    model = fixture_model("sklearn_pipeline")

    backend = get_flavor_backend(str(model.path), env_manager="virtualenv")

    assert isinstance(backend, FlavorBackend)
    assert (backend.env_manager, backend.can_score_model(), backend.can_build_image()) == (
        "virtualenv",
        True,
        True,
    )


def test_a_backend_predicts_on_files_and_on_standard_input(
    echo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    backend = get_flavor_backend(echo, env_manager="local")
    file = tmp_path / "given.json"
    file.write_text('{"inputs": {"a": 1}}')

    assert backend.predict(echo, file, tmp_path / "answer.json") == {"a": 1}
    assert json.loads((tmp_path / "answer.json").read_text()) == {"predictions": {"a": 1}}
    assert capsys.readouterr().out == ""

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    assert backend.predict(echo) == {"a": 1}
    assert json.loads(capsys.readouterr().out) == {"predictions": {"a": 1}}


def test_a_data_frame_without_a_request_key_is_read_in_the_named_format(
    echo: Path, tmp_path: Path
) -> None:
    backend = get_flavor_backend(echo, env_manager="local")
    file = tmp_path / "given.json"
    file.write_text('[{"a": 1}]')

    assert backend.predict(echo, file, tmp_path / "answer.json", json_format="records") == [
        {"a": 1}
    ]
    with pytest.raises(InvalidArgument, match="json_format"):
        backend.predict(echo, file, json_format="table")


def test_a_fraction_for_an_integer_is_refused_in_every_form(echo: Path, tmp_path: Path) -> None:
    Model(
        signature=infer_signature(pd.DataFrame({"a": [1]})), flavors=Model.load(echo).flavors
    ).save(echo)
    fraction = pd.DataFrame({"a": [2.5]})
    (tmp_path / "a.csv").write_text("a\n2.5\n")
    fraction.to_parquet(tmp_path / "a.parquet")

    for data in (
        fraction,
        {"inputs": {"a": [2.5]}},
        {"instances": [{"a": 2.5}]},
        {"dataframe_records": [{"a": 2.5}]},
    ):
        with pytest.raises(InvalidFile, match=r"`a`.* not 2\.5"):
            predict(echo, data, env_manager="local")
    for kind in ("csv", "parquet"):
        with pytest.raises(InvalidFile, match="`a`"):
            predict(echo, input_path=tmp_path / f"a.{kind}", content_type=kind, env_manager="local")
    assert predict(echo, pd.DataFrame({"a": [2]}), content_type="parquet", env_manager="local") == [
        {"a": 2}
    ]
    with pytest.raises(InputMismatch):
        enforce(fraction, Model.load(echo).signature)


def test_a_model_of_neither_python_nor_r_has_no_backend(tmp_path: Path) -> None:
    write_files(tmp_path, {"MLmodel": "flavors: {mleap: {version: '0.1'}}\n"})

    with pytest.raises(InvalidFile, match=r"envkit cannot run any of them \(mleap\)"):
        get_flavor_backend(tmp_path)


def test_unknown_options_and_unsupported_arguments_are_refused(echo: Path) -> None:
    with pytest.raises(InvalidArgument, match="no option 'install_mlflow'"):
        get_flavor_backend(echo, install_mlflow=True)
    with pytest.raises(InvalidArgument, match="cannot be set"):  # in MLflow's order
        get_flavor_backend(echo).predict(echo, "given.json", None, "json", None, {"a=b": "c"})
    with pytest.raises(
        InvalidArgument, match="enable_mlserver, stdout and stderr are not supported"
    ):
        get_flavor_backend(echo).serve(echo, enable_mlserver=True)


def test_a_backend_serves(echo: Path) -> None:
    backend = get_flavor_backend(echo, env_manager="local", workers=1, timeout=5)

    with (
        backend.serve(echo, port=0, synchronous=False) as server,
        urlopen(f"{server.url}/ping") as answer,
    ):
        assert answer.status == 200
