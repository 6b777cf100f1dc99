"""Known vulnerabilities of what a model pins, by pip-audit, an extra of envkit.

https://github.com/pypa/pip-audit

It asks PyPI, or what its own variables name: PIP_AUDIT_VULNERABILITY_SERVICE (`pypi`, `osv`) and
PIP_AUDIT_OSV_URL. Nothing is installed or resolved: the pins are looked up as they are.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from envkit.child import process
from envkit.errors import ToolNotFound
from envkit.formats.credentials import without_credentials
from envkit.validating.files.facts import ModelFacts
from envkit.validating.options import StageOptions

SECONDS = 600.0
MAX_OUTPUT = 300  # characters, of what pip-audit says when it fails
OPTIONS = (
    "--disable-pip",
    "--no-deps",
    "--progress-spinner=off",
    "--aliases=on",
    "--format=json",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Vulnerability:
    """A known one.

    identifier: `PYSEC-2023-1`.
    aliases: other names (`CVE-…`).
    fixed: versions without it.
    """

    name: str
    version: str
    identifier: str
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """The answer.

    unknown: packages that the service does not know.
    no_answer: why there is no answer.
    """

    vulnerabilities: tuple[Vulnerability, ...] = ()
    unknown: tuple[str, ...] = ()
    no_answer: str = ""


def require() -> None:
    """Raise `ToolNotFound` when pip-audit is not installed."""
    if find_spec("pip_audit") is None:
        raise ToolNotFound(
            "pip-audit", "Install it with envkit's extra: `pip install 'envkit[audit]'`."
        )


def audit(facts: ModelFacts, options: StageOptions) -> Audit:
    """Look up each pin of requirements, constraints and lock.

    Raises `ToolNotFound` without pip-audit.
    """
    require()
    pins = _pins(facts)
    if not pins:
        return Audit()
    options.say(f"Looking up known vulnerabilities of {len(pins)} packages")
    with tempfile.TemporaryDirectory(prefix="envkit-audit-") as folder:
        return _ask(pins, Path(folder))


def _pins(facts: ModelFacts) -> dict[str, str]:
    """The versions that indexes would give, sorted by name; the lock counts before the lines."""
    pins = {}
    for line in facts.requirements.lines:
        if line.name and line.version and not line.url:
            pins[line.name] = line.version
    for package in facts.locked_packages:
        if package.version is not None:
            pins[package.name] = str(package.version)
    return dict(sorted(pins.items()))


def _ask(pins: dict[str, str], folder: Path) -> Audit:
    requirements, answer = folder / "requirements.txt", folder / "answer.json"
    lines = [f"{name}=={version}\n" for name, version in pins.items()]
    requirements.write_text("".join(lines), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "pip_audit", *OPTIONS]
    ended = process.run(
        [*command, "-r", requirements, "-o", answer],
        environment=os.environ,
        directory=folder,
        timeout=SECONDS,
        keep_output=True,
    )
    try:
        return _parse(json.loads(answer.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        output = without_credentials(" ".join(ended.output.split()))
        return Audit(no_answer=output[-MAX_OUTPUT:] or f"pip-audit {ended.how}")


def _parse(answer: dict[str, Any]) -> Audit:
    packages = answer["dependencies"]
    skipped = [package for package in packages if "skip_reason" in package]
    # a service that knows none of them is the wrong one, or did not answer
    if skipped and len(skipped) == len(packages):
        reason = skipped[0]["skip_reason"]
        return Audit(no_answer=f"the service knows none of the {len(packages)} packages ({reason})")
    vulnerabilities = [
        Vulnerability(
            name=package["name"],
            version=package["version"],
            identifier=entry["id"],
            aliases=tuple(entry.get("aliases", ())),
            fixed=tuple(entry.get("fix_versions", ())),
        )
        for package in packages
        for entry in package.get("vulns", ())
    ]
    return Audit(
        vulnerabilities=tuple(vulnerabilities),
        unknown=tuple(package["name"] for package in skipped),
    )
