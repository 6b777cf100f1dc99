"""pip's reading of requirements files, in a process of its own: one JSON request a line.

argv: a pip wheel. A request is the path of a file; the answer is `{"requirements": …, "options":
…}` or `{"error": …}`. `--use-feature` is left out: pip keeps what it was given in a list that all
files of a process share.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

sys.path.insert(0, sys.argv[1])

REFUSED: Any = import_module("pip._internal.exceptions").InstallationError
req_file: Any = import_module("pip._internal.req.req_file")

_OPTIONS = {
    "index_url": "--index-url",
    "extra_index_urls": "--extra-index-url",
    "find_links": "--find-links",
    "no_index": "--no-index",
    "pre": "--pre",
    "prefer_binary": "--prefer-binary",
    "require_hashes": "--require-hashes",
    "trusted_hosts": "--trusted-host",
}
_SESSION = import_module("pip._internal.network.session").PipSession()


def _line(line: Any) -> dict[str, Any]:
    parsed = req_file.handle_line(line)
    hashes = (getattr(parsed, "options", None) or {}).get("hashes", {})
    return {
        "text": parsed.requirement.strip(),
        "editable": parsed.is_editable,
        "constraint": parsed.constraint,
        "hashes": sorted(f"{name}:{value}" for name, values in hashes.items() for value in values),
    }


def _options(line: Any) -> list[list[str]]:
    found = []
    for dest, name in _OPTIONS.items():
        value = getattr(line.opts, dest)
        values = value if isinstance(value, list) else [value] if value else []
        found += [[name, each if isinstance(each, str) else ""] for each in values]
    return found


def _read(path: str) -> dict[str, Any]:
    parser = req_file.RequirementsFileParser(_SESSION, req_file.get_line_parser(None))
    requirements, options = [], []
    for line in parser.parse(path, False):
        if getattr(line, "requirement", None) is not None:
            requirements.append(_line(line))
        else:
            options += _options(line)
    return {"requirements": requirements, "options": options}


for request in sys.stdin:
    try:
        answer = _read(json.loads(request))
    except REFUSED as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
