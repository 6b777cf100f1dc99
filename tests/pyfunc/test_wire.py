"""Values that travel between two interpreters."""

from __future__ import annotations

import datetime
import decimal
import struct
import uuid
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from envkit.inside.data import wire
from envkit.inside.data.json_encoding import NotEncodable

TIMES = pd.to_datetime(["2020-01-01", "2021-06-01"])
FRAME = pd.DataFrame(
    {
        "integer": [1, 2],
        "text": ["x", None],
        "time": TIMES,
        "zoned": TIMES.tz_localize("Europe/Berlin"),
        "category": pd.Categorical(["u", "v"]),
        "nullable": pd.array([1, None], dtype="Int64"),
        "list": [[1], [2, 3]],
        "complex": [1j, 2],
        "period": pd.period_range("2020-01", periods=2, freq="M"),
        "interval": pd.interval_range(0, 2),
        "sparse": pd.arrays.SparseArray([0, 1]),
    },
    index=["p", "q"],
)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(plain)
def test_plain_values_survive_a_round_trip(value: Any) -> None:
    assert wire.loads(wire.dumps(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC),
        datetime.date(2020, 1, 2),
        datetime.time(1, 2),
        datetime.timedelta(days=1, microseconds=3),
        decimal.Decimal("1.50"),
        uuid.UUID(int=5),
        1 + 2j,
        {1, 2},
        frozenset({"a"}),
        np.float32(2),
        np.datetime64("2020-01-01"),
        pd.Timestamp("2020-01-01", tz="UTC"),
        pd.Timedelta("1 days"),
        pd.NaT,
        pd.NA,
        pd.Period("2020-01", "M"),
        pd.Interval(0, 1, closed="both"),
        pd.Categorical(["a", None]),
        pd.array([1, None], dtype="Int64"),
        pd.date_range("2020-01-01", periods=3, tz="Europe/Berlin"),
        pd.Timestamp("2020-07-01", tz="America/New_York"),
        datetime.datetime(2020, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")),
        bytearray(b"x"),
        range(1, 9, 2),
        np.ma.MaskedArray([1, 2], mask=[False, True]),
    ],
)
def test_single_values_keep_their_types(value: Any) -> None:
    decoded = wire.loads(wire.dumps(value))

    assert type(decoded) is type(value)
    assert repr(decoded) == repr(value)


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.set_index(["integer", "text"]),
        pd.DataFrame(),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({"a": [1]}, index=pd.RangeIndex(5, 6, name="n")),
    ],
)
def test_data_frames_keep_columns_index_and_types(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(wire.loads(wire.dumps(frame)), frame)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3).T,
        np.array([["a", None]], dtype=object),
        np.array(["é", "bc"]),
        np.array(["2020-01-01"], dtype="M8[ns]"),
        np.empty((0, 3), dtype="float32"),
        np.array(5.0),
        np.array([[(1, [2.0, 3.0])]], dtype=[("a", "i4"), ("b", "f8", (2,))]),
        np.array(["a", "bc"], dtype=np.dtypes.StringDType()),
    ],
)
def test_arrays_keep_shape_and_type(array: Any) -> None:
    decoded = wire.loads(wire.dumps(array))

    assert decoded.dtype == array.dtype
    np.testing.assert_array_equal(decoded, array)


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "dok", "lil"])
def test_sparse_matrices_survive_a_round_trip(form: str, kind: str) -> None:
    matrix = getattr(scipy.sparse, f"{form}_{kind}")(np.eye(3))
    decoded = wire.loads(wire.dumps(matrix))

    assert type(decoded) is type(matrix)
    np.testing.assert_array_equal(decoded.toarray(), np.eye(3))


def test_a_value_that_cannot_be_encoded_is_refused() -> None:
    with pytest.raises(NotEncodable, match="object"):
        wire.dumps(object())
    with pytest.raises(NotEncodable, match="no name"):
        wire.dumps(
            pd.Series(
                pd.to_datetime(["2020-01-01"]).tz_localize(import_module("dateutil.tz").tzlocal())
            )
        )


@pytest.mark.parametrize("length", range(8))
def test_bytes_that_are_too_short_for_a_length_are_refused(length: int) -> None:
    with pytest.raises(wire.Malformed):
        wire.loads(b"x" * length)


@given(st.binary(max_size=60))
def test_foreign_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(wire.Malformed):
        wire.loads(struct.pack(">Q", 2 * len(content) + 1) + content)


@pytest.mark.parametrize(
    "text",
    [
        '{"$": "eval"}',
        '{"$": "value"}',
        '{"$": "array", "dtype": "|O", "shape": [1], "buffer": 0}',
        '{"$": "array", "dtype": "<f8", "shape": [1], "buffer": 3}',
        '{"$": "sparse", "format": "../x", "shape": [], "parts": []}',
        "{}",
    ],
)
def test_a_forged_type_is_refused(text: str) -> None:
    with pytest.raises(wire.Malformed):
        wire.loads(
            struct.pack(">Q", len(text)) + text.encode() + struct.pack(">Q", 8) + b"12345678"
        )
