"""The fields of each event of a journal; `inside/__main__.py` says what they mean.

The model's own code can write into its journal, so nothing of an event is used before its fields
were checked here. Events of other names are of no use to anyone, and may hold anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Check = Callable[[object], bool]

PHASES = frozenset({"start", "load", "input", "predict", "output"})


def problem_of(event: object) -> str:
    """Say what is wrong with an event, as a clause; empty when nothing is."""
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return "is not an event"
    name = event["event"]
    for field, check in _FIELDS.get(name, {}).items():
        if not check(event.get(field)):
            return f"is not an event `{name}`: `{field}` is missing or has another type"
    return ""


def _is_anything(_: object) -> bool:
    return True


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_phase(value: object) -> bool:
    return isinstance(value, str) and value in PHASES


def _is_line(value: object) -> bool:
    return value is None or _is_number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_places(value: object) -> bool:
    """Whether this is a list of file and line; none at all means an empty list."""
    return value is None or (isinstance(value, list) and all(map(_is_place, value)))


def _is_place(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    file, line = value
    return _is_text(file) and _is_number(line)


def _are_files(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text_or_none, value.values()))


_IMPORTER: Mapping[str, Check] = {
    "importer": _is_text_or_none,
    "importer_file": _is_text_or_none,
    "line": _is_line,
    "importing": _are_places,
    "phase": _is_phase,
}
_READER: Mapping[str, Check] = {
    "reader": _is_text_or_none,
    "reader_file": _is_text_or_none,
    "line": _is_line,
    "phase": _is_phase,
}
_MODULE: Mapping[str, Check] = {"module": _is_text, "file": _is_text_or_none, **_IMPORTER}
_PATH: Mapping[str, Check] = {"path": _is_text, **_READER}
_FIELDS: Mapping[str, Mapping[str, Check]] = {
    "phase": {"name": _is_phase},
    "module": _MODULE,
    "import": _MODULE,
    "pickle": {"module": _is_text, "phase": _is_phase},
    "builtin": {"name": _is_text, "path": _is_text_or_none},
    "variable": {"name": _is_text, "set": _is_flag, "needed": _is_flag, **_READER},
    "file": _PATH,
    "metadata": _PATH,
    "library": _PATH,
    "libraries": {"paths": _are_texts},
    "process": {"argv": _are_texts, "program": _is_text_or_none, **_READER},
    "program": _PATH,
    "write": {"gone": _is_flag, **_PATH},
    "connect": {"address": _is_text, "phase": _is_phase},
    "module-files": {"files": _are_files},
    "prediction": {"output": _is_anything},
    "uncompiled": {"paths": _are_texts},
    "skipped": {"phase": _is_phase, "why": _is_text},
    "unstreamed": {"why": _is_text},
    "error": {
        "phase": _is_phase,
        "kind": _is_text,
        "type": _is_text,
        "message": _is_text,
        "traceback": _is_text,
    },
}
