"""A program of its own: `pip_candidates.py ASKED ANSWER` lists the wheels that pip knows, with their hashes.

ASKED is JSON, {"pins": [[name, version]], "options": [arguments of pip]}; ANSWER is {name: [{url,
index, hashes}]}. It uses pip's internals through pip-tools, so it runs in a process of its own,
where neither its logging nor a hanging index touches envkit.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ARGUMENTS = [
    "--only-binary=:all:",
    "--ignore-requires-python",
    "--no-deps",
    "--quiet",
    "--retries=1",
    "--timeout=10",
]


def main(asked: str, answer: str) -> None:
    """Answer what is asked."""
    from piptools.repositories import PyPIRepository

    question = json.loads(Path(asked).read_text())
    with tempfile.TemporaryDirectory(prefix="envkit-pip-") as cache:
        repository = PyPIRepository([*ARGUMENTS, *question["options"]], cache)
        with repository.allow_all_wheels():  # whatever Python runs this: the model's may be another
            found = {name: _wheels(repository, name, version) for name, version in question["pins"]}
    Path(answer).write_text(json.dumps(found))


def _wheels(repository: Any, name: str, version: str) -> list[dict[str, Any]]:
    from packaging.version import Version

    found = []
    for candidate in repository.find_all_candidates(name):
        link = candidate.link
        if link.is_wheel and Version(str(candidate.version)) == Version(version):
            hashes = _hashes(repository, link)
            found.append(
                {"url": link.url_without_fragment, "index": _index(link), "hashes": hashes}
            )
    return found


def _hashes(repository: Any, link: Any) -> dict[str, str]:
    """What the index says; else of the file itself, which pip's session downloads."""
    if link.hash_name == "sha256" and link.hash:
        return {"sha256": link.hash}
    if link.is_file:
        return {"sha256": hashlib.sha256(Path(link.file_path).read_bytes()).hexdigest()}
    said: str = repository._get_file_hash(link)
    algorithm, _, digest = said.partition(":")
    return {algorithm: digest}


def _index(link: Any) -> str:
    """The index whose page names the file: `…/simple/` for `…/simple/name/`; empty for a folder of files."""
    page = link.comes_from
    address = getattr(page, "url", page)
    if not isinstance(address, str) or not address.startswith(("http:", "https:")):
        return ""
    return address.rstrip("/").rpartition("/")[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
