"""The input of a prediction as a file, which the model's process reads."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, InvalidInput, ToolNotFound

CONTENT_TYPES = ("json", "csv", "parquet")


def check(input_data: Any, input_path: str | Path | None, content_type: str) -> None:
    """Raise `InvalidArgument` for arguments of `predict` that contradict each other."""
    if content_type not in CONTENT_TYPES:
        known = ", ".join(CONTENT_TYPES)
        raise InvalidArgument(f"content_type must be one of {known}, not {content_type!r}.")
    if (input_data is None) == (input_path is None):
        raise InvalidArgument("Give either input_data or input_path.")


def as_file(input_data: Any, input_path: Path | None, content_type: str, folder: Path) -> Path:
    """Return the file with the input: the user's own, or one in `folder`.

    Raises `InvalidInput` for a file that cannot be read, `InvalidArgument` for data that the
    content type cannot hold, `ToolNotFound` without the library for Parquet.
    """
    if input_path is not None:
        if input_path.is_file():
            return input_path
        input_data = _read_stream(input_path)
    path = folder / f"input.{content_type}"
    content = _content(input_data, content_type)
    if isinstance(content, bytes):
        path.write_bytes(content)
        return path
    try:
        path.write_text(content, encoding="utf-8")
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"input_data cannot be written as UTF-8: {error}.") from None
    return path


def _read_stream(path: Path) -> bytes:
    """Read a pipe or `/dev/stdin`, which the model's process could not."""
    if path.is_dir() or not path.exists():
        raise InvalidInput(f"No input file at {path}.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error


def _content(data: Any, content_type: str) -> str | bytes:
    """Convert data; frames, series and arrays are known by their methods, not by their types.

    So their libraries need not be imported.
    """
    if isinstance(data, bytes):
        return data
    if content_type == "parquet":
        return _parquet(data)
    if isinstance(data, str) and (content_type == "csv" or _is_request(data)):
        return data
    if content_type == "csv":
        return _csv(data)
    return _json(data)


def _is_request(text: str) -> bool:
    """Return whether a text is meant as JSON, not as a text to predict on."""
    try:
        json.loads(text)
    except ValueError:
        return text.lstrip().startswith(("{", "["))
    return True


def _parquet(data: Any) -> bytes:
    if not hasattr(data, "to_parquet"):
        raise InvalidArgument(
            "For content_type 'parquet', input_data must be a DataFrame or the bytes of a file."
        )
    try:
        return bytes(data.to_parquet())
    except ImportError as error:
        raise ToolNotFound(
            "pyarrow", "Writing a DataFrame as Parquet needs it; or use content_type 'json'."
        ) from error


def _csv(data: Any) -> str:
    if isinstance(data, list | dict):
        data = _frame_of(data)
    if not hasattr(data, "to_csv"):
        raise InvalidArgument(
            "For content_type 'csv', input_data must be a DataFrame, text, a list or a dict."
        )
    return str(data.to_csv(index=False))


def _frame_of(data: Any) -> Any:
    try:
        return import_module("pandas").DataFrame(data)
    except ModuleNotFoundError as error:
        raise ToolNotFound("pandas", "Writing a list as CSV needs it; or pass text.") from error
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"input_data cannot be written as CSV: {error}.") from error


def _json(data: Any) -> str:
    # predicting on text or on a file does without
    from envkit.models.request import request_of

    try:
        return json.dumps(request_of(data))
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"input_data cannot be written as JSON: {error}.") from None
