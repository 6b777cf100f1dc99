"""Columns of times, read from the ISO 8601 texts of requests."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from ..missing_values import is_missing
from ..signature import Column

UNIT = re.compile(r"datetime64\[(\w+)")
DTYPE_WITH_ZONE = re.compile(r"datetime64\[(\w+), (.+)\]")


def times_of(series: Any, column: Column, dtype: str = "") -> Any:
    """Read a column of times; dtype: the one that the signature records, or none.

    Without a recorded one they have nanoseconds, as with MLflow, or microseconds where nanoseconds
    do not reach. Raises `InvalidInput`.
    """
    if "[pyarrow]" in dtype:
        return _arrow_times(series, column, dtype)
    with_zone = DTYPE_WITH_ZONE.match(dtype)
    times = _parsed(series, column, has_zone=with_zone is not None)
    if with_zone is not None:
        times = times.dt.tz_convert(with_zone.group(2))
    unit = UNIT.match(dtype)
    return _in_unit(times, unit.group(1) if unit else None, column)


def in_unit_of(times: Any, column: Column) -> Any:
    """Give times the resolution that the signature records; without one nanoseconds, as MLflow.

    Raises `InvalidInput` if that would change one.
    """
    unit = UNIT.match(str(column.pandas.get("dtype", "")))
    return _in_unit(times, unit.group(1) if unit else None, column)


def _parsed(series: Any, column: Column, *, has_zone: bool) -> Any:
    """Read each text for itself: with or without a fraction, a time or a date."""
    pandas = import_module("pandas")
    options: dict[str, Any] = {"utc": True} if has_zone else {}
    if not _is_older(pandas, 2) and series.map(lambda value: isinstance(value, str)).any():
        options["format"] = "ISO8601"
    if has_zone:
        _refuse_without_zone(series, column)
    try:
        times = pandas.to_datetime(series, **options)
    except pandas.errors.OutOfBoundsDatetime as error:
        if _is_older(pandas, 2):
            raise column.invalid(
                f"is out of the range of this version of pandas: {error}"
            ) from error
        times = _far_times(series, column)
    except (ValueError, TypeError, OverflowError) as error:
        # what follows is advice for those who call pandas themselves
        problem = str(error).partition(". You might want")[0]
        raise column.invalid(f"is not valid: {problem}") from error
    found_zone = getattr(times.dtype, "tz", None) is not None
    if times.dtype == object or (found_zone and not has_zone):
        raise column.invalid("must have no time zone")
    return times


def _far_times(series: Any, column: Column) -> Any:
    """Read times that nanoseconds of 64 bits do not reach, as microseconds."""
    numpy = import_module("numpy")
    values = []
    for value in series:
        if is_missing(value):
            values.append("NaT")
        else:
            values.append(str(value).replace(" ", "T"))
    try:
        array = numpy.array(values, dtype="datetime64[us]")
    except ValueError as error:
        raise column.invalid(f"is not valid: {error}") from error
    return series.__class__(array, index=series.index, name=series.name)


def _refuse_without_zone(series: Any, column: Column) -> None:
    """Raise `InvalidInput` for a time of a column with a zone that has none itself."""
    pandas = import_module("pandas")
    for value in series:
        if not is_missing(value) and pandas.Timestamp(value).tzinfo is None:
            raise column.invalid(f"must have a time zone, as in +00:00: {str(value)!r}")


def _in_unit(times: Any, unit: str | None, column: Column) -> Any:
    """Give times a resolution; raise `InvalidInput` if that would change one."""
    found = getattr(times.dt, "unit", "ns")  # before pandas 2 there are nanoseconds only
    if found == (unit or "ns"):
        return times
    if unit is None:
        try:
            return times.dt.as_unit("ns")
        except import_module("pandas").errors.OutOfBoundsDatetime:
            return times
    converted = times.dt.as_unit(unit)
    has_changed = (converted != times) & times.notna()
    if bool(has_changed.any()):
        raise column.invalid(f"has a time that is finer than {unit}, which it was made with")
    return converted


def _arrow_times(series: Any, column: Column, dtype: str) -> Any:
    """Read times, or dates, of Arrow."""
    pandas = import_module("pandas")
    has_zone = "tz=" in dtype
    if has_zone:
        _refuse_without_zone(series, column)
    values: list[Any] = []
    for value in series:
        if is_missing(value):
            values.append(None)
            continue
        try:
            time = pandas.Timestamp(value)
        except ValueError as error:
            raise column.invalid(f"is not valid: {error}") from error
        if time.tzinfo is not None and not has_zone:
            raise column.invalid("must have no time zone")
        values.append(time.date() if dtype.startswith("date") else time)
    try:
        return pandas.array(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise column.invalid(f"cannot become {dtype}: {error}") from error


def _is_older(pandas: Any, major: int) -> bool:
    return int(str(pandas.__version__).partition(".")[0]) < major
