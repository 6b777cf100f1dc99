"""A direct reference that is not a wheel is built only if the user allows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.environments import plan
from envkit.environments.installers import source_builds
from envkit.errors import BuildFailed
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.requirements import requirements


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (
            "a[x] @ git+https://me:secret@host/a.git@1234#subdirectory=s",
            "comes from version control",
        ),
        ("git+ssh://git@host/a.git#egg=a", "comes from version control"),
        ("hg+http://host/a@12", "comes from version control"),
        ("a @ git+file:///home/me/a.whl@1234", "comes from version control"),
        ("a @ https://host/a-1.0.tar.gz#sha256=12", "is not a wheel"),
        ("https://host/a.zip ; python_version > '3'", "is not a wheel"),
    ],
)
def test_source_is_refused_until_it_is_allowed(tmp_path: Path, line: str, why: str) -> None:
    stated = requirements(line)
    spec = EnvironmentSpec(directory=tmp_path, python="3.11", requirements=stated)

    with pytest.raises(BuildFailed, match=why) as raised:
        source_builds.refuse(plan.of(spec), stated)
    assert "--allow-source" in str(raised.value)
    assert "secret" not in str(raised.value)
    source_builds.refuse(plan.of(spec, allow_source=True), stated)


@pytest.mark.parametrize(
    "line",
    [
        "a==1.0",
        "a[x]>=1 ; python_version > '3'",
        "a @ https://host/a-1-py3-none-any.whl?x=1#sha256=12",
        "./a.whl",
    ],
)
def test_wheels_and_pins_are_taken(tmp_path: Path, line: str) -> None:
    spec = EnvironmentSpec(directory=tmp_path, python="3.11")
    source_builds.refuse(plan.of(spec), requirements(line))
