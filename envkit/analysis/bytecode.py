"""The import statements in a code object's bytecode, read as bytes; no code object is made of it.

Which Python wrote it is told by how many parts the code object has, and by how the bytecode begins;
what is written in a way that is not known here is not guessed at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """The bytecode of CPython 3.`oldest` to 3.`newest`.

    resume: the opcode with which functions begin since 3.11, after some of `before`; None before
    3.11.
    """

    oldest: int
    newest: int
    extended_arg: int
    import_name: int
    resume: int | None = None
    before: frozenset[int] = frozenset()

    def fits(self, code: bytes) -> bool:
        """Whether the code begins as this dialect's does."""
        if self.resume is None:
            return True
        first = next((each for each in code[::2] if each not in self.before), None)
        return first == self.resume


def _until_3_12(
    oldest: int, newest: int, resume: int | None = None, before: frozenset[int] = frozenset()
) -> Dialect:
    return Dialect(
        oldest=oldest,
        newest=newest,
        extended_arg=144,
        import_name=108,
        resume=resume,
        before=before,
    )


DIALECTS = {  # by the number of parts of a code object
    15: (_until_3_12(6, 7),),
    16: (_until_3_12(8, 10),),
    18: (
        # before RESUME: COPY_FREE_VARS, MAKE_CELL, RETURN_GENERATOR, POP_TOP
        _until_3_12(11, 12, resume=151, before=frozenset({149, 135, 75, 1})),
        Dialect(
            oldest=13,
            newest=13,
            resume=149,
            before=frozenset({62, 94, 35, 32}),
            extended_arg=71,
            import_name=75,
        ),
    ),
}


def dialect_of(code: bytes, parts: int) -> Dialect | None:
    """Give the dialect of a code object with so many parts; None for one that is not known."""
    return next((each for each in DIALECTS.get(parts, ()) if each.fits(code)), None)


def imported(code: bytes, names: Sequence[object], dialect: Dialect) -> list[str]:
    """Give the modules that the code imports."""
    found: list[str] = []
    extended = 0
    for at in range(0, len(code) - 1, 2):
        opcode, argument = code[at], code[at + 1] | extended
        if opcode == dialect.extended_arg:
            extended = argument << 8 & 0xFFFFFFFF
        else:
            extended = 0
        if opcode == dialect.import_name and argument < len(names):
            name = names[argument]
            if isinstance(name, str):
                found.append(name)
    return found
