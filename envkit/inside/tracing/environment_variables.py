"""Recording of environment variables that are asked for. Their values are never looked at."""

from __future__ import annotations

import os
import sys
import threading
from types import FrameType
from typing import Any, Callable, Iterator

from .callers import Callers
from .origins import attributes_of

Tell = Callable[..., None]


class Variables:
    """A spy on `os.environ`; `os.getenv`, `.get`, `in` and `.pop` all ask its `__getitem__`."""

    def __init__(self, tell: Tell, callers: Callers, given: set[str]) -> None:
        """`given`: names that the process got from the one that traces it, or sets itself: nobody else is asked."""
        self._tell, self._callers, self._given = tell, callers, given
        self._seen: set[tuple[str, str, bool]] = set()
        self._listed = threading.local()

    def install(self) -> None:
        """Replace three methods of the class of `os.environ`."""
        kind: Any = type(os.environ)
        kind.__getitem__ = self._wrapped_read(kind.__getitem__)
        kind.__iter__ = self._wrapped_list(kind.__iter__)
        kind.__setitem__ = self._wrapped_write(kind.__setitem__)

    def _wrapped_read(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __getitem__(environ: Any, key: Any) -> Any:  # noqa: N807
            if id(key) not in getattr(self._listed, "names", ()) and isinstance(key, (str, bytes)):
                self._note(environ, key)
            return original(environ, key)

        return __getitem__

    def _wrapped_list(self, original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """Remember the very objects that were listed: who reads with one of them copies the environment."""

        def __iter__(environ: Any) -> Iterator[Any]:  # noqa: N807
            names: dict[int, Any] = {}
            self._listed.names = names
            for key in original(environ):
                names[id(key)] = key
                yield key

        return __iter__

    def _wrapped_write(self, original: Callable[..., None]) -> Callable[..., None]:
        def __setitem__(environ: Any, key: Any, value: Any) -> None:  # noqa: N807
            original(environ, key, value)
            self._given.add(os.fsdecode(key))

        return __setitem__

    def _note(self, environ: Any, key: str | bytes) -> None:
        frame = sys._getframe(1).f_back
        caller = self._callers.behind(frame)
        name = os.fsdecode(key)
        needed = _is_needed(frame)
        if caller is None or (name, caller.name, needed) in self._seen or name in self._given:
            return
        try:
            is_set = environ.encodekey(key) in environ._data
        except (
            TypeError,
            ValueError,
        ):  # text where bytes are meant, which the read itself will say
            return
        self._seen.add((name, caller.name, needed))
        self._tell(
            event="variable",
            name=name,
            set=is_set,
            needed=needed,
            reader=caller.name,
            reader_file=caller.file,
            line=caller.line,
        )

    def note_settings(self) -> None:
        """Tell of the variables that classes of pydantic-settings take from a copy of the whole environment."""
        base = attributes_of(sys.modules.get("pydantic_settings")).get("BaseSettings")
        for kind in _descendants(base):
            if kind.__module__.partition(".")[0] == "pydantic_settings":
                continue
            file = attributes_of(sys.modules.get(kind.__module__)).get("__file__")
            for name, needed in _names_of(kind):
                if (name, kind.__module__, needed) not in self._seen and name not in self._given:
                    self._seen.add((name, kind.__module__, needed))
                    self._tell(
                        event="variable",
                        name=name,
                        set=_is_set(name),
                        needed=needed,
                        reader=kind.__module__,
                        reader_file=file if isinstance(file, str) else None,
                        line=0,
                    )


def _descendants(kind: Any) -> Iterator[Any]:
    below: list[Any] = kind.__subclasses__() if isinstance(kind, type) else []
    for each in below:
        yield each
        yield from _descendants(each)


def _is_needed(frame: FrameType | None) -> bool:
    """Whether absence raises for who asks: not in the `get`, `in`, `setdefault` and `pop` of the mapping."""
    if frame is None:  # C code asks
        return False
    code = frame.f_code
    if code.co_filename == os.__file__ or code.co_filename == "<frozen os>":
        return code.co_name != "setdefault"
    if "_collections_abc" not in code.co_filename:
        return True
    return (
        code.co_name == "pop"
        and "default" in frame.f_locals
        and type(frame.f_locals["default"]) is object
    )


def _names_of(settings: Any) -> Iterator[tuple[str, bool]]:
    """Yield the variables of a settings class; as they are spelled where one is set, else in capitals.

    With each goes whether the class cannot do without it.
    """
    config = settings.model_config
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        if alias is not None:
            names = [alias]
        else:
            names = [config.get("env_prefix", "") + name]
        choices: list[Any] = getattr(alias, "choices", names)
        needed = len(choices) == 1 and hasattr(field, "is_required") and bool(field.is_required())
        for each in choices:
            if isinstance(each, str):
                yield each if config.get("case_sensitive") else _as_set(each), needed


def _as_set(name: str) -> str:
    data: Any = os.environ
    spelled = (data.decodekey(key) for key in list(data._data))
    return next((each for each in spelled if each.lower() == name.lower()), name.upper())


def _is_set(name: str) -> bool:
    data: Any = os.environ
    return data.encodekey(name) in data._data
