"""The libraries of an image: found, missing, too old, for another machine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from envkit.images import native_libraries
from envkit.images.bases.debian_libraries import packages_of
from envkit.images.native_libraries import Examined, OldLibc, WrongMachine, missing
from envkit.images.platforms import parse


def facts(**given: Any) -> dict[str, Any]:
    return {"provides": [], "needs": {}, "machines": {}, "glibc": [[0, 0], "", [0, 0]], **given}


def test_a_program_of_this_machine_is_examined() -> None:
    program = shutil.which("ls")
    assert program is not None
    examined = Examined()

    examined.add("usr/bin/ls", Path(program).read_bytes())

    found = examined.as_json()
    assert "libc.so.6" in found["needs"]["usr/bin/ls"]
    assert list(found["machines"].values()) == ["usr/bin/ls"]
    assert found["glibc"][0] >= [2, 17]


def test_what_is_not_a_program_is_passed_over() -> None:
    examined = Examined()

    examined.add("a.py", b"print()")
    examined.add_link("usr/lib/libz.so.1")
    examined.add_link("usr/local/bin/python3.11")

    assert examined.as_json() == facts(provides=["libz.so.1"], pythons=["usr/local/bin/python3.11"])


def test_a_library_that_a_used_file_needs_is_certain_and_any_other_a_note() -> None:
    used = "opt/x/lib/python3.11/site-packages/used.so"
    other = "opt/x/lib/python3.11/site-packages/other.so"
    ssl = "opt/x/lib/python3.11/lib-dynload/_ssl.so"
    tkinter = "opt/x/lib/python3.11/lib-dynload/_tkinter.so"
    needs = {
        used: ["libgomp.so.1", "libc.so.6"],
        other: ["libGL.so.1"],
        ssl: ["libssl.so.3"],
        tkinter: ["libtk8.6.so"],
    }

    certain, perhaps = missing(
        [facts(provides=["libc.so.6"]), facts(needs=needs)], lambda file: file == used
    )

    assert certain == {"libgomp.so.1": used, "libssl.so.3": ssl}
    assert perhaps == {"libGL.so.1": other}
    assert packages_of(certain) == {"libgomp1", "libssl3"}


def test_an_old_c_library_is_refused() -> None:
    base = facts(glibc=[[0, 0], "", [2, 28]])
    above = facts(glibc=[[2, 34], "opt/python", [0, 0]])

    with pytest.raises(
        OldLibc, match=r"opt/python needs glibc 2\.34, and the base image has 2\.28"
    ):
        native_libraries.check_glibc([base, above])
    native_libraries.check_glibc([facts(glibc=[[0, 0], "", [2, 36]]), above])


def test_a_file_for_another_machine_is_refused() -> None:
    with pytest.raises(
        WrongMachine, match=r"a\.so is for linux/arm64, and the image is for linux/a"
    ):
        native_libraries.check_machines([facts(machines={"183": "a.so"})], parse("linux/amd64"))
