"""`ModelInfo`: what is known of a logged model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from envkit.models.signature import ModelSignature


@dataclass(slots=True, kw_only=True)
class ModelInfo:
    """What is known of a logged model. Corresponds to `mlflow.models.model.ModelInfo`.

    Attributes:
        model_uri: URI under which the model is loaded.
        artifact_path: Where the model was logged.
        flavors: Sections of the flavors by name.
        model_uuid: Unique name of the model.
        run_id: Run that logged the model, or None.
        model_id: ID of the logged model (MLflow 3), or None.
        saved_input_example_info: Files and format of the input example, or None.
        signature: Signature of the model, or None.
        utc_time_created: When the model was created, a text in UTC.
        mlflow_version: Version of the MLflow that wrote the model, or None.
        metadata: What the author recorded, or None.
        env_vars: Names of the environment variables that the model reads, or None.
        prompts: URIs of the model's prompts, or None.
        registered_model_version: Version of the registered model, or None if the model was not
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
