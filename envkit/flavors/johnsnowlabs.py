"""Pipelines of John Snow Labs' Spark NLP and NLU, which need a licence.

The environment variable `JOHNSNOWLABS_LICENSE_JSON` holds the text of its `license.json`;
`HEALTHCARE_SECRET` and `VISUAL_SECRET` give access to the index of the licensed packages.
https://mlflow.org/docs/latest/api_reference/python_api/mlflow.johnsnowlabs.html
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, Unpack

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading, spark_files
from envkit.flavors._shared.flavor import Content, Flavor, Options
from envkit.inside.loaders import johnsnowlabs as loader
from envkit.pyfunc import default_environment, saving

FLAVOR_NAME = "johnsnowlabs"
_LIBRARY = "johnsnowlabs"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="pyspark",
    version_key="pyspark_version",
    parameter="spark_model",
)
# Java libraries: the product's name in the library, and the file in the model.
_JARS = {"hc": "hc_jar.jar", "nlp": "os_jar.jar", "ocr": "visual_nlp.jar"}
_HEALTHCARE_SECRET, _VISUAL_SECRET = "HEALTHCARE_SECRET", "VISUAL_SECRET"
_WHEEL_URL = "https://pypi.johnsnowlabs.com/${%s}/%s/%s-%s-py3-none-any.whl"


@saving.with_options
def save_model(
    spark_model: Any,
    path: str | Path,
    *,
    dfs_tmpdir: str | None = None,
    store_license: bool = False,
    **options: Unpack[Options],
) -> None:
    """Save a pipeline and its Java libraries. Corresponds to `mlflow.johnsnowlabs.save_model`.

    Args:
        spark_model: An `NLUPipeline`, or a fitted Spark ML `PipelineModel`.
        path: The model directory; a new or an empty folder.
        dfs_tmpdir: Folder that the driver and the workers of a cluster share; the model's files
            pass through it.
        store_license: Whether to store the licence in the model, where everyone who gets the model
            can read it.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If the library is not installed.
        InvalidArgument: If there is no licence, or an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    homes = loading.library("johnsnowlabs.auto_install.jsl_home", _LIBRARY)
    license_keys = _license()

    def write(folder: Path) -> None:
        spark_files.write(_spark_pipeline(spark_model), folder, dfs_tmpdir)
        jars = folder / loader.JARS
        jars.mkdir()
        _copy_jars(homes, jars)
        if store_license:
            _write_license(license_keys, jars / loader.LICENSE_FILE)

    content = Content(data=loader.DATA, write=write, section={"model_data": loader.DATA})
    _FLAVOR.save(path, options, content)


def load_model(
    model_uri: str | Path,
    dfs_tmpdir: str | None = None,  # noqa: ARG001 - as MLflow; the library reads local files only
    dst_path: str | Path | None = None,
) -> Any:
    """Load a pipeline. Corresponds to `mlflow.johnsnowlabs.load_model`.

    Loading a model runs its code. It uses the active Spark session, or a new local one.

    Args:
        model_uri: Path or URI of a model that envkit or MLflow saved.
        dfs_tmpdir: Accepted and ignored.
        dst_path: Existing folder for the files of a remote model.

    Returns:
        The `NLUPipeline`.

    Raises:
        ModelNotFound: If there is no model.
        InvalidFile: If the model does not have this flavor, or is malformed.
        ToolNotFound: If the library is not installed.
        InvalidArgument: If there is no licence.
    """
    loading.library("johnsnowlabs.nlp", _LIBRARY)
    try:
        return _FLAVOR.load_model(model_uri, dst_path)
    except loader.NoLicense as error:
        raise InvalidArgument(f"{error}.") from error


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements() -> list[str]:
    """Return the requirements that every model of this flavor has at least.

    Returns:
        PEP 508 lines, pinned to the installed versions. The URLs of the licensed packages contain
        `${HEALTHCARE_SECRET}` or `${VISUAL_SECRET}`, which pip and uv replace by the secret.

    Raises:
        InvalidArgument: If neither variable is set.
        ToolNotFound: If the library is not installed.
    """
    settings = loading.library("johnsnowlabs.settings", _LIBRARY)
    wheels = []
    if _HEALTHCARE_SECRET in os.environ:
        parts = (_HEALTHCARE_SECRET, "spark-nlp-jsl", "spark_nlp_jsl", settings.raw_version_medical)
        wheels.append(f"spark-nlp-jsl @ {_WHEEL_URL % parts}")
    if _VISUAL_SECRET in os.environ:
        parts = (_VISUAL_SECRET, "spark-ocr", "spark_ocr", settings.raw_version_ocr)
        wheels.append(f"spark-ocr @ {_WHEEL_URL % parts}")
    if not wheels:
        raise InvalidArgument(
            f"The packages of John Snow Labs need a secret: set {_HEALTHCARE_SECRET} or "
            f"{_VISUAL_SECRET}."
        )
    library = f"johnsnowlabs_for_databricks=={settings.raw_version_jsl_lib}"
    return [library, *_FLAVOR.get_default_pip_requirements(), *wheels]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment that every model of this flavor needs at least.

    Returns:
        Content of a `conda.yaml`.

    Raises:
        InvalidArgument: If neither secret is set.
        ToolNotFound: If the library is not installed.
    """
    return default_environment.conda_environment(get_default_pip_requirements())


def _license() -> dict[str, str]:
    try:
        return loader.use_license()
    except loader.NoLicense as error:
        raise InvalidArgument(f"{error}.") from error


def _spark_pipeline(model: Any) -> Any:
    """Return Spark's own pipeline, which an `NLUPipeline` creates when it first predicts."""
    if isinstance(model, loader.NluPipeline):
        model = model.model
    if isinstance(model, loading.library("pyspark.ml.pipeline", "pyspark").PipelineModel):
        return model
    if not hasattr(model, "predict"):
        raise InvalidArgument(
            f"spark_model must be an NLUPipeline or a PipelineModel, not a {type(model).__name__}."
        )
    model.predict("Init")
    return model.vanilla_transformer_pipe


def _copy_jars(homes: Any, folder: Path) -> None:
    """Copy the Java libraries from the library's home, `~/.johnsnowlabs`."""
    suite = homes.get_install_suite_from_jsl_home(
        False, visual=_VISUAL_SECRET in os.environ, browser_login=False
    )
    for product, name in _JARS.items():
        installed = getattr(suite, product, None)
        jar = installed.get_java_path() if installed is not None else None
        if jar:
            shutil.copy2(jar, folder / name)


def _write_license(license_keys: dict[str, str], file: Path) -> None:
    """Write the licence, readable by its owner only, with the key that MLflow reads."""
    file.touch(mode=0o600)
    content = dict(license_keys)
    if key := content.get("HC_LICENSE") or content.get("SPARK_NLP_LICENSE"):
        content["HC_LICENSE"] = key
    file.write_text(json.dumps(content), encoding="utf-8")
