"""Pickles are made with the standard library or by hand; what they name is not installed."""

from __future__ import annotations

import bz2
import collections
import decimal
import gzip
import io
import json
import lzma
import pickle
import struct
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard

from envkit.analysis.artifacts import Budget, read
from envkit.analysis.mentions import Survey, UnreadReason
from tests.builders.pickles import code_opcodes, code_pickle, text

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "models"


def survey(path: Path, **budget: int) -> Survey:
    return read(path, path.name, Budget(**budget))


def modules(found: Survey) -> list[str]:
    return sorted(each.module + ("*" if each.by_code else "") for each in found.mentions)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_classes_are_found_whatever_the_protocol(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "model.pkl"
    value = [
        collections.OrderedDict(a=decimal.Decimal(1)),
        {"_sklearn_version": "0.22.1"},
        decimal.Decimal(2),
    ]
    path.write_bytes(pickle.dumps(value, protocol))

    found = survey(path)

    assert (
        {"collections", "decimal"} <= set(modules(found)) <= {"collections", "decimal", "_codecs"}
    )
    assert found.versions == {"scikit-learn": "0.22.1"}
    assert found.gaps == ()


def test_a_real_model_is_read() -> None:
    found = survey(FIXTURES / "sklearn_pipeline" / "model" / "model.pkl")

    assert {"sklearn.pipeline", "sklearn.linear_model._ridge"} & set(modules(found))
    assert found.versions == {"scikit-learn": "1.9.1"}
    assert found.gaps == ()


def test_a_real_cloudpickled_model_is_read() -> None:
    found = survey(FIXTURES / "python_model" / "model" / "python_model.pkl")

    assert {"mlflow.pyfunc.model", "numpy*"} <= set(modules(found))
    assert found.gaps == ()


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="its opcodes are not known yet")
def test_imports_in_functions_by_value_are_found_in_every_depth(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    many = "\n".join(f"name{number}" for number in range(300))
    path.write_bytes(
        code_pickle(
            f"def f():\n  import numpy\n  def g():\n    import torch.nn\n{many}\nfrom late import x"
        )
    )

    found = survey(path)

    assert {"numpy*", "torch.nn*", "late*"} == {
        each for each in modules(found) if each.endswith("*")
    }


IMPORTS_NUMPY = {  # `def f(): import numpy` after LOAD_CONST 0 twice, as each CPython compiles it
    "3.7": (15, bytes([100, 1, 100, 0, 108, 0, 125, 0, 100, 0, 83, 0]), (6, 7)),
    "3.10": (16, bytes([100, 1, 100, 0, 108, 0, 125, 0, 100, 0, 83, 0]), (8, 10)),
    "3.12": (18, bytes([151, 0, 100, 1, 100, 0, 108, 0, 125, 0, 121, 0]), (11, 12)),
    "3.12, a generator with a closure": (
        18,
        bytes([149, 1, 75, 0, 1, 0, 151, 0, 100, 1, 100, 0, 108, 0]),
        (11, 12),
    ),
    "3.13": (18, bytes([149, 0, 83, 1, 83, 0, 75, 0, 110, 0, 103, 0]), (13, 13)),
}


@pytest.mark.parametrize("version", IMPORTS_NUMPY)
def test_functions_are_read_as_the_python_that_wrote_them_did(tmp_path: Path, version: str) -> None:
    parts, body, pythons = IMPORTS_NUMPY[version]
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04" + code_opcodes(compile("numpy", "m", "eval"), body, parts) + b".")

    found = survey(path)

    assert "numpy*" in modules(found)
    assert found.pythons == (pythons,)
    assert found.gaps == ()


@pytest.mark.parametrize(
    ("parts", "body"),
    [(18, bytes([128, 0, 83, 1, 75, 0, 108, 0])), (14, bytes([100, 0])), (18, b"")],
)
def test_bytecode_of_an_unknown_python_is_a_gap_and_never_guessed(
    tmp_path: Path, parts: int, body: bytes
) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(
        b"\x80\x04" + code_opcodes(compile("numpy", "m", "eval"), body or b"\1\0", parts) + b"."
    )

    found = survey(path)

    assert "bytecode" in found.gaps[0].problem
    assert modules(found) == ["types"]
    assert found.pythons == ()


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
def test_arrays_between_opcodes_are_read_past(
    tmp_path: Path, code: str, shape: tuple[int, ...], raw: bytes, aligned: bool
) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(
        b"\x80\x02(" + wrapped_array(code, shape, raw, aligned=aligned) + b"cdecimal\nDecimal\nt."
    )

    found = survey(path)

    assert found.gaps == ()
    assert modules(found) == ["decimal", "joblib", "joblib.numpy_pickle", "numpy"]


def test_an_array_of_objects_is_a_pickle_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    inner = b"\x80\x02cfractions\nFraction\n."
    path.write_bytes(
        b"\x80\x02(" + wrapped_array("O8", (1,), inner, aligned=False) + b"cdecimal\nDecimal\nt."
    )

    found = survey(path)

    assert {"fractions", "decimal"} <= set(modules(found))
    assert found.gaps == ()


@pytest.mark.parametrize(
    "compress",
    [
        zlib.compress,
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda raw: lzma.compress(raw, lzma.FORMAT_ALONE),
    ],
    ids=["zlib", "gzip", "bz2", "xz", "lzma"],
)
def test_compressed_pickles_are_read(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(compress(pickle.dumps([decimal.Decimal(1), "x" * 500_000])))

    found = survey(path)

    assert modules(found) == ["decimal", "joblib"]
    assert found.gaps == ()


HARM = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R."


def only_names(value: str | bytes) -> str:
    """Compressed files hold the time: as names of tests they would differ between processes."""
    return value if isinstance(value, str) else ""


def zipped(**files: bytes) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return found.getvalue()


def tarred(mode: str, content: bytes) -> bytes:
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode=mode) as archive:  # type: ignore[call-overload]
        entry = tarfile.TarInfo("folder/m")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return found.getvalue()


def array_of_objects(content: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.pkl.bz2", bz2.compress(HARM)),
        ("model.pkl.xz", lzma.compress(HARM)),
        ("model.joblib.lzma", lzma.compress(HARM, lzma.FORMAT_ALONE)),
        ("weights", gzip.compress(HARM)),
        ("weights.npy", array_of_objects(HARM)),
        ("weights.npz", zipped(a=array_of_objects(HARM))),
        ("weights.zip", zipped(a=zipped(b=HARM), c=b"text")),
        ("weights.zip", zipped(a=gzip.compress(HARM))),
        ("weights.tar", tarred("w", HARM)),
        ("weights.tar.gz", tarred("w:gz", HARM)),
        ("weights.bin", b"cos\nsystem\n(S'id'\ntR."),
        ("model.pkl", pickle.dumps(1) + HARM),
    ],
    ids=only_names,
)
def test_what_unpickling_would_fetch_is_found_wherever_the_pickle_is(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)

    found = survey(tmp_path / name)

    assert ("os", "system") in found.globals[name]
    assert found.gaps == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table.csv.gz", gzip.compress(b"a,b\n1,2\n")),
        ("text.tar.xz", tarred("w:xz", b"text")),
        ("weights.npy", b"\x93NUMPY\x01\x00\x0e\x00{'descr':'<f8'}" + bytes(8)),
        ("image.bin", b"x\x9c is not compressed"),
        ("image.zst", b"\x28\xb5\x2f\xfd is not compressed"),
        ("weights.zip", zipped(a=b"BZh is not compressed", b=b"text")),
    ],
    ids=only_names,
)
def test_other_data_is_not_taken_for_a_damaged_pickle(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)

    found = survey(tmp_path / name)

    assert found.globals == {}
    assert found.gaps == ()


def test_what_is_registered_under_a_number_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x02\x82\x01.")

    assert survey(tmp_path / "model.pkl").globals["model.pkl"] == (
        ("copyreg", "_inverted_registry[1]"),
    )


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_archive_that_unpacks_into_too_much_is_not_read(tmp_path: Path, mode: str) -> None:
    (tmp_path / "a.tar").write_bytes(tarred(mode, bytes(3_000_000)))

    assert "more than" in survey(tmp_path / "a.tar", unpacked=1_000_000).gaps[0].problem


@pytest.mark.parametrize(
    ("magic", "package"), [(b"\x04\x22\x4d\x18", "lz4"), (b"\x28\xb5\x2f\xfd", "zstandard")]
)
def test_the_missing_library_for_a_compression_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, magic: bytes, package: str
) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(magic + b"rest")
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.frame", None)

    (gap,) = survey(path).gaps

    assert f"{package} is not installed where envkit runs" in gap.problem


def test_lz4_is_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(lz4.frame.compress(pickle.dumps(decimal.Decimal(1))))

    assert modules(survey(path)) == ["decimal", "joblib", "lz4"]


def test_zstandard_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    path.write_bytes(zstandard.compress(pickle.dumps([decimal.Decimal(1), "x" * 500_000])))

    assert modules(survey(path)) == ["decimal", "joblib"]


def test_torch_archives_hold_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(decimal.Decimal(1), 2))

    assert {"decimal", "torch"} <= set(modules(survey(path)))


def test_the_classes_of_a_torchscript_archive_are_not_modules(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "m/data.pkl", b"\x80\x02c__torch__.torch.nn.modules.linear\nLinear\n)\x81."
        )
        archive.writestr("m/constants.pkl", pickle.dumps((), 2))

    assert modules(survey(path)) == ["torch"]


def test_skops_archives_record_modules_and_versions(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    schema = {
        "__module__": "sklearn.linear_model",
        "content": {
            "content": {"_sklearn_version": {"content": '"1.5.0"', "__module__": "builtins"}}
        },
        "_skops_version": "0.11",
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))

    found = survey(path)

    assert modules(found) == ["sklearn.linear_model", "skops"]
    assert found.versions == {"skops": "0.11", "scikit-learn": "1.5.0"}


@pytest.mark.parametrize(
    "node",
    [
        {"__module__": "os", "__class__": "system", "__loader__": "TypeNode"},
        {"content": {"steps": [{"__module__": "os", "__class__": "system"}]}},
        {"content": {"module_path": "os", "function": "system"}, "__module__": "numpy"},
    ],
)
def test_the_types_of_a_skops_schema_are_names_that_loading_fetches(
    tmp_path: Path, node: dict[str, object]
) -> None:
    path = tmp_path / "model.skops"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(node))

    (names,) = survey(path).globals.values()

    assert ("os", "system") in names


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
def test_formats_are_known_by_name_or_first_bytes(
    tmp_path: Path, name: str, content: bytes, library: str
) -> None:
    (tmp_path / name).write_bytes(content)

    assert modules(survey(tmp_path / name)) == [library]


@pytest.mark.parametrize("name", ["readme.txt", "weights.bin", "table.csv"])
def test_other_files_mention_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"some text")

    assert survey(tmp_path / name) == Survey()


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
        pytest.param(
            b"\x80\x02(" + wrapped_array("f8", (2_000_000_000,) * 60, b"..") + b".",
            id="large array",
        ),
        pytest.param(
            b"\x80\x02" + wrapped_array("O8", (1,), b"\x80\x02", aligned=False) * 1,
            id="no inner pickle",
        ),
        pytest.param(b"\x80", id="one byte"),
        pytest.param(b"\x28\xb5\x2f\xfd and no Zstandard", id="no zstandard"),
        pytest.param(b"\x04\x22\x4d\x18 and no LZ4", id="no lz4"),
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 and no archive", id="no archive"),
    ],
)
def test_hostile_and_damaged_files_are_read_quickly(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(content)

    found = survey(path, opcodes=200_000, unpacked=10_000_000)

    assert len(found.gaps) <= 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param((b"\x80\x04" + b"N0" * 300 + b"N.") * 2, id="long following pickle"),
        pytest.param((b"\x80\x04" + b"N0" * 200 + b"\xff") * 3, id="damaged pickles"),
        pytest.param(b"\x80\x04N." * 102, id="many pickles"),
    ],
)
def test_following_pickles_share_one_budget(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04N." + content)

    found = survey(path, opcodes=1000)

    assert [gap.reason for gap in found.gaps] == [UnreadReason.TOO_LARGE]


def test_millions_of_marks_are_refused_quickly(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04" + b"(" * 5_000_000 + b".")

    started = time.monotonic()
    found = survey(path)

    assert time.monotonic() - started < 2
    assert [gap.reason for gap in found.gaps] == [UnreadReason.TOO_LARGE]


@pytest.mark.parametrize("name", ["archive/data.pkl", "schema.json"])
def test_members_that_unpack_into_too_much_are_not_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b'["' + bytes(50_000_000) if name.endswith("json") else ZEROS)

    found = survey(path, unpacked=10_000_000, text=1_000_000)

    assert "more than" in found.gaps[0].problem
