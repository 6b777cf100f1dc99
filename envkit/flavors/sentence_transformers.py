"""sentence-transformers models, which turn texts into vectors.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.sentence_transformers.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared import request_forms
from envkit.flavors._shared.flavor import Content, Flavor, split_options
from envkit.inside.loaders import sentence_transformers as loader
from envkit.models.schema import ColSpec, Schema, TensorSpec
from envkit.models.signature import ModelSignature
from envkit.pyfunc import saving

FLAVOR_NAME = "sentence_transformers"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="sentence_transformers",
    distribution="sentence-transformers",
    version_key="sentence_transformers_version",
    requires=("transformers", "torch"),
)


@saving.with_options
def save_model(
    model: Any,
    path: str | Path,
    *,
    task: str | None = None,
    inference_config: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Save a `SentenceTransformer`. Corresponds to `mlflow.sentence_transformers.save_model`.

    Args:
        model: The `SentenceTransformer`.
        path: The model directory; a new or an empty folder.
        task: `llm/v1/embeddings` for a model that answers requests in OpenAI's form.
        inference_config: Configuration to store with the model.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.
            Others are arguments of the model's own `save`.

    Raises:
        ToolNotFound: If sentence-transformers is not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    if task not in (None, loader.EMBEDDING):
        raise InvalidArgument(f"task must be {loader.EMBEDDING} or None, not {task!r}.")
    common, own = split_options(options)

    def write(folder: Path) -> None:
        model.save(str(folder), **own)
        if inference_config:
            text = json.dumps(inference_config)
            (folder.parent / "inference_config").write_text(text, encoding="utf-8")

    python_function: dict[str, Any] = {"data": loader.DATA}
    metadata = {}
    if task:
        python_function["model_config"] = {"task": task}
        metadata["task"] = task
    content = Content(
        data=loader.DATA,
        write=write,
        section=_origin(model),
        python_function=python_function,
        signature=_signature(task, common.get("input_example")),
        metadata=metadata,
    )
    _FLAVOR.save(path, common, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env


def _signature(task: str | None, example: Any) -> ModelSignature | None:
    """Return the signature of a request, or of texts; None if an example determines it."""
    if task:
        return request_forms.signature(task)
    if example is not None:
        return None
    return ModelSignature(Schema([ColSpec("string")]), Schema([TensorSpec("float64", (-1,))]))


def _origin(model: Any) -> dict[str, Any]:
    """Return what the first part of the model was made of, if that is a transformers model."""
    first_part = model[0] if len(model) else None
    inner = getattr(first_part, "auto_model", None)
    if inner is None:
        return {}
    return {"pipeline_model_type": type(inner).__name__, "source_model_name": inner.name_or_path}
