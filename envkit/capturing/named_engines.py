"""Words of the model, each of which may name the library that another library shall use.

People name engines in code (`BeautifulSoup(text, "lxml")`), in configuration that the model reads,
and in objects and functions that are pickled.
"""

from __future__ import annotations

import io
import pickletools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from envkit.analysis.source_file import SourceFiles
from envkit.capturing.places import Places
from envkit.capturing.trace import DataFileRead, Trace
from envkit.errors import InvalidFile
from envkit.formats.text import read_bytes

SCHEME = re.compile(r"([a-z]+)\d*[a-z]?://")
"""Of a URL, which may name the library that handles it: `socks5h://` names `socks`."""

WORD = re.compile(r"(?<![\w./-])[A-Za-z_]\w*(?![\w/-]|\.\w)")
"""A name that is not part of a path, a URL, a dotted or a hyphenated name."""

LARGEST_TEXT = 64_000  # bytes; a larger file is data, not configuration
LARGEST_PICKLE = 10_000_000
LONGEST_NAME = 200
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
DESCRIPTION = "MLmodel"  # says by what the model was saved, in words of many libraries
EXAMPLES = ("input_example", "serving_input_example")


def words_of_model(trace: Trace, places: Places, sources: SourceFiles) -> frozenset[str]:
    """Return the words of the model's code and of the small files of it that the run read."""
    words: set[str] = set()
    for file in places.local_sources(trace).values():
        words.update(_engines(sources.file(file).texts))
    read = {use.path for use in trace.file_uses if isinstance(use, DataFileRead)}
    for file in sorted(read):
        name = Path(file).name
        if places.is_local(file) and name != DESCRIPTION and not name.startswith(EXAMPLES):
            words.update(_words_of_file(Path(file)))
    return frozenset(words)


def words_of_configuration(configuration: object) -> frozenset[str]:
    """Return the texts in nested lists and mappings, as `model_config` of a model holds them."""
    words: set[str] = set()
    waiting = [configuration]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            words.update(_engines([value]))
        elif isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return frozenset(words)


def _engines(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        scheme = SCHEME.match(text)
        yield scheme[1] if scheme else text


def _words_of_file(path: Path) -> Iterator[str]:
    try:
        content = read_bytes(path, max_bytes=LARGEST_PICKLE)
    except InvalidFile:  # removed or replaced by the model, or too large
        return
    if content.startswith(PICKLE_STARTS):
        yield from _engines(_texts_of_pickle(content))
    elif len(content) <= LARGEST_TEXT:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return
        yield from WORD.findall(text)
        yield from (scheme[1] for scheme in SCHEME.finditer(text))


def _texts_of_pickle(content: bytes) -> Iterator[str]:
    """Yield the texts in a pickle, with the constants of functions; nothing is unpickled."""
    try:
        for _, argument, _ in pickletools.genops(io.BytesIO(content)):
            if isinstance(argument, str) and len(argument) <= LONGEST_NAME:
                yield argument
    except (ValueError, EOFError, IndexError, UnicodeDecodeError):
        return  # a damaged pickle, or data after it: what was read until there counts
