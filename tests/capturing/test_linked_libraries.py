"""Libraries of one distribution that a native file of another one links."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.capturing.linked_libraries import with_linked_libraries
from tests.builders.sites import Site
from tests.builders.traces import traced


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize("file_name", ["liba.so.1", "liba.so.1.2.3"])
def test_a_linked_library_of_another_distribution_is_used(site: Site, file_name: str) -> None:
    """The name that is linked is that of the file, or its `DT_SONAME`."""
    extension = _installed(site, file_name)

    trace, places = traced(site)
    trace = replace(trace, loaded=(extension, site.file(f"lib/{file_name}")))
    uses = with_linked_libraries(trace, places).file_uses

    assert [(use.path, use.by.file) for use in uses] == [(site.file(f"lib/{file_name}"), extension)]


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_library_that_is_only_installed_is_not_used(site: Site) -> None:
    extension = _installed(site, "liba.so.1")

    trace, places = traced(site)
    trace = replace(trace, loaded=(extension,))

    assert not with_linked_libraries(trace, places).file_uses


def _installed(site: Site, file_name: str) -> str:
    """Compile a library into one distribution, and what links it into another; gives the latter."""
    site.install("nvlib", files={f"lib/{file_name}": ""})
    site.install("nvuser", files={"user/ext.so": ""})
    library, extension = Path(site.file(f"lib/{file_name}")), Path(site.file("user/ext.so"))
    source = site.folder / "source.c"
    source.write_text("int a(void) { return 1; }")
    _compile(source, library, "-Wl,-soname,liba.so.1")
    source.write_text("int a(void); int b(void) { return a(); }")
    _compile(source, extension, str(library))
    return str(extension)


def _compile(source: Path, target: Path, *options: str) -> None:
    command = ["cc", "-shared", "-fPIC", "-o", str(target), str(source), *options]
    subprocess.run(command, check=True)
