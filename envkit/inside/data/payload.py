"""What to predict on: the model's saved example, or a request in the form that scoring servers take.

A request is a JSON object with one of `dataframe_split`, `dataframe_records`, `instances`,
`inputs`, and `params` if need be, or a CSV file with a header, or a Parquet file. The data get the
form and the types that the signature promises the model, as `mlflow.pyfunc` gives them (MLflow
3.17), except that no value is changed to fit.
"""

from __future__ import annotations

import io
import json
import os
from importlib import import_module
from typing import Any, Mapping, NamedTuple

from . import wire
from .columns import cast_array
from .enforcement import convert, enforce
from .frames import frame_of_records, frame_of_split, pandas_for
from .parameters import complete
from .signature import InvalidInput, Signature

TYPED = "typed"  # content: a pair of data and parameters with their types (`wire`)
FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
ACCEPTED = "one of " + ", ".join(f"`{each}`" for each in FORMATS)
CHAT_FORMATS = ("messages", "prompt", "input")  # the whole request is the model's input
SPARSE = {"sparse_matrix_csc": "csc_matrix", "sparse_matrix_csr": "csr_matrix"}


def from_example(
    example: Mapping[str, Any], request: Mapping[str, Any], raw: bool
) -> tuple[Any, Any]:
    """Give (data, params) of the saved example; of the saved request where the example itself is not there.

    `raw`: the model takes JSON values as they are. Raises `InvalidInput`.
    """
    signature = Signature(request.get("signature"))
    if not os.path.exists(example["path"]):
        name = example.get("serving_input_path") or "serving_input_example.json"
        given = _from_json(
            _content(os.path.join(os.path.dirname(example["path"]), name)), signature, raw
        )
        return given.data, given.params
    value = _parse(decoded(_content(example["path"])))
    params: Any = None
    if example.get("params") and isinstance(value, dict):
        params = value.get("params")
        value = value.get("inputs")
    if not raw:
        data = convert(example_data(value, example, signature), signature)
    elif example.get("type") == "dataframe":
        data = example_data(value, example, signature)
    else:
        data = _bare(value, example)
    return data, complete(params, signature)


class Given(NamedTuple):
    """What a request asks for. is_chat: the answer to it is not wrapped in `predictions`."""

    data: Any
    params: Any
    is_chat: bool = False


class Reader:
    """A model that reads its requests itself, since its data are none of Python's."""

    def read(self, content: bytes, content_type: str, request: Mapping[str, Any]) -> Given:
        """Give what a request asks for, as `from_content` does. Raises `InvalidInput`."""
        raise NotImplementedError


def from_file(
    source: Mapping[str, Any], request: Mapping[str, Any], raw: bool, reader: Reader | None = None
) -> tuple[Any, Any]:
    """Give (data, params) of an input file. Raises `InvalidInput`."""
    content = _content(source["path"])
    data, params, _ = from_content(content, source["content_type"], request, raw, reader)
    if request.get("params") is not None:
        params = complete(
            {**(params or {}), **request["params"]}, Signature(request.get("signature"))
        )
    return data, params


def from_content(
    content: bytes,
    content_type: str,
    request: Mapping[str, Any],
    raw: bool,
    reader: Reader | None = None,
) -> Given:
    """Give what a request asks for: JSON, CSV or Parquet, as `content_type` says. Raises `InvalidInput`."""
    if reader is not None:
        return reader.read(content, content_type, request)
    signature = Signature(request.get("signature"))
    if content_type == TYPED:
        data, params = wire.loads(content)
        return Given(data if raw else enforce(data, signature), complete(params, signature))
    tables = {"csv": _from_csv, "parquet": _from_parquet}
    if content_type in tables:
        return Given(tables[content_type](content, signature), complete(None, signature))
    return _from_json(content, signature, raw)


def _content(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def decoded(content: bytes) -> str:
    """Give the text of a request. Raises `InvalidInput` when it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"it is not UTF-8 text: {error}") from error


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise InvalidInput("it is nested too deeply") from error
    except ValueError as error:
        raise InvalidInput(f"it is not JSON: {error}") from error


def _from_csv(content: bytes, signature: Signature) -> Any:
    pandas = pandas_for("a CSV input")
    text = decoded(content)
    texts = {
        name: object
        for name, column in signature.names.items()
        if column.type in ("string", "binary")
    }
    try:
        table = pandas.read_csv(io.StringIO(text), dtype=texts)
    except ValueError as error:  # also pandas' own errors of parsing
        raise InvalidInput(f"it is not CSV: {error}") from error
    return convert(table, signature)


def _from_parquet(content: bytes, signature: Signature) -> Any:
    """Read a Parquet file; its columns have types, so they are enforced as a data frame of Python is."""
    pandas = pandas_for("a Parquet input")
    try:
        table = pandas.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise InvalidInput(
            "a Parquet input needs pyarrow or fastparquet in the model's environment"
        ) from error
    except (ValueError, OSError, KeyError) as error:  # pyarrow's own errors are these
        raise InvalidInput(f"it is not Parquet: {error}") from error
    return enforce(table, signature)


def _from_json(content: bytes, signature: Signature, raw: bool) -> Given:
    value = json_object(content)
    if any(each in value for each in CHAT_FORMATS):
        return _from_chat(value, signature, raw)
    form, data, params = asked(value, signature)
    return Given(_data(form, data, signature, raw), params)


def json_object(content: bytes) -> dict[str, Any]:
    """Give the object that a request in JSON is. Raises `InvalidInput`."""
    value = _parse(decoded(content))
    if not isinstance(value, dict):
        raise InvalidInput(f"it must be a JSON object with exactly {ACCEPTED}, not {_kind(value)}")
    return value


def asked(value: dict[str, Any], signature: Signature) -> tuple[str, Any, Any]:
    """Give the one key of `FORMATS` that a request has, its data, and the parameters. Raises `InvalidInput`."""
    found = [each for each in FORMATS if each in value]
    if len(found) != 1:
        had = ", ".join(f"`{each}`" for each in (found or value)) or "nothing"
        raise InvalidInput(f"it must have exactly {ACCEPTED}; it has {had}")
    unknown = set(value) - {found[0], "params", "signature_name"}
    if unknown:
        raise InvalidInput(
            f"`{sorted(unknown)[0]}` is unknown; beside {ACCEPTED} there may be `params`"
        )
    return found[0], value[found[0]], complete(value.get("params"), signature)


def _from_chat(value: dict[str, Any], signature: Signature, raw: bool) -> Given:
    known = {each["name"] for each in signature.params}
    params = {name: each for name, each in value.items() if name in known}
    data = {name: each for name, each in value.items() if name not in known}
    return Given(_whole(data, signature, raw), complete(params, signature), is_chat=True)


def _whole(value: Any, signature: Signature, raw: bool) -> Any:
    """Give what the signature promises; a model that takes JSON values gets those, once they are seen to fit.

    A signature without names was made from type hints, of which such a model sees to itself.
    """
    if raw and not signature.names:
        return value
    found = convert(value, signature)
    if raw:
        return value
    return found


def _data(form: str, value: Any, signature: Signature, raw: bool) -> Any:
    if raw:
        if form != "inputs":
            raise InvalidInput(
                f"this model takes `inputs` only, since its type hints say what it takes, not `{form}`"
            )
        return _whole(value, signature, raw)
    if form == "dataframe_split":
        return convert(frame_of_split(value), signature)
    if form == "dataframe_records":
        return convert(frame_of_records(value), signature)
    if form == "instances":
        return convert(_instances(value, signature), signature)
    return convert(_arrays(value, signature), signature)


def example_data(value: Any, example: Mapping[str, Any], signature: Signature) -> Any:
    """Give the data of a saved example, of its own type, columns of the signature's. Raises `InvalidInput`."""
    kind = example.get("type")
    if kind == "dataframe":
        if isinstance(value, dict):
            return frame_of_split(value)
        return frame_of_records(value)
    if kind == "ndarray":
        return _arrays(_bare(value, example), signature)
    if kind in SPARSE:
        matrix = getattr(import_module("scipy.sparse"), SPARSE[kind])
        return matrix(
            (value["data"], value["indices"], value["indptr"]), shape=tuple(value["shape"])
        )
    if kind not in (None, "json_object"):
        raise InvalidInput(f"the type {kind!r} of the saved example is unknown")
    return value


def _bare(value: Any, example: Mapping[str, Any]) -> Any:
    """Give an example that is no data frame; before 2.15 MLflow saved it as a request to TensorFlow Serving."""
    if example.get("format") == "tf-serving" and isinstance(value, dict):
        return value.get("inputs", value)
    return value


def _arrays(value: Any, signature: Signature) -> Any:
    """Make arrays of JSON values as MLflow does for `inputs`: of each value of an object, else of the whole."""
    if not _has_numpy():
        return value
    names = signature.names
    if (
        len(names) == 1
        and isinstance(value, list)
        and not any(isinstance(each, dict) for each in value)
    ):
        value = {next(iter(names)): value}
    if isinstance(value, dict):
        return {name: cast_array(each, names.get(name)) for name, each in value.items()}
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return [
            {name: cast_array(each, names.get(name)) for name, each in row.items()} for row in value
        ]
    return cast_array(value, signature.inputs[0] if signature.inputs else None)


def _instances(value: Any, signature: Signature) -> Any:
    """Turn rows into columns, which must then be of one length."""
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return _arrays(value, signature)
    columns: dict[str, list[Any]] = {}
    for index, row in enumerate(value):
        if not isinstance(row, dict):
            raise InvalidInput(
                f"`instances[{index}]` must be an object like the first, not {_kind(row)}"
            )
        for name, each in row.items():
            columns.setdefault(name, []).append(each)
    for name, each in columns.items():
        if len(each) != len(value):
            raise InvalidInput(
                f"`instances`: {len(value) - len(each)} of {len(value)} lack `{name}`"
            )
    return _arrays(columns, signature)


def _has_numpy() -> bool:
    try:
        import_module("numpy")
    except ImportError:
        return False
    return True


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        type(None): "null",
        bool: "true or false",
    }
    return names.get(type(value), "a number")
