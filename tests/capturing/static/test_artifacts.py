"""Pickles are made with the standard library or put together by hand; none of what they name is installed."""

from __future__ import annotations

import bz2
import collections
import decimal
import gzip
import json
import lzma
import pickle
import struct
import sys
import types
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from envkit.capturing.static.artifacts import Budget, read
from envkit.capturing.static.mentions import Survey

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "models"
THIS = ".".join(map(str, sys.version_info[:2]))


def survey(path: Path, *, python: str | None = "3.11", **budget: int) -> Survey:
    found = Survey(python=python)
    read(path, path.name, found, Budget(**budget))
    return found


def modules(found: Survey) -> list[str]:
    return sorted(each.module + ("*" if each.by_code else "") for each in found.mentions)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_classes_are_found_whatever_the_protocol(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "model.pkl"
    value = [collections.OrderedDict(a=decimal.Decimal(1)), {"_sklearn_version": "0.22.1"}, decimal.Decimal(2)]
    path.write_bytes(pickle.dumps(value, protocol))

    found = survey(path)

    assert {"collections", "decimal"} <= set(modules(found)) <= {"collections", "decimal", "_codecs"}
    assert found.versions == {"scikit-learn": "0.22.1"}
    assert found.gaps == []


def test_a_real_model_is_read() -> None:
    found = survey(FIXTURES / "sklearn_pipeline" / "model" / "model.pkl")

    assert {"sklearn.pipeline", "sklearn.linear_model._ridge"} & set(modules(found))
    assert found.versions == {"scikit-learn": "1.9.1"}
    assert found.gaps == []


def test_a_real_cloudpickled_model_is_read() -> None:
    found = survey(FIXTURES / "python_model" / "model" / "python_model.pkl")

    assert {"mlflow.pyfunc.model", "numpy*"} <= set(modules(found))
    assert found.gaps == []


def code_pickle(python_code: str) -> bytes:
    """A function by value: the global `types.CodeType` called with the parts of a code object."""
    code = compile(python_code, "m", "exec")
    return b"\x80\x04" + code_opcodes(code) + b"."


def code_opcodes(code: types.CodeType) -> bytes:
    constants = b"".join(code_opcodes(each) if isinstance(each, types.CodeType) else b"N" for each in code.co_consts)
    names = b"".join(map(text, code.co_names))
    body = b"B" + struct.pack("<I", len(code.co_code)) + code.co_code
    return b"ctypes\nCodeType\n(K\x00K\x00" + body + b"(" + constants + b"t(" + names + b"ttR"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="its opcodes are not known yet")
def test_imports_in_functions_by_value_are_found_in_every_depth(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    many = "\n".join(f"name{number}" for number in range(300))
    path.write_bytes(
        code_pickle(f"def f():\n  import numpy\n  def g():\n    import torch.nn\n{many}\nfrom late import x")
    )

    found = survey(path, python=THIS)

    assert {"numpy*", "torch.nn*", "late*"} == {each for each in modules(found) if each.endswith("*")}


def test_bytecode_of_an_unknown_python_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(code_pickle("import numpy"))

    found = survey(path, python="2.7")

    assert "bytecode" in found.gaps[0].problem


def wrapped_array(code: str, shape: tuple[int, ...], raw: bytes, *, aligned: bool = True) -> bytes:
    """An array as joblib writes it: the pickled description, padding, then the bytes themselves."""
    shape_codes = b"(" + b"".join(b"J" + struct.pack("<i", each) for each in shape) + b"t"
    dtype = (
        b"cnumpy\ndtype\n("
        + text(code)
        + b"\x89\x88tR(K\x03"
        + text("<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    )
    state = text("shape") + shape_codes + text("dtype") + dtype
    if aligned:
        state += text("numpy_array_alignment_bytes") + b"K\x10"
        raw = b"\x03\xff\xff\xff" + raw
    return b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" + state + b"ub" + raw


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize(
    ("code", "shape", "raw"),
    [
        ("f8", (2, 3), b"." * 48),
        ("U2", (2,), b"." * 16),
        ("b1", (), b"."),
        ("i8", (0, 5), b""),
    ],
)
def test_arrays_between_opcodes_are_passed(
    tmp_path: Path, code: str, shape: tuple[int, ...], raw: bytes, aligned: bool
) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(b"\x80\x02(" + wrapped_array(code, shape, raw, aligned=aligned) + b"cdecimal\nDecimal\nt.")

    found = survey(path)

    assert found.gaps == []
    assert modules(found) == ["decimal", "joblib", "joblib.numpy_pickle", "numpy"]


def test_an_array_of_objects_is_a_pickle_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    inner = b"\x80\x02cfractions\nFraction\n."
    path.write_bytes(b"\x80\x02(" + wrapped_array("O8", (1,), inner, aligned=False) + b"cdecimal\nDecimal\nt.")

    found = survey(path)

    assert {"fractions", "decimal"} <= set(modules(found))
    assert found.gaps == []


@pytest.mark.parametrize(
    "compress",
    [zlib.compress, gzip.compress, bz2.compress, lzma.compress, lambda raw: lzma.compress(raw, lzma.FORMAT_ALONE)],
    ids=["zlib", "gzip", "bz2", "xz", "lzma"],
)
def test_compressed_pickles_are_read(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(compress(pickle.dumps([decimal.Decimal(1), "x" * 500_000])))

    found = survey(path)

    assert modules(found) == ["decimal", "joblib"]
    assert found.gaps == []


def test_a_compression_that_python_lacks_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(b"\x04\x22\x4d\x18rest")

    assert "lz4" in survey(path).gaps[0].problem


def test_torch_archives_hold_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(decimal.Decimal(1), 2))

    assert {"decimal", "torch"} <= set(modules(survey(path)))


def test_skops_archives_tell_modules_and_versions(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    schema = {
        "__module__": "sklearn.linear_model",
        "content": {"content": {"_sklearn_version": {"content": '"1.5.0"', "__module__": "builtins"}}},
        "_skops_version": "0.11",
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))

    found = survey(path)

    assert modules(found) == ["sklearn.linear_model", "skops"]
    assert found.versions == {"skops": "0.11", "scikit-learn": "1.5.0"}


@pytest.mark.parametrize(
    ("name", "content", "library"),
    [
        ("model.onnx", b"\x08\x07", "onnxruntime"),
        ("model.ubj", b"{L", "xgboost"),
        ("model.json", b'{"learner":{}}', "xgboost"),
        ("model.txt", b"tree\nversion=v4\n", "lightgbm"),
        ("model.bin", b"CBM1....", "catboost"),
        ("saved_model.pb", b"\x08\x01", "tensorflow"),
    ],
)
def test_formats_are_known_by_name_or_first_bytes(tmp_path: Path, name: str, content: bytes, library: str) -> None:
    (tmp_path / name).write_bytes(content)

    assert modules(survey(tmp_path / name)) == [library]


@pytest.mark.parametrize("name", ["readme.txt", "weights.bin", "table.csv"])
def test_other_files_say_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"some text")

    assert survey(tmp_path / name) == Survey(python="3.11")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    path, ran = tmp_path / "model.pkl", tmp_path / "ran"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(ran).encode() + b"'\ntR.")

    found = survey(path)

    assert modules(found) == ["os"]
    assert not ran.exists()


ZEROS = b"\x80\x04B" + struct.pack("<I", 20_000_000) + bytes(20_000_000) + b"."


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(zlib.compress(ZEROS, 1), id="bytes"),
        pytest.param(zlib.compress(b"\x80\x04" + b"N0" * 500_000 + b"N.", 1), id="opcodes"),
        pytest.param(b"\x80\x04" + b"2" * 10, id="empty stack"),
        pytest.param(b"\x80\x04" + b"(" * 1000 + b"t" * 2000, id="marks"),
        pytest.param(b"\x80\x04)" + b"\x85" * 500_000 + b".", id="deep"),
        pytest.param(b"\x80\x04)" + b"\x94h\x00\x86" * 100_000 + b".", id="shared"),
        pytest.param(b"\x80\x04\x8a\xff" + b"\x7f" * 255 + b".", id="large number"),
        pytest.param(b"\x80\x04I" + b"9" * 100_000 + b"\n.", id="long number"),
        pytest.param(b"\x80\x04B\xff\xff\xff\x7f", id="cut off"),
        pytest.param(b"\x80\x04h\x07.", id="memo"),
        pytest.param(b"\x80\x02(" + wrapped_array("f8", (2_000_000_000,) * 60, b"..") + b".", id="large array"),
        pytest.param(b"\x80\x02" + wrapped_array("O8", (1,), b"\x80\x02", aligned=False) * 1, id="no inner pickle"),
        pytest.param(b"\x80", id="one byte"),
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 and no archive", id="no archive"),
    ],
)
def test_what_is_made_to_harm_or_damaged_ends_soon(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(content)

    found = survey(path, opcodes=200_000, unpacked=10_000_000)

    assert len(found.gaps) <= 1


@pytest.mark.parametrize("name", ["archive/data.pkl", "schema.json"])
def test_archives_that_unpack_into_too_much_are_left(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b'["' + bytes(50_000_000) if name.endswith("json") else ZEROS)

    found = survey(path, unpacked=10_000_000, text=1_000_000)

    assert "more than" in found.gaps[0].problem
