"""Findings that are known and accepted, in a file next to the pipeline: only new ones fail.

A finding is known by its rule, file, field and problem, not by its line, so that it stays known
after lines were moved.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from envkit.errors import InvalidFile, InvalidInput
from envkit.formats.document import Document
from envkit.formats.text import read_text
from envkit.validating.report import ModelResult, Report


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """How often each fingerprint occurs, by model, whose path is relative to `folder`."""

    folder: Path
    models: Mapping[str, Mapping[str, int]]

    def without_known(self, result: ModelResult) -> ModelResult:
        """The result with new findings only."""
        left = Counter(self.models.get(_key(result, self.folder), {}))
        new = []
        for finding in result.findings:
            if left[finding.fingerprint] > 0:
                left[finding.fingerprint] -= 1
            else:
                new.append(finding)
        return replace(result, findings=tuple(new), known=len(result.findings) - len(new))


def read(path: Path) -> Baseline:
    """Read a baseline. Raises `InvalidFile` when it is missing or malformed."""
    # the suffix decides the format, and a baseline is always JSON
    named = path if path.suffix == ".json" else Path(f"{path}.json")
    document = Document.parse(read_text(path), named)
    models = document.mapping("models").content
    for name, counts in models.items():
        if not _are_counts(counts):
            raise InvalidFile(path, f"models.{name}", "was not written by `--write-baseline`")
    return Baseline(folder=path.resolve().parent, models=models)


def _are_counts(counts: object) -> bool:
    if not isinstance(counts, dict):
        return False
    return all(isinstance(count, int) for count in counts.values())


def write(path: Path, report: Report) -> None:
    """Write all findings of a report as a baseline.

    Raises `InvalidInput` when the file cannot be written."""
    folder = path.resolve().parent
    models = {}
    for result in sorted(report.results, key=lambda result: result.model):
        if result.findings:
            counts = Counter(finding.fingerprint for finding in result.findings)
            models[_key(result, folder)] = dict(sorted(counts.items()))
    content = {"schema_version": 1, "models": models}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    try:
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInput(f"Cannot write the baseline {path}: {reason}.") from error


def _key(result: ModelResult, folder: Path) -> str:
    return Path(os.path.relpath(result.path or result.model, folder)).as_posix()
