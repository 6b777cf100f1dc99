"""Scripts that start the Python beside them, wherever they lie.

The first lines are what uv and distlib write for interpreters whose path is too long for `#!`, with
a path that the shell finds: `'''exec'` is the command `exec` to a shell, and the begin of a text to
Python.
"""

from __future__ import annotations

import re

_INTERPRETER = rb"[^\n'\"]*?/(?P<name>python[\d.]*|pypy[\d.]*)"
_DIRECT = re.compile(rb"#!\s*" + _INTERPRETER + rb"(?P<flags>[ \t][^\n]*)?\r?\n")
_THROUGH_SHELL = re.compile(
    rb"#!\s*/bin/sh\n'''exec' (?P<quote>['\"]?)"
    + _INTERPRETER
    # the second is how conda and rattler end it
    + rb"(?P=quote)(?P<flags>[^\n\"$]*?) \"\$0\" \"\$@\"(?:\n' | #)'''\n"
)


def relocatable(content: bytes, folders: tuple[bytes, ...]) -> bytes | None:
    """Give a script whose interpreter lies in one of `folders`, with a start that finds it beside the script.

    None for what starts no Python of these folders: another program, a binary.
    """
    found = _THROUGH_SHELL.match(content) or _DIRECT.match(content)
    if found is None or not any(folder + b"/" in found.group() for folder in folders):
        return None
    flags = (found["flags"] or b"").strip()
    program = b'\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'' + found["name"] + b"'"
    start = b"#!/bin/sh\n" + program + (b" " + flags if flags else b"") + b" \"$0\" \"$@\"\n' '''\n"
    return start + content[found.end() :]
