"""What a trace records."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.builders.inside_bench import Bench


def test_a_module_is_recorded_with_its_file_importer_and_phase(
    bench: Bench, any_python: str
) -> None:
    helper = bench.module("helper", "import other\n")
    other = bench.module("other", "")
    loader = bench.loader(top="import helper", predict="import late\nreturn 1")
    bench.module("late", "")

    report = bench.run(any_python)

    (event,) = report.about("module", "helper")
    assert event["file"] == str(helper)
    assert (event["importer"], event["importer_file"], event["line"]) == ("loader", str(loader), 1)
    assert (event["phase"], event["importing"]) == ("load", [[str(loader), 1]])
    (event,) = report.about("module", "other")
    assert (event["importer"], event["importer_file"], event["file"]) == (
        "helper",
        str(helper),
        str(other),
    )
    (event,) = report.about("module", "late")
    assert (event["importer"], event["phase"], event["importing"]) == ("loader", "predict", [])
    (event,) = report.about("import", "loader")
    assert event["importer"] == "_envkit.loaders.pyfunc.module"


def test_a_module_is_recorded_before_its_code_runs(bench: Bench, python: str) -> None:
    bench.module("deadly", "import os\nos._exit(1)\n")
    bench.loader(top="import deadly")

    assert bench.run(python).about("module", "deadly")


@pytest.mark.parametrize(
    "load",
    [
        "module = util.module_from_spec(spec)\nspec.loader.exec_module(module)",
        "spec.loader = util.LazyLoader(spec.loader)\nmodule = util.module_from_spec(spec)\n"
        "sys.modules['helper'] = module\nspec.loader.exec_module(module)\nmodule.value",
        "exec(compile(open(spec.origin).read(), spec.origin, 'exec'), {})",
    ],
)
def test_code_of_a_file_that_runs_without_an_import_is_recorded(
    bench: Bench, python: str, load: str
) -> None:
    helper = bench.module("helper", "value = 1\n")
    bench.loader(
        top="import sys\nfrom importlib import util",
        predict="spec = util.find_spec('helper')\n" + load,
    )

    (event,) = bench.run(python).about("module", "helper")

    assert (event["importer"], event["file"], event["phase"]) == ("loader", str(helper), "predict")


@pytest.mark.parametrize(
    ("lookup", "is_recorded"),
    [
        ("metadata.version('known')", True),
        ("metadata.distribution('known').version", True),
        ("[found.version for found in metadata.distributions()]", False),
    ],
)
def test_metadata_are_recorded_when_they_are_looked_up_by_name(
    bench: Bench, python: str, lookup: str, is_recorded: bool
) -> None:
    folder = bench.code / "known-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: known\nVersion: 1.0\n", encoding="utf-8"
    )
    bench.loader(top="from importlib import metadata", predict=f"{lookup}\nreturn 1")

    events = bench.run(python).named("metadata")

    assert [event["path"] for event in events] == (
        [str(folder / "METADATA")] if is_recorded else []
    )
    assert [event["reader"] for event in events] == ["loader"] * is_recorded


@pytest.mark.parametrize(
    "code",
    [
        "import helper",
        "from helper import value",
        "__import__('helper', fromlist=['value'])",
        "__import__('helper', {'__name__': 'loader'}, {}, ['value'], 0)",
        "import importlib\nimportlib.import_module('helper')",
        "bound('helper')",
        "import importlib\nimportlib.__import__('helper')",
        "exec('import helper')",
        "exec('import helper', {})",
        "import pickle\npickle.loads(b'chelper\\nvalue\\n.')",
        "import threading\nt = threading.Thread(target=lambda: __import__('helper'))\n"
        "t.start()\nt.join()",
        "import concurrent.futures as c\nc.ThreadPoolExecutor().submit(bound, 'helper').result()",
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_every_way_to_import_is_an_import(
    bench: Bench, python: str, code: str, cached: bool
) -> None:
    bench.module("helper", "value = 1\n")
    bench.module("first", "import helper\n")
    top = "from importlib import import_module as bound\n" + ("import first" if cached else "")
    bench.loader(top=top, predict=f"{code}\nreturn 1")

    report = bench.run(python)

    importers = {(event["importer"], event["phase"]) for event in report.about("import", "helper")}
    by_loader = {importer for importer in importers if importer[1] == "predict"}
    if "bound, " in code:  # the pool's thread holds no frame of the model
        assert {name for name, _ in by_loader} == {"concurrent.futures.thread"}
    else:
        assert by_loader == {("loader", "predict")}
    assert len(report.about("module", "helper")) == 1


def test_a_relative_import_within_a_package_is_recorded_as_a_module_only(
    bench: Bench, any_python: str
) -> None:
    bench.module("pkg/__init__", "from . import a\n")
    bench.module("pkg/a", "from .b import value\nfrom . import b\nimport pkg.b\n")
    bench.module(
        "pkg/b", "from importlib import import_module\nvalue = import_module('.a', 'pkg')\n"
    )
    bench.loader(top="from pkg import a, b")

    report = bench.run(any_python)

    assert {event["module"] for event in report.named("import")} == {"loader", "pkg.a", "pkg.b"}
    assert {event["module"] for event in report.named("module")} == {
        "loader",
        "pkg",
        "pkg.a",
        "pkg.b",
    }


def test_portions_of_a_namespace_package_import_each_other(bench: Bench, any_python: str) -> None:
    storage = bench.module("acme/storage/__init__", "from ..auth import token\n")
    bench.module("acme/auth/__init__", "token = 1\n")
    bench.loader(top="from acme import storage")

    report = bench.run(any_python)

    (event,) = report.about("import", "acme.auth")
    assert (event["importer"], event["importer_file"]) == ("acme.storage", str(storage))
    assert report.modules["acme"] is None
    assert report.modules["acme.storage"] == str(storage)
    assert report.about("import", "acme.storage")[0]["importer"] == "loader"


def test_the_standard_library_is_left_out(bench: Bench, any_python: str) -> None:
    bench.loader(
        top="import wave, html.parser, decimal, sqlite3.dbapi2, xml.etree.ElementTree as tree"
    )

    report = bench.run(any_python)

    assert {event["module"] for event in report.named("import") + report.named("module")} == {
        "loader"
    }
    assert not any(
        name in report.modules for name in ("wave", "sys", "html", "_decimal", "os", "typing.io")
    )


def test_asking_for_a_spec_is_not_importing(bench: Bench, any_python: str) -> None:
    bench.module("pkg/__init__", "")
    bench.module("pkg/unused", "")
    bench.module("alone", "")
    bench.loader(
        predict="import importlib.util, pkgutil, sys\nfrom importlib.machinery import PathFinder\n"
        "assert importlib.util.find_spec('alone')\n"
        "assert importlib.util.find_spec('missing') is None\n"
        "assert PathFinder.find_spec('alone')\nlist(pkgutil.walk_packages(sys.path[:1]))\n"
        "assert sys.meta_path[0].find_spec('alone', None) is None\nreturn 1"
    )

    report = bench.run(any_python)

    assert report.last == "done"
    recorded = {event["module"] for event in report.named("module") + report.named("import")}
    assert not recorded & {"alone", "pkg.unused"}


def test_a_missing_module_is_not_recorded(bench: Bench, python: str) -> None:
    bench.loader(top="try:\n    import missing\nexcept ImportError:\n    missing = None")

    report = bench.run(python)

    assert not report.about("module", "missing")
    assert not report.about("import", "missing")
    assert report.last == "done"


def test_an_entry_point_is_imported_by_who_loads_it(bench: Bench, any_python: str) -> None:
    site = bench.folder / "site"
    metadata = site / "plugin-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[readers]\nmine = plugin:read\n")
    (site / "plugin.py").write_text("def read(): return 'read'\n")
    bench.loader(
        top="from importlib.metadata import distribution",
        predict="(point,) = distribution('plugin').entry_points\nreturn point.load()()",
    )

    report = bench.run(any_python, environment={"PYTHONPATH": str(site)})

    assert report.one("prediction")["output"] == "read"
    assert report.about("module", "plugin")[0]["importer"] == "loader"
    assert report.about("import", "plugin")[0]["phase"] == "predict"
    assert any(event["path"].endswith("entry_points.txt") for event in report.named("file"))


def test_a_module_in_an_archive_has_its_path_in_it(bench: Bench, any_python: str) -> None:
    archive = bench.folder / "lib.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("zipped/__init__.py", "import inner\n")
        stream.writestr("inner.py", "")
    bench.loader(top="import zipped")

    report = bench.run(any_python, environment={"PYTHONPATH": str(archive)})

    assert report.modules["zipped"] == str(archive / "zipped" / "__init__.py")
    assert report.about("module", "inner")[0]["importer"] == "zipped"


def test_a_module_made_without_a_finder_is_recorded_at_the_end_of_the_phase(
    bench: Bench, any_python: str
) -> None:
    hidden = bench.folder / "hidden.py"
    hidden.write_text("")
    bench.loader(
        top="import sys, types\n"
        "from importlib.util import spec_from_file_location, module_from_spec\n"
        f"spec = spec_from_file_location('by_hand', {str(hidden)!r})\n"
        "sys.modules['by_hand'] = module_from_spec(spec)\n"
        "sys.modules['made_up'] = types.ModuleType('made_up')"
    )

    report = bench.run(any_python)

    first = report.named("module-files")[0]["files"]
    assert first["by_hand"] == str(hidden)
    assert first["made_up"] is None


def test_a_lazy_module_is_not_loaded_by_looking_at_it(bench: Bench, python: str) -> None:
    bench.module("lazy", "print('loaded')\n")
    bench.loader(
        top="import sys\nfrom importlib.util import LazyLoader, find_spec, module_from_spec\n"
        "spec = find_spec('lazy')\nspec.loader = LazyLoader(spec.loader)\n"
        "module = module_from_spec(spec)\n"
        "sys.modules['lazy'] = module\nspec.loader.exec_module(module)"
    )

    report = bench.run(python)

    assert report.printed == ""
    assert report.modules["lazy"] == str(bench.code / "lazy.py")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
def test_an_extension_is_recorded_and_what_it_imports(bench: Bench, python: str) -> None:
    source = bench.folder / "native.c"
    source.write_text(
        "#include <Python.h>\n"
        'static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "native", NULL, -1, NULL};\n'
        "PyMODINIT_FUNC PyInit_native(void) {\n"
        '  if (!PyImport_ImportModule("helper")) return NULL;\n'
        "  return PyModule_Create(&d);\n}\n"
    )
    ask = (
        "import sysconfig as s; print(s.get_path('include')); print(s.get_config_var('EXT_SUFFIX'))"
    )
    include, suffix = subprocess.run(
        [python, "-c", ask], capture_output=True, text=True, check=True
    ).stdout.split()
    if not (Path(include) / "Python.h").is_file():
        pytest.skip("no headers of this Python")
    built = bench.code / f"native{suffix}"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(built)], check=True
    )
    bench.module("helper", "")
    bench.loader(top="import helper, native")

    report = bench.run(python)

    assert report.modules["native"] == str(built)
    assert {event["importer"] for event in report.about("import", "helper")} == {"loader"}


def test_the_modules_that_a_pickle_names_are_recorded(bench: Bench, any_python: str) -> None:
    bench.module("shapes", "class Box:\n    pass\n")
    data = bench.model / "model.pkl"
    data.write_bytes(b"\x80\x03cshapes\nBox\n)\x81.")
    bench.loader(
        load="import pickle\nglobal box\nbox = pickle.load(open(path + '/model.pkl', 'rb'))"
    )

    report = bench.run(any_python)

    assert [event["module"] for event in report.named("pickle")] == ["shapes"]
    assert report.about("module", "shapes")[0]["importer"] == "loader"
    (event,) = (event for event in report.named("file") if event["path"] == str(data))
    assert (event["reader"], event["phase"]) == ("loader", "load")


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("os.environ['MINE']", {"MINE"}),
        ("os.getenv('MINE')", {"MINE"}),
        ("os.environ.get('NOT_SET', 'x')", {"NOT_SET"}),
        ("'MINE' in os.environ", {"MINE"}),
        ("os.environb.get(b'MINE')", {"MINE"}),
        ("os.environ.pop('MINE')", {"MINE"}),
        ("dict(os.environ)", set()),
        ("{**os.environ}", set()),
        ("os.environ.copy()", set()),
        ("list(os.environ.items())", set()),
        ("[dict(os.environ), os.environ['MINE']]", {"MINE"}),
        ("list(os.environ)", set()),
        ("os.environ.__setitem__('MINE', '2')", set()),
    ],
)
def test_variables_are_recorded_by_name_and_never_by_value(
    bench: Bench, python: str, code: str, names: set[str]
) -> None:
    loader = bench.loader(top="import os", predict=f"{code}\nreturn 1")

    report = bench.run(python, environment={"MINE": "s3cr3t-value"})

    reads = [event for event in report.named("variable") if event["reader"] == "loader"]
    assert {event["name"] for event in reads} == names
    assert all(event["set"] == (event["name"] == "MINE") for event in reads)
    assert all(
        (event["reader_file"], event["phase"]) == (str(loader), "predict") for event in reads
    )
    assert "s3cr3t-value" not in (bench.folder / "journal.jsonl").read_text()


def test_files_are_recorded_once_and_code_is_not(bench: Bench, python: str) -> None:
    data = bench.model / "weights.bin"
    data.write_bytes(b"1")
    bench.module("helper", "")
    bench.loader(
        top="import os, helper",
        predict="for _ in range(2):\n    open(path, 'rb').close()\n"
        "os.close(os.open(path, os.O_RDONLY))\nopen('made.txt', 'w').close()\n"
        "open(helper.__file__).close()\n"
        "os.path.exists('/nowhere')\ntry: open('/nowhere')\nexcept OSError: pass\nreturn 1".replace(
            "path,", "PATH,"
        ),
    )
    bench.module("loader", (bench.code / "loader.py").read_text() + f"\n\nPATH = {str(data)!r}\n")

    report = bench.run(python)

    assert [e["path"] for e in report.named("file") if e["phase"] == "predict"] == [str(data)]


def test_libraries_processes_and_connections_are_recorded(bench: Bench, python: str) -> None:
    bench.loader(
        predict="import ctypes, os, socket, subprocess\n"
        "try: ctypes.CDLL('libc.so.6')\nexcept OSError: pass\n"
        "subprocess.run(['true', 'argument'])\nos.system('true')\n"
        "s = socket.socket()\ntry: s.connect(('127.0.0.1', 9))\nexcept OSError: pass\nreturn 1"
    )

    report = bench.run(python)

    assert [(event["path"], event["reader"]) for event in report.named("library")] == [
        ("libc.so.6", "loader")
    ]
    started = {
        tuple(event["argv"]): (event["program"], event["reader"])
        for event in report.named("process")
    }
    assert started["true", "argument"] == (shutil.which("true"), "loader")
    assert started["/bin/sh", "-c", "true"] == ("/bin/sh", "loader")
    assert [event["address"] for event in report.named("connect")] == ["127.0.0.1:9"]


def test_a_by_value_function_keeps_its_module_as_importer(bench: Bench, python: str) -> None:
    bench.module("helper", "")
    bench.loader(
        predict="space = {'__name__': 'train', '__builtins__': __builtins__}\n"
        "exec(compile('def f():\\n    import helper\\nf()', 'train.py', 'exec'), space)\nreturn 1"
    )

    (event,) = bench.run(python).about("import", "helper")

    assert (event["importer"], event["importer_file"], event["line"]) == ("train", None, 2)


def test_variables_of_pythons_own_build_are_not_the_models(bench: Bench, any_python: str) -> None:
    bench.loader(top="import sysconfig")

    names = [event["name"] for event in bench.run(any_python).named("variable")]

    assert [name for name in names if name.startswith("_PYTHON")] == []


def test_importing_has_only_frames_of_the_importers_own_package(bench: Bench, python: str) -> None:
    init = bench.module("pkg/__init__", "from . import a\n")
    inner = bench.module("pkg/a", "def load():\n    import helper\nload()\n")
    bench.module("helper", "")
    bench.loader(top="import pkg")

    (event,) = bench.run(python).about("module", "helper")

    assert event["importer"] == "pkg.a"
    assert event["importing"] == [[str(inner), 2], [str(inner), 3], [str(init), 1]]


def test_variables_that_settings_classes_take_from_a_copy_are_recorded(
    bench: Bench, python: str
) -> None:
    bench.module(
        "pydantic_settings/__init__",
        "class BaseSettings:\n    model_config, model_fields = {}, {}\n",
    )
    bench.loader(
        top="from types import SimpleNamespace as Field\n"
        "from pydantic_settings import BaseSettings\n"
        "class Mine(BaseSettings):\n    model_config = {'env_prefix': 'my_'}\n"
        "    model_fields = {\n"
        "        'region': Field(validation_alias=None), "
        "'token': Field(validation_alias='THE_token'),\n"
        "        'mode': Field(validation_alias=Field(choices=['A_mode', 'b_MODE']))}",
    )

    report = bench.run(python, environment={"My_Region": "x"})

    variables = {
        event["name"]: event["set"]
        for event in report.named("variable")
        if event["reader"] == "loader"
    }
    assert variables == {"My_Region": True, "THE_TOKEN": False, "A_MODE": False, "B_MODE": False}


STREAM = (
    "return 1\n\n    def predict_stream(self, data, params=None):\n        import helper\n        "
)


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("yield 1", []),
        ("while True: yield 1", []),
        ("raise ValueError('secret'); yield 1", ["ValueError"]),
    ],
)
@pytest.mark.parametrize("streamable", [True, False])
def test_a_model_that_can_stream_is_also_traced_while_it_streams(
    bench: Bench, python: str, rest: str, why: list[str], streamable: bool
) -> None:
    bench.module("helper", "")
    path = bench.loader()
    path.write_text(path.read_text().replace("return data", STREAM + rest), encoding="utf-8")

    report = bench.run(python, python_function={"streamable": streamable})

    assert bool(report.about("module", "helper")) == streamable
    assert [event["why"] for event in report.named("unstreamed")] == (why if streamable else [])
    assert report.one("prediction")["output"] == 1
