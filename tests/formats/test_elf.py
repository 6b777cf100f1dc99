"""Reading of the dynamic section of ELF files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from envkit.formats import elf


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_library_has_its_name_and_what_it_links(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int a(void) { return 1; }")
    (tmp_path / "b.c").write_text("int a(void); int b(void) { return a(); }")
    _compile(tmp_path, "-o", "liba.so.1.2", "a.c", "-Wl,-soname,liba.so.1")
    _compile(tmp_path, "-o", "b.so", "b.c", "liba.so.1.2")

    assert elf.read(tmp_path / "liba.so.1.2").name == "liba.so.1"
    assert "liba.so.1" in elf.read(tmp_path / "b.so").needed


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        elf.MAGIC,
        elf.MAGIC + b"\x01" + b"\xff" * 58,
        elf.MAGIC + b"\x01" + b"\xff" * 500,
        elf.MAGIC + b"\x01" + b"\0" * 500,
    ],
)
def test_a_file_that_breaks_the_format_links_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.so").write_bytes(content)

    assert elf.read(tmp_path / "x.so") == elf.DynamicSection()
    assert elf.read(tmp_path / "absent.so") == elf.DynamicSection()


def _compile(folder: Path, *arguments: str) -> None:
    subprocess.run(["cc", "-shared", "-fPIC", *arguments], cwd=folder, check=True)
