"""Programs and native libraries, and what they belong to."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envkit.analysis.source_file import SourceFiles
from envkit.capturing import native
from envkit.capturing.requirements import select
from envkit.capturing.trace import ProgramRun
from envkit.installed import dpkg
from envkit.installed.distributions import InstalledDistributions
from tests.builders.sites import Site
from tests.builders.traces import READER, process_event, traced

NOBODY = {"debian_package": None, "conda_package": None}


def test_a_console_script_that_is_started_needs_its_distribution(site: Site) -> None:
    site.install("tool", files={"../../../bin/tool": "#!python\n"})
    script = str(site.folder.parents[2] / "bin" / "tool")
    trace, places = traced(site, process_event(script, "tool", "--secret"))

    needed = select(
        trace, InstalledDistributions([str(site.folder)]), places, SourceFiles()
    ).requirements

    assert [each.distribution.name for each in needed] == ["tool"]
    assert [type(reason) for reason in needed[0].reasons] == [ProgramRun]
    assert native.processes(trace, places) == [
        {"program": "bin/tool", "distribution": "tool", **NOBODY}
    ]


def test_a_library_that_ctypes_loads_needs_its_distribution(site: Site) -> None:
    site.install("fast", files={"fast.libs/libfast.so.1": ""})
    site.install("other", files={"other.libs/libother.so": ""})
    loaded = [site.file("fast.libs/libfast.so.1"), site.file("other.libs/libother.so")]
    trace, places = traced(
        site,
        {"event": "library", "path": "libfast.so.1", **READER},
        {"event": "libraries", "paths": [*loaded, "/usr/lib/libz.so.1"]},
    )

    needed = select(
        trace, InstalledDistributions([str(site.folder)]), places, SourceFiles()
    ).requirements

    assert [each.distribution.name for each in needed] == ["fast"]
    assert [(each["path"], each["distribution"]) for each in native.libraries(trace, places)] == [
        ("fast.libs/libfast.so.1", "fast"),
        ("other.libs/libother.so", "other"),
    ]


def test_a_program_that_does_not_exist_is_recorded_by_its_name(site: Site) -> None:
    trace, places = traced(site, process_event(None, "nowhere", "x"))

    assert [each["program"] for each in native.processes(trace, places)] == ["nowhere"]


@pytest.mark.parametrize(
    ("argv", "flags"),
    [
        (["-I", "-c", "1"], ["python -I"]),
        (["-W", "ignore", "-sEc", "1"], ["python -E"]),
        (["-Xdev", "-S", "script.py", "-I"], ["python -S"]),
        (["-c", "1", "-I"], []),
        (["script.py", "-I"], []),
        (["-m", "tool", "-I"], []),
        (["-B"], []),
    ],
)
def test_there_is_a_warning_for_a_python_process_that_cannot_be_traced(
    site: Site, argv: list[str], flags: list[str]
) -> None:
    trace, _ = traced(site, process_event(sys.executable, "python", *argv), python=sys.executable)

    assert [each.subject for each in native.warnings(trace)] == flags


def test_the_options_of_other_programs_are_ignored(site: Site) -> None:
    trace, _ = traced(site, process_event("/usr/bin/tar", "tar", "-I", "x"), python=sys.executable)

    assert list(native.warnings(trace)) == []


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="no dpkg here")
def test_files_of_the_system_have_a_debian_package() -> None:
    shell, absent = "/usr/bin/dpkg", "/usr/bin/no such program"

    assert dpkg.owners(frozenset({shell, absent, "/home/me/x"})) == {shell: "dpkg"}


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="no dpkg here")
def test_a_linked_library_has_the_package_of_its_file() -> None:
    listed = subprocess.run(
        ["dpkg", "-L", "libc6"], capture_output=True, text=True, check=False
    ).stdout.split()
    path = next((each for each in listed if each.endswith("/libm.so.6")), None)
    if path is None or not Path(path).exists():
        pytest.skip("another libc")
    spelled = f"/usr{path}" if path.startswith("/lib/") else path

    assert dpkg.owners(frozenset({spelled})) == {spelled: "libc6"}


def test_without_dpkg_files_have_no_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert dpkg.owners(frozenset({"/usr/bin/some-program"})) == {}
