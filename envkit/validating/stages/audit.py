"""Known vulnerabilities of what a model pins, by pip-audit (https://github.com/pypa/pip-audit), an extra of envkit.

It asks PyPI, or what its own variables name: PIP_AUDIT_VULNERABILITY_SERVICE (`pypi`, `osv`) and
PIP_AUDIT_OSV_URL. Nothing is installed and nothing resolved: the pins are asked about as they
stand.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envkit.child import process
from envkit.errors import ToolNotFound
from envkit.formats.credentials import without_credentials

if TYPE_CHECKING:
    from envkit.validating.files.facts import ModelFacts

SECONDS = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Vulnerability:
    """One that is known. identifier: `PYSEC-2023-1`; aliases: other names (`CVE-…`); fixed: versions without it."""

    name: str
    version: str
    identifier: str
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """What was found. unknown: packages that the service does not know. unasked: why there is no answer at all."""

    vulnerabilities: tuple[Vulnerability, ...] = ()
    unknown: tuple[str, ...] = ()
    unasked: str = ""


def require() -> None:
    """Raise `ToolNotFound` when pip-audit is not installed."""
    if find_spec("pip_audit") is None:
        raise ToolNotFound(
            "pip-audit", "Install it with envkit's extra: `pip install 'envkit[audit]'`."
        )


def audit(facts: ModelFacts) -> Audit:
    """Ask about each pin, of requirements, constraints and lock. Raises `ToolNotFound` without pip-audit."""
    require()
    pins = pins_of(facts)
    if not pins:
        return Audit()
    facts.demands.tell(f"Asking for known vulnerabilities of {len(pins)} packages")
    with tempfile.TemporaryDirectory(prefix="envkit-audit-") as name:
        folder = Path(name)
        asked, answer = folder / "requirements.txt", folder / "answer.json"
        asked.write_text(
            "".join(f"{name}=={version}\n" for name, version in pins), encoding="utf-8"
        )
        options = [
            "--disable-pip",
            "--no-deps",
            "--progress-spinner",
            "off",
            "--aliases",
            "on",
            "--format",
            "json",
        ]
        command: list[str | Path] = [
            sys.executable,
            "-P",
            "-m",
            "pip_audit",
            "-r",
            asked,
            *options,
            "-o",
            answer,
        ]
        ended = process.run(
            command, environment=os.environ, directory=folder, timeout=SECONDS, keep_output=True
        )
        try:
            return _read(json.loads(answer.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            said = (
                without_credentials(" ".join(ended.output.split()))[-300:]
                or f"pip-audit {ended.how}"
            )
            return Audit(unasked=said)


def pins_of(facts: ModelFacts) -> list[tuple[str, str]]:
    """The versions that would be installed from indexes, by name, sorted; the lock counts before the lines."""
    lines = {
        each.name: each.version
        for each in facts.requirements.lines
        if each.name and each.version and not each.url
    }
    locked = {
        str(each["name"]): str(each["version"])
        for each in (facts.lock.packages if facts.lock else ())
        if each.get("version")
    }
    return sorted({**lines, **locked}.items())


def _read(answer: dict[str, Any]) -> Audit:
    """Where the service knows none of the packages, it was the wrong one, or did not answer."""
    dependencies = answer["dependencies"]
    unknown = tuple(each["name"] for each in dependencies if "skip_reason" in each)
    if unknown and len(unknown) == len(dependencies):
        return Audit(
            unasked=f"the service knows none of the {len(unknown)} packages ({dependencies[0]['skip_reason']})"
        )
    found = (
        Vulnerability(
            name=each["name"],
            version=each["version"],
            identifier=one["id"],
            aliases=tuple(one.get("aliases", ())),
            fixed=tuple(one.get("fix_versions", ())),
        )
        for each in dependencies
        for one in each.get("vulns", ())
    )
    return Audit(vulnerabilities=tuple(found), unknown=unknown)
