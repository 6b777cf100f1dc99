"""What the loaders of most libraries return: the library's own object, called by its `predict`."""

from __future__ import annotations

from typing import Any


class NativeModel:
    """A library's model, which predicts with its own method.

    Parameters are ignored, as by MLflow.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def get_raw_model(self) -> Any:
        """Give the library's own object."""
        return self.model

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - flavors with parameters use them
        """Predict."""
        return self.model.predict(data)


def only_row(data: Any, model: str) -> dict[str, Any]:
    """Give the row of a data frame that defines what to forecast.

    Raises `ValueError` if it has others.
    """
    if len(data) != 1:
        raise ValueError(
            f"{model} takes a data frame with one row, which defines what to forecast, "
            f"not {len(data)} rows"
        )
    row: dict[str, Any] = data.to_dict(orient="records")[0]
    return row
