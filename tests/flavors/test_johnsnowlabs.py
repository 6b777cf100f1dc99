"""The flavor whose library needs a licence; the library and PySpark are fakes that record calls."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from envkit.errors import InvalidArgument, ToolNotFound
from envkit.flavors import johnsnowlabs
from envkit.models import Model

KEYS = {"SECRET": "7.0.0-of-nobody", "SPARK_NLP_LICENSE": "a licence", "AWS_ACCESS_KEY_ID": None}
FAKES = {
    "pyspark/__init__.py": "__version__ = '3.5.0'",
    "pyspark/sql.py": """
from types import SimpleNamespace

class JavaPackage:
    pass

class SparkSession:
    def __init__(self, of_java):
        spark_nlp = SimpleNamespace(LightPipeline=of_java)
        johnsnowlabs = SimpleNamespace(nlp=spark_nlp)
        self._jvm = SimpleNamespace(com=SimpleNamespace(johnsnowlabs=johnsnowlabs))

    @staticmethod
    def getActiveSession():
        return None
""",
    "pyspark/ml/pipeline.py": """
from pathlib import Path

class PipelineModel:
    def write(self):
        return self

    def overwrite(self):
        return self

    def save(self, place):
        folder = Path(place.removeprefix("file://"), "metadata")
        folder.mkdir(parents=True)
        Path(folder, "part-00000").write_text("{}")
""",
    "johnsnowlabs/settings.py": """
raw_version_jsl_lib = "7.0.0"
raw_version_medical = "7.0.1"
raw_version_ocr = "7.0.2"
""",
    "johnsnowlabs/nlp.py": """
import os
import pandas
from pyspark.ml.pipeline import PipelineModel
from pyspark.sql import SparkSession

started = []
of_java = object()

def start(**settings):
    started.append(settings)
    return SparkSession(of_java)

class NLUPipeline:
    def predict(self, data, output_level=""):
        self.vanilla_transformer_pipe = PipelineModel()
        texts = [data] if isinstance(data, str) else data
        if hasattr(data, "iloc"):
            texts = data.iloc[:, 0]
        return pandas.DataFrame({"text": texts, "level": output_level})

def load(path):
    assert os.path.isfile(os.path.join(path, "metadata", "part-00000"))
    return NLUPipeline()
""",
    "johnsnowlabs/auto_install/jsl_home.py": """
from pathlib import Path
from types import SimpleNamespace

def get_install_suite_from_jsl_home(create_jsl_home_if_missing, visual, browser_login):
    assert not create_jsl_home_if_missing and not browser_login
    jar = Path(__file__).parent / "spark-nlp.jar"
    jar.write_bytes(b"PK")
    return SimpleNamespace(nlp=SimpleNamespace(get_java_path=lambda: str(jar)), hc=None, ocr=None)
""",
}
MLFLOWS = """
flavors:
  johnsnowlabs: {code: null, model_data: jsl-model, pyspark_version: 3.5.0}
  python_function:
    data: jsl-model
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.johnsnowlabs
    python_version: 3.11.7
mlflow_version: 3.17.2
"""


@pytest.fixture(autouse=True)
def no_license(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JOHNSNOWLABS_LICENSE_JSON", "HEALTHCARE_SECRET", "VISUAL_SECRET", *KEYS):
        monkeypatch.setenv(name, "")  # restored afterwards, whatever the loader sets
        monkeypatch.delenv(name)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "fakes"
    for name, text in FAKES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith(("pyspark", "johnsnowlabs")):
            del sys.modules[name]


@pytest.fixture
def licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOHNSNOWLABS_LICENSE_JSON", json.dumps(KEYS))
    for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "JSL_NLP_LICENSE"):
        monkeypatch.setenv(name, "")


def saved_by_mlflow(folder: Path, extra: Mapping[str, str]) -> Path:
    """Return a directory as MLflow 3.17 writes it; `extra` is the content of `jars.jsl`."""
    files = {
        "MLmodel": MLFLOWS,
        "requirements.txt": "johnsnowlabs_for_databricks==7.0.0\npyspark==3.5.0\n",
    }
    files |= {
        "jsl-model/metadata/part-00000": "{}",
        **{f"jsl-model/jars.jsl/{name}": extra[name] for name in extra},
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def started() -> list[dict[str, Any]]:
    return list(sys.modules["johnsnowlabs.nlp"].started)


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    model = saved_by_mlflow(tmp_path / "model", {})

    for call in (
        lambda: johnsnowlabs.save_model(object(), tmp_path / "new"),
        lambda: johnsnowlabs.load_model(model),
        johnsnowlabs.get_default_pip_requirements,
    ):
        with pytest.raises(ToolNotFound, match="`pip install johnsnowlabs`"):
            call()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("text", ["", "no-json-but-a-secret", "[1]"])
def test_without_a_licence_the_error_names_the_variable_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("JOHNSNOWLABS_LICENSE_JSON", text)
    model = saved_by_mlflow(tmp_path / "model", {})

    for call in (
        lambda: johnsnowlabs.save_model(object(), tmp_path / "new"),
        lambda: johnsnowlabs.load_model(model),
    ):
        with pytest.raises(InvalidArgument, match="JOHNSNOWLABS_LICENSE_JSON") as caught:
            call()
        assert "no-json" not in str(caught.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("library", "licence")
def test_mlflows_directory_is_loaded_with_its_java_libraries(tmp_path: Path) -> None:
    model = saved_by_mlflow(tmp_path / "model", {"os_jar.jar": "PK", "hc_jar.jar": "PK"})
    loaded = johnsnowlabs._load_pyfunc(model)

    found = json.loads(loaded.predict(["I love it"], params={"output_level": "sentence"}))
    assert found == {"index": {"0": 0}, "text": {"0": "I love it"}, "level": {"0": "sentence"}}
    assert [Path(each).name for each in started()[0]["jar_paths"]] == ["hc_jar.jar", "os_jar.jar"]
    assert started()[0]["json_license_path"] is None
    assert type(johnsnowlabs.load_model(model)).__name__ == "NLUPipeline"


@pytest.mark.usefixtures("library")
def test_the_licence_in_the_model_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JSL_NLP_LICENSE", "")
    keys = json.dumps({"HC_LICENSE": "theirs"})
    model = saved_by_mlflow(tmp_path / "model", {"os_jar.jar": "PK", "license.json": keys})
    johnsnowlabs.load_model(model)

    assert Path(started()[0]["json_license_path"]).name == "license.json"


@pytest.mark.usefixtures("library", "licence")
def test_without_java_libraries_the_library_downloads_its_own(tmp_path: Path) -> None:
    johnsnowlabs.load_model(saved_by_mlflow(tmp_path / "model", {}))

    assert started() == [{}]


@pytest.mark.usefixtures("library", "licence")
def test_a_spark_session_without_the_java_library_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from johnsnowlabs import nlp  # type: ignore[import-not-found]
    from pyspark.sql import JavaPackage

    monkeypatch.setattr(nlp, "of_java", JavaPackage())
    with pytest.raises(RuntimeError, match="no Java library of Spark NLP"):
        johnsnowlabs.load_model(saved_by_mlflow(tmp_path / "model", {"os_jar.jar": "PK"}))


@pytest.mark.usefixtures("library", "licence")
@pytest.mark.parametrize("store", [False, True])
def test_a_saved_pipeline_contains_java_libraries_and_the_licence_only_on_demand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: bool
) -> None:
    from johnsnowlabs import nlp

    monkeypatch.setenv("ENVKIT_HOME", str(tmp_path / "home"))
    path = tmp_path / "model"
    with pytest.warns(UserWarning, match="may not work elsewhere"):  # no distribution has the fakes
        johnsnowlabs.save_model(nlp.NLUPipeline(), path, input_example=["a"], store_license=store)

    fields = Model.load(path).flavors
    assert fields["johnsnowlabs"] == {
        "pyspark_version": "3.5.0",
        "model_data": "jsl-model",
        "code": None,
    }
    assert (fields["python_function"]["loader_module"], fields["python_function"]["data"]) == (
        "mlflow.johnsnowlabs",
        "jsl-model",
    )
    jars = path / "jsl-model" / "jars.jsl"
    assert sorted(each.name for each in jars.iterdir()) == [
        *(["license.json"] if store else []),
        "os_jar.jar",
    ]
    others = [each for each in path.rglob("*") if each.is_file() and each.name != "license.json"]
    assert not [each for each in others if b"of-nobody" in each.read_bytes()]
    if store:
        assert json.loads((jars / "license.json").read_text())["HC_LICENSE"] == "a licence"
        assert (jars / "license.json").stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("library")
def test_the_default_requirements_name_the_secret_without_containing_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InvalidArgument, match="HEALTHCARE_SECRET or VISUAL_SECRET"):
        johnsnowlabs.get_default_pip_requirements()
    monkeypatch.setenv("VISUAL_SECRET", "7.0.0-of-nobody")

    assert johnsnowlabs.get_default_pip_requirements() == [
        "johnsnowlabs_for_databricks==7.0.0",
        "pyspark",
        "spark-ocr @ https://pypi.johnsnowlabs.com/${VISUAL_SECRET}/spark-ocr/"
        "spark_ocr-7.0.2-py3-none-any.whl",
    ]
    assert "of-nobody" not in json.dumps(johnsnowlabs.get_default_conda_env())
