"""The store is kept in order: what is listed, checked, removed, and what is never removed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from envkit.cli.main import main
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.store import housekeeping, manifest, store, uses
from envkit.environments.store.in_use import occupied
from envkit.environments.store.store import Store
from envkit.errors import InvalidArgument, InvalidInput
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environments import prepare
from tests.builders.models import write_environment, write_mlmodel
from tests.builders.programs import bound_by_permissions
from tests.builders.requirements import requirements

Make = Callable[..., Environment]


@pytest.fixture
def make(spec: EnvironmentSpec, root: Path) -> Make:
    """Build an environment; different numbers give different ones."""

    def build(
        number: int = 0, manager: EnvType = EnvType.UV, used: float | None = None
    ) -> Environment:
        made = prepare(
            replace(spec, constraints=requirements(f"unused=={number}")), manager, root=root
        )
        if used is not None:
            for note in (root / "uses" / made.path.name).iterdir():
                os.utime(note, (used, used))
        return made

    return build


@pytest.fixture
def envs(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("ENVKIT_HOME", str(root))
    return lambda *words: CliRunner().invoke(main, ["envs", *words])


def site(environment: Environment) -> Path:
    return next(environment.path.glob("lib/python*/site-packages"))


def names(root: Path) -> list[str]:
    return sorted(each.name for each in housekeeping.environments(root))


# --- what is there


def test_the_list_tells_size_use_python_and_models(
    make: Make, root: Path, spec: EnvironmentSpec
) -> None:
    assert housekeeping.environments(root) == ()
    made = make(1)
    (found,) = housekeeping.environments(root)

    assert (found.path, found.manager, found.python) == (made.path, "uv", spec.python)
    assert made.key == found.key
    assert found.models == (spec.directory,)
    assert abs(found.last_used - time.time()) < 60
    assert 1000 < found.size < 10_000_000
    assert (found.unusable, found.in_use) == ("", False)


def test_each_model_that_used_an_environment_is_remembered_once_and_the_last_use(
    make: Make, root: Path, spec: EnvironmentSpec, tmp_path: Path
) -> None:
    made = make(used=1000.0)
    other = tmp_path / "other"
    other.mkdir()
    (other / "wheels").symlink_to(spec.directory / "wheels")
    for _ in range(2):
        prepare(
            replace(spec, directory=other, constraints=requirements("unused==0")),
            EnvType.UV,
            root=root,
        )
    (found,) = housekeeping.environments(root)

    assert found.path == made.path
    assert found.models == (other, spec.directory)
    assert found.last_used > 1000


def test_many_processes_may_note_their_use_at_once(root: Path, tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from envkit.environments.store import uses\n"
    code += (
        "for n in range(200): uses.record(Path(sys.argv[1]), 'uv-x', Path('/models', str(n % 5)))"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, root]) for _ in range(6)]

    assert [writer.wait() for writer in writers] == [0] * 6
    assert {path.name for path in uses.of(root, "uv-x").models} == set("01234")
    assert len(list((root / "uses" / "uv-x").iterdir())) == 5


@pytest.mark.parametrize("how", ["name", "key", "beginning", "path", "model"])
def test_an_environment_can_be_named_in_many_ways(
    make: Make, root: Path, spec: EnvironmentSpec, how: str
) -> None:
    made = make()
    target = {
        "name": made.path.name,
        "key": made.key,
        "beginning": made.path.name[:12],
        "path": str(made.path) + "/",
        "model": f"file://{spec.directory}",
    }[how]

    assert [each.path for each in housekeeping.select([target], root)] == [made.path]


def test_what_names_nothing_or_too_much_is_told(make: Make, root: Path) -> None:
    make(1), make(2)

    with pytest.raises(InvalidInput, match="envkit envs list"):
        housekeeping.select(["nothing"], root)
    with pytest.raises(InvalidInput):
        housekeeping.select(["uv"], root)  # too short a beginning
    (root / "environments").joinpath("uv-aaaa1").mkdir()
    (root / "environments").joinpath("uv-aaaa2").mkdir()
    with pytest.raises(InvalidArgument, match="uv-aaaa1, uv-aaaa2"):
        housekeeping.select(["uv-aaaa"], root)


# --- damage


def shorten(environment: Environment) -> str:
    (site(environment) / "alpha.py").write_text("")
    return "alpha.py was changed"


def edit_in_place(environment: Environment) -> str:
    path = site(environment) / "alpha.py"
    path.write_text(path.read_text().replace("1", "2"))
    return "alpha.py was changed"


def lose_a_package(environment: Environment) -> str:
    (site(environment) / "alpha.py").unlink()
    return "alpha.py is missing"


def empty_a_folder(environment: Environment) -> str:
    for path in site(environment).glob("beta-*.dist-info/*"):
        path.unlink()
    return "dist-info/"


def add_a_module(environment: Environment) -> str:
    (site(environment) / "sitecustomize.py").write_text("")
    return "sitecustomize.py was added"


def lose_the_configuration(environment: Environment) -> str:
    (environment.path / "pyvenv.cfg").unlink()
    return "pyvenv.cfg is missing"


def turn_the_interpreter(environment: Environment) -> str:
    (environment.path / "bin" / "python").unlink()
    (environment.path / "bin" / "python").symlink_to("/bin/sh")
    return "its interpreter"


def lose_the_list(environment: Environment) -> str:
    (environment.path / manifest.NAME).write_text('{"files": 1}')
    return "the list of its files is damaged"


DAMAGES = [
    shorten,
    edit_in_place,
    lose_a_package,
    empty_a_folder,
    add_a_module,
    lose_the_configuration,
    turn_the_interpreter,
    lose_the_list,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_environment_is_built_again_which_is_told(
    make: Make, root: Path, damage: Callable[[Environment], str]
) -> None:
    words = damage(make())
    found = [each.problems for each in housekeeping.verify(root=root)]
    again = make()

    assert words.split()[0] in found[0][0]
    assert again.built
    assert len(again.notes) == 1
    assert words in again.notes[0]
    assert [each.problems for each in housekeeping.verify(root=root)] == [()]
    code = "import alpha; assert alpha.VERSION == '1.0'"
    subprocess.run([again.python, "-I", "-c", code], check=True)


def test_what_python_writes_at_run_time_is_no_damage(make: Make, root: Path) -> None:
    made = make()
    subprocess.run([made.python, "-I", "-c", "import alpha, beta"], check=True, env={})

    assert list(site(made).glob("__pycache__/*.pyc"))
    assert not make().built
    assert [each.problems for each in housekeeping.verify(root=root)] == [()]


@pytest.mark.parametrize("manager", [EnvType.UV, EnvType.VIRTUALENV])
def test_an_edit_that_keeps_size_and_time_is_found_by_verify_alone(
    make: Make, root: Path, manager: EnvType
) -> None:
    made = make(manager=manager)
    path = site(made) / "alpha.py"
    before = path.stat()
    path.write_text(path.read_text().replace("1", "2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (found,) = housekeeping.verify(root=root)

    assert not make(manager=manager).built
    assert len(found.problems) == 1
    assert found.problems[0].endswith("site-packages/alpha.py differs from what was installed")


def test_times_in_whole_seconds_are_no_damage(make: Make, root: Path) -> None:
    made = make()
    for path in made.path.rglob("*"):
        times = path.lstat()
        os.utime(path, (times.st_atime, int(times.st_mtime)), follow_symlinks=False)

    assert not make().built


def test_verify_repairs_by_removing(make: Make, root: Path) -> None:
    sound, damaged = make(1), make(2)
    shorten(damaged)
    found = {each.environment.path: each for each in housekeeping.verify(root=root, repair=True)}

    assert found[damaged.path].removed
    assert found[sound.path].problems == ()
    assert names(root) == [sound.path.name]


# --- removal


@contextmanager
def running(environment: Environment) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in an environment, as the runner does."""
    with occupied(environment) as descriptors:
        code = "import time; print(flush=True); time.sleep(60)"
        program = subprocess.Popen(
            [environment.python, "-c", code], stdout=subprocess.PIPE, pass_fds=descriptors
        )
        assert program.stdout is not None
        program.stdout.readline()
    try:  # the lock of this process is gone; the program holds its own
        yield program
    finally:
        program.kill()
        program.communicate()


def test_an_environment_in_use_is_kept_also_for_an_orphan(make: Make, root: Path) -> None:
    used, idle = make(1), make(2)
    with running(used):
        assert {each.name: each.in_use for each in housekeeping.environments(root)} == {
            used.path.name: True,
            idle.path.name: False,
        }
        done = housekeeping.prune(root, everything=True)
        again = housekeeping.remove([used.path], root)

        assert [each.path for each in done.removed] == [idle.path]
        assert [each.path for each in (*done.kept, *again.kept)] == [used.path] * 2
        assert isinstance(Store(root=root.resolve()).look("uv", used.key), store.Ready)
    assert housekeeping.prune(root, everything=True).removed
    assert names(root) == []
    assert not list((root / "locks").iterdir())
    assert not list((root / "uses").iterdir())


def test_an_environment_that_is_being_built_is_kept(make: Make, root: Path) -> None:
    made = make()
    (made.path / store.MARKER).unlink()
    holder = subprocess.Popen(
        ["flock", root / "locks" / f"{made.path.name}.lock", "sh", "-c", "echo; sleep 60"],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    done = housekeeping.prune(root, everything=True)
    os.killpg(holder.pid, signal.SIGKILL)
    holder.communicate()

    assert done.removed == ()
    assert made.path.exists()


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({}, {1, 2, 3}),
        ({"older_than": 86400.0}, {2, 3}),
        ({"older_than": 1.0}, {3}),
        ({"max_size": 0}, set()),
        ({"max_size": 10**12}, {1, 2, 3}),
        ({"everything": True}, set()),
        ({"everything": True, "dry_run": True}, {1, 2, 3}),
    ],
)
def test_prune_removes_by_age_and_size(
    make: Make, root: Path, limits: dict[str, float], left: set[int]
) -> None:
    now = time.time()
    made = {
        1: make(1, used=now - 30 * 86400),
        2: make(2, used=now - 3600),
        3: make(3, used=now + 60),
    }
    done = housekeeping.prune(root, **limits)  # type: ignore[arg-type]

    expected = left if not limits.get("dry_run") else set()
    assert {each.path for each in done.removed} == {
        each.path for n, each in made.items() if n not in expected
    }
    assert {number for number, each in made.items() if each.path.exists()} == left


def test_the_longest_unused_go_first_until_the_rest_is_small_enough(make: Make, root: Path) -> None:
    made = [make(number, used=1000.0 + number) for number in range(3)]
    sizes = {each.name: each.size for each in housekeeping.environments(root)}
    done = housekeeping.prune(root, max_size=sizes[made[1].path.name] + sizes[made[2].path.name])

    assert [each.path for each in done.removed] == [made[0].path]
    assert done.freed == sizes[made[0].path.name]


def test_what_cannot_be_used_any_more_is_pruned_without_being_asked(make: Make, root: Path) -> None:
    sound, moved = make(1), make(2)
    marker = moved.path / store.MARKER
    marker.write_text(marker.read_text().replace(str(moved.path), "/elsewhere"))
    (root / "environments" / "uv-unfinished").mkdir()
    done = housekeeping.prune(root)

    assert [each.path for each in done.removed] == [moved.path]
    assert names(root) == [sound.path.name]


def test_the_download_caches_are_emptied_on_demand(make: Make, root: Path) -> None:
    make()
    (root / "cache" / "uv" / "download").write_bytes(b"x" * 100_000)
    layers = root / "images" / "blobs"
    layers.mkdir(parents=True)
    (layers / "layer").write_bytes(b"x" * 100_000)
    done = housekeeping.prune(root, cache=True)

    assert done.cache >= 200_000
    assert not (root / "cache").exists()
    assert not (root / "images").exists()
    assert not make().built
    assert make(1).built


def test_old_temporary_files_go_and_young_ones_stay(make: Make, root: Path) -> None:
    make()
    old, young = root / ".interpreters-old", root / ".digests-young"
    folder = root / "cache" / "uv" / "archive-v0" / ".tmpX"
    folder.mkdir(parents=True)
    (folder / "file").touch()
    for path in (old, young):
        path.touch()
    for path in (old, folder):
        os.utime(path, (1000, 1000))
    housekeeping.prune(root)

    assert (old.exists(), folder.exists(), young.exists()) == (False, False, True)


def test_folders_without_rights_are_removed_too(make: Make, root: Path) -> None:
    made = make()
    (site(made) / "alpha-1.0.dist-info").chmod(0o500)
    code = (
        "import sys; from pathlib import Path; from envkit.environments.store import "
        "housekeeping as h\n"
    )
    code += "print(len(h.remove([sys.argv[2]], Path(sys.argv[1])).removed))"
    argv = [*bound_by_permissions(), sys.executable, "-c", code, str(root), made.path.name]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("1\n", "")
    assert names(root) == []


# --- the commands


def test_list_prints_a_table_and_json(
    make: Make, envs: Callable[..., Result], spec: EnvironmentSpec
) -> None:
    assert envs("list").stdout == ""
    made = make()
    shown, told = envs("list"), json.loads(envs("list", "--json").stdout)

    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0].split() == [
        "ENVIRONMENT",
        "PYTHON",
        "SIZE",
        "LAST",
        "USED",
        "MODELS",
    ]
    assert made.path.name in shown.stdout
    assert str(spec.directory) in shown.stdout
    assert [each["path"] for each in told] == [str(made.path)]
    assert set(told[0]) >= {"size_bytes", "last_used", "models", "python", "env_manager", "in_use"}


def test_verify_ends_with_1_when_something_is_wrong(
    make: Make, envs: Callable[..., Result]
) -> None:
    made = make()
    sound = envs("verify")
    shorten(made)
    found, told, repaired = (
        envs("verify"),
        envs("verify", "--json"),
        envs("verify", "--repair", str(made.path)),
    )

    assert (sound.exit_code, sound.stdout) == (0, f"{made.path.name}: sound\n")
    assert (found.exit_code, told.exit_code, repaired.exit_code) == (1, 1, 1)
    assert "alpha.py" in found.stdout
    assert len(json.loads(told.stdout)[0]["problems"]) == 1
    assert not made.path.exists()


def test_remove_tells_what_it_removed_and_what_is_in_use(
    make: Make, envs: Callable[..., Result]
) -> None:
    one, two = make(1), make(2)
    with running(one):
        busy = envs("remove", one.path.name)
    tried = envs("remove", "--dry-run", two.path.name)
    gone = envs("remove", one.path.name, two.path.name)

    assert (busy.exit_code, tried.exit_code, gone.exit_code) == (1, 0, 0)
    assert "in use" in busy.stderr
    assert gone.stdout.split() == [one.path.name, two.path.name]
    assert not one.path.exists()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("prune", "--older-than", "30d", "--max-size", "20GB"), 0),
        (("prune", "--older-than", "1.5h", "--max-size", "0.5GiB", "--cache"), 0),
        (("prune", "--older-than", "2w", "--max-size", "1000"), 0),
        (("prune", "--older-than", "30"), 2),
        (("prune", "--older-than", "-3d"), 2),
        (("prune", "--max-size", "many"), 2),
        (("prune", "--max-size", "1iB"), 2),
        (("remove",), 2),
        (("remove", "nothing-like-it"), 3),
        (("verify", "nothing-like-it"), 3),
        (("path", "no-model"), 3),
        (("nothing",), 2),
    ],
)
def test_words_and_exit_codes(
    words: tuple[str, ...], status: int, envs: Callable[..., Result]
) -> None:
    assert envs(*words).exit_code == status


def test_path_says_where_the_environment_of_a_model_is_and_whether_it_is_built(
    spec: EnvironmentSpec, envs: Callable[..., Result]
) -> None:
    write_mlmodel(spec.directory)
    lines = "--no-index\n--find-links wheels\nalpha==1.0\n"
    write_environment(spec.directory, requirements=lines, python=spec.python)
    before = envs("path", str(spec.directory))
    built = CliRunner().invoke(main, ["prepare-env", str(spec.directory)])
    after, told = (
        envs("path", str(spec.directory)),
        envs("path", "--json", "-m", str(spec.directory)),
    )

    assert before.exit_code == 1
    assert "never built" in before.stderr
    assert before.stdout == ""
    assert (built.exit_code, after.exit_code) == (0, 0)
    assert after.stdout == built.stdout
    assert json.loads(told.stdout) == {"path": built.stdout.strip(), "ready": True, "why": ""}
