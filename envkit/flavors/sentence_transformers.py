"""Models of sentence-transformers, which turn texts into vectors.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.sentence_transformers.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared import request_forms
from envkit.flavors._shared.flavor import Flavor, divided
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
    also=("transformers", "torch"),
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
    """Save a `SentenceTransformer`.

    task: `llm/v1/embeddings` has it answer requests in OpenAI's form. inference_config: kept with
    the model. What is no parameter of `envkit.pyfunc.saving.save` is one of the model's own `save`.
    """
    if task not in (None, loader.EMBEDDING):
        raise InvalidArgument(f"task is {loader.EMBEDDING} or nothing, not {task!r}.")
    common, own = divided(options)

    def put(folder: Path) -> None:
        model.save(str(folder), **own)
        if inference_config:
            (folder.parent / "inference_config").write_text(
                json.dumps(inference_config), encoding="utf-8"
            )

    python_function: dict[str, Any] = {"data": loader.DATA}
    if task:
        python_function["model_config"] = {"task": task}
    _FLAVOR.save(
        path,
        put,
        common,
        data=loader.DATA,
        fields=_described(model),
        python_function=python_function,
        signature=_signature(task, common.get("input_example")),
        metadata={"task": task} if task else None,
    )


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env


def _signature(task: str | None, example: Any) -> ModelSignature | None:
    """Requests have a signature of their own; of others an example tells it."""
    if task:
        return request_forms.signature(task)
    if example is not None:
        return None
    return ModelSignature(Schema([ColSpec("string")]), Schema([TensorSpec("float64", (-1,))]))


def _described(model: Any) -> dict[str, Any]:
    """What the model was made of, when its first part is one of transformers."""
    if len(model):
        inner = getattr(model[0], "auto_model", None)
    else:
        inner = None
    if inner is None:
        return {}
    return {"pipeline_model_type": type(inner).__name__, "source_model_name": inner.name_or_path}
