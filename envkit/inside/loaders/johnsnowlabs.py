"""In place of `mlflow.johnsnowlabs`: a pipeline of Spark NLP, as John Snow Labs' own library loads it.

Its Java libraries lie in the model, in `jars.jsl`, and so may its licence, which else an
environment variable has.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any, Dict, List, Mapping, Optional

from .native import Native

DATA = "jsl-model"
JARS = "jars.jsl"
LICENSE_FILE = "license.json"
LICENSE = "JOHNSNOWLABS_LICENSE_JSON"


class NoLicense(ValueError):
    """There is no licence, or one that cannot be read."""


class NluPipeline(Native):
    """What `mlflow.pyfunc` calls: takes texts, gives the table of what was found in them as JSON text."""

    def predict(self, data: Any, params: Any = None) -> Any:
        """Predict; the parameter `output_level` is `document`, `sentence`, `chunk` or `token`."""
        level = (params or {}).get("output_level", "")
        return self.model.predict(data, output_level=level).reset_index().to_json()


def load(path: str, request: Mapping[str, Any]) -> NluPipeline:  # noqa: ARG001 - as the other loaders
    """Load the pipeline, into the Spark that runs or a new one."""
    return NluPipeline(load_native(request["model"], request["flavors"]["johnsnowlabs"]))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the pipeline of a model directory. Raises `NoLicense`, and `RuntimeError` without Java libraries."""
    path = os.path.abspath(os.path.join(folder, flavor.get("model_data", DATA)))
    use_license(os.path.join(path, JARS, LICENSE_FILE))
    _check(_running() or _started(os.path.join(path, JARS)), path)
    return import_module("johnsnowlabs.nlp").load(path=path)


def use_license(file: str = "") -> Dict[str, str]:
    """Put the keys of the licence where the library looks for them, into the environment, and give them.

    file: where it may lie if the environment variable does not have it. Raises `NoLicense` without
    one.
    """
    text = os.environ.get(LICENSE, "")
    where = LICENSE if text else file
    if not text and os.path.isfile(file):
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    if not text:
        raise NoLicense(
            "models of John Snow Labs need a licence: set the environment variable %s to the text of its license.json"
            % LICENSE
        )
    keys = _keys(text, where)
    os.environ.update(keys)
    if "HC_LICENSE" in keys:
        os.environ["JSL_NLP_LICENSE"] = keys["HC_LICENSE"]
    return keys


def _keys(text: str, where: str) -> Dict[str, str]:
    """Read a licence; what is wrong with one is told without its text."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NoLicense(
            "the licence in %s is no JSON object, as license.json of John Snow Labs is" % where
        ) from None
    return {key: str(value) for key, value in found.items() if value is not None}


def _running() -> Any:
    return import_module("pyspark.sql").SparkSession.getActiveSession()


def _started(folder: str) -> Any:
    """Start a Spark with the Java libraries of the model; without any the library fetches its own."""
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    start = import_module("johnsnowlabs.nlp").start
    jars = _jars(folder)
    if not jars:
        return start()
    return start(
        nlp=False,
        spark_nlp=False,
        jar_paths=jars,
        json_license_path=_existing(os.path.join(folder, LICENSE_FILE)),
        create_jsl_home_if_missing=False,
        spark_conf={"spark.python.worker.reuse": "true"},
    )


def _check(session: Any, path: str) -> None:
    """Look for one class of Spark NLP; py4j gives a package for a name that Java does not know."""
    if type(session._jvm.com.johnsnowlabs.nlp.LightPipeline).__name__ == "JavaPackage":
        raise RuntimeError(
            "the Spark that runs has no Java library of Spark NLP, without which %s cannot be loaded: "
            "start it by `johnsnowlabs.nlp.start()`, or put the library's jars into the model's %s"
            % (path, JARS)
        )


def _jars(folder: str) -> List[str]:
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if name.endswith(".jar")]


def _existing(file: str) -> Optional[str]:
    if os.path.isfile(file):
        return file
    return None
