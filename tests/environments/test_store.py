"""The environment store, and what is ready in it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.store import location, removal, store
from envkit.environments.store.store import NotReady, Ready, Store
from envkit.errors import BuildFailed, InvalidArgument
from envkit.interpreters.interpreter import Interpreter
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environments import prepare
from tests.builders.models import write_environment, write_mlmodel
from tests.builders.programs import bound_by_permissions
from tests.builders.requirements import requirements

KEY = "k" * 64


@pytest.fixture
def shelf(root: Path) -> Store:
    return Store(root=root.resolve())


@pytest.fixture
def interpreter(tmp_path: Path) -> Interpreter:
    program = tmp_path / "python3.99"
    program.write_text("not really")
    return Interpreter(
        executable=program,
        version="3.99.1",
        implementation="cpython",
        platform="p",
        abi="a",
    )


@pytest.fixture
def fill(interpreter: Interpreter) -> store.Fill:
    def make(place: Path, _: int) -> None:
        (place / "bin").mkdir(parents=True)
        (place / "bin" / "python").symlink_to(interpreter.executable)
        (place / "file").write_text("content")

    return make


Build = Callable[[], tuple[Path, bool]]


@pytest.fixture
def build(shelf: Store, interpreter: Interpreter, fill: store.Fill) -> Build:
    return lambda: shelf.build("uv", KEY, interpreter, fill, lambda _: None)[:2]


def why(shelf: Store) -> str:
    found = shelf.look("uv", KEY)
    return found.why if isinstance(found, NotReady) else "ready"


# --- ready or not


def test_nothing_there_is_not_ready_and_there_is_nothing_to_say(shelf: Store) -> None:
    assert why(shelf) == ""


def test_what_was_built_is_ready_and_is_not_built_again(shelf: Store, build: Build) -> None:
    place, built = build()

    assert built
    assert shelf.look("uv", KEY) == Ready(place=place)
    assert build() == (place, False)


def test_an_empty_or_unfinished_folder_is_not_ready(shelf: Store, build: Build) -> None:
    place, _ = build()
    (place / store.MARKER).unlink()

    assert why(shelf) == "its build did not end"
    assert build() == (place, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "1",
        "{}",
        '"x"',
        '{"key": 1}',
        '{"key": "' + KEY + '"}',
        "\0",
        "\ud800",
        "[" * 9999,
    ],
)
def test_a_damaged_marker_is_not_ready(shelf: Store, build: Build, text: str) -> None:
    place, _ = build()
    (place / store.MARKER).write_bytes(text.encode("utf-8", "surrogatepass"))

    assert why(shelf) != "ready"
    assert build() == (place, True)
    assert why(shelf) == "ready"


def test_a_marker_cut_off_anywhere_is_not_ready(shelf: Store, build: Build) -> None:
    place, _ = build()
    whole = (place / store.MARKER).read_bytes()

    for length in range(len(whole)):
        (place / store.MARKER).write_bytes(whole[:length])
        assert why(shelf) == "its marker is damaged"


def test_the_marker_of_another_environment_is_not_ready(shelf: Store, build: Build) -> None:
    place, _ = build()
    marker = json.loads((place / store.MARKER).read_text())
    (place / store.MARKER).write_text(json.dumps(marker | {"key": "x" * 64}))

    assert why(shelf) == "its marker belongs to another environment"


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree])
def test_a_moved_or_copied_store_is_built_again(
    shelf: Store,
    build: Build,
    tmp_path: Path,
    interpreter: Interpreter,
    fill: store.Fill,
    move: Callable[..., object],
) -> None:
    build()
    move(shelf.root, tmp_path / "elsewhere")
    moved = Store(root=tmp_path / "elsewhere")

    assert why(moved).startswith(f"it was moved here from {shelf.root}")
    assert moved.build("uv", KEY, interpreter, fill, lambda _: None)[1]
    assert why(moved) == "ready"


def test_a_changed_interpreter_makes_it_not_ready(
    shelf: Store, build: Build, interpreter: Interpreter
) -> None:
    build()
    interpreter.executable.write_text("another program")

    assert why(shelf) == f"its interpreter {interpreter.executable} has changed"


def test_a_removed_interpreter_makes_it_not_ready(
    shelf: Store, build: Build, interpreter: Interpreter
) -> None:
    build()
    interpreter.executable.unlink()

    assert why(shelf) == "its interpreter is gone"


def test_what_is_not_ready_is_removed_not_repaired(shelf: Store, build: Build) -> None:
    place, _ = build()
    (place / "stray").write_text("")
    (place / store.MARKER).unlink()
    build()

    assert not (place / "stray").exists()


@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_what_is_no_folder_is_removed_too_but_never_what_a_link_leads_to(
    shelf: Store, build: Build, tmp_path: Path, kind: str
) -> None:
    place, _ = build()
    shutil.rmtree(place)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    if kind == "file":
        place.touch()
    else:
        place.symlink_to(tmp_path / "precious" if kind == "link" else tmp_path / "nowhere")

    assert build() == (place, True)
    assert not place.is_symlink()
    assert (tmp_path / "precious" / "file").exists()


# --- failures


@pytest.mark.parametrize(
    "failure", [BuildFailed("x", "y"), KeyboardInterrupt(), RuntimeError(), SystemExit(1)]
)
def test_a_failed_build_leaves_nothing_and_frees_the_lock(
    shelf: Store, build: Build, interpreter: Interpreter, fill: store.Fill, failure: BaseException
) -> None:
    def fail(place: Path, lock: int) -> None:
        fill(place, lock)
        raise failure

    with pytest.raises(type(failure)):
        shelf.build("uv", KEY, interpreter, fail, lambda _: None)

    assert why(shelf) == ""
    assert build()[1]


def test_what_does_not_fit_its_records_is_never_ready(
    shelf: Store, interpreter: Interpreter, fill: store.Fill
) -> None:
    def lose_a_file(place: Path, lock: int) -> None:
        fill(place, lock)
        info = place / "lib" / "python3.99" / "site-packages" / "alpha-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text("alpha.py,sha256=x,7\n")

    with pytest.raises(BuildFailed, match=r"(?s)do not match their records.*alpha\.py is missing"):
        shelf.build("uv", KEY, interpreter, lose_a_file, lambda _: None)
    assert why(shelf) == ""


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "no space left"), (errno.EACCES, "cannot be written"), (errno.EIO, "build")],
)
def test_what_the_file_system_refuses_is_told_with_its_path(
    shelf: Store, interpreter: Interpreter, number: int, words: str
) -> None:
    def refuse(place: Path, _: int) -> None:
        raise OSError(number, os.strerror(number), str(place / "some-file"))

    with pytest.raises(BuildFailed, match=words) as raised:
        shelf.build("uv", KEY, interpreter, refuse, lambda _: None)
    assert str(shelf.root) in str(raised.value)
    assert "ENVKIT_HOME" in str(raised.value)


def test_a_store_that_is_a_file_is_told(shelf: Store, build: Build) -> None:
    shelf.root.write_text("")

    with pytest.raises(BuildFailed):
        build()


def test_the_marker_goes_first_when_an_environment_is_removed(
    shelf: Store, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _ = build()
    (place / store.MARKER).write_text("damaged")
    seen: list[bool] = []
    monkeypatch.setattr(shutil, "rmtree", lambda path: seen.append((path / store.MARKER).exists()))
    with pytest.raises(BuildFailed):
        build()

    assert seen[0] is False


# --- where it is


def test_the_argument_comes_before_the_variable_before_the_cache_folder(tmp_path: Path) -> None:
    assert location.root_from(tmp_path / "a", {"ENVKIT_HOME": "/b"}) == tmp_path / "a"
    assert location.root_from(None, {"ENVKIT_HOME": str(tmp_path / "b")}) == tmp_path / "b"
    assert location.root_from(None, {"ENVKIT_HOME": ""}).name == "envkit"


def test_a_link_to_the_store_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert location.root_from(tmp_path / "link", {}) == tmp_path / "real"


@pytest.mark.parametrize(
    "name", ["new\nline", "co:lon", "tab\t", "bell\a", os.fsdecode(b"latin-\xe9")]
)
def test_a_path_that_environments_cannot_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgument, match="environment store"):
        location.root_from(tmp_path / name, {})
    assert not list(tmp_path.iterdir())


# --- together


def test_threads_with_one_key_build_once_and_wait(
    shelf: Store, interpreter: Interpreter, fill: store.Fill
) -> None:
    said: list[str] = []
    results: list[tuple[Path, bool]] = []

    def slow(place: Path, lock: int) -> None:
        time.sleep(0.3)
        fill(place, lock)

    def work() -> None:
        results.append(shelf.build("uv", KEY, interpreter, slow, said.append)[:2])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(built for _, built in results) == [False, False, False, True]
    assert len(said) == 3
    assert "Waiting" in said[0]


def test_two_keys_are_built_at_the_same_time(
    shelf: Store, interpreter: Interpreter, fill: store.Fill
) -> None:
    meeting = threading.Barrier(2, timeout=5)

    def meet(place: Path, lock: int) -> None:
        meeting.wait()
        fill(place, lock)

    def work(key: str) -> None:
        shelf.build("uv", key, interpreter, meet, lambda _: None)

    threads = [threading.Thread(target=work, args=(key * 64,)) for key in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(isinstance(shelf.look("uv", key * 64), Ready) for key in "ab")


@pytest.mark.parametrize("patience", [30.0, 0.2])
def test_a_damaged_environment_is_not_taken_away_from_under_a_program_that_runs_in_it(
    shelf: Store,
    interpreter: Interpreter,
    fill: store.Fill,
    build: Build,
    monkeypatch: pytest.MonkeyPatch,
    patience: float,
) -> None:
    monkeypatch.setattr(removal, "PATIENCE_SECONDS", patience)
    place, _ = build()
    program = shelf.use(place)
    assert program is not None
    (place / "file").write_text("damaged")
    heard: list[tuple[str, str]] = []

    def hear(line: str) -> None:
        heard.append((line, (place / "file").read_text()))
        threading.Timer(0.5, os.close, [program]).start()

    if patience > 1:
        _, built, why = shelf.build("uv", KEY, interpreter, fill, hear)
        assert (built, why) == (True, "file was changed")
    else:
        with pytest.raises(
            BuildFailed, match=r"rebuild .*, where programs run \(file was changed\)"
        ):
            shelf.build("uv", KEY, interpreter, fill, hear)
        assert (place / "file").read_text() == "damaged"
    assert heard == [
        (
            f"Waiting for programs that run in {place}, which must be rebuilt: file was changed",
            "damaged",
        )
    ]


# --- odd file systems


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a file system of some size; skipped where that is not allowed."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        place = tmp_path / f"disk-{size}"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", place],
            capture_output=True,
        )
        if done.returncode:
            pytest.skip("file systems cannot be mounted here")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("manager", [EnvType.UV, EnvType.VIRTUALENV])
@pytest.mark.parametrize("size", ["16k", "200k", "12m"])
def test_a_full_disk_is_told_with_its_path_and_nothing_is_left(
    manager: EnvType,
    size: str,
    spec: EnvironmentSpec,
    make_wheel: Callable[..., Path],
    small_disk: Callable[[str], Path],
) -> None:
    disk = small_disk(size)
    make_wheel("huge", "1.0", content=f"DATA = {'x' * 20_000_000!r}\n")

    with pytest.raises(BuildFailed, match=r"(?i)no space left") as raised:
        prepare(
            replace(spec, requirements=requirements("huge==1.0"), constraints=()),
            manager,
            root=disk / "store",
        )
    assert str(disk) in str(raised.value)
    assert not list(disk.glob("store/environments/*"))


def test_a_ready_environment_in_a_read_only_store_is_used_and_a_build_is_refused(
    spec: EnvironmentSpec, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("50m")
    built = prepare(spec, EnvType.UV, root=disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

    assert prepare(spec, EnvType.UV, root=disk) == replace(built, built=False)
    with pytest.raises(BuildFailed, match="cannot be written to"):
        prepare(replace(spec, requirements=requirements("beta==1.0")), EnvType.UV, root=disk)


def test_why_it_was_built_again_is_told(spec: EnvironmentSpec, root: Path) -> None:
    first: Environment = prepare(spec, EnvType.UV, root=root)
    (first.path / store.MARKER).write_text("{")
    second = prepare(spec, EnvType.UV, root=root)

    assert second.built
    assert second.notes == (f"{first.path} was rebuilt: its marker is damaged.",)


# --- what lies outside of an environment


@pytest.mark.parametrize("name", ["lib/python3.99/os.py", "lib/libpython3.99.so.1.0"])
@pytest.mark.parametrize("how", ["is gone", "has changed"])
def test_the_libraries_of_the_interpreter_are_watched(
    shelf: Store, interpreter: Interpreter, fill: store.Fill, tmp_path: Path, name: str, how: str
) -> None:
    library = tmp_path / "prefix" / name
    library.parent.mkdir(parents=True)
    library.write_text("library")
    based = replace(interpreter, executable=tmp_path / "prefix" / "bin" / "python3.99")
    shelf.build("uv", KEY, based, fill, lambda _: None)
    ready = why(shelf)
    library.unlink() if how == "is gone" else library.write_text("another")

    assert ready == "ready"
    assert why(shelf) == f"{library}, which its interpreter needs, {how}"


# --- file systems without locks (no real one can be mounted here, so `flock` is replaced by fakes)


def fake_flock_refused(number: int) -> Callable[[int, int], None]:
    def flock(_: int, __: int) -> None:
        raise OSError(number, os.strerror(number))

    return flock


@pytest.mark.parametrize(
    "fake_flock",
    [*map(fake_flock_refused, (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)), lambda *_: None],
    ids=["ENOLCK", "ENOSYS", "EOPNOTSUPP", "agrees to everything"],
)
def test_a_file_system_without_locks_is_refused_for_builds_and_removals_but_not_for_use(
    shelf: Store,
    build: Build,
    monkeypatch: pytest.MonkeyPatch,
    fake_flock: Callable[[int, int], None],
) -> None:
    place, _ = build()
    monkeypatch.setattr(fcntl, "flock", fake_flock)
    descriptor = shelf.use(place)

    assert why(shelf) == "ready"
    assert descriptor is not None
    os.close(descriptor)
    with pytest.raises(BuildFailed, match="has no locks"):
        shelf.remove(place)
    (place / store.MARKER).unlink()
    with pytest.raises(BuildFailed, match=f"(?s){shelf.root}.*has no locks.*ENVKIT_HOME"):
        build()
    shelf.sweep()
    assert place.exists()


# --- sweeping


def test_the_next_run_of_anything_sweeps_what_was_left(spec: EnvironmentSpec, root: Path) -> None:
    other = prepare(spec, EnvType.UV, root=root)
    left = root / "environments" / "uv-left"
    (left / "lib").mkdir(parents=True)
    (root / "locks" / "uv-left.lock").touch()
    (root / "locks" / "uv-forgotten.lock").touch()
    again = prepare(spec, EnvType.UV, root=root)

    assert not again.built
    assert [each.name for each in (root / "environments").iterdir()] == [other.path.name]
    assert [each.name for each in (root / "locks").iterdir()] == [f"{other.path.name}.lock"]


def test_sweeping_takes_nothing_from_builders_at_work(
    shelf: Store, interpreter: Interpreter, fill: store.Fill
) -> None:
    """Threads build, sweep and remove keys; an environment in use stays whole."""
    broken: list[str] = []
    done = threading.Event()

    def tidy() -> None:
        while not done.is_set():
            shelf.sweep()

    def work(number: int) -> None:
        key = str(number % 2) * 64
        for _ in range(40):
            place, _, _ = shelf.build("uv", key, interpreter, fill, lambda _: None)
            if (descriptor := shelf.use(place)) is not None:
                broken.extend([] if (place / "file").exists() else [str(place)])
                os.close(descriptor)
            shelf.remove(place)

    tidying, *working = (
        threading.Thread(target=tidy),
        *(threading.Thread(target=work, args=(n,)) for n in range(4)),
    )
    for thread in (tidying, *working):
        thread.start()
    for thread in working:
        thread.join()
    done.set()
    tidying.join()
    shelf.sweep()

    assert broken == []
    assert not list(shelf.environments.iterdir())
    assert not list((shelf.root / "locks").iterdir())


# --- as a user whom permissions bind


def test_a_store_that_a_user_may_not_write_is_used_and_a_build_is_refused(
    spec: EnvironmentSpec, root: Path
) -> None:
    built = prepare(spec, EnvType.UV, root=root)
    write_mlmodel(spec.directory)
    lines = "--no-index\n--find-links wheels\nalpha==1.0\n-c constraints.txt\n"
    write_environment(spec.directory, requirements=lines, python=spec.python)
    (spec.directory / "constraints.txt").write_text("beta==1.0\n")
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)

    def prepared(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [
            *bound_by_permissions(),
            sys.executable,
            "-m",
            "envkit",
            "prepare-env",
            *words,
            str(spec.directory),
        ]
        variables = {**os.environ, "ENVKIT_HOME": str(root)}
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=variables)

    used, refused = prepared(), prepared("-r", "beta==2.0")
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o200)

    assert (used.returncode, used.stdout.strip()) == (0, str(built.path)), used.stderr
    assert refused.returncode == 5
    assert "cannot be written to" in refused.stderr
    assert str(root) in refused.stderr


def test_a_home_that_moved_is_told_and_its_environments_are_built_again(
    spec: EnvironmentSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ENVKIT_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "old").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "old"))
    first = prepare(spec, EnvType.UV)
    (tmp_path / "old").rename(tmp_path / "new")
    monkeypatch.setenv("HOME", str(tmp_path / "new"))
    second = prepare(spec, EnvType.UV)

    assert first.path.is_relative_to(tmp_path / "old")
    assert second.path.is_relative_to(tmp_path / "new")
    assert second.built
    assert "it was moved here from" in second.notes[0]


# --- what other users could have put there


def test_a_store_of_another_user_is_refused_with_7_and_a_remedy(
    spec: EnvironmentSpec, root: Path
) -> None:
    built = prepare(spec, EnvType.UV, root=root)
    write_mlmodel(spec.directory)
    write_environment(spec.directory, requirements="", python=spec.python)
    root.chmod(0o777)
    variables = {**os.environ, "ENVKIT_HOME": str(root)}
    commands = [
        ["prepare-env", str(spec.directory)],
        ["envs", "list"],
        ["envs", "verify"],
        ["envs", "path", str(spec.directory)],
        ["envs", "prune", "--all"],
    ]
    for words in commands:
        argv = [sys.executable, "-m", "envkit", *words]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False, env=variables)
        assert ended.returncode == 7, (words, ended)
        assert "can be written to by other users" in ended.stderr
        assert "chmod -R go-w" in ended.stderr
    assert built.path.exists()


def test_a_store_is_made_private_whatever_the_umask(spec: EnvironmentSpec, root: Path) -> None:
    before = os.umask(0)
    try:
        environment = prepare(spec, EnvType.UV, root=root / "deep" / "store")
        again = prepare(spec, EnvType.UV, root=root / "deep" / "store")
    finally:
        os.umask(before)

    assert environment.built
    assert not again.built
    for folder in (root, root / "deep", root / "deep" / "store"):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_an_environment_that_another_user_planted_is_built_again(
    shelf: Store, build: Build
) -> None:
    place, _ = build()
    os.chown(place, 12345, 12345)

    assert why(shelf) == "it belongs to another user"
    assert build() == (place, True)
    assert why(shelf) == "ready"
