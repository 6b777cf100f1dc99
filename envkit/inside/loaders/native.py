"""What most flavors' models are to `mlflow.pyfunc`: the library's own object and its `predict`."""

from __future__ import annotations

from typing import Any


class Native:
    """A model of a library, which predicts by its own method; parameters are ignored, as MLflow does."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def get_raw_model(self) -> Any:
        """Give the library's own object."""
        return self.model

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - flavors with parameters use them
        """Predict."""
        return self.model.predict(data)


def only_row(data: Any, what: str) -> dict[str, Any]:
    """Give the one row of a data frame that is no data but says what to forecast. Raises `ValueError`."""
    if len(data) != 1:
        raise ValueError(
            f"{what} takes a data frame of one row that says what to forecast, not {len(data)} rows"
        )
    row: dict[str, Any] = data.to_dict(orient="records")[0]
    return row
