"""Recording of environment variables that are asked for. Their values are never looked at."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, Callable, Iterator

from .callers import Callers

Tell = Callable[..., None]


class Variables:
    """A spy on `os.environ`; `os.getenv`, `.get`, `in` and `.pop` all ask its `__getitem__`."""

    def __init__(self, tell: Tell, callers: Callers) -> None:
        self._tell, self._callers = tell, callers
        self._seen: set[tuple[str, str]] = set()
        self._listed = threading.local()

    def install(self) -> None:
        """Replace two methods of the class of `os.environ`."""
        kind: Any = type(os.environ)
        kind.__getitem__ = self._wrapped_read(kind.__getitem__)
        kind.__iter__ = self._wrapped_list(kind.__iter__)

    def _wrapped_read(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def __getitem__(environ: Any, key: Any) -> Any:  # noqa: N807
            if key is not getattr(self._listed, "key", None) and isinstance(key, (str, bytes)):
                self._note(environ, key)
            return original(environ, key)

        return __getitem__

    def _wrapped_list(self, original: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """Remember which name was listed last: who then reads that one copies the environment."""

        def __iter__(environ: Any) -> Iterator[Any]:  # noqa: N807
            for key in original(environ):
                self._listed.key = key
                yield key
            self._listed.key = None

        return __iter__

    def _note(self, environ: Any, key: str | bytes) -> None:
        caller = self._callers.behind(sys._getframe(2))
        name = os.fsdecode(key)
        if caller is None or (name, caller.name) in self._seen:
            return
        try:
            is_set = environ.encodekey(key) in environ._data
        except (TypeError, ValueError):  # text where bytes are meant, which the read itself will say
            return
        self._seen.add((name, caller.name))
        self._tell(
            event="variable",
            name=name,
            set=is_set,
            reader=caller.name,
            reader_file=caller.file,
            line=caller.line,
        )
