"""Texts of CSV that look like missing values."""

from __future__ import annotations

import pytest

from envkit.inside.data.requests import csv_request
from envkit.inside.data.signature import Signature

WORDS = ["NA", "None", "null", "nan", "N/A", "NULL", "#N/A", "1", "True", "DE"]


@pytest.mark.parametrize("required", [True, False])
def test_a_text_column_of_csv_has_the_texts_that_it_has_by_json(required: bool) -> None:
    columns = [
        {"name": "text", "type": "string", "required": required},
        {"name": "other", "type": "double"},
    ]
    rows = "".join(f'{word},1\n"{word}",NA\n' for word in WORDS)
    frame = csv_request.parse(
        f"text,other\n{rows},\n".encode(), Signature({"inputs": columns}), None
    )

    assert frame["text"].tolist()[:-1] == [word for word in WORDS for _ in range(2)]
    assert frame["other"].isna().sum() == len(WORDS) + 1
    if required:
        assert frame["text"].tolist()[-1] == ""
    else:
        assert frame["text"].isna().tolist()[-1]


def test_other_columns_of_csv_keep_what_pandas_makes_of_missing_values() -> None:
    frame = csv_request.parse(b"a,b\nNA,1\nx,null\n", Signature(None), None)

    assert frame.isna().to_numpy().tolist() == [[True, False], [False, True]]
