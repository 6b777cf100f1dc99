"""Finding interpreters; the fakes are shell scripts that answer as a Python would."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envkit.child import process
from envkit.errors import InterpreterNotFound
from envkit.interpreters import discovery, locations
from envkit.interpreters.discovery import Match, Search
from envkit.interpreters.interpreter import Interpreter, minor_of
from envkit.interpreters.policy import PythonPolicy

MakePython = Callable[..., Path]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    return tmp_path.resolve()


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "store" / "interpreters.json"


@pytest.fixture
def environ(machine: Path) -> dict[str, str]:
    return {
        "PYENV_ROOT": str(machine / "pyenv"),
        "UV_PYTHON_INSTALL_DIR": str(machine / "uv"),
        "PATH": f"{machine / 'bin'}:{machine / 'pyenv' / 'shims'}:/nowhere",
    }


@pytest.fixture
def make_python(machine: Path) -> MakePython:
    def make(place: str, version: str, **facts: str) -> Path:
        path = machine / place
        path.parent.mkdir(parents=True, exist_ok=True)
        abi = f"cpython-{''.join(version.split('.')[:2])}-x86_64-linux-gnu"
        answer = {
            "base_executable": str(path),
            "version": version,
            "implementation": "cpython",
            "platform": "linux-x86_64",
            "abi": abi,
            **facts,
        }
        path.write_text(f"#!/bin/sh\necho x >> {machine / 'asked'}\necho '{json.dumps(answer)}'\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def asked(machine: Path) -> Callable[[], int]:
    """How often a fake was started."""

    def count() -> int:
        file = machine / "asked"
        return len(file.read_text().split()) if file.exists() else 0

    return count


def match(wanted: str, environ: dict[str, str], memory: Path, **search: Any) -> Match:
    return discovery.find(wanted, Search(environ=environ, memory=memory, **search))


def find(wanted: str, environ: dict[str, str], memory: Path, **search: Any) -> Interpreter:
    return match(wanted, environ, memory, **search).interpreter


def named(path: Path, wanted: str, memory: Path, **search: Any) -> Match:
    return discovery.named(path, wanted, Search(environ={}, memory=memory, **search))


PYENV = "pyenv/versions/{0}/bin/python3.99"
UV = "uv/cpython-{0}-linux-x86_64-gnu/bin/python3.99"


@pytest.mark.parametrize("place", [PYENV, UV, "bin/python3.99"])
def test_the_exact_version_is_found_wherever_it_is(
    place: str, make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python("pyenv/versions/3.99.9/bin/python3.99", "3.99.9")
    wanted = make_python(place.format("3.99.4"), "3.99.4")
    found = match("3.99.4", environ, memory)

    assert (found.interpreter.executable, found.interpreter.version) == (wanted, "3.99.4")
    assert found.note == ""


def test_another_patch_version_is_taken_with_a_note_the_newest_first(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    for version in ("3.99.2", "3.99.10", "3.99.9"):
        make_python(PYENV.format(version), version)
    found = match("3.99.4", environ, memory)

    assert found.interpreter.version == "3.99.10"
    assert found.note == "Python 3.99.4 is not on this machine; 3.99.10 is used in its place."


def test_any_patch_version_is_exact_when_none_is_named(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python(UV.format("3.99.4"), "3.99.4")

    assert match("3.99", environ, memory).note == ""


def test_3_99_1_is_not_3_99_10(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python(PYENV.format("3.99.10"), "3.99.10")

    assert "3.99.10 is used" in match("3.99.1", environ, memory).note


def test_another_minor_version_is_never_taken(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python(PYENV.format("3.99.4"), "3.98.4")

    with pytest.raises(InterpreterNotFound) as raised:
        find("3.99.4", environ, memory)
    for place in (
        "the interpreter that runs envkit",
        environ["PYENV_ROOT"],
        environ["UV_PYTHON_INSTALL_DIR"],
        "PATH",
    ):
        assert place in str(raised.value)


@pytest.mark.parametrize(
    "facts",
    [
        {"implementation": "pypy"},
        {"abi": "cpython-399t-x86_64-linux-gnu"},
        {"abi": "cpython-399d-x"},
    ],
)
def test_other_kinds_of_python_are_not_taken(
    facts: dict[str, str], make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python("bin/python3.99", "3.99.4", **facts)

    with pytest.raises(InterpreterNotFound):
        find("3.99.4", environ, memory)


@pytest.mark.parametrize(
    "text", ["exit 1", "echo nonsense", "echo '{}'", "echo '[1]'", "kill -9 $$", "true"]
)
def test_a_broken_python_is_passed_over(
    text: str, machine: Path, make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python("bin/python3.99", "3.99.4").write_text(f"#!/bin/sh\n{text}\n")
    good = make_python(UV.format("3.99.2"), "3.99.2")

    assert find("3.99.4", environ, memory).executable == good


def test_the_one_that_runs_envkit_is_found_as_its_base(memory: Path) -> None:
    version = ".".join(str(part) for part in sys.version_info[:3])
    found = find(version, {}, memory)

    assert found.executable == Path(
        os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    )
    assert found.version == version


def test_shims_of_pyenv_are_not_started(
    make_python: MakePython, environ: dict[str, str], memory: Path, asked: Callable[[], int]
) -> None:
    make_python("pyenv/shims/python3.99", "3.99.4")

    with pytest.raises(InterpreterNotFound):
        find("3.99.4", environ, memory)
    assert asked() == 0


def test_a_second_search_starts_nothing(
    make_python: MakePython, environ: dict[str, str], memory: Path, asked: Callable[[], int]
) -> None:
    make_python(PYENV.format("3.99.4"), "3.99.4")
    first = find("3.99.4", environ, memory)
    second = find("3.99.4", environ, memory)

    assert first == second
    assert asked() == 1


def test_a_changed_program_is_asked_again(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python("bin/python3.99", "3.99.4")
    find("3.99", environ, memory)
    make_python("bin/python3.99", "3.99.10")

    assert find("3.99", environ, memory).version == "3.99.10"


def test_a_version_that_is_installed_later_is_found(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python(PYENV.format("3.99.2"), "3.99.2")
    find("3.99.4", environ, memory)
    make_python(PYENV.format("3.99.4"), "3.99.4")

    assert match("3.99.4", environ, memory).note == ""


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"/x": 1}', '{"/x": {"executable": 1}}', "[" * 9999]
)
def test_a_damaged_memory_is_no_memory(
    text: str, make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python(PYENV.format("3.99.4"), "3.99.4")
    memory.parent.mkdir()
    memory.write_text(text)

    assert find("3.99.4", environ, memory).version == "3.99.4"
    assert "3.99.4" in memory.read_text()


def test_a_memory_that_cannot_be_written_does_no_harm(
    make_python: MakePython, environ: dict[str, str], tmp_path: Path
) -> None:
    make_python(PYENV.format("3.99.4"), "3.99.4")
    (tmp_path / "file").touch()

    assert find("3.99.4", environ, tmp_path / "file" / "memory").version == "3.99.4"


def test_a_launcher_leads_to_its_base(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    base = make_python("base/python3.99", "3.99.4")
    make_python("bin/python3.99", "3.99.4", base_executable=str(base))

    for _ in range(2):
        assert find("3.99.4", environ, memory).executable == base


def test_launchers_that_lead_to_each_other_are_passed_over(
    machine: Path, make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python("bin/python3.99", "3.99.4", base_executable=str(machine / "other"))
    make_python("other", "3.99.4", base_executable=str(machine / "bin" / "python3.99"))

    with pytest.raises(InterpreterNotFound):
        find("3.99.4", environ, memory)


# --- named by the user


def test_a_named_interpreter_must_have_the_minor_version(
    make_python: MakePython, memory: Path
) -> None:
    path = make_python("mine/python", "3.99.4")

    assert named(path, "3.99.4", memory).note == ""
    assert "3.99.4" in named(path, "3.99.1", memory).note
    with pytest.raises(InterpreterNotFound, match=r"which is Python 3\.99\.4"):
        named(path, "3.98.4", memory)


def test_a_named_interpreter_that_is_none_is_told(tmp_path: Path, memory: Path) -> None:
    with pytest.raises(InterpreterNotFound, match="not a working Python interpreter"):
        named(tmp_path / "none", "3.99.4", memory)


def test_one_that_hangs_is_given_up(
    make_python: MakePython, environ: dict[str, str], memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_time(*_: Any, **__: Any) -> process.Ended:
        return process.Ended(status=-9, timed_out=True)

    make_python("bin/python3.99", "3.99.4")
    monkeypatch.setattr(process, "run", out_of_time)

    with pytest.raises(InterpreterNotFound):
        find("3.99.4", environ, memory)


def test_an_interpreter_is_remembered_for_its_file(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    path = make_python("bin/python3.99", "3.99.4")
    found: Interpreter = find("3.99.4", environ, memory)

    assert (found.minor, found.is_usual) == ("3.99", True)
    remembered = json.loads(memory.read_text())[str(path)]
    status = path.stat()
    assert (remembered["size"], remembered["mtime_ns"]) == (status.st_size, status.st_mtime_ns)


# --- policies


def test_exact_takes_no_other_patch_version_and_says_that_it_is_there(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python(PYENV.format("3.99.9"), "3.99.9")

    with pytest.raises(
        InterpreterNotFound, match=r"3\.99\.9 is there: `--python-policy minor` takes it"
    ):
        find("3.99.4", environ, memory, policy=PythonPolicy.EXACT)
    assert match("3.99.9", environ, memory, policy=PythonPolicy.EXACT).note == ""


def test_compatible_takes_the_nearest_minor_version_that_nothing_refuses(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    for version in ("3.37.2", "3.38.1", "3.39.4"):
        make_python(f"pyenv/versions/{version}/bin/python{minor_of(version)}", version)

    taken = match(
        "3.40.1",
        environ,
        memory,
        policy=PythonPolicy.COMPATIBLE,
        refuses=lambda m: "no" * (m == "3.39"),
    )
    assert taken.interpreter.version == "3.38.1"
    assert "Pickled functions" in taken.note
    assert find("3.40.1", environ, memory, policy=PythonPolicy.COMPATIBLE).version == "3.39.4"


def test_what_compatible_refuses_is_told(environ: dict[str, str], memory: Path) -> None:
    with pytest.raises(InterpreterNotFound, match=r"is there, but numpy asks for Python <3\."):
        find(
            "3.99.4",
            environ,
            memory,
            policy=PythonPolicy.COMPATIBLE,
            refuses=lambda _: "numpy asks for Python <3.8",
        )


@pytest.mark.parametrize(
    ("policy", "wanted", "taken"),
    [
        (PythonPolicy.EXACT, "3.99.4", ""),
        (PythonPolicy.MINOR, "3.99.4", "3.99.9"),
        (PythonPolicy.MINOR, "3.98.1", ""),
        (PythonPolicy.COMPATIBLE, "3.98.1", "3.99.9"),
    ],
)
def test_a_named_interpreter_obeys_the_policy(
    policy: PythonPolicy, wanted: str, taken: str, make_python: MakePython, memory: Path
) -> None:
    path = make_python("mine/python", "3.99.9")

    if taken:
        assert named(path, wanted, memory, policy=policy).interpreter.version == taken
    else:
        with pytest.raises(
            InterpreterNotFound, match=r"`--python-policy (minor|compatible)` takes"
        ):
            named(path, wanted, memory, policy=policy)


def test_a_named_interpreter_that_is_too_old_is_refused_by_every_policy(
    make_python: MakePython, memory: Path
) -> None:
    path = make_python("mine/python", "3.7.16")

    with pytest.raises(InterpreterNotFound, match=r"needs Python 3\.8 or newer"):
        named(path, "3.11.7", memory, policy=PythonPolicy.COMPATIBLE)


# --- downloads, through a function that puts a fake where uv would


def test_what_is_not_there_is_downloaded_and_found(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    def fetch(version: str) -> str:
        make_python(UV.format(version), version)
        return ""

    assert find("3.99.4", environ, memory, fetch=fetch).version == "3.99.4"


def test_without_the_patch_version_the_newest_of_the_minor_version_is_downloaded(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    def fetch(version: str) -> str:
        if version != "3.99":
            return f"uv knows no {version}."
        make_python(UV.format("3.99.7"), "3.99.7")
        return ""

    assert "3.99.7 is used" in match("3.99.4", environ, memory, fetch=fetch).note
    with pytest.raises(InterpreterNotFound, match=r"uv knows no 3\.99\.4"):
        find(
            "3.99.4",
            {**environ, "UV_PYTHON_INSTALL_DIR": "/none"},
            memory,
            policy=PythonPolicy.EXACT,
            fetch=fetch,
        )


@pytest.mark.parametrize("variable", ["CONDA_PREFIX", "MAMBA_ROOT_PREFIX"])
def test_a_conda_environment_lends_its_interpreter(
    variable: str, machine: Path, make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    wanted = make_python("conda/bin/python3.99", "3.99.4")

    assert (
        find("3.99.4", {**environ, variable: str(machine / "conda")}, memory).executable == wanted
    )


def test_those_in_condas_own_list_are_found(
    make_python: MakePython,
    environ: dict[str, str],
    memory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = make_python("listed/bin/python3.99", "3.99.4")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"{wanted.parents[1]}\n/gone\n")

    assert find("3.99.4", environ, memory).executable == wanted


def test_environments_of_the_store_lend_nothing(
    machine: Path, make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    make_python("store/environments/conda-1/bin/python3.99", "3.99.4")

    with pytest.raises(InterpreterNotFound):
        find(
            "3.99.4",
            {**environ, "CONDA_PREFIX": str(machine / "store/environments/conda-1")},
            memory,
        )


def test_a_plain_python_on_the_path_counts_when_it_is_of_the_version(
    make_python: MakePython, environ: dict[str, str], memory: Path
) -> None:
    wanted = make_python("bin/python", "3.99.4")

    assert find("3.99.4", environ, memory).executable == wanted


def test_what_virtualenv_finds_counts_where_nothing_else_is_found(
    machine: Path, environ: dict[str, str], memory: Path
) -> None:
    """A real Python of another minor version, under a name that envkit itself does not look for."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    others = locations.pyenv_versions(os.environ).glob("3.*/bin/python3.[0-9]*[0-9]")
    other = next((each for each in others if each.name.removeprefix("python") != running), None)
    if other is None:
        pytest.skip("pyenv has no Python of another minor version here")
    (machine / "bin").mkdir()
    (machine / "bin" / f"c{other.name}").symlink_to(other)
    found = discovery.find(
        other.name.removeprefix("python"), Search(environ=environ, memory=memory)
    )

    assert found.interpreter.executable == other.resolve()
