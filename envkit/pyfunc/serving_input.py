"""`validate_serving_input`: predict on a request as a scoring server does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envkit.errors import InputMismatch
from envkit.inside.data.requests import scoring_request
from envkit.inside.data.signature import InvalidInput, Signature
from envkit.models.directory import ModelDirectory
from envkit.pyfunc import configuration
from envkit.pyfunc.in_process import load_here


def validate_serving_input(model_uri: str | Path, serving_input: str | Mapping[str, Any]) -> Any:
    """Load a model in this process and predict on a request, as a scoring server does.

    Corresponds to `mlflow.models.validate_serving_input`. `envkit.predict` does the same in the
    model's own environment.

    Args:
        model_uri: Path or URI of the model.
        serving_input: The request: its JSON text, or the object.

    Returns:
        What the model returns.

    Raises:
        InputMismatch: If the request is malformed or does not fit the signature. What the model
            raises is not wrapped.
    """
    directory = ModelDirectory.open(model_uri)
    model = load_here(directory, configuration.effective(directory, None))
    if not isinstance(serving_input, str):
        serving_input = json.dumps(serving_input)
    signature = Signature(directory.request()["signature"])
    try:
        model_input = scoring_request.parse(
            serving_input.encode("utf-8"),
            "json",
            signature,
            raw=model.read_raw,
            reader=model.reader,
        )
        return model.predict(model_input.data, model_input.params)
    except InvalidInput as error:
        raise InputMismatch(str(error)) from error
