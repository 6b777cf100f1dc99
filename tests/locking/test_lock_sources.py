"""Hashes come from a `uv.lock`, an index behind a password, or pip's own settings."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.locking.lock import Locked, Unlocked, lock
from tests.builders import package_index
from tests.builders.locks import FACTS, installed, locked_packages, packages_of
from tests.builders.sites import Site
from tests.builders.wheels import write_wheel

UV_LOCK = """
version = 1
requires-python = ">=3.11"

[[package]]
name = "acme"
version = "{version}"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [
    {{ url = "https://me:secret@files.example/{wheel}", hash = "sha256:{digest}", size = 1 }},
]
""".replace("{wheel}", "acme-1.0-py3-none-any.whl")
DIGEST = "a" * 64


@pytest.mark.parametrize("beside", [True, False])
def test_a_uv_lock_is_believed_without_any_index(
    site: Site, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    model, project = tmp_path / "model", tmp_path / "project" / "inner"
    model.mkdir()
    project.mkdir(parents=True)
    monkeypatch.chdir(project)
    where = model if beside else project.parent
    (where / "uv.lock").write_text(UV_LOCK.format(version="1.0", digest=DIGEST))
    site.install("acme", "1.0")

    package = locked_packages(lock(installed(site, "acme"), FACTS, model=model), tmp_path)["acme"]
    assert package["wheels"] == [
        {"url": "https://files.example/acme-1.0-py3-none-any.whl", "hashes": {"sha256": DIGEST}}
    ]


@pytest.mark.parametrize(
    "text", [UV_LOCK.format(version="2.0", digest=DIGEST), "version = [", "package = 1"]
)
def test_a_uv_lock_of_other_versions_or_of_another_form_says_nothing(
    site: Site, index: Path, tmp_path: Path, text: str
) -> None:
    wheel = write_wheel(index, "acme", "1.0")
    (tmp_path / "uv.lock").write_text(text)
    site.install("acme", "1.0")

    package = locked_packages(lock(installed(site, "acme"), FACTS, model=tmp_path), tmp_path)[
        "acme"
    ]
    assert package["wheels"][0]["hashes"] == {
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()
    }


@pytest.mark.parametrize("told", ["uv", "pip"])
def test_an_index_behind_a_password_is_named_with_placeholders(
    site: Site, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    wheel = package_index.add_wheel(tmp_path, "acme", "1.0+cpu")
    site.install("acme", "1.0+cpu")
    with package_index.serve_folder(tmp_path, login="joe:s3cret") as host:
        monkeypatch.setenv(
            "UV_DEFAULT_INDEX" if told == "uv" else "PIP_INDEX_URL",
            f"http://joe:s3cret@{host}/simple",
        )
        result = lock(installed(site, "acme"), FACTS)

    package = locked_packages(result, tmp_path)["acme"]
    assert isinstance(result, Locked)
    assert "s3cret" not in result.text
    assert package["version"] == "1.0+cpu"
    assert package["index"] == (
        f"http://${{INDEX_127_0_0_1_USERNAME}}:${{INDEX_127_0_0_1_PASSWORD}}@{host}/simple"
    )
    assert package["wheels"][0]["hashes"] == {
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()
    }


def test_what_uv_does_not_know_is_found_where_pip_is_told_to_look(
    site: Site, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(index, "acme", "1.0")
    folder = tmp_path / "of-pip"
    folder.mkdir()
    wheel = write_wheel(folder, "private", "1.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for name in ("acme", "private"):
        site.install(name, "1.0")

    packages = locked_packages(lock(installed(site, "acme", "private"), FACTS), tmp_path)
    assert packages["private"]["wheels"] == [
        {
            "url": wheel.as_uri(),
            "hashes": {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()},
        }
    ]


def test_what_neither_knows_is_told(
    site: Site, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    site.install("private", "1.0")

    result = lock(installed(site, "private"), FACTS)
    assert result == Unlocked(
        reasons=("no index that uv nor pip-tools knows has a wheel of private==1.0",),
        not_on_index=frozenset({"private"}),
    )


def test_an_index_that_does_not_answer_costs_seconds_and_is_named_without_its_password(
    site: Site, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://joe:s3cret@127.0.0.1:9/simple")
    site.install("acme", "1.0")

    begun = time.monotonic()
    result = lock(installed(site, "acme"), FACTS)
    assert time.monotonic() - begun < 8
    assert isinstance(result, Unlocked)
    assert "127.0.0.1:9" in result.reasons[0]
    assert "s3cret" not in result.reasons[0]


def test_without_a_network_what_uv_has_in_its_cache_is_enough(
    site: Site, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    package_index.add_wheel(tmp_path, "acme", "1.0")
    site.install("acme", "1.0")
    with package_index.serve_folder(tmp_path) as host:
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://{host}/simple")
        before = lock(_acme(site), FACTS)

    assert isinstance(before, Locked)
    assert lock(_acme(site), FACTS) == before


def _acme(site: Site) -> list[Distribution]:
    return [each for each in [InstalledDistributions([str(site.folder)]).named("acme")] if each]


def test_an_entry_has_no_time_of_upload() -> None:
    from envkit.locking.lock import lasting

    uploaded = {"upload-time": datetime(2026, 1, 1, tzinfo=UTC), "hashes": {"sha256": "00"}}
    wheel = {"url": "https://h.example/a-1.0-py3-none-any.whl", **uploaded}
    sdist = {"url": "https://h.example/a-1.0.tar.gz", **uploaded}
    (package,) = packages_of({"name": "a", "wheels": [wheel], "sdist": sdist})

    kept = lasting(package)

    (kept_wheel,) = kept.wheels or ()
    assert kept_wheel.upload_time is None
    assert kept_wheel.url == wheel["url"]
    assert kept.sdist is not None
    assert kept.sdist.upload_time is None
