"""Recording in the processes that a model starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.inside_bench import Bench

ASK = "import json, os, sys\nprint(json.dumps([dict(os.environ), sys.path, sorted(sys.modules)]))"


def _python(*arguments: str, more: str = "") -> str:
    return (
        f"import os, subprocess, sys\n"
        f"subprocess.run([sys.executable, *{arguments!r}], check=True{more})\nreturn 1"
    )


@pytest.mark.parametrize(
    "predict",
    [
        _python("-c", "import helper"),
        _python("-m", "runs"),
        "import os, subprocess, sys\n"
        "script = os.path.join(os.path.dirname(__file__), 'script.py')\n"
        "subprocess.run([sys.executable, script], check=True)\nreturn 1",
        _python("-c", "import helper", more=", close_fds=False"),
        _python("-c", "import helper", more=", env={'PYTHONPATH': sys.path[0]}"),
        _python("-c", "import helper", more=", env=dict(os.environ)"),
        "import os, sys\nassert os.system(sys.executable + ' -c \"import helper\"') == 0\nreturn 1",
        "import os, sys\nargv = [sys.executable, '-m', 'runs']\n"
        "os.waitpid(os.posix_spawn(argv[0], argv, os.environ), 0)\nreturn 1",
        "import os, sys\nargv = [sys.executable, '-m', 'runs']\n"
        "os.spawnve(os.P_WAIT, argv[0], argv, dict(os.environ))\nreturn 1",
        "import os\nif os.fork() == 0:\n    import helper\n    os._exit(0)\nos.wait()\nreturn 1",
        *(
            "import multiprocessing as m\nimport work\n"
            f"p = m.get_context('{kind}').Process(target=work.run)\np.start()\np.join()\n"
            "assert p.exitcode == 0\nreturn 1"
            for kind in ("fork", "spawn", "forkserver")
        ),
    ],
)
def test_an_import_in_a_child_is_recorded(bench: Bench, python: str, predict: str) -> None:
    helper = bench.module("helper", "")
    bench.module("script", "import helper")
    bench.module("runs", "import helper")
    bench.module("work", "def run():\n    import helper\n")
    bench.loader(predict=predict)

    report = bench.run(python, environment={"PYTHONPATH": str(bench.code)}, model=str(bench.model))

    assert report.named("done"), report.printed
    (event,) = report.about("module", "helper")
    assert (event["file"], event["phase"]) == (str(helper), "predict")
    assert event["pid"]
    assert event["importer"] in {"loader", "work", "__main__"}
    assert event["importer_file"] is None or Path(event["importer_file"]).parent == bench.code
    assert "not recorded" not in report.printed


def test_code_without_a_file_counts_as_that_of_whoever_started_the_program(
    bench: Bench, python: str
) -> None:
    bench.module("helper", "")
    bench.module("runs", "import helper")
    loader = bench.loader(predict=_python("-c", "import helper") + "\n" + _python("-m", "runs"))

    report = bench.run(python, environment={"PYTHONPATH": str(bench.code)})

    (event,) = report.about("module", "helper")
    assert (event["importer"], event["importer_file"], event["line"]) == ("loader", str(loader), 7)


def test_a_module_run_by_python_m_is_recorded_with_whoever_started_it(
    bench: Bench, any_python: str
) -> None:
    runs = bench.module("runs", "")
    bench.loader(predict=_python("-m", "runs"))

    report = bench.run(any_python, environment={"PYTHONPATH": str(bench.code)})

    (event,) = report.about("module", "runs")
    assert (event["file"], event["importer"]) == (str(runs), "loader")


def test_a_script_is_recorded_with_whoever_started_it(bench: Bench, any_python: str) -> None:
    script = bench.module("script", "")
    bench.loader(predict=_python(str(script)))

    (event,) = bench.run(any_python).named("program")

    assert (event["path"], event["reader"]) == (str(script), "loader")


def test_neither_the_model_nor_its_children_see_the_recording(bench: Bench, python: str) -> None:
    bench.loader(
        predict="import os, subprocess, sys, json\n"
        f"ask = {ASK!r}\nout = subprocess.run([sys.executable, '-c', ask], stdout=-1).stdout\n"
        "return [dict(os.environ), json.loads(out)]"
    )
    environment = {"PYTHONPATH": str(bench.folder / "some"), "MINE": "1"}

    own, child = bench.run(python, environment=environment).one("prediction")["output"]
    plain = subprocess.run(
        [python, "-c", ASK],
        env={**os.environ, **environment},
        capture_output=True,
        cwd=bench.folder,
        check=True,
    )
    variables, path, modules = json.loads(plain.stdout)

    for environment in (own, child[0]):
        assert {**environment, "_": ""} == {**variables, "_": ""}
    assert child[1] == path
    assert set(modules) <= set(child[2])
    assert ("sitecustomize" in child[2]) == ("sitecustomize" in modules)


def test_another_sitecustomize_still_runs(bench: Bench, python: str) -> None:
    site = bench.folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import sys\nsys.mine = 'ran'\n")
    bench.loader(
        predict="import subprocess, sys\n"
        "ask = 'import sys, sitecustomize; print(sys.mine, sitecustomize.__file__)'\n"
        "return subprocess.run([sys.executable, '-c', ask], stdout=-1).stdout.decode()"
    )

    report = bench.run(python, environment={"PYTHONPATH": str(site)})

    assert report.one("prediction")["output"] == f"ran {site / 'sitecustomize.py'}\n"


def test_a_grandchild_is_recorded_as_the_work_of_the_model(bench: Bench, python: str) -> None:
    bench.module("helper", "")
    inner = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import helper'], "
        "check=True)"
    )
    bench.loader(predict=_python("-c", inner))

    (event,) = bench.run(python, environment={"PYTHONPATH": str(bench.code)}).about(
        "module", "helper"
    )

    assert event["importer"] == "loader"


def test_a_python_of_another_environment_is_recorded_as_a_program_only(
    bench: Bench, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", other], check=True)
    bench.module("helper", "")
    bench.loader(
        predict=f"import subprocess\nprogram = {str(other / 'bin' / 'python')!r}\n"
        "subprocess.run([program, '-c', 'import helper'], check=True)\nreturn 1"
    )

    report = bench.run(sys.executable, environment={"PYTHONPATH": str(bench.code)})

    assert not report.about("module", "helper")
    assert str(other / "bin" / "python") in {event["program"] for event in report.named("process")}


def test_a_child_s_variables_are_recorded_unless_the_model_sets_them(
    bench: Bench, python: str
) -> None:
    code = "import os; os.environ['MINE']; os.environ['GIVEN']; os.environ.get('MAYBE')"
    bench.loader(predict=_python("-c", code, more=", env={**os.environ, 'GIVEN': 's3cr3t'}"))

    report = bench.run(python, environment={"MINE": "s3cr3t"})

    needed = {
        event["name"]: event["needed"]
        for event in report.named("variable")
        if event["reader"] == "loader"
    }
    assert needed == {"MINE": True, "MAYBE": False}
    assert "s3cr3t" not in (bench.folder / "journal.jsonl").read_text()


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("os.environ['MINE']", True),
        ("os.environ.pop('MINE')", True),
        ("os.environ.get('MINE')", False),
        ("os.getenv('MINE', 'x')", False),
        ("'MINE' in os.environ", False),
        ("os.environ.pop('MINE', None)", False),
        ("os.environ.setdefault('MINE', 'x')", False),
    ],
)
def test_a_variable_is_needed_if_its_absence_would_raise(
    bench: Bench, any_python: str, code: str, needed: bool
) -> None:
    bench.loader(predict=f"import os\n{code}\nreturn 1")

    report = bench.run(any_python, environment={"MINE": "1"})

    assert {event["needed"] for event in report.named("variable") if event["name"] == "MINE"} == {
        needed
    }


def test_a_variable_that_the_model_sets_is_not_recorded(bench: Bench, python: str) -> None:
    bench.loader(predict="import os\nos.environ['MINE'] = '1'\nos.environ['MINE']\nreturn 1")

    assert "MINE" not in {event["name"] for event in bench.run(python).named("variable")}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_native_libraries_are_recorded_without_those_of_the_interpreter(
    bench: Bench, python: str
) -> None:
    bench.loader(predict="import ctypes, zlib, _ssl\nctypes.CDLL('libgcc_s.so.1')\nreturn 1")

    names = {Path(path).name for path in bench.run(python).one("libraries")["paths"]}

    assert "libgcc_s.so.1" in names
    assert not [name for name in names if name.startswith(("libc.", "libm.", "libpython", "_ssl."))]


def test_the_programs_in_a_line_of_shell_are_recorded(bench: Bench, python: str) -> None:
    line = "X=1 true && false 'a; ls' || (cat /dev/null | head -n 1); nowhere"
    bench.loader(predict=f"import subprocess\nsubprocess.run({line!r}, shell=True)\nreturn 1")

    started = [event["argv"] for event in bench.run(python).named("process")]

    assert [argv[0] for argv in started if len(argv) == 1] == ["true", "false", "cat", "head"]
