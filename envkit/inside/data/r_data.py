"""Requests in the form in which R takes them, made without any library: a data frame is its columns.

`loaders/crate.R` says what it is asked.
"""

from __future__ import annotations

import base64
import csv
import datetime
import io
import math
from typing import Any, Callable, Dict, List, Mapping

from . import payload
from . import plain as without_pandas
from .frames import log_left_out, split_parts
from .parameters import complete
from .signature import Column, InvalidInput, Signature

Columns = Dict[str, List[Any]]
EMPTY = ("", "NA")  # what stands for a missing value in CSV, as R writes it
TRUTH = {"true": True, "t": True, "false": False, "f": False}


def question_of(content: bytes, content_type: str, given: Any) -> tuple[dict[str, Any], Any]:
    """Give what R is asked to take, and the parameters, for a request. `given` is the signature, or None.

    Raises `InvalidInput` for what is no request, and what does not fit the signature.
    """
    signature = Signature(given)
    if content_type == "csv":
        text = payload.decoded(content)
        if not signature.names:
            return _asked("csv", text=text), complete(None, signature)
        return _question(_typed(_of_csv(text), signature), signature), complete(None, signature)
    if content_type != "json":
        raise InvalidInput("a model of R takes JSON or CSV only")
    form, value, params = payload.asked(payload.json_object(content), signature)
    read: Callable[[Any], Any] = READERS.get(form, _of_values)
    return _question(read(value), signature), params


def _question(data: Any, signature: Signature) -> dict[str, Any]:
    """Ask for columns as a data frame, for everything else as the value that JSON has it."""
    fitted = plain(_fitted(data, signature))
    if not isinstance(data, _Table):
        return _asked("value", value=fitted)
    columns = {str(place): each for place, each in enumerate(fitted.values(), 1)}
    return _asked("columns", names=[*fitted], columns=columns, rows=data.rows)


def _asked(form: str, **rest: Any) -> dict[str, Any]:
    return {"ask": "take", "form": form, **rest}


class _Table(Dict[str, List[Any]]):
    """The columns of a data frame, all of one length."""

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(next(iter(self.values()), []))


def _of_split(value: Any) -> _Table:
    rows, names = split_parts(value)
    if not isinstance(rows, list):
        raise InvalidInput("`dataframe_split`: `data` must be a list of rows")
    rows = [each if isinstance(each, list) else [each] for each in rows]
    if isinstance(names, list):
        width = len(names)
    else:
        width = max(map(len, rows), default=0)
    wrong = next((each for each in rows if len(each) != width), None)
    if wrong is not None:
        raise InvalidInput(f"`dataframe_split`: a row has {len(wrong)} values for {width} columns")
    texts = [str(each) for each in (names if isinstance(names, list) else range(width))]
    return _by_name(
        texts, [[row[place] for row in rows] for place in range(width)], "`dataframe_split`"
    )


def _of_records(value: Any) -> _Table:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidInput("`dataframe_records` must be a list of objects, one a row")
    names = list(dict.fromkeys(name for row in value for name in row))
    return _Table({name: [row.get(name) for row in value] for name in names})


READERS: Dict[str, Callable[[Any], _Table]] = {
    "dataframe_split": _of_split,
    "dataframe_records": _of_records,
}


def _of_values(value: Any) -> Any:
    """Tell a data frame by its form: rows that are objects, one such row, or columns by their names."""
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return _of_records(value)
    if isinstance(value, dict) and value:
        lengths = {len(each) if isinstance(each, list) else None for each in value.values()}
        if len(lengths) == 1 and None not in lengths:
            return _Table(value)
        if not any(isinstance(each, list) for each in value.values()):
            return _of_records([value])
    return value


def _of_csv(text: str) -> _Table:
    try:
        rows = [row for row in csv.reader(io.StringIO(text), strict=True) if row]
    except csv.Error as error:
        raise InvalidInput(f"it is not CSV: {error}") from error
    if not rows:
        raise InvalidInput("it is not CSV: it has no header line")
    names, *rows = rows
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise InvalidInput(
                f"it is not CSV: row {number} has {len(row)} values for {len(names)} columns"
            )
    return _by_name(names, [[row[place] for row in rows] for place in range(len(names))], "the CSV")


def _by_name(names: list[str], columns: list[list[Any]], what: str) -> _Table:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{what} has several columns `{twice}`")
    return _Table(dict(zip(names, columns)))  # noqa: B905 - Python 3.8


def _typed(table: _Table, signature: Signature) -> _Table:
    """Give the texts of CSV the types of the signature, as far as they can have them; the rest is refused later."""
    known = {str(name): column for name, column in signature.names.items()}
    return _Table({name: _cells(each, known.get(name)) for name, each in table.items()})


def _cells(texts: list[str], column: Column | None) -> list[Any]:
    if column is None or column.type in ("string", "binary", "datetime"):
        return [
            None if column is not None and not column.required and each in EMPTY else each
            for each in texts
        ]
    return [None if each in EMPTY else _cell(each, column.type) for each in texts]


def _cell(text: str, kind: str) -> Any:
    if kind == "boolean":
        return TRUTH.get(text.lower(), text)
    for read in (int, float) if kind in ("integer", "long", "float", "double") else ():
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _fitted(data: Any, signature: Signature) -> Any:
    if not signature.inputs or signature.is_tensor:
        return data
    if not isinstance(data, _Table):
        return without_pandas.fitted(data, signature)
    if signature.names:
        log_left_out(data, signature)
        return without_pandas.fitted(dict(data), signature)
    columns = list(data)
    if len(signature.inputs) == 1:
        if columns:
            return {columns[0]: without_pandas.fitted(data[columns[0]], signature)}
        return {}
    rows = without_pandas.fitted([list(row) for row in zip(*data.values())], signature)  # noqa: B905 - Python 3.8
    return {
        name: [row[place] for row in rows]
        for place, name in enumerate(columns[: len(signature.inputs)])
    }


def plain(value: Any) -> Any:
    """Give values as JSON has them, and jsonlite reads them: NaN is null, infinities have R's names."""
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        if value > 0:
            return "Inf"
        return "-Inf"
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value
