"""Pipelines of John Snow Labs' Spark NLP and NLU, for which a licence is needed.

The environment variable `JOHNSNOWLABS_LICENSE_JSON` has the text of its `license.json`; `HEALTHCARE_SECRET` and
`VISUAL_SECRET` open the index of the licensed packages.
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
from envkit.flavors._shared.flavor import Flavor, Options
from envkit.inside.loaders import johnsnowlabs as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "johnsnowlabs"
_LIBRARY = "johnsnowlabs"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="pyspark",
    version_key="pyspark_version",
    parameter="spark_model",
)
# the library's names, and the model's
_JARS = {"hc": "hc_jar.jar", "nlp": "os_jar.jar", "ocr": "visual_nlp.jar"}
_VISUAL = "VISUAL_SECRET"
_INDEX = "https://pypi.johnsnowlabs.com/${%s}/%s/%s-%s-py3-none-any.whl"


@saving.with_options
def save_model(
    spark_model: Any,
    path: str | Path,
    *,
    dfs_tmpdir: str | None = None,
    store_license: bool = False,
    **options: Unpack[Options],
) -> None:
    """Save an `NLUPipeline` or a fitted pipeline of Spark ML, with the Java libraries that it needs.

    dfs_tmpdir: a folder that driver and workers of a cluster share, through which the model's files
    go. store_license: put the licence into the model, where everyone can read it who gets the
    model. The other parameters are those of `envkit.pyfunc.saving.save`. Raises `ToolNotFound`
    without the library, `InvalidArgument` without a licence.
    """
    homes = loading.library("johnsnowlabs.auto_install.jsl_home", _LIBRARY)
    keys = _license()

    def put(folder: Path) -> None:
        spark_files.write(_pipeline(spark_model), folder, dfs_tmpdir)
        jars = folder / loader.JARS
        jars.mkdir()
        _copy_jars(homes, jars)
        if store_license:
            _write_license(keys, jars / loader.LICENSE_FILE)

    _FLAVOR.save(path, put, options, data=loader.DATA, fields={"model_data": loader.DATA})


def load_model(
    model_uri: str | Path,
    dfs_tmpdir: str | None = None,  # noqa: ARG001 - MLflow has it; the library loads from this machine's files only
    dst_path: str | Path | None = None,
) -> Any:
    """Load the `NLUPipeline`, into the Spark that runs or a new one on this machine.

    dst_path: folder for the files that are fetched. Raises `ModelNotFound`, `InvalidFile` without
    this flavor, `ToolNotFound` without the library, `InvalidArgument` without a licence.
    """
    loading.library("johnsnowlabs.nlp", _LIBRARY)
    try:
        return _FLAVOR.load_model(model_uri, dst_path)
    except loader.NoLicense as error:
        raise InvalidArgument(f"{error}.") from error


_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model


def get_default_pip_requirements() -> list[str]:
    """Give the requirements that every model of this flavor has at least.

    In the URLs of the licensed packages stands `${HEALTHCARE_SECRET}` or `${VISUAL_SECRET}`, in the
    place of which pip and uv put the secret. Raises `InvalidArgument` when neither variable is set.
    """
    settings = loading.library("johnsnowlabs.settings", _LIBRARY)
    licensed = {
        "HEALTHCARE_SECRET": ("spark-nlp-jsl", "spark_nlp_jsl", settings.raw_version_medical),
        _VISUAL: ("spark-ocr", "spark_ocr", settings.raw_version_ocr),
    }
    wheels = [
        f"{wheel[0]} @ {_INDEX % (secret, *wheel)}"
        for secret, wheel in licensed.items()
        if secret in os.environ
    ]
    if not wheels:
        raise InvalidArgument(
            f"John Snow Labs' packages need a secret: set {' or '.join(licensed)}."
        )
    own = f"johnsnowlabs_for_databricks=={settings.raw_version_jsl_lib}"
    return [own, *_FLAVOR.get_default_pip_requirements(), *wheels]


def get_default_conda_env() -> dict[str, Any]:
    """Give the conda environment that every model of this flavor needs at least."""
    return saving.conda_environment(get_default_pip_requirements())


def _license() -> dict[str, str]:
    try:
        return loader.use_license()
    except loader.NoLicense as error:
        raise InvalidArgument(f"{error}.") from error


def _pipeline(model: Any) -> Any:
    """Give Spark's own pipeline: an `NLUPipeline` makes it when it predicts for the first time."""
    if isinstance(model, loader.NluPipeline):
        found = model.model
    else:
        found = model
    if isinstance(found, loading.library("pyspark.ml.pipeline", "pyspark").PipelineModel):
        return found
    if not hasattr(found, "predict"):
        raise InvalidArgument(
            f"spark_model is an NLUPipeline or a PipelineModel, not a {type(found).__name__}."
        )
    found.predict("Init")
    return found.vanilla_transformer_pipe


def _copy_jars(homes: Any, folder: Path) -> None:
    """Copy the Java libraries that the library keeps in its home, `~/.johnsnowlabs`."""
    suite = homes.get_install_suite_from_jsl_home(
        False, visual=_VISUAL in os.environ, browser_login=False
    )
    for product, name in _JARS.items():
        found = getattr(suite, product, None)
        jar = found.get_java_path() if found is not None else None
        if jar:
            shutil.copy2(jar, folder / name)


def _write_license(keys: dict[str, str], file: Path) -> None:
    """Write it for its owner alone, with the key that MLflow reads."""
    file.touch(mode=0o600)
    main = keys.get("HC_LICENSE") or keys.get("SPARK_NLP_LICENSE")
    file.write_text(
        json.dumps({**keys, **({"HC_LICENSE": main} if main else {})}), encoding="utf-8"
    )
