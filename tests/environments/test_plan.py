"""What decides an environment, and what does not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envkit.environments import cache_key, local_files, plan
from envkit.environments.env_type import EnvType
from envkit.environments.installers import index_settings
from envkit.environments.store.digests import Digests
from envkit.errors import InvalidFile
from envkit.formats.pylock_toml import LockFile
from envkit.interpreters.interpreter import Interpreter
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.requirements import options, requirements, texts

PYTHON = Interpreter(
    executable=Path("/usr/bin/python3.11"),
    version="3.11.7",
    implementation="cpython",
    platform="linux-x86_64",
    abi="cpython-311-x86_64-linux-gnu",
)


def key(
    spec: EnvironmentSpec,
    manager: EnvType = EnvType.UV,
    python: Interpreter = PYTHON,
    **options: Any,
) -> str:
    return plan.of(spec, **options).key(manager, python)


SAME: dict[str, Callable[[EnvironmentSpec], EnvironmentSpec]] = {
    "order": lambda spec: replace(spec, requirements=tuple(reversed(spec.requirements))),
    "white space": lambda spec: replace(
        spec, requirements=requirements(*(f" {line}  " for line in spec.requirements))
    ),
    "repetition": lambda spec: replace(spec, requirements=spec.requirements * 2),
    "variables": lambda spec: replace(spec, variables=("TOKEN",)),
    "what builds source, when none is built": lambda spec: replace(
        spec, build_dependencies=requirements("pip==1.0")
    ),
}

DIFFERENT: dict[str, Callable[[EnvironmentSpec], EnvironmentSpec]] = {
    "a version": lambda spec: replace(spec, requirements=requirements("alpha==2.0", "beta")),
    "one more": lambda spec: replace(
        spec, requirements=(*spec.requirements, *requirements("gamma"))
    ),
    "a constraint": lambda spec: replace(spec, constraints=requirements("beta==2.0")),
    "a constraint as a requirement": lambda spec: replace(
        spec, requirements=(*spec.requirements, *spec.constraints), constraints=()
    ),
    "an index": lambda spec: replace(
        spec, options=options("--index-url https://example.invalid/simple")
    ),
    "the order of indexes": lambda spec: replace(spec, options=tuple(reversed(spec.options))),
}


@pytest.fixture
def spec(spec: EnvironmentSpec) -> EnvironmentSpec:
    return replace(spec, requirements=requirements("alpha==1.0", "beta"))


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_equal_needs_have_one_key(
    spec: EnvironmentSpec, change: Callable[[EnvironmentSpec], EnvironmentSpec]
) -> None:
    assert key(spec) == key(change(spec))


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_other_needs_have_another_key(
    spec: EnvironmentSpec, change: Callable[[EnvironmentSpec], EnvironmentSpec]
) -> None:
    assert key(spec) != key(change(spec))


@pytest.mark.parametrize(
    "other",
    [
        {"version": "3.11.8"},
        {"platform": "linux-aarch64"},
        {"implementation": "pypy"},
        {"abi": "cpython-311d-x86_64-linux-gnu"},
    ],
)
def test_the_interpreter_decides(spec: EnvironmentSpec, other: dict[str, Any]) -> None:
    assert key(spec) != key(spec, python=replace(PYTHON, **other))


def test_where_the_interpreter_lies_does_not(spec: EnvironmentSpec) -> None:
    assert key(spec) == key(spec, python=replace(PYTHON, executable=Path("/opt/python")))


def test_the_manager_decides(spec: EnvironmentSpec) -> None:
    assert key(spec) != key(spec, manager=EnvType.VIRTUALENV)


def test_building_from_source_and_what_builds_decide(spec: EnvironmentSpec) -> None:
    pinned = replace(spec, build_dependencies=requirements("setuptools==65.5.0", "wheel"))

    assert len({key(spec), key(spec, allow_source=True), key(pinned, allow_source=True)}) == 3


def test_only_pinned_tools_constrain_builds_and_only_where_these_are_allowed(
    spec: EnvironmentSpec,
) -> None:
    stated = replace(spec, build_dependencies=requirements("pip", "setuptools==65.5.0", "wheel<1"))

    assert texts(plan.of(stated, allow_source=True).build_constraints) == ("setuptools==65.5.0",)
    assert plan.of(stated).build_constraints == ()


def test_overrides_decide_by_their_result(spec: EnvironmentSpec) -> None:
    assert key(spec, overrides=["alpha==2.0"]) == key(
        replace(spec, requirements=requirements("beta", "alpha==2.0"))
    )


def test_the_content_of_the_lock_decides_and_not_its_place(
    spec: EnvironmentSpec, make_lock: Callable[..., Path], tmp_path: Path
) -> None:
    lock = make_lock()
    (tmp_path / "pylock.copy.toml").write_bytes(lock.read_bytes())
    locked, copied = (
        replace(spec, lock=LockFile(path=lock)),
        replace(spec, lock=LockFile(path=tmp_path / "pylock.copy.toml")),
    )
    before = key(locked)

    assert key(copied) == before != key(spec)
    lock.write_text(lock.read_text() + '[[packages]]\nname = "gamma"\n')
    assert key(replace(locked, lock=LockFile(path=lock))) != before


LOCK = """lock-version = "1.0"
created-by = "one"
[[packages]]
name = "alpha"
index = "https://me:token@host/simple"
[[packages.wheels]]
url = "https://host/alpha-1.0-py3-none-any.whl"
[[packages]]
name = "beta"
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('"one"', '"two"', True),
        ("[[packages]]", "\n# why\n  [[packages]]", True),
        ("me:token@", "", True),
        ("me:token@", "${INDEX_HOST_TOKEN}@", True),
        ('[[packages]]\nname = "beta"\n', "", False),
        ("beta", "gamma", False),
        ("host/simple", "other/simple", False),
        ("alpha-1.0", "alpha-1.1", False),
    ],
)
def test_what_means_nothing_in_a_lock_does_not_decide(
    spec: EnvironmentSpec, tmp_path: Path, old: str, new: str, same: bool
) -> None:
    lock, other = tmp_path / "pylock.toml", tmp_path / "pylock.other.toml"
    lock.write_text(LOCK)
    other.write_text(LOCK.replace(old, new))

    assert lock.read_text() != other.read_text()
    assert (
        key(replace(spec, lock=LockFile(path=lock)))
        == key(replace(spec, lock=LockFile(path=other)))
    ) is same


def test_the_order_of_packages_in_a_lock_does_not_decide(
    spec: EnvironmentSpec, tmp_path: Path
) -> None:
    head, alpha, beta = LOCK.split("[[packages]]\n")
    keys = set()
    for number, parts in enumerate([(head, alpha, beta), (head, beta, alpha)]):
        path = tmp_path / f"pylock.{number}.toml"
        path.write_text("[[packages]]\n".join(parts))
        keys.add(key(replace(spec, lock=LockFile(path=path))))

    assert len(keys) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Foo_Bar == 1.0", "foo-bar==1.0", True),
        ("foo[b, a]>=1,<2", "foo[a,b] <2, >=1", True),
        ("foo==1 ; python_version>'3'", "foo == 1 ;  python_version>'3'", True),
        (
            "foo @ https://me:secret@host/foo-1-py3-none-any.whl",
            "foo @ https://host/foo-1-py3-none-any.whl",
            True,
        ),
        ("foo==1 --hash=sha256:aa", "foo==1   --hash=sha256:aa", True),
        ("foo==1 --hash=sha256:aa", "foo==1 --hash=sha256:bb", False),
        ("foo[a]==1", "foo[b]==1", False),
        ("foo==1", "foo===1", False),
        ("foo==1 ; python_version>'3'", "foo==1 ; python_version<'3'", False),
        (
            "foo @ https://host/foo-1-py3-none-any.whl",
            "foo @ https://host/foo-2-py3-none-any.whl",
            False,
        ),
        ("foo @ git+https://host/a/b@main", "foo @ git+https://host/a/B@main", False),
    ],
)
def test_the_spelling_of_a_requirement_does_not_decide(one: str, other: str, same: bool) -> None:
    (first,), (second,) = requirements(one), requirements(other)

    assert (cache_key.requirement(first) == cache_key.requirement(second)) is same


def test_the_c_library_of_the_machine_decides(
    spec: EnvironmentSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key(spec)
    monkeypatch.setattr(os, "confstr", lambda _: "glibc 2.12")

    assert key(spec) != before


# --- the machine's indexes


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The variables of a machine on which nothing is configured."""
    return {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "c"),
        "XDG_CONFIG_DIRS": str(tmp_path / "d"),
    }


@pytest.mark.parametrize(
    ("manager", "variables", "file", "text"),
    [
        (EnvType.UV, {"UV_INDEX_URL": "https://me:{}@host/simple"}, "", ""),
        (EnvType.UV, {"UV_INDEX": "https://me:{}@host/simple"}, "", ""),
        (EnvType.UV, {"UV_DEFAULT_INDEX": "https://me:{}@host/simple"}, "", ""),
        (EnvType.UV, {"UV_EXTRA_INDEX_URL": "https://me:{}@host/simple"}, "", ""),
        (EnvType.UV, {}, "c/uv/uv.toml", 'index-url = "https://me:{}@host/simple"\n'),
        (EnvType.UV, {}, "c/uv/uv.toml", '[[index]]\nurl = "https://me:{}@host/simple"\n'),
        (EnvType.VIRTUALENV, {"PIP_INDEX_URL": "https://me:{}@host/simple"}, "", ""),
        (EnvType.VIRTUALENV, {"PIP_EXTRA_INDEX_URL": "https://me:{}@host/simple"}, "", ""),
        (
            EnvType.VIRTUALENV,
            {},
            "c/pip/pip.conf",
            "[global]\nindex-url = https://me:{}@host/simple\n",
        ),
        (
            EnvType.VIRTUALENV,
            {},
            "d/pip/pip.conf",
            "[install]\nextra-index-url =\n  https://me:{}@host/simple\n",
        ),
        (
            EnvType.VIRTUALENV,
            {},
            ".pip/pip.conf",
            "[global]\nfind-links = https://me:{}@host/simple\n",
        ),
        (
            EnvType.VIRTUALENV,
            {"PIP_CONFIG_FILE": "{0}"},
            "my.conf",
            "[global]\nindex-url = https://me:{}@host/simple\n",
        ),
    ],
)
def test_an_index_of_the_machine_decides_without_its_credentials(
    manager: EnvType,
    variables: dict[str, str],
    file: str,
    text: str,
    machine: dict[str, str],
    tmp_path: Path,
) -> None:
    found = []
    for secret in ("first-secret", "second-secret"):
        if file:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text.format(secret))
        given = {
            name: value.format(tmp_path / file if "{0}" in value else secret)
            for name, value in variables.items()
        }
        found.append(index_settings.deciding(manager, None, {**machine, **given}))

    assert found[0] == found[1] != ()
    assert "host/simple" in found[0][0]
    assert "secret" not in str(found)


def test_what_does_not_say_where_packages_come_from_does_not_decide(
    machine: dict[str, str],
) -> None:
    noise = {"UV_HTTP_TIMEOUT": "9", "PIP_TIMEOUT": "9", "UV_CACHE_DIR": "/x", "UV_INDEX": " "}

    assert index_settings.deciding(EnvType.UV, None, {**machine, **noise}) == ()
    assert index_settings.deciding(EnvType.VIRTUALENV, None, {**machine, **noise}) == ()


def test_a_lock_that_names_every_file_by_its_digest_makes_indexes_meaningless(
    machine: dict[str, str], spec: EnvironmentSpec, make_lock: Callable[..., Path]
) -> None:
    lock = make_lock(spec.directory / "wheels" / "alpha-1.0-py3-none-any.whl")
    environ = {**machine, "UV_INDEX_URL": "https://host/simple"}

    assert index_settings.deciding(EnvType.UV, LockFile(path=lock), environ) == ()
    lock.write_text(
        lock.read_text().split("wheels")[0] + 'vcs = { type = "git", url = "u", commit-id = "c" }\n'
    )
    assert index_settings.deciding(EnvType.UV, LockFile(path=lock), environ) != ()


# --- digests of large files


def test_a_large_file_is_read_once_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, memory = tmp_path / "large.whl", tmp_path / "store" / "digests.json"
    large.write_bytes(b"1" * 2_000_000)
    os.utime(large, (1_000_000_000, 1_000_000_000))
    first = Digests(memory).of(large)
    with monkeypatch.context() as patch:
        patch.setattr(local_files, "file_digest", None)
        assert Digests(memory).of(large) == first
    large.write_bytes(b"2" * 2_000_000)

    assert Digests(memory).of(large) == local_files.digest(large) != first


def test_a_file_that_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "large.whl").write_bytes(b"1" * 2_000_000)
    Digests(tmp_path / "digests.json").of(tmp_path / "large.whl")

    assert not (tmp_path / "digests.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}', "null"])
def test_a_damaged_memory_of_digests_does_no_harm(tmp_path: Path, text: str) -> None:
    (tmp_path / "digests.json").write_text(text)
    large = tmp_path / "large.whl"
    large.write_bytes(b"1" * 2_000_000)

    assert Digests(tmp_path / "digests.json").of(large) == local_files.digest(large)


def test_the_model_may_move_with_its_wheels(spec: EnvironmentSpec, tmp_path: Path) -> None:
    local = replace(spec, requirements=requirements("./wheels/alpha-1.0-py3-none-any.whl"))
    before = key(local)
    spec.directory.rename(tmp_path / "moved")

    assert key(replace(local, directory=tmp_path / "moved")) == before


def test_the_content_of_a_wheel_folder_in_the_model_decides(
    spec: EnvironmentSpec, make_wheel: Any
) -> None:
    before = key(spec)
    make_wheel("alpha", "1.0", content="CHANGED = True\n")

    assert key(spec) != before


def test_a_wheel_that_is_not_there_is_told(spec: EnvironmentSpec) -> None:
    with pytest.raises(InvalidFile, match=r"gone-1\.0-py3-none-any\.whl: cannot be read"):
        key(replace(spec, requirements=requirements("wheels/gone-1.0-py3-none-any.whl")))


# --- lines with paths

HERE = Path("/model dir")
AT = "file:///model%20dir"

LINES = [
    ("numpy==1.26.4", "numpy==1.26.4", None),
    ("numpy>=1.26 ; python_version<'4'", "numpy>=1.26 ; python_version<'4'", None),
    ("pkg[extra]~=1.0 --hash=sha256:00", "pkg[extra]~=1.0 --hash=sha256:00", None),
    (
        "pkg @ https://host/pkg-1.0-py3-none-any.whl",
        "pkg @ https://host/pkg-1.0-py3-none-any.whl",
        None,
    ),
    ("pkg @ git+https://host/a/b@main", "pkg @ git+https://host/a/b@main", None),
    ("git+ssh://git@host/a/b.git", "git+ssh://git@host/a/b.git", None),
    ("https://host/x/pkg-1.0.tar.gz", "https://host/x/pkg-1.0.tar.gz", None),
    ("-e git+https://host/a/b#egg=b", "-e git+https://host/a/b#egg=b", None),
    ("./pkg-1.0-py3-none-any.whl", f"{AT}/pkg-1.0-py3-none-any.whl", "pkg-1.0-py3-none-any.whl"),
    (
        "w/pkg-1.0-py3-none-any.whl",
        f"{AT}/w/pkg-1.0-py3-none-any.whl",
        "w/pkg-1.0-py3-none-any.whl",
    ),
    ("pkg-1.0-py3-none-any.whl", f"{AT}/pkg-1.0-py3-none-any.whl", "pkg-1.0-py3-none-any.whl"),
    ("./a.whl[x,y] ; python_version>'3'", f"{AT}/a.whl[x,y] ; python_version>'3'", "a.whl"),
    ("./a.whl --hash=sha256:00", f"{AT}/a.whl --hash=sha256:00", "a.whl"),
    ("pkg @ file:w/a.whl", f"pkg @ {AT}/w/a.whl", "w/a.whl"),
    ("pkg@file:w/a.whl", f"pkg @ {AT}/w/a.whl", "w/a.whl"),
    (
        "pkg[x] @ file:///abs/a.whl ; os_name=='posix'",
        "pkg[x] @ file:///abs/a.whl ; os_name=='posix'",
        "/abs/a.whl",
    ),
    ("file:///abs/a%20b.whl", "file:///abs/a%20b.whl", "/abs/a b.whl"),
    ("/abs/a b.whl", "file:///abs/a%20b.whl", "/abs/a b.whl"),
    ("-e .", f"-e {AT}", "."),
    ("-e ./src", f"-e {AT}/src", "src"),
    ("--editable=src", f"-e {AT}/src", "src"),
]


@pytest.mark.parametrize(("line", "expected", "path"), LINES, ids=[line for line, _, _ in LINES])
def test_local_paths_become_absolute_and_the_rest_stays(
    line: str, expected: str, path: str | None
) -> None:
    (requirement,) = requirements(line)

    absolute, found = local_files.rebased(requirement, HERE)

    assert str(absolute) == expected
    assert found == (None if path is None else HERE / path)


def test_a_folder_is_told_by_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.py").write_text("1")
    digests = {local_files.digest(tmp_path)}
    (tmp_path / "a" / "__pycache__").mkdir()
    (tmp_path / "a" / "__pycache__" / "x.pyc").write_text("cached")
    digests.add(local_files.digest(tmp_path))
    assert len(digests) == 1

    (tmp_path / "a" / "x.py").rename(tmp_path / "a" / "y.py")
    digests.add(local_files.digest(tmp_path))
    (tmp_path / "a" / "y.py").write_text("2")
    digests.add(local_files.digest(tmp_path))
    assert len(digests) == 3


@pytest.mark.parametrize(
    "line", ["./wheels/Al_pha-1.0-py3-none-any.whl", "./wheels/Al_pha-1.0-py3-none-any.whl[fast]"]
)
def test_an_override_takes_the_place_of_a_wheel_of_the_model(
    spec: EnvironmentSpec, line: str
) -> None:
    stated = replace(spec, requirements=requirements(line, "beta"))

    changed = plan.of(stated, overrides=["al-pha==2.0"])

    assert texts(changed.requirements) == ("beta", "al-pha==2.0")


@pytest.mark.parametrize("where", ["requirements", "constraints"])
def test_with_an_override_the_wheel_of_a_commit_takes_the_place_of_its_address(
    model: Path, make_wheel: Any, where: str
) -> None:
    wheel = make_wheel("tool", "1.0")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    url = "git+file:///home/me/tool@" + "0" * 40
    (model / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "tool"\nversion = "1.0"\n'
        f'archive = {{ path = "wheels/{wheel.name}", hashes = {{ sha256 = "{digest}" }} }}\n'
        f'[packages.tool.envkit]\nbuilt-from = "{url}"\n'
    )
    stated: dict[str, Any] = {where: requirements(f"tool[x] @ {url}")}
    spec = EnvironmentSpec(
        directory=model, python="3.11.7", lock=LockFile(path=model / "pylock.toml"), **stated
    )

    overridden = plan.of(spec, overrides=["other==2"])

    assert texts(getattr(overridden, where))[0] == f"tool[x] @ {wheel.as_uri()}"
    assert getattr(plan.of(spec), where) == stated[where]


def test_what_is_assumed_is_installed_where_there_is_no_lock(
    spec: EnvironmentSpec, tmp_path: Path
) -> None:
    assumed = replace(spec, assumed=requirements("setuptools==65.5.0"))
    lock = tmp_path / "pylock.toml"
    lock.write_text('lock-version = "1.0"\ncreated-by = "test"\npackages = []\n')

    stated = texts(spec.requirements)
    assert texts(plan.of(assumed).requirements) == (*stated, "setuptools==65.5.0")
    overridden = plan.of(assumed, overrides=["setuptools<81"])
    assert texts(overridden.requirements) == (*stated, "setuptools<81")
    assert plan.of(replace(assumed, lock=LockFile(path=lock))).requirements == spec.requirements
