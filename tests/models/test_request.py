"""Python data become a request without loss."""

from __future__ import annotations

import datetime
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from envkit.errors import InvalidArgument
from envkit.inside.data.requests import scoring_request
from envkit.inside.data.signature import Signature
from envkit.models import infer_signature
from envkit.models.request import request_of


def received(data: Any, folder: Path, *, signed: bool = False) -> Any:
    """Return what a model gets of the data, with their own signature or none."""
    path = folder / "request"
    path.write_text(json.dumps(request_of(data)))
    signature = Signature(infer_signature(data).to_dict() if signed else None)
    source = {"path": str(path), "content_type": "json"}
    return scoring_request.parse_file(source, signature, raw=None).data


FRAMES = [
    pd.DataFrame(
        {"a": [0.1234567890123456, math.inf, -math.inf, math.nan], "b": [2**62 + 1, 2, 3, 4]},
        index=[7, 8, 9, 10],
    ),
    pd.DataFrame({"t": [b"\xff\x00", b""], "s": ["ü", None], "z": [True, False]}),
    pd.DataFrame({"d": pd.to_datetime(["2024-01-02T03:04:05.123456789", None])}),
    pd.DataFrame({"i": np.array([1], dtype="int32"), "f": np.array([0.1], dtype="float32")}),
    pd.DataFrame({"q": [[1.5], []], "o": [{"k": 1}, {"k": 2}]}),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: "-".join(frame.columns))
def test_a_data_frame_reaches_the_model_as_it_was(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame_in_model = received(frame, tmp_path, signed=True)

    if "d" in frame:
        frame = frame.astype("datetime64[ns]")
    pd.testing.assert_frame_equal(frame_in_model, frame, check_dtype="s" not in frame)


@given(st.lists(st.floats(), min_size=1, max_size=5))
@settings(deadline=None, max_examples=50)
def test_every_float_is_kept(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    array = np.array(values)

    np.testing.assert_array_equal(received(array, tmp_path_factory.getbasetemp()), array)


@pytest.mark.parametrize(
    ("data", "request_"),
    [
        (
            pd.Series([1, 2], name="s"),
            {"dataframe_split": {"columns": ["s"], "index": [0, 1], "data": [[1], [2]]}},
        ),
        (np.array([[1, 2]]), {"inputs": [[1, 2]]}),
        ({"x": np.array([1.5]), "y": np.array([b"a"])}, {"inputs": {"x": [1.5], "y": ["YQ=="]}}),
        (
            {"inputs": np.array([1]), "params": {"t": np.float32(0.5)}},
            {"inputs": [1], "params": {"t": 0.5}},
        ),
        ({"messages": []}, {"messages": []}),
        ([datetime.datetime(2024, 1, 2), None], {"inputs": ["2024-01-02T00:00:00", None]}),
        (np.array(["2024-01-02", "NaT"], dtype="datetime64[D]"), {"inputs": ["2024-01-02", None]}),
        (scipy.sparse.csr_matrix([[0, 1]]), {"inputs": [[0, 1]]}),
        ("hello", {"inputs": "hello"}),
        (b"x", {"inputs": "eA=="}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_every_kind_of_data_has_its_request(data: Any, request_: Any) -> None:
    assert request_of(data) == request_


@pytest.mark.parametrize(
    "data", [{1, 2}, object(), 1j, np.array([1j]), pd.DataFrame([[1, 2]], columns=["a", "a"])]
)
def test_data_that_json_cannot_hold_are_refused(data: Any) -> None:
    with pytest.raises(InvalidArgument):
        request_of(data)
