"""What a pickle names: classes and functions, and what functions in it would import. Nothing is unpickled.

The opcodes are followed with values that stand for objects: texts, numbers, bytes and tuples are
themselves, anything else is what it was made by. That is enough to follow a name through the memo,
and to meet the parts of a code object that cloudpickle saved by value. Arrays that joblib writes
between two opcodes are read past.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from envkit.analysis import bytecode
from envkit.analysis.bounded_streams import Bounded, TooLarge, Unreadable

NOT_MODULES = frozenset(
    {"__main__", "__mp_main__", "builtins", "__builtin__", "copyreg", "copy_reg", "copy_reg "}
)
OF_TORCHSCRIPT = "__torch__"  # top-level name of the classes whose code lies in the archive itself
IMPORTERS = frozenset({"subimport", "import_module", "__import__"})
# the first of the pickles of which an old `torch.save` consists
LEGACY_TORCH = 0x1950A86A20F9469CFC6C
MAX_DEPTH = 20  # of pickles in pickles
VERSION_KEYS = {"_sklearn_version": "scikit-learn"}


@dataclass(frozen=True, slots=True)
class _Global:
    module: str
    name: str


GETATTR = (_Global("builtins", "getattr"), _Global("__builtin__", "getattr"))


@dataclass(slots=True)
class _Object:
    """Something made by calling `maker`; `state` is what it was given last."""

    maker: object = None
    arguments: tuple[Any, ...] = ()
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PickleNames:
    """What one artifact names.

    modules: by name, whether code in it imports them. globals: module and name of each class and
    function that unpickling would fetch, in order. opaque: there is code that was not read.
    pythons: the oldest and the newest minor version of Python 3 that may have written each
    function.
    """

    modules: dict[str, bool] = field(default_factory=dict)
    globals: dict[tuple[str, str], None] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    opaque: bool = False
    pythons: list[tuple[int, int]] = field(default_factory=list)

    def add(self, module: object, *, by_code: bool) -> None:
        """Add what is named like a module."""
        if (
            not isinstance(module, str)
            or module in NOT_MODULES
            or module.partition(".")[0] == OF_TORCHSCRIPT
        ):
            return
        if _is_dotted(module):
            self.modules[module] = self.modules.get(module, False) or by_code


def read(stream: Bounded, names: PickleNames, opcodes: int) -> int:
    """Add what the pickles in a stream name. opcodes: how many at most; given back is how many are left.

    Raises `Unreadable` for what is no pickle, or too long a one; what was found until then is in
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
        raise Unreadable(f"it is no complete pickle ({error})") from error
    except MemoryError as error:
        raise Unreadable("it holds something too large") from error
    return machine.left


class _Machine:
    """Follows opcodes with a stack, marks and a memo, as the unpickler does."""

    def __init__(self, stream: Bounded, names: PickleNames, opcodes: int, depth: int = 0) -> None:
        self._stream, self._names = stream, names
        self.left, self._depth = opcodes, depth
        # times that `getattr` was put down, and not called with a class and the name of a part of
        # it
        self._loose = 0
        self.result: object = None

    def run(self) -> None:
        """Follow one pickle to its end."""
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        try:
            for opcode, argument, _ in pickletools.genops(self._stream):  # type: ignore[arg-type]
                self.left -= 1
                if self.left < 0:
                    raise TooLarge("it is longer than is read")
                self._step(opcode, argument)
        finally:
            if self._loose:
                self._names.globals["builtins", "getattr"] = None
        self.result = self._stack[-1] if self._stack else None

    def _step(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        special = _SPECIAL.get(opcode.name)
        if special is not None:
            special(self, argument)
        elif pickletools.markobject in opcode.stack_before:
            self._until_mark()
            # APPENDS and ADDITEMS keep the container
            if opcode.stack_before[0] is not pickletools.markobject:
                return
            self._push_made(opcode, argument)
        else:
            taken = len(opcode.stack_before)
            if taken > len(self._stack):
                raise Unreadable("it takes more than it has put down")
            del self._stack[len(self._stack) - taken :]
            self._push_made(opcode, argument)

    def _push_made(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        if isinstance(argument, str | bytes | int):
            plain = argument
        else:
            plain = None
        self._stack.extend(_Object() if plain is None else plain for _ in opcode.stack_after)

    def _mark(self, _: Any) -> None:
        self._marks.append(len(self._stack))

    def _until_mark(self) -> tuple[Any, ...]:
        start = self._marks.pop()
        taken = tuple(self._stack[start:])
        del self._stack[start:]
        return taken

    def _put(self, argument: Any) -> None:
        self._memo[len(self._memo) if argument is None else argument] = self._stack[-1]

    def _get(self, argument: Any) -> None:
        self._down(self._memo[argument])

    def _down(self, value: object) -> None:
        self._loose += value in GETATTR
        self._stack.append(value)

    def _pop(self, _: Any) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._stack.pop()

    def _pop_mark(self, _: Any) -> None:
        self._until_mark()

    def _duplicate(self, _: Any) -> None:
        self._down(self._stack[-1])

    def _tuple(self, _: Any) -> None:
        self._stack.append(self._until_mark())

    def _append(self, _: Any) -> None:
        self._stack.pop()

    def _keep(self, _: Any) -> None:
        return None

    def _global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._push_global(module, name)

    def _stack_global(self, _: Any) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            self._names.opaque = True
        self._push_global(module, name)

    def _push_global(self, module: Any, name: Any) -> None:
        self._names.add(module, by_code=False)
        found: _Global | _Object
        if isinstance(module, str):
            found = _Global(module[:200], str(name)[:200])
        else:
            found = _Object()
        if isinstance(found, _Global) and isinstance(name, str) and found not in GETATTR:
            self._names.globals[found.module, found.name] = None
        self._down(found)

    def _extension(self, code: int) -> None:
        # whatever was registered under that number
        self._push_global("copyreg", f"_inverted_registry[{code}]")

    def _instance(self, argument: str) -> None:
        self._until_mark()
        self._global(argument)

    def _reduce(self, _: Any) -> None:
        arguments, maker = self._stack.pop(), self._stack.pop()
        self._stack.append(self._called(maker, arguments if isinstance(arguments, tuple) else ()))

    def _new_with_keywords(self, _: Any) -> None:
        del self._stack[-1]
        self._reduce(_)

    def _called(self, maker: object, arguments: tuple[Any, ...]) -> object:
        if isinstance(maker, _Global):
            if maker in GETATTR and (part := _part(arguments)) is not None:
                self._loose -= 1
                self._names.globals[part.module, part.name] = None
                return part
            if maker.name in IMPORTERS and arguments:
                self._names.add(arguments[0], by_code=True)
            if maker.module in {"_codecs", "codecs"} and len(arguments) == 2:
                text, encoding = arguments
                if isinstance(text, str) and encoding == "latin1":  # how old protocols write bytes
                    return text.encode("latin-1")
            if maker.name == "_builtin_type" and arguments[:1] == ("CodeType",):
                return _Global("types", "CodeType")
            if maker.module in {"types", "builtins"} and maker.name in {"CodeType", "code"}:
                self._code(arguments)
            # since 3.10 with the table of lines
            if maker.module.startswith("dill.") and maker.name == "_create_code":
                self._code(arguments[1:] if isinstance(arguments[0], bytes) else arguments)
        return _Object(maker, arguments)

    def _code(self, arguments: Sequence[Any]) -> None:
        """A code object: its bytecode is followed by its constants and the names that it uses."""
        at = next((index for index, each in enumerate(arguments) if isinstance(each, bytes)), None)
        if at is None or len(arguments) < at + 3 or not isinstance(arguments[at + 2], tuple):
            self._names.opaque = True
            return
        dialect = bytecode.dialect_of(arguments[at], len(arguments))
        if dialect is None:
            self._names.opaque = True
            return
        self._names.pythons.append((dialect.oldest, dialect.newest))
        for name in bytecode.imported(arguments[at], arguments[at + 2], dialect):
            self._names.add(name, by_code=True)

    def _set_item(self, _: Any) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._store([key, value])

    def _set_items(self, _: Any) -> None:
        self._store(self._until_mark())

    def _dictionary(self, _: Any) -> None:
        items = self._until_mark()
        self._stack.append(_Object())
        self._store(items)

    def _store(self, items: Sequence[Any]) -> None:
        target = self._stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=False):
            if not isinstance(key, str):
                continue
            if key in VERSION_KEYS and isinstance(value, str):
                self._names.versions.setdefault(VERSION_KEYS[key], value)
            if isinstance(target, _Object) and len(target.state) < 64:
                target.state[key] = value

    def _build(self, _: Any) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if not isinstance(target, _Object):
            return
        target.state = state.state if isinstance(state, _Object) else {"": state}
        maker = target.maker
        if isinstance(maker, _Global) and (maker.module, maker.name) == (
            "joblib.numpy_pickle",
            "NumpyArrayWrapper",
        ):
            self._pass_array(target.state)

    def _pass_array(self, state: dict[str, Any]) -> None:
        """joblib writes the array's own bytes here, or another pickle for an array of objects."""
        dtype, shape = state.get("dtype"), state.get("shape")
        if isinstance(dtype, _Object) and dtype.arguments:
            code = dtype.arguments[0]
        else:
            code = None
        if (
            not isinstance(code, str)
            or len(code) > 20
            or not isinstance(shape, tuple)
            or not _is_shape(shape)
        ):
            raise Unreadable("it holds an array of an unknown type")
        if code.startswith("O") or _has_objects(dtype):
            self._inner_pickle()
            return
        if isinstance(state.get("numpy_array_alignment_bytes"), int):
            self._stream.skip(self._stream.read(1)[0])
        size = int(code[1:]) * (4 if code[0] == "U" else 1)
        for each in shape:
            size *= each
        self._stream.skip(size)

    def _inner_pickle(self) -> None:
        if self._depth >= MAX_DEPTH:
            raise Unreadable("it nests too deep")
        inner = _Machine(self._stream, self._names, self.left, self._depth + 1)
        inner.run()
        self.left = inner.left


def _part(arguments: tuple[Any, ...]) -> _Global | None:
    """What `getattr` gives of a class: as pickles before protocol 4 name methods, and cloudpickle those of builtins."""
    match arguments:
        case (_Global() as whole, str(name)):
            return _Global(whole.module, f"{whole.name}.{name}"[:200])
    return None


def _has_objects(dtype: object) -> bool:
    """Whether a type of records has fields that are objects: the first bit of its flags, which come last."""
    state = dtype.state.get("") if isinstance(dtype, _Object) else None
    return (
        isinstance(state, tuple)
        and len(state) > 7
        and isinstance(state[-1], int)
        and bool(state[-1] & 1)
    )


def _is_shape(shape: tuple[Any, ...]) -> bool:
    return len(shape) <= 64 and all(isinstance(each, int) and 0 <= each < 1 << 48 for each in shape)


def _is_dotted(name: str) -> bool:
    return len(name) <= 200 and all(part.isidentifier() for part in name.split("."))


_SPECIAL: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine._mark,
    "POP": _Machine._pop,
    "POP_MARK": _Machine._pop_mark,
    "DUP": _Machine._duplicate,
    "TUPLE": _Machine._tuple,
    "EMPTY_TUPLE": lambda machine, _: machine._stack.append(()),
    "TUPLE1": lambda machine, _: machine._stack.append((machine._stack.pop(),)),
    "TUPLE2": lambda machine, _: machine._stack.append(
        tuple(machine._stack.pop() for _ in "12")[::-1]
    ),
    "TUPLE3": lambda machine, _: machine._stack.append(
        tuple(machine._stack.pop() for _ in "123")[::-1]
    ),
    "NEWTRUE": lambda machine, _: machine._stack.append(True),
    "NEWFALSE": lambda machine, _: machine._stack.append(False),
    "GLOBAL": _Machine._global,
    "STACK_GLOBAL": _Machine._stack_global,
    "INST": _Machine._instance,
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _Machine._extension),
    "REDUCE": _Machine._reduce,
    "NEWOBJ": _Machine._reduce,
    "NEWOBJ_EX": _Machine._new_with_keywords,
    "SETITEM": _Machine._set_item,
    "SETITEMS": _Machine._set_items,
    "DICT": _Machine._dictionary,
    "BUILD": _Machine._build,
    "APPEND": _Machine._append,
    "STOP": _Machine._keep,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine._put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine._get),
}
