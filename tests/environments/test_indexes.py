"""Indexes that disagree, and yanked packages: real indexes, real installers."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.environments.env_type import EnvType
from envkit.errors import BuildFailed
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement_lines import Option
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders import package_index
from tests.builders.environments import prepare
from tests.builders.requirements import options, requirements
from tests.builders.wheels import write_wheel

BUILDERS = [EnvType.UV, EnvType.VIRTUALENV]


@pytest.fixture
def indexes(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two indexes: both have `shared` (different files) and `mirrored` (the same files)."""
    folders = [tmp_path / "index-a", tmp_path / "index-b"]
    for folder, only in zip(folders, ("alone-a", "alone-b"), strict=True):
        package_index.add_wheel(folder, only, "1.0")
        package_index.add_wheel(folder, "mirrored", "1.0")
        page = folder / "simple" / "shared"
        page.mkdir()
        write_wheel(page, "shared", "1.0", content=f"FROM = {folder.name!r}\n")
        package_index.write_page(page)
    with ExitStack() as stack:
        served = [stack.enter_context(package_index.serve_folder(folder)) for folder in folders]
        yield f"http://{served[0]}/simple", f"http://{served[1]}/simple"


def asking(spec: EnvironmentSpec, *lines: str, options: tuple[Option, ...]) -> EnvironmentSpec:
    return replace(spec, requirements=requirements(*lines), constraints=(), options=options)


@pytest.mark.parametrize("manager", BUILDERS)
@pytest.mark.parametrize("turned", [False, True])
def test_one_name_on_two_indexes_is_refused_in_any_order(
    manager: EnvType, turned: bool, spec: EnvironmentSpec, root: Path, indexes: tuple[str, str]
) -> None:
    first, second = reversed(indexes) if turned else indexes
    asked = asking(
        spec, "shared==1.0", options=options(f"--index-url {first}", f"--extra-index-url {second}")
    )

    with pytest.raises(BuildFailed, match=r"shared==1\.0") as raised:
        prepare(asked, manager, root=root)
    assert first in str(raised.value)
    assert second in str(raised.value)
    assert not list(root.glob("environments/*"))


def test_an_index_of_the_machine_counts_too(
    spec: EnvironmentSpec, root: Path, indexes: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_INDEX", indexes[1].replace("://", "://me:secret-word@"))
    asked = asking(spec, "shared", options=options(f"--index-url {indexes[0]}"))

    with pytest.raises(BuildFailed, match="shared") as raised:
        prepare(asked, EnvType.UV, root=root)
    assert "secret-word" not in str(raised.value)


@pytest.mark.parametrize("manager", BUILDERS)
def test_mirrors_and_names_on_one_index_are_no_conflict(
    manager: EnvType, spec: EnvironmentSpec, root: Path, indexes: tuple[str, str]
) -> None:
    both = options(f"--index-url {indexes[0]}", f"--extra-index-url {indexes[1]}")
    asked = asking(spec, "alone-a==1.0", "alone-b==1.0", "mirrored==1.0", options=both)

    assert prepare(asked, manager, root=root).built


@pytest.mark.parametrize("manager", BUILDERS)
def test_a_withdrawn_package_is_installed_when_it_is_pinned_and_told(
    manager: EnvType, spec: EnvironmentSpec, root: Path, tmp_path: Path
) -> None:
    package_index.add_wheel(tmp_path / "index", "gone", "1.0")
    page = tmp_path / "index" / "simple" / "gone" / "index.html"
    page.write_text(page.read_text().replace("<a ", '<a data-yanked="it is broken" '))
    with package_index.serve_folder(tmp_path / "index") as host:
        asked = asking(spec, "gone==1.0", options=options(f"--index-url http://{host}/simple"))
        environment = prepare(asked, manager, root=root)

    assert environment.built
    assert any("yanked" in note and "gone" in note for note in environment.notes), environment.notes


@pytest.mark.parametrize(
    ("manager", "answers"), [*((each, True) for each in BUILDERS), (EnvType.UV, False)]
)
def test_a_withdrawn_version_of_a_lock_with_hashes_is_told_where_an_index_answers(
    manager: EnvType, answers: bool, spec: EnvironmentSpec, root: Path, tmp_path: Path
) -> None:
    wheels = [package_index.add_wheel(tmp_path / "index", name, "1.0") for name in ("gone", "good")]
    page = wheels[0].with_name("index.html")
    page.write_text(page.read_text().replace("<a ", '<a data-yanked="it is broken" '))
    lock = spec.directory / "pylock.toml"
    with package_index.serve_folder(tmp_path / "index") as host:
        index = f"http://{host}/simple" if answers else "http://127.0.0.1:9/simple"
        entries = (locked(wheel, f"http://{host}/simple", index) for wheel in wheels)
        lock.write_text("\n".join(['lock-version = "1.0"', 'created-by = "test"', *entries]))
        environment = prepare(
            replace(asking(spec, "gone==1.0", options=()), lock=LockFile(path=lock)),
            manager,
            root=root,
        )
    notes = [note for note in environment.notes if "yanked" in note]

    assert len(notes) == answers, environment.notes
    assert all("gone" in note and "it is broken" in note for note in notes)
    assert not (environment.path / ".envkit-build").exists()


def locked(wheel: Path, place: str, index: str) -> str:
    name, version = wheel.name.split("-")[:2]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    file = f'{{ url = "{place}/{name}/{wheel.name}", hashes = {{ sha256 = "{digest}" }} }}'
    return (
        f'[[packages]]\nname = "{name}"\nversion = "{version}"\nindex = "{index}"\n'
        f"wheels = [{file}]"
    )


@pytest.mark.parametrize("manager", BUILDERS)
def test_a_download_that_fails_leaves_nothing_and_the_next_run_builds(
    manager: EnvType,
    spec: EnvironmentSpec,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("UV_HTTP_RETRIES", "PIP_RETRIES"):
        monkeypatch.setenv(name, "0")
    wheel = package_index.add_wheel(tmp_path / "index", "cut", "1.0")
    whole = wheel.read_bytes()
    with package_index.serve_folder(tmp_path / "index") as host:
        asked = asking(spec, "cut==1.0", options=options(f"--index-url http://{host}/simple"))
        wheel.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(BuildFailed):
            prepare(asked, manager, root=root)
        left = list(root.glob("environments/*"))
        wheel.write_bytes(whole)
        again = prepare(asked, manager, root=root)

    assert left == []
    assert again.built
    shutil.rmtree(again.path)
