"""Pickles, opcode by opcode."""

from __future__ import annotations

import struct
import types


def text(value: str) -> bytes:
    """Give the opcode of a text."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def code_pickle(python_code: str) -> bytes:
    """A function by value: the global `types.CodeType` called with the parts of a code object."""
    code = compile(python_code, "m", "exec")
    return b"\x80\x04" + code_opcodes(code) + b"."


def code_opcodes(code: types.CodeType, body: bytes = b"", parts: int = 0) -> bytes:
    """Give the opcodes of a code object's parts, in the order that cloudpickle has."""
    constants = b"".join(
        code_opcodes(each) if isinstance(each, types.CodeType) else b"N" for each in code.co_consts
    )
    names = b"".join(map(text, code.co_names))
    body = body or code.co_code
    before = b"K\x00" * (5 if parts == 15 else 6)
    after = b"N" * ((parts or 18) - len(before) // 2 - 3)
    code_parts = (
        b"B" + struct.pack("<I", len(body)) + body + b"(" + constants + b"t(" + names + b"t"
    )
    return b"ctypes\nCodeType\n(" + before + code_parts + after + b"tR"
