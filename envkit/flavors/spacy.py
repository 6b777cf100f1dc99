"""Pipelines of spaCy.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.spacy.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from envkit.flavors._shared.flavor import Flavor, Options
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
    """Save a pipeline. Only one that classifies texts predicts; others can be loaded by `load_model`.

    The other parameters are those of `envkit.pyfunc.saving.save`.
    """
    classifiers = _FLAVOR.imported().pipeline.TextCategorizer
    predicts = any(isinstance(part, classifiers) for _, part in spacy_model.pipeline)
    _FLAVOR.save(path, spacy_model.to_disk, options, data="model.spacy", predicts=predicts)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
