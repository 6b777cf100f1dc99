"""A column of every dtype that pandas, NumPy and pyarrow offer, with and without gaps."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from envkit.errors import InvalidArgument
from envkit.models import infer_signature

TEXTS = ["NA", "b", "null"]
DAY = datetime.date(2024, 5, 1)
TIMES = pd.to_datetime(["2024-05-01T00:00:00", "2024-05-01T10:00:01", "2024-05-02T00:00:01"])


def series(values: list[Any], dtype: Any) -> Any:
    return pd.Series(values, dtype=dtype)


def _numbers() -> dict[str, Any]:
    columns = {"bool": series([True, False, True], "bool")}
    for size in (8, 16, 32, 64):
        columns[f"int{size}"] = series([1, -2, 2 ** (size - 2)], f"int{size}")
        columns[f"uint{size}"] = series([1, 2, 2 ** (size - 1)], f"uint{size}")
    for size in (16, 32, 64):
        columns[f"float{size}"] = series([1.5, -0.25, 3.0], f"float{size}")
        columns[f"float{size} with gaps"] = series([1.5, None, 3.0], f"float{size}")
    for size in (8, 16, 32, 64):
        for sign in ("Int", "UInt"):
            name = f"{sign}{size}"
            columns[name] = series([1, 2, 2 ** (size - 2)], name)
            columns[f"{name} with gaps"] = series([1, None, 2 ** (size - 2)], name)
    for name in ("Float32", "Float64", "boolean"):
        values: list[Any] = [True, False, True] if name == "boolean" else [1.5, 2.0, -3.25]
        columns[name] = series(values, name)
        columns[f"{name} with gaps"] = series([values[0], None, values[2]], name)
    return columns


def _others() -> dict[str, Any]:
    return {
        "str": series(TEXTS, "str"),
        "str with gaps": series(["NA", None, "null"], "str"),
        "object of texts": series(TEXTS, object),
        "object of texts with gaps": series(["NA", None, "null"], object),
        "object of booleans with gaps": series([True, None, False], object),
        "object of integers with gaps": series([1, None, 2**60], object),
        "object of bytes": series([b"a", b"", b"c"], object),
        "object of Decimal": series([decimal.Decimal("1.5")] * 3, object),
        "object of dates": series([DAY] * 3, object),
        "string": series(TEXTS, "string"),
        "string with gaps": series(["NA", None, "null"], "string"),
        "datetime64[s]": series(TIMES, "datetime64[s]"),
        "datetime64[ms]": series(TIMES, "datetime64[ms]"),
        "datetime64[us]": series(TIMES, "datetime64[us]"),
        "datetime64[ns]": series(TIMES, "datetime64[ns]"),
        "datetime64[us] with gaps": series([TIMES[0], None, TIMES[2]], "datetime64[us]"),
        "datetime64[us] of the year 3000": series(["3000-01-01"] * 3, "datetime64[us]"),
        "datetime64[ns, UTC]": series(TIMES, "datetime64[ns]").dt.tz_localize("UTC"),
        "datetime64[us, Europe/Berlin]": series(TIMES, "datetime64[us]").dt.tz_localize(
            "Europe/Berlin"
        ),
        "timedelta64[ns]": series([1, 2, 3], "timedelta64[ns]"),
        "complex128": series([1j, 2, 3], "complex128"),
        "period[D]": series(pd.period_range("2024-01-01", periods=3), None),
        "interval": series(pd.interval_range(0, 3), None),
        "category of texts": series(TEXTS, "category"),
        "category of texts with gaps": series(["NA", None, "null"], "category"),
        "category of integers": series([3, 1, 3], "category"),
        "category of floats": series([0.5, 1.5, 0.5], "category"),
        "category of booleans": series([True, False, True], "category"),
        "category of times": series(TIMES, "category"),
        "category in order": series(TEXTS, pd.CategoricalDtype(["null", "NA", "b"], ordered=True)),
        "Sparse[float64]": series([0.0, 1.5, 0.0], pd.SparseDtype("float64", 0.0)),
        "Sparse[int64]": series([0, 1, 0], pd.SparseDtype("int64", 0)),
    }


def _of_arrow() -> dict[str, Any]:
    kinds: dict[str, list[Any]] = {
        "bool": [True, False, True],
        "int8": [1, 2, 3],
        "int64": [1, 2, 2**60],
        "uint32": [1, 2, 3],
        "uint64": [1, 2, 3],
        "float": [1.5, 2.5, 3.5],
        "double": [1.5, 2.5, 3.5],
        "string": TEXTS,
        "large_string": TEXTS,
        "binary": [b"a", b"b", b"c"],
        "timestamp[us]": list(TIMES),
        "timestamp[ns]": list(TIMES),
        "timestamp[us, tz=UTC]": list(TIMES.tz_localize("UTC")),
        "date32": [DAY] * 3,
    }
    columns = {}
    for name, values in kinds.items():
        columns[f"{name}[pyarrow]"] = series(values, f"{name}[pyarrow]")
        columns[f"{name}[pyarrow] with gaps"] = series(
            [values[0], None, values[2]], f"{name}[pyarrow]"
        )
    for kind, value in {
        pa.decimal128(5, 2): decimal.Decimal("1.50"),
        pa.list_(pa.int64()): [1],
        pa.time64("us"): datetime.time(1),
        pa.duration("us"): datetime.timedelta(1),
    }.items():
        columns[f"{kind}[pyarrow]"] = series([value] * 3, pd.ArrowDtype(kind))
    return columns


COLUMNS: Mapping[str, Any] = {**_numbers(), **_others(), **_of_arrow()}
OTHERWISE = {
    "object of Decimal": "float64",
    "object of dates": "datetime64[ns]",
    "object of integers with gaps": "float64",
}


def refusal(series: Any) -> str | None:
    """Return why no signature has the dtype; None for the others."""
    try:
        infer_signature(pd.DataFrame({"c": series}))
    except InvalidArgument as error:
        return str(error)
    return None


SUPPORTED = [name for name in COLUMNS if name not in OTHERWISE and refusal(COLUMNS[name]) is None]
