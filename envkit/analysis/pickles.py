"""Read which classes and functions a pickle names, and what functions in it would import.

Nothing is unpickled. The opcodes are followed with values that stand for objects: texts, numbers,
bytes and tuples are themselves, anything else is what it was made by. That is enough to follow a
name through the memo, and to find the parts of a code object that cloudpickle saved by value.
Arrays that joblib writes between two opcodes are read past.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from envkit.analysis import bytecode
from envkit.analysis.bounded_streams import Bounded, TooLarge, Unreadable
from envkit.analysis.pickle_names import MAX_NAME, PickleNames

IMPORTERS = frozenset({"subimport", "import_module", "__import__"})
LEGACY_TORCH = 0x1950A86A20F9469CFC6C  # the first of the pickles in an old `torch.save`
MAX_DEPTH = 20  # of pickles in pickles
MAX_MARKS = 10_000  # open at once; a pickler recurses for each, so Python's limit is far lower
MAX_STATE = 64  # entries that are kept of a dictionary
MAX_DIMENSIONS = 64
MAX_LENGTH = 1 << 48  # of a dimension
MAX_TYPE_CODE = 20
VERSION_KEYS = {"_sklearn_version": "scikit-learn"}
JOBLIB_ARRAY = ("joblib.numpy_pickle", "NumpyArrayWrapper")
BYTES_PER_CHARACTER = 4  # of a text in an array


@dataclass(frozen=True, slots=True)
class _Global:
    """A class or function."""

    module: str
    name: str

    @classmethod
    def named(cls, module: str, name: str) -> _Global:
        return cls(module[:MAX_NAME], name[:MAX_NAME])


GETATTR = (_Global("builtins", "getattr"), _Global("__builtin__", "getattr"))


@dataclass(slots=True)
class _Object:
    """What a call of `maker` returns. state: what was set on it last."""

    maker: object = None
    arguments: tuple[Any, ...] = ()
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Opcodes:
    """How many opcodes may still be read, of all pickles in one file."""

    left: int


def read(stream: Bounded, names: PickleNames, opcodes: Opcodes) -> None:
    """Add what the pickles in a stream name.

    Raises `Unreadable` for what is not a pickle, and `TooLarge`; what was read until then is in
    `names`.
    """
    machine = _Machine(stream, names, opcodes)
    try:
        machine.run()
        if machine.result == LEGACY_TORCH:
            names.add("torch", by_code=False)
            for _ in range(3):  # protocol, machine, object; then come tensors
                machine.run()
    except (
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        OSError,
        TypeError,
        ValueError,
    ) as error:
        raise Unreadable(f"it is not a complete pickle ({error})") from error
    except MemoryError as error:
        raise Unreadable("it holds something too large") from error


class _Machine:
    """Follows opcodes with a stack, marks and a memo, as the unpickler does."""

    def __init__(
        self,
        stream: Bounded,
        names: PickleNames,
        opcodes: Opcodes,
        depth: int = 0,
    ) -> None:
        self._stream = stream
        self._names = names
        self._depth = depth
        self._opcodes = opcodes
        self.result: object = None
        # how often `getattr` is on the stack without a call with a class and the name of its part
        self._loose_getattrs = 0

    def run(self) -> None:
        """Follow one pickle to its end."""
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        try:
            for opcode, argument, _ in pickletools.genops(self._stream):  # type: ignore[arg-type]
                self._opcodes.left -= 1
                if self._opcodes.left < 0:
                    raise TooLarge("it is longer than is read")
                self._step(opcode, argument)
        finally:
            if self._loose_getattrs:
                self._names.globals["builtins", "getattr"] = None
        self.result = self._stack[-1] if self._stack else None

    def _step(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        handler = HANDLERS.get(opcode.name)
        if handler is not None:
            handler(self, argument)
            return
        before = opcode.stack_before
        if pickletools.markobject in before:
            self._pop_to_mark()
            # APPENDS and ADDITEMS keep the container
            if before[0] is not pickletools.markobject:
                return
        else:
            if len(before) > len(self._stack):
                raise Unreadable("it takes more from the stack than is there")
            del self._stack[len(self._stack) - len(before) :]
        is_plain = isinstance(argument, str | bytes | int)
        for _ in opcode.stack_after:
            self._stack.append(argument if is_plain else _Object())

    # --- the stack, the marks and the memo

    def _mark(self, _: Any) -> None:
        if len(self._marks) >= MAX_MARKS:
            raise TooLarge("it nests more deeply than is read")
        self._marks.append(len(self._stack))

    def _pop_to_mark(self) -> tuple[Any, ...]:
        start = self._marks.pop()
        taken = tuple(self._stack[start:])
        del self._stack[start:]
        return taken

    def _pop_mark(self, _: Any) -> None:
        self._pop_to_mark()

    def _push(self, value: object) -> None:
        if value in GETATTR:
            self._loose_getattrs += 1
        self._stack.append(value)

    def _pop(self, _: Any) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._stack.pop()

    def _duplicate(self, _: Any) -> None:
        self._push(self._stack[-1])

    def _memoize(self, argument: Any) -> None:
        key = len(self._memo) if argument is None else argument
        self._memo[key] = self._stack[-1]

    def _get(self, argument: Any) -> None:
        self._push(self._memo[argument])

    def _stop(self, _: Any) -> None:
        return None

    # --- values

    def _true(self, _: Any) -> None:
        self._stack.append(True)

    def _false(self, _: Any) -> None:
        self._stack.append(False)

    def _empty_tuple(self, _: Any) -> None:
        self._stack.append(())

    def _tuple(self, _: Any) -> None:
        self._stack.append(self._pop_to_mark())

    def _tuple1(self, _: Any) -> None:
        self._stack.append((self._stack.pop(),))

    def _tuple2(self, _: Any) -> None:
        second = self._stack.pop()
        first = self._stack.pop()
        self._stack.append((first, second))

    def _tuple3(self, _: Any) -> None:
        third = self._stack.pop()
        second = self._stack.pop()
        first = self._stack.pop()
        self._stack.append((first, second, third))

    def _append(self, _: Any) -> None:
        self._stack.pop()

    def _set_item(self, _: Any) -> None:
        value = self._stack.pop()
        key = self._stack.pop()
        self._store([key, value])

    def _set_items(self, _: Any) -> None:
        self._store(self._pop_to_mark())

    def _dictionary(self, _: Any) -> None:
        items = self._pop_to_mark()
        self._stack.append(_Object())
        self._store(items)

    def _store(self, items: Sequence[Any]) -> None:
        """Set keys, which alternate with their values, of what is on top of the stack."""
        target = self._stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=False):
            if not isinstance(key, str):
                continue
            if key in VERSION_KEYS and isinstance(value, str):
                self._names.versions.setdefault(VERSION_KEYS[key], value)
            if isinstance(target, _Object) and len(target.state) < MAX_STATE:
                target.state[key] = value

    # --- classes and functions

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._push_global(module, name)

    def _stack_global(self, _: Any) -> None:
        name = self._stack.pop()
        module = self._stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            self._names.opaque = True
        self._push_global(module, name)

    def _push_global(self, module: Any, name: Any) -> None:
        self._names.add(module, by_code=False)
        if not isinstance(module, str):
            self._push(_Object())
            return
        value = _Global.named(module, str(name))
        if isinstance(name, str) and value not in GETATTR:
            self._names.globals[value.module, value.name] = None
        self._push(value)

    def _extension(self, code: int) -> None:
        # something that was registered under that number
        self._push_global("copyreg", f"_inverted_registry[{code}]")

    def _instance(self, argument: str) -> None:
        self._pop_to_mark()
        self._global(argument)

    def _reduce(self, _: Any) -> None:
        arguments = self._stack.pop()
        maker = self._stack.pop()
        if not isinstance(arguments, tuple):
            arguments = ()
        self._stack.append(self._call(maker, arguments))

    def _new_with_keywords(self, _: Any) -> None:
        del self._stack[-1]
        self._reduce(_)

    def _call(self, maker: object, arguments: tuple[Any, ...]) -> object:
        """What a call returns, as far as it matters here."""
        if not isinstance(maker, _Global):
            return _Object(maker, arguments)
        if maker in GETATTR:
            part = _part(arguments)
            if part is not None:
                self._loose_getattrs -= 1
                self._names.globals[part.module, part.name] = None
                return part
        if maker.name in IMPORTERS and arguments:
            self._names.add(arguments[0], by_code=True)
        match (maker, arguments):
            # how old protocols write bytes
            case (_Global("_codecs" | "codecs"), (str(text), "latin1")):
                return text.encode("latin-1")
            case (_Global(_, "_builtin_type"), ("CodeType", *_)):
                return _Global("types", "CodeType")
            case (_Global("types" | "builtins", "CodeType" | "code"), _):
                self._read_code(arguments)
            # dill since Python 3.10, which writes the table of lines first
            case (_Global(module, "_create_code"), (bytes(), *rest)) if _is_dill(module):
                self._read_code(rest)
            case (_Global(module, "_create_code"), _) if _is_dill(module):
                self._read_code(arguments)
        return _Object(maker, arguments)

    def _read_code(self, arguments: Sequence[Any]) -> None:
        """Read the parts of a code object: after its bytecode come its constants and its names."""
        parts = list(arguments)
        while parts and not isinstance(parts[0], bytes):
            del parts[0]
        match parts:
            case (bytes(code), _, tuple(names), *_):
                dialect = bytecode.dialect_of(code, len(arguments))
            case _:
                dialect = None
        if dialect is None:
            self._names.opaque = True
            return
        self._names.pythons.append((dialect.oldest, dialect.newest))
        for module in bytecode.imported(code, names, dialect):
            self._names.add(module, by_code=True)

    # --- the state of objects

    def _build(self, _: Any) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if not isinstance(target, _Object):
            return
        if isinstance(state, _Object):
            target.state = state.state
        else:
            target.state = {"": state}
        if target.maker == _Global(*JOBLIB_ARRAY):
            self._skip_array(target.state)

    def _skip_array(self, state: dict[str, Any]) -> None:
        """Read past an array that joblib writes here: its bytes, or a pickle of its objects."""
        dtype: Any = state.get("dtype")
        shape: Any = state.get("shape")
        code = _type_code(dtype)
        if code is None or not _is_shape(shape):
            raise Unreadable("it holds an array of an unknown type")
        if code.startswith("O") or _has_objects(dtype):
            self._read_inner_pickle()
            return
        if isinstance(state.get("numpy_array_alignment_bytes"), int):
            padding = self._stream.read(1)[0]
            self._stream.skip(padding)
        size = int(code[1:])
        if code[0] == "U":
            size *= BYTES_PER_CHARACTER
        for length in shape:
            size *= length
        self._stream.skip(size)

    def _read_inner_pickle(self) -> None:
        if self._depth >= MAX_DEPTH:
            raise Unreadable("it nests too deeply")
        inner = _Machine(self._stream, self._names, self._opcodes, self._depth + 1)
        inner.run()


def _part(arguments: tuple[Any, ...]) -> _Global | None:
    """What `getattr` returns for a class and the name of its part.

    So pickles before protocol 4 name methods, and cloudpickle the methods of built-in types.
    """
    match arguments:
        case (_Global() as whole, str(name)):
            return _Global.named(whole.module, f"{whole.name}.{name}")
    return None


def _is_dill(module: str) -> bool:
    return module.startswith("dill.")


def _type_code(dtype: object) -> str | None:
    """The code of an array's type, such as `f8`."""
    match dtype:
        case _Object(arguments=(str(code), *_)) if len(code) <= MAX_TYPE_CODE:
            return code
    return None


def _has_objects(dtype: object) -> bool:
    """Whether a type of records has fields that are objects: the first bit of its last flags."""
    state = dtype.state.get("") if isinstance(dtype, _Object) else None
    if not isinstance(state, tuple) or len(state) <= 7:
        return False
    flags = state[-1]
    return isinstance(flags, int) and bool(flags & 1)


def _is_shape(shape: object) -> bool:
    if not isinstance(shape, tuple) or len(shape) > MAX_DIMENSIONS:
        return False
    return all(isinstance(length, int) and 0 <= length < MAX_LENGTH for length in shape)


HANDLERS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine._mark,
    "POP": _Machine._pop,
    "POP_MARK": _Machine._pop_mark,
    "DUP": _Machine._duplicate,
    "PUT": _Machine._memoize,
    "BINPUT": _Machine._memoize,
    "LONG_BINPUT": _Machine._memoize,
    "MEMOIZE": _Machine._memoize,
    "GET": _Machine._get,
    "BINGET": _Machine._get,
    "LONG_BINGET": _Machine._get,
    "STOP": _Machine._stop,
    "NEWTRUE": _Machine._true,
    "NEWFALSE": _Machine._false,
    "EMPTY_TUPLE": _Machine._empty_tuple,
    "TUPLE": _Machine._tuple,
    "TUPLE1": _Machine._tuple1,
    "TUPLE2": _Machine._tuple2,
    "TUPLE3": _Machine._tuple3,
    "APPEND": _Machine._append,
    "SETITEM": _Machine._set_item,
    "SETITEMS": _Machine._set_items,
    "DICT": _Machine._dictionary,
    "GLOBAL": _Machine._global,
    "STACK_GLOBAL": _Machine._stack_global,
    "EXT1": _Machine._extension,
    "EXT2": _Machine._extension,
    "EXT4": _Machine._extension,
    "INST": _Machine._instance,
    "REDUCE": _Machine._reduce,
    "NEWOBJ": _Machine._reduce,
    "NEWOBJ_EX": _Machine._new_with_keywords,
    "BUILD": _Machine._build,
}
"""Opcodes that do more than to put a value on the stack."""
