"""A model that interferes with its own process does not disturb the report."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.builders.inside_bench import Bench


def test_a_trace_records_each_phase_and_ends_with_done(bench: Bench, any_python: str) -> None:
    bench.loader()

    report = bench.run(any_python)

    assert [event["name"] for event in report.named("phase")] == [
        "load",
        "input",
        "predict",
        "output",
    ]
    assert report.one("prediction")["output"] == [1, 2]
    assert report.last == "done"
    assert report.status == 0
    assert report.printed == ""


def test_megabytes_of_prints_do_not_mix_with_the_report(bench: Bench, python: str) -> None:
    bench.loader(
        predict="import sys\nprint('{}' * 2_000_000)\nprint('x' * 99, file=sys.stderr)\nreturn 1"
    )

    report = bench.run(python)

    assert report.one("prediction")["output"] == 1
    assert len(report.printed) > 4_000_000


@pytest.mark.parametrize(
    "close", ["for number in range(3, 300):\n    try: os.close(number)\n    except OSError: pass"]
)
def test_closed_descriptors_are_opened_again(bench: Bench, python: str, close: str) -> None:
    top = f"import os\n{close}\nimport helper\nos.closerange(0, 4096)\n"
    bench.module("helper", "")
    bench.loader(top=top, predict="import late\nreturn 1")
    bench.module("late", "")

    report = bench.run(python)

    assert report.about("module", "helper")
    assert report.about("module", "late")
    assert report.last == "done"


def test_a_descriptor_reused_for_another_file_is_not_written_to(bench: Bench, python: str) -> None:
    top = (
        "import os\nfile = os.open('mine.txt', os.O_CREAT | os.O_WRONLY)\n"
        "for number in range(5, 1024):\n    os.dup2(file, number)\n"
    )
    bench.loader(top=top, predict="import late\nreturn 1")
    bench.module("late", "")

    report = bench.run(python)

    assert report.last == "done"
    assert (bench.folder / "mine.txt").read_text() == ""


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("import sys\nsys.exit(3)", "SystemExit", "3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
        ("raise ValueError('no such thing')", "ValueError", "no such thing"),
    ],
)
def test_what_the_model_raises_is_an_error(
    bench: Bench, python: str, code: str, kind: str, message: str
) -> None:
    bench.loader(predict=code)

    report = bench.run(python)

    error = report.events[-1]
    assert (error["event"], error["phase"], error["kind"]) == ("error", "predict", "model")
    assert (error["type"], error["message"]) == (kind, message)
    assert not report.named("done")


def test_a_traceback_has_only_the_frames_of_the_model(bench: Bench, python: str) -> None:
    bench.module("helper", "def check():\n    raise ValueError('inner')\n")
    bench.loader(
        predict="import helper\ntry:\n    helper.check()\nexcept ValueError as e:\n"
        "    raise KeyError(1) from e"
    )

    text = bench.run(python).events[-1]["traceback"]

    assert "inner" in text
    assert "helper.py" in text
    assert "inside" not in text.replace(str(bench.folder), "")
    assert "importlib" not in text


def test_an_import_that_fails_is_an_error_that_names_the_module(bench: Bench, python: str) -> None:
    bench.loader(top="import not_there_at_all")

    error = bench.run(python).events[-1]

    assert (error["phase"], error["type"]) == ("load", "ModuleNotFoundError")
    assert "import not_there_at_all" in error["traceback"]
    assert "inside" not in error["traceback"].replace(str(bench.folder), "")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("import os\nos._exit(0)", 0),
        ("import ctypes\nctypes.string_at(0)", -signal.SIGSEGV),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
)
def test_a_crash_leaves_what_was_recorded_before_it(
    bench: Bench, python: str, code: str, status: int
) -> None:
    bench.loader(predict=f"import late\n{code}")
    bench.module("late", "")

    report = bench.run(python)

    assert report.status == status
    assert report.about("module", "late")
    assert not report.named("done")
    assert not report.named("error")


def test_another_working_directory_changes_nothing(
    bench: Bench, python: str, tmp_path: Path
) -> None:
    bench.loader(top="import os\nos.chdir('/')", predict="import late\nreturn 1")
    late = bench.module("late", "")

    report = bench.run(python)

    assert report.about("module", "late")[0]["file"] == str(late)
    assert report.last == "done"


def test_threads_that_go_on_do_not_keep_the_process(bench: Bench, python: str) -> None:
    bench.loader(
        top="import threading, time\nthreading.Thread(target=time.sleep, args=(50,)).start()"
    )
    start = time.monotonic()

    report = bench.run(python)

    assert report.last == "done"
    assert time.monotonic() - start < 20


def test_a_forked_child_neither_ends_nor_fails_the_report(bench: Bench, python: str) -> None:
    bench.module("late", "")
    bench.loader(
        predict="import os\nchild = os.fork()\nif not child:\n    import late\n"
        "    raise ValueError('in the child')\n"
        "return os.waitpid(child, 0)[1] >> 8"
    )

    report = bench.run(python)

    assert report.one("prediction")["output"] == 1
    assert "in the child" in report.printed
    assert "pid" in report.about("module", "late")[0]
    assert not report.named("error")
    assert report.last == "done"


@pytest.mark.parametrize("example", [[1, 2], None])
def test_a_forked_child_that_returns_does_not_go_on(
    bench: Bench, python: str, example: list[int] | None
) -> None:
    bench.loader(
        load="import os\nif not os.fork():\n    return Model()\nos.wait()",
        predict="import os\nif not os.fork():\n    return 1\nos.wait()\nreturn data",
    )

    report = bench.run(python, example=example and bench.example(example))

    # without an example: load, and the libraries of the input
    assert len(report.named("phase")) == (4 if example else 2)
    assert len(report.named("done")) == 1


def test_memory_is_limited(bench: Bench, python: str) -> None:
    bench.loader(predict="return len(bytearray(1 << 30))")

    report = bench.run(python, memory_bytes=1 << 29)

    assert report.events[-1]["type"] == "MemoryError"


def test_the_model_sees_nothing_of_the_program(bench: Bench, any_python: str) -> None:
    bench.loader(
        predict="import sys, __main__\nreturn [sys.argv, sorted(vars(__main__)),"
        " [p for p in sys.path if 'inside' in p.split('/')], 'json' in sys.modules]"
    )

    argv, names, paths, _ = bench.run(any_python).one("prediction")["output"]

    assert argv == ["-c"]
    assert [name for name in names if not name.startswith("__")] == []
    assert [path for path in paths if "envkit" in path] == []


@pytest.mark.parametrize("name", ["journal", "payload", "jobs", "loaders", "tracer", "model"])
def test_modules_of_the_model_are_not_shadowed(bench: Bench, python: str, name: str) -> None:
    bench.module(name, "mine = True\n")
    bench.loader(top=f"import {name}", predict=f"return {name}.mine")

    assert bench.run(python).one("prediction")["output"] is True
    assert bench.run(python, flags=("-I",)).one("prediction")["output"] is True


def test_a_model_without_an_example_is_loaded_alone(bench: Bench, python: str) -> None:
    bench.loader()

    report = bench.run(python, example=None)

    assert report.one("skipped")["phase"] == "predict"
    assert report.last == "done"


def test_the_model_s_folder_is_left_as_it_was(bench: Bench, python: str) -> None:
    bench.module("helper", "import part")
    bench.module("part", "")
    bench.loader(top="import helper")

    assert bench.run(python, environment={"PYTHONDONTWRITEBYTECODE": ""}).last == "done"
    assert not list(bench.folder.rglob("__pycache__"))
