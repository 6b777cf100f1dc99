"""Generated files: envkit reads them as pip does, and writes what it reads back unchanged."""

from __future__ import annotations

import ensurepip
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import virtualenv
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from envkit.errors import InvalidFile
from envkit.formats import requirements_txt
from envkit.formats.requirements_txt import Option, Requirement, parse

BUNDLED = Path(ensurepip.__file__).parent / "_bundled"
EMBEDDED = Path(virtualenv.__file__).parent / "seed/wheels/embed"
PIPS = sorted(
    {
        max(folder.glob("pip-*.whl"))
        for folder in (BUNDLED, EMBEDDED)
        if list(folder.glob("pip-*.whl"))
    }
)

Read = Callable[[Path], dict[str, Any]]


@pytest.fixture(scope="module", params=PIPS, ids=lambda path: path.name.split("-py")[0])
def pip(request: pytest.FixtureRequest) -> Iterator[Read]:
    """Give pip's reading of a file."""
    argv = [
        sys.executable,
        "-I",
        str(Path(__file__).with_name("pip_reader.py")),
        str(request.param),
    ]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:

        def read(path: Path) -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(str(path)) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            return answer

        yield read
        assert process.stdin is not None
        process.stdin.close()


NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?", fullmatch=True)
SPACE = st.sampled_from(["", " ", "  ", "\t"])
PINS = st.builds(
    "".join,
    st.tuples(NAMES, SPACE, st.sampled_from(["", "==1.0", ">= 1, <2", "[x,y]~=1.4", "===1-odd"])),
)
PLACES = st.sampled_from(
    [
        "a @ https://h.example/a-1.whl#sha256=00",
        "git+ssh://git@h.example/r.git@v1#egg=r&subdirectory=s",
        "./w/a-1.whl",
        "${TOKEN}==1",
        "x ; python_version < '3.9' and extra == \"a b\"",
        "not a requirement!!",
    ]
)
HASHES = st.lists(
    st.sampled_from(
        [
            " --hash=sha256:00",
            " --hash sha512:ab",
            " \\\n --hash=sha256:11",
            " \\\n\t --hash=sha384:2",
        ]
    ),
    max_size=3,
).map("".join)
OPTIONS = st.sampled_from(
    [
        "--pre",
        "-i https://h.example/s",
        "--index-url=https://h.example/'q r'",
        "--extra-index-url https://e.example",
        "-f ./w",
        '--find-links "a b"',
        "--no-index",
        "--trusted-host h",
        "--prefer-binary",
        "--require-hashes",
        "--index https://abbreviated.example",
        "--use-feature fast-deps",
        "-e ./pkg",
        "--editable=git+https://h/r#egg=e",
        "-e .",
        "-r",
        "--bogus",
        "--pre=1",
        "-f 'no end",
        "-e . -r x",
        "--pre -i https://i.example",
    ]
)
REFERENCES = st.sampled_from(
    [
        "-r b.txt",
        "-rb.txt",
        "--requirement=b.txt",
        "--requirement  b.txt",
        "-c c.txt",
        "-cc.txt",
        "--constraint=c.txt",
        "--requirem b.txt",
        "--req b.txt",
        "-r sub/d.txt",
        '-r "sub/d.txt"',
        "-r gone.txt",
    ]
)
NOISE = st.sampled_from(
    [
        "",
        "   ",
        "# c",
        "# c \\",
        "\t# tab",
        " \\",
        "\\",
        "#",
        "a#b",
        "a \\\n# c",
        "\x0c",
        "x\u2028y",
        "\\ a",
    ]
)
COMMENTS = st.sampled_from(["", "", " # why", "\t#why", " # ends in \\", "#no", " \\"])
LINES = st.builds(
    "".join,
    st.tuples(
        SPACE,
        st.one_of(st.tuples(PINS, HASHES).map("".join), PLACES, OPTIONS, NOISE, REFERENCES),
        COMMENTS,
    ),
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
TWO_IN_A_LINE = re.compile(
    r"\\\s*(-e|--editable)"
)  # a requirement continued by `-e`: each pip says something else
TEXTS = st.lists(st.tuples(LINES, ENDS).map("".join), max_size=8).map("".join)


def readings(path: Path) -> dict[str, Any]:
    """Give envkit's reading in the words of the pip reader."""
    try:
        found = requirements_txt.read(path)
    except InvalidFile as error:
        return {"error": str(error)}
    pairs = [(each, False) for each in found.requirements] + [
        (each, True) for each in found.constraints
    ]
    return {
        "requirements": [
            {
                "text": each.text,
                "editable": each.editable,
                "constraint": bound,
                "hashes": sorted(each.hashes),
            }
            for each, bound in pairs
        ],
        "options": [
            [each.name, each.value or ""] for each in found.options if each.name != "--use-feature"
        ],
    }


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(TEXTS, TEXTS, st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_generated_files_say_the_same_to_envkit_and_to_pip(
    tmp_path: Path, pip: Read, first: str, second: str, mark: bytes
) -> None:
    assume(not TWO_IN_A_LINE.search(first) and not TWO_IN_A_LINE.search(second))
    (tmp_path / "sub").mkdir(exist_ok=True)
    for name, text in {
        "a.txt": first,
        "b.txt": "b1\n",
        "c.txt": "c1<2\n-r sub/d.txt\n",
        "sub/d.txt": "d1\n",
    }.items():
        (tmp_path / name).write_bytes(mark + text.encode())
    (tmp_path / "c.txt").write_bytes(
        ("c1<2\n" + second.replace("c.txt", "b.txt").replace("gone", "b")).encode()
    )
    path = tmp_path / "a.txt"

    ours, theirs = readings(path), pip(path)

    if "--use-feature: invalid choice" in theirs.get("error", ""):
        return  # each pip has features of its own; envkit asks nothing of them
    if "error" in theirs:
        assert "error" in ours, theirs
    elif "error" in ours:
        assert (
            "ends in a backslash" in ours["error"]
        )  # pip takes the line, and fails when it comes to install it
    else:
        requirements = theirs["requirements"]
        ordered = [
            each for bound in (False, True) for each in requirements if each["constraint"] is bound
        ]
        assert ours["requirements"] == ordered
        assert sorted(ours["options"]) == sorted(theirs["options"])


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_what_is_written_is_read_and_written_again_unchanged(text: str) -> None:
    try:
        entries = parse(text)
    except InvalidFile:
        return
    requirements = [each for each in entries if isinstance(each, Requirement)]
    options = [each for each in entries if isinstance(each, Option)]

    once = requirements_txt.dumps(requirements, constraints_file="constraints.txt", options=options)
    again = parse(once)

    assert once == requirements_txt.dumps(
        [each for each in again if isinstance(each, Requirement)],
        constraints_file="constraints.txt",
        options=[each for each in again if isinstance(each, Option)],
    )
    assert {each.text for each in requirements} == {
        each.text for each in again if isinstance(each, Requirement)
    }
