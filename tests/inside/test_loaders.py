"""The loaders that stand in for MLflow's own, where no library is installed."""

from __future__ import annotations

import ast
import gzip
from pathlib import Path
from typing import Any

import pytest

from envkit.inside import loaders
from envkit.inside.loaders import STAND_INS
from tests.builders.inside_bench import Bench

LOADERS = Path(loaders.__file__).resolve().parent


@pytest.mark.parametrize(("module", "name"), STAND_INS.items())
def test_a_loader_documents_its_mlflow_module_needs_and_answer(module: str, name: str) -> None:
    path = LOADERS.joinpath(*name.split(".")).with_suffix(".py")
    documentation = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""

    if module.startswith("mlflow."):
        assert documentation.startswith(f"Stands in for `{module}`: ")
    assert "\nNeeds: " in documentation
    assert "\nReturns: " in documentation


ESTIMATOR = """
class Estimator:
    def predict(self, data):
        return [number + 1 for number in data]
    def predict_proba(self, data):
        return [[0.5, 0.5] for _ in data]
"""


def _pickle(module: str, name: str) -> bytes:
    """A pickle of an instance without state."""
    return b"\x80\x03c" + module.encode() + b"\n" + name.encode() + b"\n)\x81."


@pytest.mark.parametrize(
    ("conf", "expected"),
    [
        ({"model_path": "model.pkl"}, [2, 3]),
        ({"data": "model.pkl"}, [2, 3]),
        ({"model_path": "model.pkl", "predict_fn": "predict_proba"}, [[0.5, 0.5], [0.5, 0.5]]),
    ],
)
@pytest.mark.parametrize("form", [None, "pickle", "cloudpickle"])
def test_a_pickled_estimator_predicts(
    bench: Bench, python: str, conf: dict[str, str], expected: Any, form: str | None
) -> None:
    bench.module("estimators", ESTIMATOR)
    (bench.model / "model.pkl").write_bytes(_pickle("estimators", "Estimator"))
    flavor = {} if form is None else {"serialization_format": form}

    report = bench.run(
        python,
        python_function={"loader_module": "mlflow.sklearn", **conf},
        flavors={"sklearn": flavor},
    )

    assert report.one("prediction")["output"] == expected
    assert [event["module"] for event in report.named("pickle")] == ["estimators"]
    assert report.about("module", "estimators")[0]["importer"] == "_envkit.loaders.sklearn"
    assert not any(name.startswith(("mlflow", "_envkit")) for name in report.modules)


def test_an_unknown_serialization_format_is_named(bench: Bench, python: str) -> None:
    (bench.model / "model.pkl").write_bytes(b"")
    conf = {"loader_module": "mlflow.sklearn", "model_path": "model.pkl"}

    report = bench.run(
        python, python_function=conf, flavors={"sklearn": {"serialization_format": "magic"}}
    )

    assert "'magic'" in report.events[-1]["message"]


PYTHON_MODEL = """
class Model:
    def load_context(self, context):
        with open(context.artifacts["words"]) as stream:
            self.word = stream.read()
        self.config = context.model_config
    def predict(self, {parameters}):
        return [self.word, self.config, {returned}]
"""


@pytest.mark.parametrize(
    ("parameters", "returned", "expected"),
    [
        ("context, model_input, params=None", "model_input, params", [[1, 2], {"t": 1}]),
        ("context, model_input", "model_input", [[1, 2]]),
        ("ctx, model_input", "model_input", [[1, 2]]),
        ("model_input, params", "model_input, params", [[1, 2], {"t": 1}]),
        ("model_input", "model_input", [[1, 2]]),
    ],
)
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_a_pickled_python_model_gets_what_its_predict_takes(
    bench: Bench,
    python: str,
    parameters: str,
    returned: str,
    expected: list[Any],
    compression: str | None,
) -> None:
    bench.module("models", PYTHON_MODEL.format(parameters=parameters, returned=returned))
    write = gzip.compress if compression else bytes
    (bench.model / "python_model.pkl").write_bytes(write(_pickle("models", "Model")))
    (bench.model / "words.txt").write_text("word")
    conf = {
        "loader_module": "mlflow.pyfunc.model",
        "python_model": "python_model.pkl",
        "python_model_compression": compression,
        "artifacts": {"words": {"path": "words.txt", "uri": "elsewhere"}},
        "config": {"a": 1},
    }

    signature = {"params": [{"name": "t", "type": "long", "default": 1}]}
    report = bench.run(python, python_function=conf, signature=signature)

    assert report.last == "done", report.events[-1]
    assert report.one("prediction")["output"] == ["word", {"a": 1}, *expected]


def test_a_pickled_function_is_a_model(bench: Bench, python: str) -> None:
    bench.module("functions", "def double(data):\n    return data * 2\n")
    (bench.model / "python_model.pkl").write_bytes(b"cfunctions\ndouble\n.")
    conf = {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"}

    assert bench.run(python, python_function=conf).one("prediction")["output"] == [1, 2, 1, 2]


MLFLOW = {
    "mlflow/__init__": "",
    "mlflow/models/__init__": "from .model import set_model\n",
    "mlflow/models/model_config": "__mlflow_model_config__ = None\n",
    "mlflow/models/model": "__mlflow_model__ = None\ndef set_model(model):\n"
    "    global __mlflow_model__\n"
    "    __mlflow_model__ = model\n",
}


def test_a_model_from_code_is_what_it_registers(bench: Bench, python: str) -> None:
    for name, text in MLFLOW.items():
        bench.module(name, text)
    code = bench.model / "my_model.py"
    code.write_text(
        "from mlflow.models import set_model\nfrom mlflow.models import model_config\n"
        "CONFIG = model_config.__mlflow_model_config__\n"
        "class Model:\n    def predict(self, context, model_input):\n"
        "        import late\n        return [CONFIG, context.model_config, model_input]\n"
        "set_model(Model())\n"
    )
    bench.module("late", "")
    conf = {
        "loader_module": "mlflow.pyfunc.loaders.code_model",
        "model_code_path": "/where/it/was/my_model.py",
        "config": {"a": 1},
    }

    report = bench.run(python, python_function=conf)

    assert report.last == "done", report.events[-1]
    assert report.one("prediction")["output"] == [{"a": 1}, {"a": 1}, [1, 2]]
    assert report.about("module", "late")[0]["importer_file"] == str(code)
    assert report.modules["code_model_my_model"] == str(code)


def test_code_that_registers_nothing_is_an_error(bench: Bench, python: str) -> None:
    (bench.model / "my_model.py").write_text("")
    conf = {"loader_module": "mlflow.pyfunc.loaders.code_model", "model_code_path": "my_model.py"}

    error = bench.run(python, python_function=conf).events[-1]

    assert (error["phase"], error["kind"]) == ("load", "model")
    assert "set_model" in error["message"]


@pytest.mark.parametrize(("config", "expected"), [(None, "none"), ({"a": 1}, {"a": 1})])
def test_a_loader_module_gets_its_configuration_and_data(
    bench: Bench, python: str, config: Any, expected: Any
) -> None:
    bench.module(
        "loader",
        "class Model:\n    def __init__(self, *facts):\n        self.facts = facts\n"
        "    def predict(self, data):\n        return self.facts\n"
        "def _load_pyfunc(path, model_config='none'):\n    return Model(path, model_config)\n",
    )

    report = bench.run(python, python_function={"config": config, "data": "data/file"})

    assert report.one("prediction")["output"] == [str(bench.model / "data/file"), expected]


@pytest.mark.parametrize("name", ["mlflow.no_such_flavor", "mlflow.langchain"])
def test_a_loader_of_mlflow_without_stand_in_is_mlflows_own(
    bench: Bench, python: str, name: str
) -> None:
    error = bench.run(python, python_function={"loader_module": name}).events[-1]

    assert error["type"] == "ModuleNotFoundError"
    assert "mlflow" in error["message"]


def test_raw_inputs_reach_a_model_with_type_hints(bench: Bench, python: str) -> None:
    bench.module(
        "models",
        "from types import SimpleNamespace\nfrom typing import List\nclass Model:\n"
        "    predict_type_hints = SimpleNamespace(input=List[str])\n"
        "    def predict(self, model_input):\n"
        "        return [type(model_input).__name__, *model_input]\n",
    )
    (bench.model / "python_model.pkl").write_bytes(_pickle("models", "Model"))
    conf = {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"}

    hinted = {"python_function": conf, "is_signature_from_type_hint": True}
    bench.predict(python, {"inputs": ["a"]}, **hinted)

    assert bench.predictions == ["list", "a"]
    error = bench.predict(python, {"inputs": ["a", 1]}, **hinted).events[-1]
    assert (error["kind"], "Expected type str, but got int" in error["message"]) == ("input", True)
    error = bench.predict(python, {"instances": ["a"]}, **hinted).events[-1]
    assert (error["kind"], "takes only `inputs`" in error["message"]) == ("input", True)


@pytest.mark.parametrize("raw", [True, False])
def test_arrays_that_an_old_mlflow_saved_as_a_request_are_taken_out_of_it(
    bench: Bench, python: str, raw: bool
) -> None:
    """Before 2.15, for TensorFlow Serving."""
    hint = "from typing import List\ndef same(data: List[int]):\n" if raw else "def same(data):\n"
    bench.module("functions", f"{hint}    return data\n")
    (bench.model / "python_model.pkl").write_bytes(b"cfunctions\nsame\n.")
    conf = {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"}
    example = bench.example({"inputs": [1, 2]}, type="ndarray", format="tf-serving")

    report = bench.run(
        python, python_function=conf, example=example, is_signature_from_type_hint=raw
    )

    assert report.one("prediction")["output"] == [1, 2]


XGBOOST = """
class Base:
    def load_model(self, path):
        self.path = path
    def predict(self, data, output_margin=False, validate_features=True):
        return [type(self).__name__, type(data).__name__, output_margin, validate_features]
class Booster(Base):
    pass
class XGBModel(Base):
    pass
class DMatrix:
    def __init__(self, data):
        pass
"""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("xgboost.Booster", ["Booster", "DMatrix"]), ("xgboost.XGBModel", ["XGBModel", "list"])],
)
def test_an_xgboost_model_predicts_by_its_kind(
    bench: Bench, python: str, kind: str, expected: list[str]
) -> None:
    bench.module("xgboost", XGBOOST)
    (bench.model / "model.ubj").write_bytes(b"")
    params = [
        {"name": name, "type": "boolean", "default": True} for name in ("output_margin", "unknown")
    ]

    report = bench.run(
        python,
        python_function={"loader_module": "mlflow.xgboost", "data": "model.ubj"},
        flavors={"xgboost": {"data": "model.ubj", "model_class": kind}},
        signature={"params": params},
    )

    assert report.last == "done", report.events[-1]
    assert report.one("prediction")["output"] == [*expected, True, True]


def test_a_model_with_scikit_learns_interface_needs_scikit_learn(bench: Bench, python: str) -> None:
    """XGBoost goes without where it is missing, until such a model is made."""
    bench.module("xgboost/__init__", XGBOOST)
    bench.module("xgboost/sklearn", "from xgboost import XGBModel\n")
    conf = {"loader_module": "mlflow.xgboost", "data": "model.ubj"}
    flavors = {"xgboost": {"data": "model.ubj", "model_class": "xgboost.sklearn.XGBModel"}}

    missing = bench.run(python, python_function=conf, flavors=flavors).events[-1]
    bench.module("sklearn", "")
    report = bench.run(python, python_function=conf, flavors=flavors)

    assert missing["message"] == "No module named 'sklearn'"
    assert report.last == "done", report.events[-1]
    assert "sklearn" in report.modules
