"""List the wheels that pip finds on its indexes, with their hashes.

    python pip_candidates.py REQUEST ANSWER

REQUEST is JSON, {"pins": [[name, version]], "options": [arguments of pip]}; ANSWER is {name: [{url,
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


def main(request_path: str, answer_path: str) -> None:
    """Read the request and write the answer."""
    from piptools.repositories import (
        PyPIRepository,
    )  # envkit imports this file, and does not need it

    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    answer = {}
    with tempfile.TemporaryDirectory(prefix="envkit-pip-") as cache:
        repository = PyPIRepository([*ARGUMENTS, *request["options"]], cache)
        with repository.allow_all_wheels():  # the model's Python may be another than this one
            for name, version in request["pins"]:
                answer[name] = _wheels(repository, name, version)
    Path(answer_path).write_text(json.dumps(answer), encoding="utf-8")


def _wheels(repository: Any, name: str, version: str) -> list[dict[str, Any]]:
    """List the wheels of one version."""
    from packaging.version import (
        Version,
    )  # envkit imports this file, and does not need it here

    wheels = []
    for candidate in repository.find_all_candidates(name):
        link = candidate.link
        if link.is_wheel and Version(str(candidate.version)) == Version(version):
            wheel = {
                "url": link.url_without_fragment,
                "index": _index(link),
                "hashes": _hashes(repository, link),
            }
            wheels.append(wheel)
    return wheels


def _hashes(repository: Any, link: Any) -> dict[str, str]:
    """Give the hash that the index states, else that of the file, which pip's session downloads."""
    if link.hash_name == "sha256" and link.hash:
        return {"sha256": link.hash}
    if link.is_file:
        return {"sha256": hashlib.sha256(Path(link.file_path).read_bytes()).hexdigest()}
    algorithm, _, digest = str(repository._get_file_hash(link)).partition(":")
    return {algorithm: digest}


def _index(link: Any) -> str:
    """Give the index whose page has the link, `…/simple/` for `…/simple/name/`.

    Empty for a folder of files.
    """
    page = link.comes_from
    address = getattr(page, "url", page)
    if not isinstance(address, str) or not address.startswith(("http:", "https:")):
        return ""
    return address.rstrip("/").rpartition("/")[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
