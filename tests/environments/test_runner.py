"""Running a model inside an environment; a stand-in plays the program inside."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from envkit.child import runner as inside
from envkit.child.sandbox import Confinement
from envkit.environments import prediction
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.prediction import ProcessOptions
from envkit.errors import InvalidArgument, InvalidFile, PredictionFailed

MODEL = {"model": "/m", "python_function": {"loader_module": "x"}, "flavors": {}, "signature": None}

START = """
import json, os, sys, time
request = json.load(open(sys.argv[1]))
journal = open(request["journal"], "x")
def tell(event, **facts):
    print(json.dumps({"event": event, **facts}), file=journal, flush=True)
def answer(value):
    with open(request["output"], "x") as file:
        json.dump({"predictions": value}, file)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "program" / "__main__.py"
    path.parent.mkdir()
    monkeypatch.setattr(inside, "PROGRAM", path)
    return path


@pytest.fixture
def given(tmp_path: Path) -> Path:
    path = tmp_path / "input.json"
    path.write_text("{}")
    return path


def predict(
    given: Path,
    manager: EnvType = EnvType.UV,
    *,
    params: dict[str, Any] | None = None,
    input_name: str = "",
    output_path: Path | None = None,
    **options: Any,
) -> Any:
    environment = Environment(
        python=Path(sys.executable), path=Path(sys.prefix), key="k", manager=manager
    )
    return prediction.predict(
        environment,
        MODEL,
        given,
        "json",
        ProcessOptions(**{"timeout": 10.0, **options}),
        params=params,
        input_name=input_name,
        output_path=output_path,
    )


def test_the_request_says_all_and_the_predictions_come_back(program: Path, given: Path) -> None:
    program.write_text(START + "tell('phase', name='load'); answer(request); tell('done')")
    seen = predict(given, params={"a": 1}, memory_bytes=5)

    assert {**seen, "output": None, "journal": None} == {
        **MODEL,
        "job": "predict",
        "example": None,
        "input": {"path": str(given), "content_type": "json"},
        "params": {"a": 1},
        "memory_bytes": 5,
        "output": None,
        "journal": None,
    }


def test_the_answer_is_put_where_it_is_wanted(program: Path, given: Path, tmp_path: Path) -> None:
    program.write_text(START + "answer([1, 2]); tell('done')")
    output = tmp_path / "out.json"
    output.write_text("old and longer than the answer is")

    assert predict(given, output_path=output) == [1, 2]
    assert json.loads(output.read_text()) == {"predictions": [1, 2]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input.json", "out.json", "program"]


def test_an_answer_that_cannot_be_put_there_is_told(
    program: Path, given: Path, tmp_path: Path
) -> None:
    program.write_text(START + "answer(1); tell('done')")

    with pytest.raises(InvalidArgument, match="cannot be written"):
        predict(given, output_path=tmp_path / "no" / "folder.json")


def test_a_failure_leaves_the_old_answer(program: Path, given: Path, tmp_path: Path) -> None:
    program.write_text(START + "answer(1); os._exit(0)")
    (tmp_path / "out.json").write_text("old")

    with pytest.raises(PredictionFailed):
        predict(given, output_path=tmp_path / "out.json")
    assert (tmp_path / "out.json").read_text() == "old"


ERROR = (
    "tell('phase', name='{0}'); tell('error', phase='{0}', kind='{1}', type='ValueError', "
    "message='bad', traceback='T')"
)


def test_a_model_that_raises_gives_its_traceback(program: Path, given: Path) -> None:
    program.write_text(START + ERROR.format("predict", "model"))

    with pytest.raises(PredictionFailed) as raised:
        predict(given)
    assert str(raised.value) == "The model failed while predicting: ValueError: bad"
    assert raised.value.traceback == "T"


def test_bad_input_is_the_callers_fault(program: Path, given: Path) -> None:
    program.write_text(START + ERROR.format("input", "input"))

    with pytest.raises(InvalidFile, match=r"input\.json: ValueError: bad"):
        predict(given)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "tell('phase', name='load'); os._exit(0)",
            "failed while loading: its process ended with status 0",
        ),
        (
            "tell('phase', name='predict'); os.kill(os.getpid(), 9)",
            "failed while predicting: its process was killed by SIG",
        ),
        (
            "os.remove(request['journal']); sys.exit(4)",
            "failed while starting: its process ended with status 4",
        ),
        (
            "tell('phase', name='output'); tell('done')",
            "failed while writing its answer: it wrote no answer",
        ),
        ("answer(1)", "failed while starting: its process ended with status 0"),
        (
            "open(request['output'], 'x').write('nonsense'); tell('done')",
            "its answer is malformed",
        ),
        (
            "open(request['output'], 'x').write('[]'); tell('done')",
            "its answer is malformed",
        ),
    ],
)
def test_a_process_that_is_not_done_is_a_failure(
    program: Path, given: Path, code: str, words: str
) -> None:
    program.write_text(START + code)

    with pytest.raises(PredictionFailed, match=words):
        predict(given)


def test_a_model_that_hangs_is_ended(program: Path, given: Path) -> None:
    program.write_text(START + "tell('phase', name='predict'); time.sleep(60)")

    with pytest.raises(PredictionFailed, match=r"still running after 0\.5 s"):
        predict(given, timeout=0.5)


def test_the_callers_python_settings_reach_a_local_environment_alone(
    program: Path, given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    program.write_text(START + "answer([sys.path, dict(os.environ)]); tell('done')")

    path, variables = predict(given, variables={"TOKEN": "t"})
    assert str(tmp_path) not in path
    assert variables.get("PYTHONPATH") is None
    assert variables["TOKEN"] == "t"
    assert str(tmp_path) in predict(given, EnvType.LOCAL)[0]


def test_what_the_model_prints_is_no_result(
    program: Path, given: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program.write_text(START + "print('hello'); answer(1); tell('done')")
    predict(given)

    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_an_interpreter_that_does_not_start_is_told(
    program: Path, given: Path, tmp_path: Path
) -> None:
    environment = Environment(python=tmp_path / "none", path=tmp_path, key="k", manager=EnvType.UV)

    with pytest.raises(PredictionFailed, match="failed while starting"):
        prediction.predict(environment, MODEL, given, "json", ProcessOptions())


def test_what_a_confined_model_imported_is_compiled_in_its_environment_alone(
    program: Path, given: Path, tmp_path: Path
) -> None:
    site = tmp_path / "environment" / "lib" / "python3.11" / "site-packages"
    inner, outer = site / "inner.py", tmp_path / "outer.py"
    (site / "some-1.dist-info").mkdir(parents=True)
    (site / "some-1.dist-info" / "RECORD").write_text("inner.py,,\n")
    for file in (inner, outer):
        file.write_text("x = 1\n")
    program.write_text(
        START + f"answer(1); tell('uncompiled', paths={[str(inner), str(outer)]!r}); tell('done')"
    )
    environment = Environment(
        python=Path(sys.executable), path=tmp_path / "environment", key="k", manager=EnvType.UV
    )

    options = ProcessOptions(confinement=Confinement(program=None))
    assert prediction.predict(environment, MODEL, given, "json", options) == 1
    assert [each.name for each in inner.parent.glob("__pycache__/*")] == [
        f"inner.{sys.implementation.cache_tag}.pyc"
    ]
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize("paths", [None, 1, "text", [1, None, {}, []], {"a": 1}])
def test_a_malformed_report_of_uncompiled_files_is_refused(
    program: Path, given: Path, paths: object
) -> None:
    program.write_text(START + f"answer(1); tell('uncompiled', paths={paths!r}); tell('done')")

    with pytest.raises(PredictionFailed, match=r"spoiled its own report .*`uncompiled`.*`paths`"):
        predict(given, confinement=Confinement(program=None))
