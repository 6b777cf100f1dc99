"""From a spec to a ready environment, with the real installers and tiny wheels."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envkit.child import process
from envkit.environments.env_type import EnvType
from envkit.environments.store import verification
from envkit.errors import BuildFailed, InvalidArgument, InvalidFile
from envkit.formats import pylock_toml
from envkit.formats.pylock import Pylock
from envkit.formats.pylock_toml import LockFile
from envkit.interpreters import locations
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environments import prepare
from tests.builders.requirements import options, requirements

BUILDERS = [EnvType.UV, EnvType.VIRTUALENV]

Installed = Callable[[Path], dict[str, str]]


def ask(python: Path, code: str) -> str:
    return subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def leftovers(root: Path) -> list[Path]:
    folder = root / "environments"
    return list(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("manager", BUILDERS)
def test_the_environment_holds_the_closure_and_nothing_else(
    manager: EnvType, spec: EnvironmentSpec, root: Path, installed: Installed
) -> None:
    environment = prepare(spec, manager, root=root)

    assert environment.built
    assert environment.notes == ()
    assert installed(environment.path) == {"alpha": "1.0", "beta": "1.0"}
    assert ask(
        environment.python,
        "import alpha, beta, sys; print(alpha.VERSION, beta.VERSION, sys.prefix)",
    ) == (f"1.0 1.0 {environment.path}")


@pytest.mark.parametrize("manager", BUILDERS)
@pytest.mark.parametrize("version", ["3.8.18", "3.13.0"])
@pytest.mark.e2e
def test_it_has_the_interpreter_that_the_spec_names(
    manager: EnvType, version: str, spec: EnvironmentSpec, root: Path, installed: Installed
) -> None:
    if not (locations.pyenv_versions(os.environ) / version).exists():
        pytest.skip(f"Python {version} is not on this machine")
    environment = prepare(replace(spec, python=version), manager, root=root)

    assert ask(environment.python, "import platform; print(platform.python_version())") == version
    assert installed(environment.path) == {"alpha": "1.0", "beta": "1.0"}


def test_a_second_time_it_is_there_and_no_process_is_started(
    spec: EnvironmentSpec, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepare(spec, EnvType.UV, root=root)
    monkeypatch.setattr(process, "run", None)
    second = prepare(spec, EnvType.UV, root=root)

    assert (first.built, second.built) == (True, False)
    assert replace(first, built=False) == second


def test_two_models_with_equal_needs_share_one(
    spec: EnvironmentSpec, root: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "wheels").symlink_to(spec.directory / "wheels")
    first = prepare(spec, EnvType.UV, root=root)
    again = replace(
        spec, requirements=requirements("  alpha==1.0 ", "alpha==1.0"), variables=("TOKEN",)
    )
    second = prepare(again, EnvType.UV, root=root)

    assert first.path == second.path
    assert not second.built


@pytest.mark.parametrize("manager", BUILDERS)
def test_an_environment_without_requirements_is_empty(
    manager: EnvType, spec: EnvironmentSpec, root: Path, installed: Installed
) -> None:
    environment = prepare(replace(spec, requirements=(), constraints=()), manager, root=root)

    assert installed(environment.path) == {}


def test_a_local_wheel_is_told_by_its_content(
    spec: EnvironmentSpec, root: Path, make_wheel: Any
) -> None:
    wheel = make_wheel("gamma", "1.0", content="VALUE = 1\n")
    local = replace(
        spec,
        requirements=requirements(f"./wheels/{wheel.name}"),
        options=options("--no-index"),
        constraints=(),
    )
    first = prepare(local, EnvType.UV, root=root)
    make_wheel("gamma", "1.0", content="VALUE = 2\n")
    second = prepare(local, EnvType.UV, root=root)

    assert [ask(each.python, "import gamma; print(gamma.VALUE)") for each in (first, second)] == [
        "1",
        "2",
    ]


ODD_NAMES = [
    "with space",
    "quote'd",
    'double"d',
    "$(touch hacked)",
    "a;b&c",
    "ünïcode",
    "#x",
    "%20",
]


@pytest.mark.parametrize(
    ("manager", "name"),
    [
        *((EnvType.UV, name) for name in ODD_NAMES),
        (EnvType.VIRTUALENV, "with space quote'd a;b&c ünïcode #x %20"),
    ],
)
def test_any_printable_name_of_the_store_works(
    manager: EnvType, name: str, spec: EnvironmentSpec, tmp_path: Path, installed: Installed
) -> None:
    environment = prepare(spec, manager, root=tmp_path / name)

    assert installed(environment.path) == {"alpha": "1.0", "beta": "1.0"}
    assert ask(environment.python, "import alpha; print(alpha.VERSION)") == "1.0"
    assert not list(tmp_path.rglob("hacked"))


@pytest.mark.parametrize("manager", BUILDERS)
@pytest.mark.parametrize("name", ["ünïcode #1 100%20 [x] 'q'"])
def test_any_name_of_the_model_works(
    manager: EnvType,
    name: str,
    spec: EnvironmentSpec,
    root: Path,
    make_wheel: Any,
    installed: Installed,
) -> None:
    folder = spec.directory.parent / name
    spec.directory.rename(folder)
    moved = replace(
        spec,
        directory=folder,
        requirements=requirements("alpha==1.0", "beta @ file:wheels/beta-1.0-py3-none-any.whl"),
    )
    environment = prepare(replace(moved, constraints=()), manager, root=root)

    assert installed(environment.path) == {"alpha": "1.0", "beta": "1.0"}


@pytest.mark.parametrize(
    "name", ["a $(touch hacked) b", "a `touch hacked` b", 'a"; touch hacked; "', "a\\b"]
)
def test_paths_that_programs_of_pip_would_execute_are_refused(
    name: str, spec: EnvironmentSpec, tmp_path: Path
) -> None:
    with pytest.raises(BuildFailed, match="would expand"):
        prepare(spec, EnvType.VIRTUALENV, root=tmp_path / name)
    assert not list(tmp_path.rglob("hacked"))


@pytest.mark.parametrize("manager", BUILDERS)
def test_programs_of_an_environment_run_from_a_long_and_odd_path(
    manager: EnvType, spec: EnvironmentSpec, tmp_path: Path, make_wheel: Any
) -> None:
    """A line `#!` holds 127 bytes, and no spaces."""
    entry_points = "[console_scripts]\ntalk = talker:main\n"
    make_wheel("talker", "1.0", content="def main(): print('it runs')\n", entry_points=entry_points)
    talking = replace(spec, requirements=requirements("talker==1.0"), constraints=())
    environment = prepare(talking, manager, root=tmp_path / ("long " * 30 + "it's ünïcode"))
    talk = environment.path / "bin" / "talk"

    assert len(str(talk)) > 150
    assert subprocess.run([talk], capture_output=True, text=True, check=True).stdout == "it runs\n"


@pytest.mark.parametrize("manager", BUILDERS)
def test_no_file_is_shared_with_the_cache_or_another_environment(
    manager: EnvType, spec: EnvironmentSpec, root: Path
) -> None:
    first = prepare(spec, manager, root=root)
    files = [path for path in first.path.rglob("*") if path.is_file() and not path.is_symlink()]
    (module,) = first.path.glob("lib/python*/site-packages/alpha.py")
    module.write_text("VERSION = 'poisoned'\n")
    second = prepare(
        replace(spec, constraints=requirements("beta==1.0", "unused==1")), manager, root=root
    )

    assert len(files) > 5
    assert {path.stat().st_nlink for path in files} == {1}
    assert second.path != first.path
    assert ask(second.python, "import alpha; print(alpha.VERSION)") == "1.0"


# --- locks


@pytest.mark.parametrize("manager", BUILDERS)
def test_a_lock_decides_alone(
    manager: EnvType,
    spec: EnvironmentSpec,
    root: Path,
    make_lock: Callable[..., Path],
    installed: Installed,
) -> None:
    wheels = [
        spec.directory / "wheels" / f"{name}-py3-none-any.whl" for name in ("alpha-1.0", "beta-2.0")
    ]
    locked = replace(spec, lock=LockFile(path=make_lock(*wheels)), constraints=())
    environment = prepare(locked, manager, root=root)

    assert installed(environment.path) == {"alpha": "1.0", "beta": "2.0"}
    assert environment.notes == ()


@pytest.mark.parametrize("manager", BUILDERS)
def test_a_wrong_hash_in_the_lock_fails_and_leaves_nothing(
    manager: EnvType, spec: EnvironmentSpec, root: Path, make_lock: Callable[..., Path]
) -> None:
    wheels = [
        spec.directory / "wheels" / f"{name}-py3-none-any.whl" for name in ("alpha-1.0", "beta-1.0")
    ]
    locked = replace(spec, lock=LockFile(path=make_lock(*wheels, digests={"beta": "0" * 64})))

    with pytest.raises(BuildFailed, match=r"(?i)hash"):
        prepare(locked, manager, root=root)
    assert leftovers(root) == []


@pytest.mark.parametrize("manager", BUILDERS)
def test_a_wrong_hash_of_a_requirement_fails(
    manager: EnvType, spec: EnvironmentSpec, root: Path
) -> None:
    hashed = replace(
        spec, requirements=requirements(f"beta==1.0 --hash=sha256:{'0' * 64}"), constraints=()
    )

    with pytest.raises(BuildFailed, match=r"(?i)hash"):
        prepare(hashed, manager, root=root)


@pytest.mark.parametrize("manager", BUILDERS)
@pytest.mark.parametrize("hashed", ["alpha", "beta", "both"])
def test_where_one_file_has_a_hash_all_must(
    manager: EnvType, hashed: str, spec: EnvironmentSpec, root: Path
) -> None:
    def line(name: str) -> str:
        wheel = spec.directory / "wheels" / f"{name}-1.0-py3-none-any.whl"
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        return f"{name}==1.0" + (f" --hash=sha256:{digest}" if hashed in (name, "both") else "")

    asked = replace(
        spec, requirements=requirements(line("alpha")), constraints=requirements(line("beta"))
    )
    if hashed == "both":
        assert prepare(asked, manager, root=root).built
        return
    with pytest.raises(BuildFailed, match=r"(?i)hash"):
        prepare(asked, manager, root=root)


def test_a_lock_without_hashes_is_not_used_and_that_is_told(
    spec: EnvironmentSpec, root: Path, installed: Installed
) -> None:
    lock = spec.directory / "pylock.toml"
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "alpha"\n'
        'directory = { path = "code" }\n'
    )
    environment = prepare(replace(spec, lock=LockFile(path=lock)), EnvType.UV, root=root)

    assert installed(environment.path) == {"alpha": "1.0", "beta": "1.0"}
    assert "alpha comes from a source folder" in environment.notes[0]


@pytest.mark.parametrize("manager", BUILDERS)
def test_a_build_parses_the_lock_once(
    manager: EnvType,
    spec: EnvironmentSpec,
    root: Path,
    make_lock: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[Path] = []

    def parse(text: str, path: Path) -> Pylock:
        parsed.append(path)
        return original(text, path)

    original = pylock_toml.parse
    monkeypatch.setattr(pylock_toml, "parse", parse)
    wheels = (
        spec.directory / "wheels" / f"{name}-1.0-py3-none-any.whl" for name in ("alpha", "beta")
    )
    lock = make_lock(*wheels)

    prepare(replace(spec, lock=LockFile(path=lock)), manager, root=root)

    assert parsed == [lock]


def test_a_lock_that_contradicts_the_requirements_is_refused(
    spec: EnvironmentSpec, root: Path, make_lock: Callable[..., Path]
) -> None:
    locked = replace(
        spec,
        lock=LockFile(path=make_lock(spec.directory / "wheels" / "alpha-2.0-py3-none-any.whl")),
    )

    with pytest.raises(InvalidFile, match=r"it has alpha 2\.0, but alpha==1\.0 is required"):
        prepare(locked, EnvType.UV, root=root)
    assert leftovers(root) == []


# --- source


@pytest.mark.parametrize("manager", BUILDERS)
def test_a_source_distribution_is_refused_and_nothing_of_it_runs(
    manager: EnvType,
    spec: EnvironmentSpec,
    root: Path,
    make_sdist: Callable[[Path], tuple[Path, Path]],
) -> None:
    _, trace = make_sdist(spec.directory / "wheels")

    with pytest.raises(BuildFailed, match="--allow-source"):
        prepare(replace(spec, requirements=requirements("danger==1.0")), manager, root=root)
    assert not trace.exists()


@pytest.mark.parametrize(
    "line", ["./wheels/danger-1.0.tar.gz", "danger @ file:wheels/danger-1.0.tar.gz", "-e ./code"]
)
def test_local_source_is_refused_before_anything_is_started(
    line: str, spec: EnvironmentSpec, root: Path, make_sdist: Callable[[Path], tuple[Path, Path]]
) -> None:
    _, trace = make_sdist(spec.directory / "wheels")

    with pytest.raises(InvalidFile, match="is source that must be built"):
        prepare(replace(spec, requirements=requirements(line)), EnvType.UV, root=root)
    assert not trace.exists()


def test_a_build_folder_of_conda_is_named(spec: EnvironmentSpec, root: Path) -> None:
    lines = requirements("attrs @ file:///croot/attrs_1695717823297/work")

    with pytest.raises(InvalidFile, match="build folder of conda") as caught:
        prepare(replace(spec, requirements=lines), EnvType.UV, root=root)
    assert "attrs==<version>" in str(caught.value)


# --- overrides


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["beta>=2"], {"alpha": "1.0", "beta": "2.0"}),
        (["beta >= 1 , < 3"], {"alpha": "1.0", "beta": "2.0"}),
        (["Alpha>1 ; python_version >= '3'"], {"alpha": "2.0", "beta": "1.0"}),
        (["beta==2.0 ; python_version < '3'"], {"alpha": "1.0", "beta": "2.0"}),
        (["alpha==2.0", "beta==2.0"], {"alpha": "2.0", "beta": "2.0"}),
    ],
)
def test_overrides_take_the_place_of_requirements_and_constraints(
    overrides: list[str],
    expected: dict[str, str],
    spec: EnvironmentSpec,
    root: Path,
    installed: Installed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    environment = prepare(spec, EnvType.UV, root=root, overrides=overrides)

    assert installed(environment.path) == expected
    assert list((tmp_path / "here").iterdir()) == []
    assert environment.path != prepare(spec, EnvType.UV, root=root).path


def test_pip_gets_overrides_in_the_same_way(
    spec: EnvironmentSpec, root: Path, installed: Installed
) -> None:
    environment = prepare(
        spec, EnvType.VIRTUALENV, root=root, overrides=["beta >= 1 , < 3 ; python_version > '3'"]
    )

    assert installed(environment.path) == {"alpha": "1.0", "beta": "2.0"}


def test_a_wheel_can_be_an_override(
    spec: EnvironmentSpec, root: Path, installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(spec.directory / "wheels")
    environment = prepare(spec, EnvType.UV, root=root, overrides=["./beta-2.0-py3-none-any.whl"])

    assert installed(environment.path) == {"alpha": "1.0", "beta": "2.0"}


def test_overrides_make_the_lock_void_but_its_other_pins_hold(
    spec: EnvironmentSpec, root: Path, make_lock: Callable[..., Path], installed: Installed
) -> None:
    wheels = [
        spec.directory / "wheels" / f"{name}-py3-none-any.whl" for name in ("alpha-1.0", "beta-1.0")
    ]
    locked = replace(spec, lock=LockFile(path=make_lock(*wheels)), constraints=())

    assert installed(prepare(locked, EnvType.UV, root=root, overrides=["alpha==2.0"]).path) == {
        "alpha": "2.0",
        "beta": "1.0",
    }


@pytest.mark.parametrize(
    "override",
    [
        "",
        "--index-url https://evil",
        "-r /etc/passwd",
        "beta\n--index-url x",
        "beta=1",
        "; rm -rf /",
        "$(id)",
        "./source",
    ],
)
def test_an_override_that_is_no_requirement_is_refused(
    override: str, spec: EnvironmentSpec, root: Path
) -> None:
    with pytest.raises(InvalidArgument):
        prepare(spec, EnvType.UV, root=root, overrides=[override])


# --- failures


@pytest.mark.parametrize("manager", BUILDERS)
def test_what_cannot_be_installed_is_told_and_leaves_nothing(
    manager: EnvType, spec: EnvironmentSpec, root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BuildFailed, match="nowhere-to-be-found"):
        prepare(
            replace(spec, requirements=requirements("nowhere-to-be-found==1")), manager, root=root
        )

    assert leftovers(root) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("manager", BUILDERS)
def test_credentials_of_an_index_appear_in_no_message(
    manager: EnvType, spec: EnvironmentSpec, root: Path
) -> None:
    index = options("--index-url http://me:s3cr3t-t0ken@127.0.0.1:9/simple")
    variables = {"UV_HTTP_RETRIES": "0", "PIP_RETRIES": "0"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with pytest.raises(BuildFailed) as raised:
            prepare(replace(spec, options=index), manager, root=root)

    assert "127.0.0.1" in str(raised.value)
    assert "s3cr3t-t0ken" not in str(raised.value)


def test_credentials_do_not_change_the_key_and_stay_nowhere(
    spec: EnvironmentSpec, root: Path
) -> None:
    def with_token(token: str) -> EnvironmentSpec:
        return replace(
            spec,
            options=(
                *spec.options,
                *options(f"--extra-index-url https://me:{token}@example.invalid/simple"),
            ),
        )

    first = prepare(with_token("first-token"), EnvType.UV, root=root)
    second = prepare(with_token("second-token"), EnvType.UV, root=root)

    assert first.path == second.path
    texts = [path.read_bytes() for path in root.rglob("*") if path.is_file()]
    assert not any(b"first-token" in text for text in texts)


def test_an_option_that_uv_does_not_know_is_refused(spec: EnvironmentSpec, root: Path) -> None:
    with pytest.raises(BuildFailed, match="--only-final"):
        prepare(replace(spec, options=options("--only-final :all:")), EnvType.UV, root=root)


def test_packages_that_only_conda_installs_are_told_each_time(
    spec: EnvironmentSpec, root: Path
) -> None:
    asked = replace(spec, conda_packages=("libgomp=13",), conda_alone=("libgomp=13",))

    for _ in range(2):
        assert "libgomp=13" in prepare(asked, EnvType.UV, root=root).notes[0]


# --- local


def test_the_local_environment_is_taken_as_it_is(spec: EnvironmentSpec, root: Path) -> None:
    import sys

    environment = prepare(spec, EnvType.LOCAL, root=root)

    assert (environment.python, environment.built, environment.key) == (
        Path(sys.executable),
        False,
        "",
    )
    assert not root.exists()


def test_a_local_environment_of_another_version_is_told(spec: EnvironmentSpec) -> None:
    assert "3.4.1" in prepare(replace(spec, python="3.4.1"), EnvType.LOCAL).notes[0]


def test_nothing_is_overridden_in_a_local_environment(spec: EnvironmentSpec) -> None:
    with pytest.raises(InvalidArgument):
        prepare(spec, EnvType.LOCAL, overrides=["alpha==2.0"])


def test_progress_is_reported_only_when_something_is_built(
    spec: EnvironmentSpec, root: Path
) -> None:
    said: list[str] = []
    prepare(spec, EnvType.UV, root=root, report=said.append)
    prepare(spec, EnvType.UV, root=root, report=said.append)

    assert len(said) == 1
    assert "uv" in said[0]


@pytest.mark.parametrize("manager", [EnvType.UV, EnvType.VIRTUALENV])
def test_two_wheels_may_bring_the_same_file_which_is_told(
    manager: EnvType, spec: EnvironmentSpec, root: Path, make_wheel: Any
) -> None:
    make_wheel("twin", "1.0", modules=1)
    make_wheel("twin-0", "1.0", content="NUMBER = 'another'\n")
    found = prepare(
        replace(spec, requirements=requirements("twin==1.0", "twin-0==1.0")), manager, root=root
    )

    assert [*verification.problems(found.path)] == []
    assert [
        note for note in found.notes if "twin-1.0 and twin_0-1.0 contain the same files" in note
    ]
