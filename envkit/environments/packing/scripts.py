"""Scripts that start the Python in their own folder, wherever that lies.

The first lines are what uv and distlib write for interpreters whose path is too long for `#!`, with
a path that the shell finds: `'''exec'` is the command `exec` to a shell, and begins a text in
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
    """Return a script that finds its interpreter in its own folder.

    None for a file that starts no Python of `folders`: another program, a binary.
    """
    start = _THROUGH_SHELL.match(content) or _DIRECT.match(content)
    if start is None or not any(folder + b"/" in start.group() for folder in folders):
        return None
    program = b'\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'' + start["name"] + b"'"
    flags = (start["flags"] or b"").strip()
    if flags:
        program += b" " + flags
    new_start = b"#!/bin/sh\n" + program + b" \"$0\" \"$@\"\n' '''\n"
    return new_start + content[start.end() :]
