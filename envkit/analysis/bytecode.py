"""The import statements in a code object's bytecode, read as bytes: no code object is created.

The number of parts of the code object, and how its bytecode begins, show which Python wrote it.
Bytecode of another Python is not interpreted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """The bytecode of CPython 3.`oldest` to 3.`newest`.

    Attributes:
        oldest: The first minor version that writes it.
        newest: The last one.
        extended_arg: The opcode whose argument extends the next one's.
        import_name: The opcode of an import statement.
        resume: The opcode with which functions begin, None before 3.11.
        before: Opcodes that may precede that one.
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
        for opcode in code[::2]:
            if opcode not in self.before:
                return opcode == self.resume
        return False


DIALECTS = {  # by the number of parts of a code object
    15: (
        Dialect(
            oldest=6,
            newest=7,
            extended_arg=144,
            import_name=108,
        ),
    ),
    16: (
        Dialect(
            oldest=8,
            newest=10,
            extended_arg=144,
            import_name=108,
        ),
    ),
    18: (
        Dialect(
            oldest=11,
            newest=12,
            extended_arg=144,
            import_name=108,
            resume=151,
            # COPY_FREE_VARS, MAKE_CELL, RETURN_GENERATOR, POP_TOP
            before=frozenset({149, 135, 75, 1}),
        ),
        Dialect(
            oldest=13,
            newest=13,
            extended_arg=71,
            import_name=75,
            resume=149,
            before=frozenset({62, 94, 35, 32}),
        ),
    ),
}


def dialect_of(code: bytes, parts: int) -> Dialect | None:
    """Return the dialect of a code object with so many parts; None if it is unknown."""
    for dialect in DIALECTS.get(parts, ()):
        if dialect.fits(code):
            return dialect
    return None


def imported(
    code: bytes,
    names: Sequence[object],
    dialect: Dialect,
) -> list[str]:
    """Return the modules that the code imports. names: those that the code object has."""
    modules: list[str] = []
    extended = 0
    for at in range(0, len(code) - 1, 2):
        opcode = code[at]
        argument = code[at + 1] | extended
        if opcode == dialect.extended_arg:
            extended = argument << 8 & 0xFFFFFFFF
            continue
        extended = 0
        if opcode == dialect.import_name and argument < len(names):
            module = names[argument]
            if isinstance(module, str):
                modules.append(module)
    return modules
