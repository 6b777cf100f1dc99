"""Findings that are known and accepted, in a file beside the pipeline: only what is new fails.

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
    """Fingerprints with how often each occurs, by model, whose path is relative to the folder of the file."""

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
    """Read a baseline. Raises `InvalidFile` when it is missing or none."""
    document = Document.parse(
        read_text(path), path if path.suffix == ".json" else Path(f"{path}.json")
    )  # is JSON
    models = document.mapping("models")
    found = {}
    for name, counts in models.content.items():
        if not isinstance(counts, dict) or not all(
            isinstance(each, int) for each in counts.values()
        ):
            raise InvalidFile(path, f"models.{name}", "is not what `--write-baseline` writes")
        found[name] = counts
    return Baseline(folder=path.resolve().parent, models=found)


def write(path: Path, report: Report) -> None:
    """Write all findings of a report as a baseline. Raises `InvalidInput` when the file cannot be written."""
    folder = path.resolve().parent
    models = {
        _key(result, folder): dict(
            sorted(Counter(each.fingerprint for each in result.findings).items())
        )
        for result in sorted(report.results, key=lambda each: each.model)
        if result.findings
    }
    text = json.dumps({"schema_version": 1, "models": models}, indent=2, ensure_ascii=False) + "\n"
    try:
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise InvalidInput(
            f"Cannot write the baseline {path}: {error.strerror or error}."
        ) from error


def _key(result: ModelResult, folder: Path) -> str:
    return Path(os.path.relpath(result.path or result.model, folder)).as_posix()
