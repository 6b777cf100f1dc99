"""Tiny wheels, and specs that install them without a network."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environment_specs import alpha_spec
from tests.builders.models import loader_code, write_model
from tests.builders.wheels import MakeWheel, write_wheel


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "wheels").mkdir(parents=True)
    return folder.resolve()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the environment store; it does not exist yet."""
    return tmp_path / "store"


@pytest.fixture
def make_wheel(model: Path) -> MakeWheel:
    def make(*arguments: Any, **options: Any) -> Path:
        return write_wheel(model / "wheels", *arguments, **options)

    return make


@pytest.fixture
def make_sdist(tmp_path: Path) -> Callable[[Path], tuple[Path, Path]]:
    """Make a source distribution; its setup.py writes the second path when it runs."""

    def make(folder: Path) -> tuple[Path, Path]:
        trace = tmp_path / "setup-was-run"
        source = tmp_path / "source" / "danger-1.0"
        source.mkdir(parents=True)
        (source / "setup.py").write_text(
            f"open({str(trace)!r}, 'w').close()\n"
            "from setuptools import setup\nsetup(name='danger', version='1.0')\n"
        )
        (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: danger\nVersion: 1.0\n")
        with tarfile.open(folder / "danger-1.0.tar.gz", "w:gz") as archive:
            archive.add(source, "danger-1.0")
        return folder / "danger-1.0.tar.gz", trace

    return make


@pytest.fixture
def spec(model: Path) -> EnvironmentSpec:
    """A spec of `alpha`, which requires `beta`."""
    return alpha_spec(model)


def lock_text(*wheels: Path, digests: dict[str, str] | None = None) -> str:
    lines = ['lock-version = "1.0"', 'created-by = "test"']
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        digest = (digests or {}).get(name) or hashlib.sha256(wheel.read_bytes()).hexdigest()
        path = os.path.relpath(wheel, wheel.parent.parent)
        lines += ["[[packages]]", f'name = "{name}"', f'version = "{version}"']
        lines += [f'wheels = [{{ path = "{path}", hashes = {{ sha256 = "{digest}" }} }}]']
    return "\n".join(lines) + "\n"


@pytest.fixture
def make_lock(model: Path) -> Callable[..., Path]:
    def make(*wheels: Path, digests: dict[str, str] | None = None) -> Path:
        path = model / "pylock.toml"
        path.write_text(lock_text(*wheels, digests=digests))
        return path

    return make


@pytest.fixture
def installed() -> Callable[[Path], dict[str, str]]:
    """Give the versions of the distributions in an environment by name."""

    def look(environment: Path) -> dict[str, str]:
        infos = environment.glob("lib/python*/site-packages/*.dist-info")
        return dict(info.name.removesuffix(".dist-info").split("-") for info in infos)

    return look


@pytest.fixture
def packable_for(tmp_path: Path) -> Callable[[str], Path]:
    """Make a model for a version of Python, which predicts a package's and Python's versions."""

    def make(version: str) -> Path:
        folder = tmp_path / "small model"
        (folder / "wheels").mkdir(parents=True)
        write_wheel(folder / "wheels", "alpha", "1.0")
        return write_model(
            folder,
            loader_code(
                "return [alpha.VERSION, platform.python_version()]", top="import platform, alpha"
            ),
            requirements="--no-index\n--find-links wheels\nalpha==1.0\n",
            python=version,
        )

    return make
