"""Stands in for `mlflow.johnsnowlabs`: a Spark NLP pipeline of John Snow Labs.

Needs: johnsnowlabs, pyspark, pandas, Java, and a licence: an environment variable or a file in the
model. The model has its Java libraries in `jars.jsl`.
Takes: texts.
Returns: the table of what was found in them, as a JSON text.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

from ..request import Flavor, Request
from .native import NativeModel

DATA = "jsl-model"
JARS = "jars.jsl"
LICENSE_FILE = "license.json"
LICENSE_VARIABLE = "JOHNSNOWLABS_LICENSE_JSON"


class NoLicense(ValueError):
    """The licence is missing or cannot be read."""


class NluPipeline(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Any = None) -> Any:
        """Predict; the parameter `output_level` is `document`, `sentence`, `chunk` or `token`."""
        level = (params or {}).get("output_level", "")
        return self.model.predict(data, output_level=level).reset_index().to_json()


def load(path: str, request: Request) -> NluPipeline:  # noqa: ARG001 - as the other loaders
    """Load the pipeline into the Spark session that runs, or a new one."""
    return NluPipeline(load_native(request["model"], request["flavors"]["johnsnowlabs"]))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the pipeline of a model directory.

    Raises `NoLicense`, and `RuntimeError` when Spark lacks the Java library.
    """
    path = os.path.abspath(os.path.join(folder, flavor.get("model_data", DATA)))
    jars = os.path.join(path, JARS)
    use_license(os.path.join(jars, LICENSE_FILE))
    session = import_module("pyspark.sql").SparkSession.getActiveSession()
    _check_java_library(session or _start_session(jars), path)
    return import_module("johnsnowlabs.nlp").load(path=path)


def use_license(file: str = "") -> dict[str, str]:
    """Put the keys of the licence into the environment, and give them.

    The library looks for them there. file: where it may be if the environment variable is not set.
    Raises `NoLicense`.
    """
    text = os.environ.get(LICENSE_VARIABLE, "")
    source = LICENSE_VARIABLE if text else file
    if not text and os.path.isfile(file):
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    if not text:
        raise NoLicense(
            "models of John Snow Labs need a licence: set the environment variable %s "
            "to the text of its license.json" % LICENSE_VARIABLE
        )
    keys = _keys(text, source)
    os.environ.update(keys)
    if "HC_LICENSE" in keys:
        os.environ["JSL_NLP_LICENSE"] = keys["HC_LICENSE"]
    return keys


def _keys(text: str, source: str) -> dict[str, str]:
    """Read a licence; messages do not quote it."""
    try:
        keys = json.loads(text)
    except ValueError:
        keys = None
    if not isinstance(keys, dict):
        raise NoLicense(
            "the licence in %s is not a JSON object like license.json of John Snow Labs" % source
        ) from None
    return {key: str(value) for key, value in keys.items() if value is not None}


def _start_session(folder: str) -> Any:
    """Start Spark with the Java libraries of the model.

    Without any the library downloads its own.
    """
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    start = import_module("johnsnowlabs.nlp").start
    jars = _jars(folder)
    if not jars:
        return start()
    license_file = os.path.join(folder, LICENSE_FILE)
    return start(
        nlp=False,
        spark_nlp=False,
        jar_paths=jars,
        json_license_path=license_file if os.path.isfile(license_file) else None,
        create_jsl_home_if_missing=False,
        spark_conf={"spark.python.worker.reuse": "true"},
    )


def _check_java_library(session: Any, path: str) -> None:
    """Look for one class of Spark NLP; for a class that Java does not have py4j gives a package."""
    pipeline_class = session._jvm.com.johnsnowlabs.nlp.LightPipeline
    if type(pipeline_class).__name__ == "JavaPackage":
        raise RuntimeError(
            "the Spark session that runs has no Java library of Spark NLP, which %s needs: "
            "start it by `johnsnowlabs.nlp.start()`, or put the library's jars into the model's %s"
            % (path, JARS)
        )


def _jars(folder: str) -> list[str]:
    """List the Java libraries of a folder."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if name.endswith(".jar")]
