"""A Parquet request: it becomes a data frame, whose columns have types and are only widened."""

from __future__ import annotations

import io
from typing import Any

from ..enforcement.inputs import enforce
from ..optional_libraries import pandas_for
from ..signature import InvalidInput, Signature
from .model_input import ReadRaw


def parse(content: bytes, signature: Signature, raw: ReadRaw | None) -> Any:
    """Read a Parquet file into a data frame; raw: the model's type hint makes a list of that.

    Raises `InvalidInput`.
    """
    if raw is not None:
        return raw(frame_from_parquet(content))
    return enforce(frame_from_parquet(content), signature)


def frame_from_parquet(content: bytes) -> Any:
    """Read a Parquet file with pandas."""
    pandas = pandas_for("a Parquet input")
    try:
        return pandas.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise InvalidInput(
            "a Parquet input needs pyarrow or fastparquet in the model's environment"
        ) from error
    except (
        ValueError,
        OSError,
        KeyError,
    ) as error:  # the base classes of pyarrow's own errors
        raise InvalidInput(f"it is not a valid Parquet file: {error}") from error
