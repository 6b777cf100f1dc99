"""Type hints of a `predict` function: which of them define its input, and data brought to them.

This is the only place that does it, for every caller: the author's class when it is called
directly, and the program that loads the model for Python, the command line, servers and Spark.
What is converted and refused is what MLflow 3.17 converts and refuses, also its sentences.

https://mlflow.org/docs/latest/ml/model/python_model/#type-hints-in-pythonmodel
"""

from __future__ import annotations

import base64
import datetime
import inspect
import logging
import typing
from typing import Any, Callable, Iterable, NamedTuple

BASIC: tuple[Any, ...] = (int, str, bool, float, bytes, datetime.datetime, datetime.date)
SUPPORTED = (
    "Type hints must be a list[...] where collection element type is one of these types: "
    "int, str, bool, float, bytes, datetime, pydantic models, dataclasses, lists and dictionaries "
    "of these types, or typing.Any."
)
OPTIONAL_INPUT = (
    "Input cannot be Optional type. Remove the Optional wrapper from the type hint. To use "
    "optional fields, use a pydantic model."
)
TABLE_LIBRARIES = ("pandas.", "numpy.", "scipy.", "pyspark.", "polars.")
"""Type hints of their classes do not define a signature."""
TypeFromExample = typing.TypeVar("TypeFromExample")
"""The hint of an input that has the form of the input example: a list, a data frame or a series."""
NOT_INPUTS = ("self", "params")  # names of parameters
SHOWN = 5  # invalid elements in a message


class TypeHints(NamedTuple):
    """The type hints of a function that predicts; None where it has none."""

    input: Any = None
    output: Any = None


class UnsupportedTypeHint(ValueError):
    """A hint that does not define the input: data are not checked against it."""


class InvalidTypeHint(ValueError):
    """A hint that lacks a part, such as the type of a list's elements, so that it is an error."""


class HintMismatch(ValueError):
    """Data that do not have the type of the hint."""


def type_hints(function: Callable[..., Any]) -> TypeHints:
    """Read the hints of the input and of the result.

    None when they name what does not exist there.
    """
    try:
        hints = typing.get_type_hints(_annotated(function))
        name = input_name(function)
    except (NameError, TypeError, ValueError, AttributeError):
        return TypeHints()
    return TypeHints(hints.get(name or ""), hints.get("return"))


def input_name(function: Callable[..., Any]) -> str | None:
    """Name the parameter that gets the data; None for a function without one."""
    names = [name for name in inspect.signature(function).parameters if name not in NOT_INPUTS]
    if takes_context(function):
        names = names[1:]
    if names:
        return names[0]
    return None


def takes_context(function: Callable[..., Any]) -> bool:
    """Whether the first of two inputs is the context, whatever its name."""
    names = [name for name in inspect.signature(function).parameters if name not in NOT_INPUTS]
    return "context" in names or len(names) == 2


def describes_table(hint: Any) -> bool:
    """Whether a hint is a class of a library of tables or arrays, which says nothing of columns."""
    return f"{getattr(hint, '__module__', '')}.".startswith(TABLE_LIBRARIES)


def is_from_example(hint: Any) -> bool:
    """Whether a hint is `TypeFromExample`, of envkit or MLflow."""
    return isinstance(hint, typing.TypeVar) and hint.__name__ == TypeFromExample.__name__


def defines_input(hint: Any) -> bool:
    """Whether data are checked against a hint: it is a list of types that signatures have."""
    try:
        check(hint)
    except ValueError:
        return False
    return True


def check(hint: Any) -> None:
    """Raise `UnsupportedTypeHint` or `InvalidTypeHint` if a hint does not define the input."""
    if hint is list:
        raise InvalidTypeHint(
            "Type hint `list` doesn't contain a collection element type. Fix by adding an element "
            "type to the collection type definition, e.g. `list[str]` instead of `list`."
        )
    members = _members_of_optional(hint)
    if members and typing.get_origin(members[0]) is list:
        raise UnsupportedTypeHint(OPTIONAL_INPUT)
    if typing.get_origin(hint) is not list:
        raise UnsupportedTypeHint(
            "Type hints must be wrapped in list[...] because MLflow assumes the predict method to "
            "take multiple input instances. Specify your type hint as "
            f"`list[{text_of(hint)}]` for a valid signature."
        )
    (element,) = typing.get_args(hint)
    if _members_of_optional(element):
        raise InvalidTypeHint(OPTIONAL_INPUT)
    _check_type(element)


def conform(data: Any, hint: Any, *, from_text: bool = False) -> Any:
    """Give data the type of a hint for which `defines_input` is true.

    A data frame becomes a list of its rows, or of the values of its column. Dictionaries become
    pydantic models and dataclasses. Everything else must have the type already.

    from_text: the data are JSON or CSV, which has texts for bytes (base64) and times (ISO 8601).
    Raises `HintMismatch`.
    """
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        data = _list_of_frame(data, typing.get_args(hint)[0])
    return _value(data, hint, from_text)


def text_of(hint: Any) -> str:
    """Spell a hint as its author does."""
    if isinstance(hint, type) and typing.get_origin(hint) is None:
        return hint.__name__
    return str(hint)


def _annotated(function: Any) -> Any:
    """Give what has the annotations: the function, or the `__call__` of an object."""
    if not hasattr(function, "__annotations__") and callable(function):
        return function.__call__
    return function


def _check_type(hint: Any) -> None:
    """Raise `UnsupportedTypeHint` or `InvalidTypeHint` for a type that a signature lacks."""
    hint = _without_annotation(hint)
    if hint is Any or _is_basic(hint):
        return
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list and arguments:
        _check_type(arguments[0])
    elif origin is dict and arguments:
        if arguments[0] is not str:
            raise InvalidTypeHint(
                f"Dictionary key type must be str, got {arguments[0]} in type hint {text_of(hint)}"
            )
        _check_type(arguments[1])
    elif _is_union(origin):
        members = _members_of_optional(hint)
        if len(members) == 1:
            _check_type(members[0])
    elif _is_pydantic(hint):
        _check_fields(hint)
    elif hint in (list, dict, typing.Union, typing.Optional):
        raise InvalidTypeHint(
            f"Invalid type hint `{text_of(hint)}`, it must include a valid element type. "
            f"{SUPPORTED}"
        )
    elif not _is_dataclass(hint):
        raise UnsupportedTypeHint(f"Unsupported type hint `{text_of(hint)}`. {SUPPORTED}")


def _check_fields(model: Any) -> None:
    """Check the fields of a model of pydantic."""
    for name, field in model.model_fields.items():
        _check_type(field.annotation)
        members = _members_of_optional(_without_annotation(field.annotation))
        if members and field.is_required():
            raise InvalidTypeHint(
                f"Optional field `{name}` in Pydantic model `{model.__name__}` doesn't have a "
                "default value. Please set default value to None for this field."
            )


def _list_of_frame(frame: Any, element: Any) -> list[Any]:
    """Make a list of the rows of a data frame, or of the values of one column."""
    if _is_object(element):
        if list(frame.columns) == [0] or _has_only_objects(frame):
            values = frame.iloc[:, 0].tolist()
        else:
            values = frame.to_dict(orient="records")
    elif element is str:
        values = _first_texts(frame)
    else:
        if len(frame.columns) != 1:
            logging.getLogger("envkit").warning(
                "`predict` has the type hint `list[%s]`, so of the %d columns of the data frame "
                "it gets the first one only.",
                text_of(element),
                len(frame.columns),
            )
        values = frame.iloc[:, 0].tolist()
    return [_plain(value, keeps_nan=element is float) for value in values]


def _is_object(element: Any) -> bool:
    """Whether an element of a list is a row with names."""
    element = _without_annotation(element)
    origin = typing.get_origin(element)
    return origin is dict or _is_pydantic(element) or _is_dataclass(element)


def _has_only_objects(frame: Any) -> bool:
    """Whether a data frame has one column, of objects."""
    return len(frame.columns) == 1 and all(isinstance(row, dict) for row in frame.iloc[:, 0])


def _first_texts(frame: Any) -> Any:
    """Give the first column of a data frame that has strings."""
    if not len(frame):
        return []
    for position in range(len(frame.columns)):
        column = frame.iloc[:, position]
        if isinstance(column.iloc[0], str):
            return column.tolist()
    raise HintMismatch("Expected model input to contain at least one string column")


def _plain(value: Any, *, keeps_nan: bool = False) -> Any:
    """Make lists of arrays, which Spark and data frames have, and None of missing values."""
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0:
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if hasattr(value, "item") and hasattr(value, "dtype"):  # a scalar of NumPy
        value = value.item()
    is_nan = isinstance(value, float) and value != value
    is_missing = type(value).__name__ in ("NAType", "NaTType")
    if is_missing or (is_nan and not keeps_nan):
        return None
    return value


def _value(data: Any, hint: Any, from_text: bool) -> Any:
    """Check a value against a type, and convert what may be converted."""
    hint = _without_annotation(hint)
    if _is_pydantic(hint):
        return _pydantic(data, hint, from_text)
    if hint is Any:
        return data
    if _is_basic(hint):
        return _basic(data, hint, from_text)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return _list(data, arguments[0], from_text)
    if origin is dict:
        return _dict(data, arguments[1], from_text)
    if _is_union(origin):
        members = _members_of_optional(hint)
        if data is None or len(members) != 1:
            return data  # a union of several types accepts everything
        return _value(data, members[0], from_text)
    return _dataclass(data, hint, from_text)


def _basic(data: Any, hint: Any, from_text: bool) -> Any:
    """Accept instances of a class."""
    if from_text and isinstance(data, str):
        try:
            if hint is bytes:
                return base64.b64decode(data.replace("\n", "").encode("ascii"), validate=True)
            if hint in (datetime.datetime, datetime.date):
                return hint.fromisoformat(data)
        except ValueError as error:
            raise HintMismatch(f"{data!r} is not a {hint.__name__}: {error}") from error
    if not isinstance(data, hint):
        raise HintMismatch(f"Expected type {text_of(hint)}, but got {type(data).__name__}")
    return data


def _list(data: Any, element: Any, from_text: bool) -> list[Any]:
    """Check the elements of a list, all of them."""
    if not isinstance(data, list):
        raise HintMismatch(f"Expected list, but got {type(data).__name__}")
    values = []
    invalid = []
    for item in data:
        try:
            values.append(_value(item, element, from_text))
        except HintMismatch as error:
            invalid.append((str(item), str(error)))
    if invalid:
        shown = f"{invalid[:SHOWN]} ... (truncated)" if len(invalid) > SHOWN else str(invalid)
        raise HintMismatch(
            f"Failed to validate data against type hint `list[{text_of(element)}]`, "
            f"invalid elements: {shown}"
        )
    return values


def _dict(data: Any, element: Any, from_text: bool) -> dict[str, Any]:
    """Check the keys and the values of a dictionary."""
    if not isinstance(data, dict):
        raise HintMismatch(f"Expected dict, but got {type(data).__name__}")
    values = {}
    invalid = {}
    for key, item in data.items():
        if not isinstance(key, str):
            invalid[str(key)] = f"Key must be a string, got {type(key).__name__}"
            continue
        try:
            values[key] = _value(item, element, from_text)
        except HintMismatch as error:
            invalid[key] = str(error)
    if invalid:
        raise HintMismatch(
            f"Failed to validate data against type hint `dict[str, {text_of(element)}]`, "
            f"invalid elements: {invalid}"
        )
    return values


def _pydantic(data: Any, model: Any, from_text: bool) -> Any:
    """Make a model of a dictionary, without converting its values; one of JSON may have texts."""
    is_instance = hasattr(type(data), "model_dump")
    if not is_instance and not isinstance(data, dict):
        raise HintMismatch(
            "Expecting example to be a dictionary or pydantic model instance for "
            f"Pydantic type hint, got {type(data)}"
        )
    values = data.model_dump() if is_instance else data
    try:
        model.model_validate(values, strict=True)
    except ValueError as error:  # the base class of pydantic's
        if from_text:
            return _pydantic_of_json(values, model)
        raise _no_model(model, error) from error
    if is_instance:
        return data
    return model(**values)


def _pydantic_of_json(values: dict[str, Any], model: Any) -> Any:
    """Make a model of the values of JSON, where times and the like are texts."""
    import json

    try:
        return model.model_validate_json(json.dumps(values), strict=True)
    except (ValueError, TypeError) as error:
        raise _no_model(model, error) from error


def _no_model(model: Any, error: Exception) -> HintMismatch:
    return HintMismatch(
        f"Data doesn't match type hint, error: {error}. "
        f"Expected fields in the type hint: {', '.join(model.model_fields)}."
    )


def _dataclass(data: Any, kind: Any, from_text: bool) -> Any:
    """Make an object of a dataclass of a dictionary."""
    if isinstance(data, kind):
        return data
    if not isinstance(data, dict):
        raise HintMismatch(f"Expected type {text_of(kind)}, but got {type(data).__name__}")
    hints = typing.get_type_hints(kind)
    values = {}
    for name, item in data.items():
        if name not in kind.__dataclass_fields__:
            raise HintMismatch(f"{text_of(kind)} has no field `{name}`")
        values[name] = _value(item, hints[name], from_text)
    try:
        return kind(**values)
    except TypeError as error:  # a field is missing
        raise HintMismatch(str(error)) from error


def _is_basic(hint: Any) -> bool:
    return isinstance(hint, type) and hint in BASIC


def _is_pydantic(hint: Any) -> bool:
    return isinstance(hint, type) and hasattr(hint, "model_validate")


def _is_dataclass(hint: Any) -> bool:
    return isinstance(hint, type) and hasattr(hint, "__dataclass_fields__")


def _is_union(origin: Any) -> bool:
    """Whether an origin is that of `Union[int, str]` or of `int | str`."""
    return origin is typing.Union or getattr(origin, "__name__", "") == "UnionType"


def _members_of_optional(hint: Any) -> list[Any]:
    """Give the members of a union that has None, without None; empty for all other hints."""
    if not _is_union(typing.get_origin(hint)):
        return []
    members: Iterable[Any] = typing.get_args(hint)
    others = [member for member in members if member is not type(None)]
    if len(others) == len(typing.get_args(hint)):
        return []
    return others


def _without_annotation(hint: Any) -> Any:
    """Give the type in `Annotated[type, …]`."""
    if hasattr(hint, "__metadata__"):
        return hint.__origin__
    return hint
