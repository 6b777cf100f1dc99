"""Tiny wheels, and specs that install them without a network."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environment_specs import alpha_spec
from tests.builders.wheels import write_wheel


class MakeWheel(Protocol):
    def __call__(
        self,
        name: str,
        version: str,
        requires: Sequence[str] = (),
        content: str = "",
        modules: int = 0,
    ) -> Path: ...


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
    def make(
        name: str,
        version: str,
        requires: Sequence[str] = (),
        content: str = "",
        modules: int = 0,
        entry_points: str = "",
    ) -> Path:
        return write_wheel(
            model / "wheels", name, version, requires, content, modules, entry_points
        )

    return make


@pytest.fixture
def make_sdist(tmp_path: Path) -> Callable[[Path], tuple[Path, Path]]:
    """Make a source distribution; its setup.py leaves the second path when it is run."""

    def make(folder: Path) -> tuple[Path, Path]:
        trace = tmp_path / "setup-was-run"
        source = tmp_path / "source" / "danger-1.0"
        source.mkdir(parents=True)
        (source / "setup.py").write_text(
            f"open({str(trace)!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='danger', version='1.0')\n"
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
    """Tell what is installed in an environment: name to version."""

    def look(environment: Path) -> dict[str, str]:
        infos = environment.glob("lib/python*/site-packages/*.dist-info")
        return dict(info.name.removesuffix(".dist-info").split("-") for info in infos)

    return look


def as_a_mere_user() -> list[str]:
    """What to put before a program so that permissions bind it, also when the tests run as root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root cannot lay down its rights here: there is no setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"]


@pytest.fixture
def packable_for(tmp_path: Path) -> Callable[[str], Path]:
    """Make a model for a version of Python, which answers with a package's version and its own."""

    def make(version: str) -> Path:
        folder = tmp_path / "small model"
        (folder / "wheels").mkdir(parents=True)
        write_wheel(folder / "wheels", "alpha", "1.0")
        (folder / "MLmodel").write_text(
            "flavors:\n  python_function:\n    loader_module: own\n    code: code\n"
        )
        (folder / "code").mkdir()
        (folder / "code" / "own.py").write_text(
            "import platform, alpha\nclass M:\n    def predict(self, x, params=None):\n"
            "        return [alpha.VERSION, platform.python_version()]\ndef _load_pyfunc(path):\n    return M()\n"
        )
        (folder / "python_env.yaml").write_text(
            f"python: '{version}'\ndependencies:\n- -r requirements.txt\n"
        )
        (folder / "requirements.txt").write_text("--no-index\n--find-links wheels\nalpha==1.0\n")
        return folder

    return make
