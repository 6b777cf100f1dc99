"""Whole captures of a model whose distributions are on the search path, without a network."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import pytest

from envkit.capturing.outcome import Capture
from envkit.errors import IncompleteCapture
from envkit.models.capture_warnings import WarningKind
from tests.builders.model_case import ModelCase
from tests.builders.pickles import code_pickle


def kinds(captured: Capture) -> dict[str, str]:
    ignored = {WarningKind.NO_LOCK, WarningKind.NO_PREDICTION}
    return {each.kind.value: str(each) for each in captured.warnings if each.kind not in ignored}


def test_an_import_that_the_example_did_not_reach_is_a_warning(case: ModelCase) -> None:
    case.install("soup", "rare")
    case.loader("soup", branch="import rare")
    case.example()

    captured = case.capture()

    assert captured.requirements == ("soup==1.0",)
    assert "did not reach imports rare (code/loader.py:7)" in kinds(captured)["not-reached"]
    assert captured.evidence["static"]["unreached"] == [
        {"module": "rare", "file": "code/loader.py", "line": 7, "distribution": "rare"}
    ]


@pytest.mark.parametrize("statement", ["import rare", "from rare import x", "import rare as r"])
@pytest.mark.parametrize("is_installed", [True, False])
def test_an_import_that_ran_is_not_noted_whoever_supplied_the_module(
    case: ModelCase, statement: str, is_installed: bool
) -> None:
    if is_installed:
        case.install("rare")
    supplied = "import sys, types\nsys.modules['rare'] = types.SimpleNamespace(x=1)\n"
    case.loader()
    loader = (case.path / "code" / "loader.py").read_text(encoding="utf-8")
    case.code("loader.py", f"{supplied}{statement}\n{loader}")
    case.example()

    captured = case.capture()

    assert captured.requirements == ()
    assert kinds(captured) == {}
    assert captured.evidence["static"]["unreached"] == []
    assert captured.evidence["static"]["missing"] == []


def test_an_unreached_import_is_required_with_include_static(case: ModelCase) -> None:
    case.install("soup", "rare", "implied")
    case.install("rare", requires=["implied"])
    case.loader("soup", branch="import rare")
    case.example()

    captured = case.capture(include_static=True)

    assert captured.requirements == ("rare==1.0", "soup==1.0")
    assert captured.constraints == ("implied==1.0",)
    assert kinds(captured) == {}


def test_an_unreached_import_is_required_if_there_was_no_prediction(case: ModelCase) -> None:
    case.install("rare")
    case.loader(branch="import rare")

    assert case.capture().requirements == ("rare==1.0",)


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("import absent", {"not-installed"}),
        ("from loader import Model", set()),
        ("import json, xml.dom", set()),
        ("try: import absent\n            except ImportError: pass", set()),
        ("try: import json\n            except ImportError: import rare", set()),
        ("try: import absent\n            except ImportError: import rare", {"not-reached"}),
        ("from soup import x", set()),
    ],
)
def test_an_unreached_import_is_a_warning_only_where_it_matters(
    case: ModelCase, branch: str, expected: set[str]
) -> None:
    case.install("soup", "rare")
    case.loader("soup", branch=branch)
    case.example()

    assert set(kinds(case.capture())) == expected


def test_code_to_which_no_import_leads_has_no_warning(case: ModelCase) -> None:
    case.install("rare")
    case.code("training.py", "import rare\n")
    case.code("helper/__init__.py", "from . import inner\n")
    case.code("helper/inner.py", "import os\n")
    case.loader("helper")
    case.example()

    assert kinds(case.capture()) == {}


def test_a_static_capture_runs_nothing_and_follows_the_models_own_code(
    case: ModelCase, tmp_path: Path
) -> None:
    case.install("soup", "rare", "implied", "unused")
    case.install("soup", requires=["implied"])
    case.code("loader.py", f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom helper.inner import f\n")
    case.code("helper/__init__.py", "import soup\n")
    case.code("helper/inner.py", "def f():\n    from rare import x\n")
    case.example()

    captured = case.capture(static=True, write=True)

    assert not (tmp_path / "ran").exists()
    assert captured.requirements == ("rare==1.0", "soup==1.0")
    assert captured.constraints == ("implied==1.0",)
    assert [each.kind for each in captured.warnings] == [
        WarningKind.NO_PREDICTION,
        WarningKind.NO_LOCK,
    ]
    written = json.loads((case.path / "envkit.json").read_text(encoding="utf-8"))
    assert written["method"] == "static"
    assert written["prediction"] is None
    assert "-c constraints.txt" in (case.path / "requirements.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("for each in entry_points(group='hosted'): each.load()", ("lower==1.0", "upper==1.0")),
        ("entry_points(group='hosted', name='up')", ("upper==1.0",)),
        ("[each for each in entry_points(group='hosted') if each.name == 'low']", ("lower==1.0",)),
        ("entry_points(group='hosted', name='gone')", ()),
        ("entry_points(group='other')", ()),
        ("import host; host.get('up')", ("host==1.0", "upper==1.0")),
        ("import host; host.get(name)", ("host==1.0",)),
    ],
)
def test_plugins_that_the_model_loads_are_required(
    case: ModelCase, code: str, expected: tuple[str, ...]
) -> None:
    for name, point in (("upper", "up"), ("lower", "low")):
        points = {f"{name}-1.0.dist-info/entry_points.txt": f"[hosted]\n{point} = {name}:main\n"}
        case.site.install(name, files={f"{name}.py": "", **points})
    host = (
        "from importlib.metadata import entry_points\n"
        "def get(name): return entry_points(group='hosted')\n"
    )
    case.site.install("host", files={"host.py": host})
    case.code("loader.py", code + "\n")

    assert case.capture(static=True).requirements == expected


def test_what_a_python_child_imports_by_its_command_line_is_required(case: ModelCase) -> None:
    case.install("soup", "rare")
    run = (
        "subprocess.run([sys.executable, '-c', 'import soup, json']); "
        "subprocess.run([sys.executable, '-m', 'rare'])"
    )
    case.code("loader.py", f"import subprocess, sys\n{run}\n")

    captured = case.capture(static=True)

    assert captured.requirements == ("rare==1.0", "soup==1.0")
    assert captured.evidence["distributions"][0]["reasons"][0]["line"] == 2


def test_what_an_untraced_process_imports_by_its_command_line_is_required(
    case: ModelCase,
) -> None:
    case.install("soup", "rare", "maybe")
    code = "import soup, json\ntry: import maybe\nexcept ImportError: pass"
    commands = (
        f"[sys.executable, '-I', '-c', {code!r}], "
        "[sys.executable, '-Im', 'x'], [sys.executable, '-E', '-m', 'rare']"
    )
    case.code(
        "loader.py",
        f"import subprocess, sys\nfor each in ({commands}): subprocess.run(each)\n"
        "class Model:\n    def predict(self, data): return 1\n"
        "def _load_pyfunc(path): return Model()\n",
    )
    case.example()

    captured = case.capture()

    assert captured.requirements == ("rare==1.0", "soup==1.0")
    assert "unseen-process" in kinds(captured)


def test_a_static_capture_is_never_complete(case: ModelCase) -> None:
    with pytest.raises(IncompleteCapture):
        case.capture(static=True, strict=True)


def test_versions_of_what_is_not_installed_come_from_the_model(case: ModelCase) -> None:
    case.mlmodel(
        flavors={"sklearn": {"sklearn_version": "0.22.1"}, "lightgbm": {"lgb_version": "3.1.0"}}
    )
    case.loader("absent")

    captured = case.capture(static=True, python=case.bare())

    assert captured.requirements == ("absent", "lightgbm==3.1.0", "scikit-learn==0.22.1")
    assert "what it requires is not known" in " ".join(map(str, captured.warnings))
    assert "absent is named by code/loader.py:2" in " ".join(map(str, captured.warnings))


def test_the_version_that_a_pickle_records_is_pinned(case: ModelCase) -> None:
    version = b"X" + struct.pack("<I", 16) + b"_sklearn_versionX" + struct.pack("<I", 6) + b"0.22.1"
    (case.path / "model.pkl").write_bytes(
        b"\x80\x02csklearn.tree.tree\nTree\n)\x81}" + version + b"sb."
    )

    assert case.capture(static=True, python=case.bare()).requirements == ("scikit-learn==0.22.1",)


def test_another_version_than_the_recorded_one_is_a_warning(case: ModelCase) -> None:
    case.site.install(
        "scikit-learn", "1.9.1", files={"sklearn/__init__.py": "", "sklearn/tree.py": ""}
    )
    case.mlmodel(flavors={"sklearn": {"sklearn_version": "1.0.2"}})

    captured = case.capture(static=True)

    assert captured.requirements == ("scikit-learn==1.9.1",)
    assert kinds(captured) == {
        "other-version": "the model was saved with scikit-learn 1.0.2, 1.9.1 is installed",
    }


def test_a_model_of_another_python_takes_no_versions_from_this_one(case: ModelCase) -> None:
    case.site.install("scikit-learn", "1.9.1", files={"sklearn/__init__.py": ""})
    case.install("soup")
    case.mlmodel(flavors={"sklearn": {"sklearn_version": "0.22.1"}}, python_version="3.7.5")
    case.loader("soup")

    captured = case.capture(static=True, write=True)

    assert captured.python == "3.7.5"
    assert captured.requirements == ("scikit-learn==0.22.1", "soup")
    assert "this is not Python 3.7.5" in kinds(captured)["not-installed"]
    assert "python=3.7.5" in (case.path / "conda.yaml").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_read_is_a_warning(case: ModelCase) -> None:
    (case.path / "model.pkl").write_bytes(b"\x80\x04 this is no pickle")
    case.code("loader.py", "print 'Python 2'\n")

    captured = case.capture(static=True)

    unread = {each.subject for each in captured.warnings if each.kind == WarningKind.UNREAD}
    assert unread == {"model.pkl", "code/loader.py"}


def test_a_development_install_with_an_import_hook_is_found(
    case: ModelCase, tmp_path: Path
) -> None:
    project = tmp_path / "project" / "hooked"
    project.mkdir(parents=True)
    (project / "__init__.py").write_text("", encoding="utf-8")
    finder = f"MAPPING: dict[str, str] = {{'hooked': {str(project)!r}}}\n"
    case.site.install("hooked-dist", files={"__editable___hooked_finder.py": finder})
    case.loader("hooked")

    assert case.capture(static=True).requirements == ("hooked-dist==1.0",)


def test_a_module_that_is_not_installed_is_a_warning(
    case: ModelCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own_words.py").write_text("", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "mine"))
    case.loader("own_words")

    assert list(kinds(case.capture(static=True))) == ["outside"]


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="its opcodes are not known yet")
def test_functions_by_value_are_read_as_this_python_wrote_them(case: ModelCase) -> None:
    case.install("rare")
    (case.path / "model.pkl").write_bytes(code_pickle("import rare"))

    captured = case.capture(static=True)

    assert captured.requirements == ("rare==1.0",)
    assert kinds(captured) == {}


def test_what_is_not_installed_has_its_reason_in_the_evidence(case: ModelCase) -> None:
    case.loader("absent")

    (entry,) = case.capture(static=True).evidence["distributions"]

    assert (entry["name"], entry["requirement"], entry["role"]) == (
        "absent",
        "absent",
        "requirement",
    )
    assert entry["reasons"] == [
        {"phase": "static", "module": "absent", "by": "code/loader.py", "line": 2}
    ]


def test_a_static_capture_finds_the_environment_variables_that_code_reads(case: ModelCase) -> None:
    branch = (
        "os.environ['MY_MODE'], os.environ.get('MY_LEVEL'), os.getenv('MY_ZONE'), "
        "os.environ[data], {}['x']"
    )
    case.loader("os", branch=branch)

    assert case.capture(static=True).variables == ("MY_LEVEL", "MY_MODE", "MY_ZONE")
