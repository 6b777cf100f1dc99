"""Which of uv's settings reach an installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.environments.env_type import EnvType
from envkit.formats import uv_toml
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environments import prepare
from tests.builders.requirements import requirements


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_says_where_packages_come_from_is_kept_and_what_to_choose_is_not(
    tmp_path: Path,
) -> None:
    file = write(
        tmp_path / "my.toml",
        'index-url = "https://h/simple"\nresolution = "lowest"\nno-binary = true\noffline = true\n'
        '[pip]\nextra-index-url = ["https://h/more"]\ntarget = "/x"\nno-deps = true\n',
    )

    assert uv_toml.of_machine({"UV_CONFIG_FILE": str(file)}) == {
        "index-url": "https://h/simple",
        "offline": True,
        "extra-index-url": ["https://h/more"],
    }


def test_the_users_file_comes_before_the_systems(tmp_path: Path) -> None:
    write(tmp_path / "user" / "uv" / "uv.toml", 'index-url = "https://user/simple"\n')
    write(
        tmp_path / "system" / "uv" / "uv.toml",
        'index-url = "https://system/simple"\nsystem-certs = true\n',
    )
    environ = {
        "XDG_CONFIG_HOME": str(tmp_path / "user"),
        "XDG_CONFIG_DIRS": str(tmp_path / "system"),
    }

    assert uv_toml.of_machine(environ) == {"index-url": "https://user/simple", "system-certs": True}


def test_relative_places_start_at_the_file(tmp_path: Path) -> None:
    file = write(
        tmp_path / "uv.toml", 'find-links = ["wheels"]\n[[index]]\nname = "a"\nurl = "./simple"\n'
    )

    assert uv_toml.of_machine({"UV_CONFIG_FILE": str(file)}) == {
        "find-links": [(tmp_path / "wheels").as_uri()],
        "index": [{"name": "a", "url": (tmp_path / "simple").as_uri()}],
    }


@pytest.mark.parametrize("text", ["not toml", "pip = 1\n", ""])
def test_a_file_that_says_nothing_usable_is_no_settings(tmp_path: Path, text: str) -> None:
    assert uv_toml.of_machine({"UV_CONFIG_FILE": str(write(tmp_path / "uv.toml", text))}) == {}


def test_uv_finds_packages_where_its_settings_say_and_obeys_nothing_else_of_them(
    spec: EnvironmentSpec,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    installed: Callable[[Path], dict[str, str]],
) -> None:
    settings = (
        f'no-index = true\nfind-links = ["{spec.directory / "wheels"}"]\nresolution = "lowest"\n'
    )
    file = write(tmp_path / "settings" / "uv.toml", f"{settings}[pip]\nno-deps = true\n")
    monkeypatch.setenv("UV_CONFIG_FILE", str(file))
    free = replace(spec, options=(), requirements=requirements("alpha"), constraints=())

    assert installed(prepare(free, EnvType.UV, root=root).path) == {"alpha": "2.0", "beta": "2.0"}
