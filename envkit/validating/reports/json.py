"""The report as JSON."""

from __future__ import annotations

import json

from envkit.validating.report import Report


def render(report: Report) -> str:
    """Give the report as one JSON object; equal reports give equal bytes."""
    return json.dumps(report.as_json(), indent=2) + "\n"
