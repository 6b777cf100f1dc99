"""A request in the form in which R takes it, made without any library: a data frame is its columns.

`loaders/crate.R` documents the messages to R.
"""

from __future__ import annotations

import base64
import datetime
import math
from typing import Any, Callable, Dict, List, Mapping

from ..enforcement.data_frames import log_ignored_inputs
from ..enforcement.json_values import read_text
from ..enforcement.parameters import enforce_params
from ..enforcement.without_pandas import checked_values
from ..signature import Column, InvalidInput, Signature
from .csv_rows import read_rows
from .json_frames import split_parts
from .json_request import parse_object, split_request
from .text import decode

MISSING = ("", "NA")  # what stands for a missing value in CSV, as R writes it


class Table(Dict[str, List[Any]]):
    """The columns of a data frame by name, all of one length."""

    @property
    def row_count(self) -> int:
        """How many rows it has."""
        return len(next(iter(self.values()), []))


def message_of_request(
    content: bytes, content_type: str, signature: Signature
) -> tuple[dict[str, Any], Any]:
    """Give the message `take` to R, and the parameters, for a request.

    Raises `InvalidInput` for an invalid request, and for one that does not match the signature.
    """
    if content_type == "csv":
        text = decode(content)
        if signature.columns_by_name:
            message = _data_message(_typed(_table_from_csv(text), signature), signature)
        else:
            message = _take("csv", text=text)
        return message, enforce_params(None, signature)
    if content_type != "json":
        raise InvalidInput("an R model takes JSON or CSV only")
    name, value, params = split_request(parse_object(content), signature)
    if name in TABLES:
        data = TABLES[name](value)
    else:
        data = _table_or_value(value)
    return _data_message(data, signature), params


def json_for_r(value: Any) -> Any:
    """Convert values to JSON as jsonlite reads it: NaN is null, infinities have R's names."""
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        if value > 0:
            return "Inf"
        return "-Inf"
    if isinstance(value, Mapping):
        return {str(name): json_for_r(item) for name, item in value.items()}
    if isinstance(value, list):
        return [json_for_r(item) for item in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value


def _data_message(data: Any, signature: Signature) -> dict[str, Any]:
    """Send a table as its columns, and everything else as the value that it is in JSON."""
    value = json_for_r(_enforced(data, signature))
    if not isinstance(data, Table):
        return _take("value", value=value)
    columns = {str(place): items for place, items in enumerate(value.values(), 1)}
    return _take(
        "columns",
        names=list(value),
        columns=columns,
        rows=data.row_count,
    )


def _take(form: str, **content: Any) -> dict[str, Any]:
    """Make the message `take`."""
    return {
        "ask": "take",
        "form": form,
        **content,
    }


def _table_from_split(value: Any) -> Table:
    """Read the rows of `dataframe_split` into columns."""
    rows, names = split_parts(value)
    if not isinstance(rows, list):
        raise InvalidInput("`dataframe_split`: `data` must be a list of rows")
    rows = [row if isinstance(row, list) else [row] for row in rows]
    if not isinstance(names, list):
        names = range(max(map(len, rows), default=0))
    width = len(names)
    for row in rows:
        if len(row) != width:
            raise InvalidInput(
                f"`dataframe_split`: a row has {len(row)} values for {width} columns"
            )
    return _table([str(name) for name in names], rows, "`dataframe_split`")


def _table_from_records(value: Any) -> Table:
    """Read rows that are objects into columns; what a row lacks is missing."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InvalidInput("`dataframe_records` must be a list of objects, one per row")
    names = dict.fromkeys(name for row in value for name in row)
    table = Table()
    for name in names:
        table[name] = [row.get(name) for row in value]
    return table


def _table_or_value(value: Any) -> Any:
    """Recognize a data frame: rows that are objects, one such row, or columns by name."""
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return _table_from_records(value)
    if not isinstance(value, dict) or not value:
        return value
    columns = [item for item in value.values() if isinstance(item, list)]
    if not columns:
        return _table_from_records([value])
    lengths = set(map(len, columns))
    if len(columns) == len(value) and len(lengths) == 1:
        return Table(value)
    return value


def _table_from_csv(text: str) -> Table:
    """Read CSV into columns of strings."""
    names, rows = read_rows(text)
    return _table(names, rows, "the CSV")


def _table(names: list[str], rows: list[list[Any]], source: str) -> Table:
    """Make columns of rows, which have a value for each name."""
    table = Table()
    for place, name in enumerate(names):
        if name in table:
            raise InvalidInput(f"{source} has several columns named `{name}`")
        table[name] = [row[place] for row in rows]
    return table


def _typed(table: Table, signature: Signature) -> Table:
    """Give the strings of CSV the types of the signature where they have them.

    The rest is refused later.
    """
    columns = {str(name): column for name, column in signature.columns_by_name.items()}
    typed = Table()
    for name, texts in table.items():
        typed[name] = _cells(texts, columns.get(name))
    return typed


def _cells(texts: list[str], column: Column | None) -> list[Any]:
    """Give the strings of one column the type of the signature."""
    if column is None:
        return texts
    is_text = column.type in ("string", "binary", "datetime")
    cells: list[Any] = []
    for text in texts:
        if text in MISSING and not (is_text and column.required):
            cells.append(None)
        elif is_text:
            cells.append(text)
        else:
            cells.append(read_text(text, column.type))
    return cells


def _enforced(data: Any, signature: Signature) -> Any:
    """Bring data into the form of the signature; a table stays one."""
    if not signature.inputs or signature.is_tensor:
        return data
    if not isinstance(data, Table):
        return checked_values(data, signature)
    if signature.columns_by_name:
        log_ignored_inputs(data, signature)
        return checked_values(dict(data), signature)
    names = list(data)[: len(signature.inputs)]
    if len(signature.inputs) == 1:
        return {name: checked_values(data[name], signature) for name in names}
    rows = [list(row) for row in zip(*data.values())]  # noqa: B905 - Python 3.8
    checked = checked_values(rows, signature)
    return {name: [row[place] for row in checked] for place, name in enumerate(names)}


TABLES: dict[str, Callable[[Any], Table]] = {
    "dataframe_split": _table_from_split,
    "dataframe_records": _table_from_records,
}
