"""Recording of environment variables that are read. Their values are never looked at."""

from __future__ import annotations

import os
import sys
import threading
from types import FrameType
from typing import Any, Callable, Iterator

from .callers import Callers, Record
from .origins import attributes_of_name, file_of, top_level


class EnvironmentVariables:
    """Wrappers of methods of `os.environ`.

    `os.getenv`, `.get`, `in` and `.pop` all call its `__getitem__`.
    """

    def __init__(self, record: Record, callers: Callers, own: set[str]) -> None:
        """`own`: names of variables that are not from the user."""
        self._record = record
        self._callers = callers
        self._own = own
        self._seen: set[tuple[str, str, bool]] = set()
        self._listed = threading.local()

    def install(self) -> None:
        """Replace three methods of the class of `os.environ`."""
        environ: Any = type(os.environ)
        environ.__getitem__ = self._wrapped_getitem(environ.__getitem__)
        environ.__iter__ = self._wrapped_iter(environ.__iter__)
        environ.__setitem__ = self._wrapped_setitem(environ.__setitem__)

    def note_settings(self) -> None:
        """Record the variables that classes of pydantic-settings take from a copy."""
        base = attributes_of_name("pydantic_settings").get("BaseSettings")
        for settings in _descendants(base):
            module = settings.__module__
            if top_level(module) == "pydantic_settings":
                continue
            file = file_of(module)
            for name, needed in _names_of(settings):
                if self._is_new(name, module, needed):
                    self._record_read(name, _is_set(name), needed, module, file, 0)

    def _wrapped_getitem(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Record each read with a key that was not listed before."""

        def __getitem__(environ: Any, key: Any) -> Any:  # noqa: N807
            if id(key) not in getattr(self._listed, "names", ()) and isinstance(key, (str, bytes)):
                self._note(environ, key)
            return original(environ, key)

        return __getitem__

    def _wrapped_iter(self, original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """Remember the objects that were listed: a read with one of them is part of a copy."""

        def __iter__(environ: Any) -> Iterator[Any]:  # noqa: N807
            names: dict[int, Any] = {}
            self._listed.names = names
            for key in original(environ):
                names[id(key)] = key
                yield key

        return __iter__

    def _wrapped_setitem(self, original: Callable[..., None]) -> Callable[..., None]:
        """Remember what the process sets itself."""

        def __setitem__(environ: Any, key: Any, value: Any) -> None:  # noqa: N807
            original(environ, key, value)
            self._own.add(os.fsdecode(key))

        return __setitem__

    def _note(self, environ: Any, key: str | bytes) -> None:
        """Record a read, once for each reader."""
        frame = sys._getframe(1).f_back
        caller = self._callers.find(frame)
        if caller is None:
            return
        try:
            is_set = environ.encodekey(key) in environ._data
        except (
            TypeError,
            ValueError,
        ):  # a string for `os.environb`; the read itself will raise
            return
        name = os.fsdecode(key)
        needed = _is_needed(frame)
        if self._is_new(name, caller.name, needed):
            self._record_read(name, is_set, needed, caller.name, caller.file, caller.line)

    def _is_new(self, name: str, reader: str, needed: bool) -> bool:
        """Whether a read is the first of its reader, and of a variable of the user."""
        key = (name, reader, needed)
        if name in self._own or key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _record_read(
        self,
        name: str,
        is_set: bool,
        needed: bool,
        reader: str,
        file: str | None,
        line: int,
    ) -> None:
        """Write the event."""
        self._record(
            event="variable",
            name=name,
            set=is_set,
            needed=needed,
            reader=reader,
            reader_file=file,
            line=line,
        )


def _is_needed(frame: FrameType | None) -> bool:
    """Whether absence raises for the reader; it does not in `get`, `in` and `setdefault`."""
    if frame is None:  # C code reads
        return False
    code = frame.f_code
    if code.co_filename in (os.__file__, "<frozen os>"):
        return code.co_name != "setdefault"
    if "_collections_abc" not in code.co_filename:
        return True
    if code.co_name != "pop" or "default" not in frame.f_locals:
        return False
    return type(frame.f_locals["default"]) is object  # the mark for "no default" of `pop`


def _descendants(base: Any) -> Iterator[Any]:
    """Yield the subclasses of a class, and theirs."""
    subclasses: list[Any] = base.__subclasses__() if isinstance(base, type) else []
    for subclass in subclasses:
        yield subclass
        yield from _descendants(subclass)


def _names_of(settings: Any) -> Iterator[tuple[str, bool]]:
    """Yield the variables of a settings class, and whether the class cannot do without each.

    They are spelled as in the environment where they are set, else in capitals.
    """
    config = settings.model_config
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        if alias is None:
            choices = [config.get("env_prefix", "") + name]
        else:
            choices = getattr(alias, "choices", [alias])
        needed = len(choices) == 1 and hasattr(field, "is_required") and bool(field.is_required())
        for choice in choices:
            if not isinstance(choice, str):
                continue
            if config.get("case_sensitive"):
                yield choice, needed
            else:
                yield _spelled_as_set(choice), needed


def _spelled_as_set(name: str) -> str:
    """Spell a name as in the environment, else in capitals."""
    environ: Any = os.environ
    for key in list(environ._data):
        spelled = str(environ.decodekey(key))
        if spelled.lower() == name.lower():
            return spelled
    return name.upper()


def _is_set(name: str) -> bool:
    """Whether a variable has a value, without recording that."""
    environ: Any = os.environ
    return environ.encodekey(name) in environ._data
