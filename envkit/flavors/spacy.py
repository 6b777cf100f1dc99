"""spaCy pipelines.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.spacy.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared.flavor import Content, Flavor, Options
from envkit.inside.loaders import spacy as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "spacy"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="spacy",
    version_key="spacy_version",
    parameter="spacy_model",
)


@saving.with_options
def save_model(spacy_model: Any, path: str | Path, **options: Unpack[Options]) -> None:
    """Save a spaCy pipeline. Corresponds to `mlflow.spacy.save_model`.

    Only a pipeline that classifies texts predicts; `load_model` loads all others.

    Args:
        spacy_model: A pipeline, such as `spacy.load` returns.
        path: The model directory; a new or an empty folder.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.

    Raises:
        ToolNotFound: If spaCy is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    categorizer = _FLAVOR.import_library().pipeline.TextCategorizer
    predicts = any(isinstance(component, categorizer) for _, component in spacy_model.pipeline)
    content = Content(data="model.spacy", write=spacy_model.to_disk, predicts=predicts)
    _FLAVOR.save(path, options, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
