"""What is told of a model that was logged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from envkit.models.signature import ModelSignature


@dataclass(slots=True, kw_only=True)
class ModelInfo:
    """The fields of a `Model`, and model_uri, by which it is loaded.

    registered_model_version: the version it became of a registered model; None when it was not
    registered.
    """

    model_uri: str
    artifact_path: str | None
    flavors: dict[str, Any]
    model_uuid: str | None
    run_id: str | None
    model_id: str | None
    saved_input_example_info: dict[str, Any] | None
    signature: ModelSignature | None
    utc_time_created: str
    mlflow_version: str | None
    metadata: dict[str, Any] | None
    env_vars: list[str] | None
    prompts: list[str] | None
    registered_model_version: int | None = None
