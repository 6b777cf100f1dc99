"""The import statements in a code object's bytecode, read as bytes; no code object is made of it."""

from __future__ import annotations

from collections.abc import Sequence

EXTENDED_ARG, IMPORT_NAME = "EXTENDED_ARG", "IMPORT_NAME"
OPCODES = {  # of CPython's versions since code is made of pairs of bytes
    **{(3, minor): {EXTENDED_ARG: 144, IMPORT_NAME: 108} for minor in range(6, 13)},
    (3, 13): {EXTENDED_ARG: 71, IMPORT_NAME: 75},
}


def imported(code: bytes, names: Sequence[object], python: str | None) -> list[str] | None:
    """Give the modules that the code imports; None when the bytecode of that version of Python is not known."""
    opcodes = OPCODES.get(_minor(python))
    if opcodes is None:
        return None
    found: list[str] = []
    extended = 0
    for at in range(0, len(code) - 1, 2):
        opcode, argument = code[at], code[at + 1] | extended
        extended = argument << 8 & 0xFFFFFFFF if opcode == opcodes[EXTENDED_ARG] else 0
        if opcode == opcodes[IMPORT_NAME] and argument < len(names):
            name = names[argument]
            if isinstance(name, str):
                found.append(name)
    return found


def _minor(python: str | None) -> tuple[int, int]:
    parts = (python or "").split(".")[:2]
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(map(str.isdecimal, parts)) else (0, 0)
