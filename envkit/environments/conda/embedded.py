"""Conda environments without conda: py-rattler solves and installs, in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tomli_w

from envkit.child.progress import Advance, State, step
from envkit.environments.conda.needs import CondaNeeds
from envkit.environments.installers.installer import Workshop
from envkit.errors import BuildFailed, InvalidFile, ToolNotFound
from envkit.formats import conda_yaml, pixi_lock, redaction
from envkit.inside import programs

PROGRAM = Path(programs.__file__).with_name("rattler_program.py")
_STEP = "step: "  # what the program's lines of how far it is begin with
_AUTH_VARIABLE = "RATTLER_AUTH_FILE"
_DOING = {
    "unsolvable": "find conda packages that fit together",
    "channel": "ask the conda channels what they have",
    "hash": "trust a conda package: its archive is not the one that was named",
    "package": "read a conda package",
    "config": "read the configuration of rattler",
    "install": "install the conda packages",
}


class Embedded:
    """py-rattler, which the extra `conda` of envkit brings."""

    kind = "rattler"

    def create(self, needs: CondaNeeds, workshop: Workshop) -> tuple[str, ...]:
        """Install the conda packages into the prefix `workshop.place`; gives notes for the user."""
        lock, notes = usable_lock(needs)
        workshop.place.mkdir()
        asked = _request(needs, workshop) | {
            "job": "install",
            "lock": str(lock) if lock is not None else None,
            "prefix": str(workshop.place),
            "scripts": workshop.allow_source,
        }
        return (*notes, *_run(needs, asked, workshop)["notes"])

    def lock(
        self, needs: CondaNeeds, workshop: Workshop, target: Path, *, platform: str = ""
    ) -> list[dict[str, str]]:
        """Solve and write the lock to `target`, for this platform or another of conda's (`osx-arm64`); gives the
        packages. Nothing is installed.
        """
        asked = _request(needs, workshop) | {
            "job": "lock",
            "lock": str(target),
            "platform": platform,
        }
        packages: list[dict[str, str]] = _run(needs, asked, workshop)["packages"]
        return packages


def usable_lock(needs: CondaNeeds) -> tuple[Path | None, tuple[str, ...]]:
    """Give the lock that is to be installed from, if there is one, and a note when it does not help here.

    Raises `InvalidFile` for one that lacks what is asked for: somebody changed the one and not the
    other.
    """
    from envkit.environments.conda.needs import subdir

    if needs.lock is None:
        return None, ()
    packages = pixi_lock.read(needs.lock, subdir())
    if not packages:
        return None, (
            f"{needs.lock.name} has nothing for {subdir()}; conda packages were resolved anew.",
        )
    names = {each.name for each in packages}
    for spec in needs.specs:
        if (name := conda_yaml.name_of(spec.rpartition("::")[2])) not in names:
            raise _lock_refused(
                needs.lock, f"does not fit the model's conda.yaml: it has no {name}"
            )
    return needs.lock, ()


def _lock_refused(lock: Path, problem: str) -> InvalidFile:
    return InvalidFile(
        lock, "", problem, "Write it anew with `envkit lock MODEL --conda`, or remove it."
    )


def _request(needs: CondaNeeds, workshop: Workshop) -> dict[str, Any]:
    found = find_spec("rattler")
    if found is None or found.origin is None:
        raise ToolNotFound(
            "A builder of conda environments",
            "Install py-rattler (`pip install 'envkit[conda]'`), or put conda, mamba or micromamba on the PATH\n"
            "or name one: `--conda-exe PATH`. `--env-manager uv` does without conda packages.",
        )
    return {
        "rattler": str(Path(found.origin).parent.parent),
        "channels": [each.url for each in needs.channels],
        "specs": list(needs.specs),
        "cache": str(workshop.cache),
        "config": [
            str(workshop.write("rattler.toml", [tomli_w.dumps(_settings(needs, workshop))]))
        ],
        "rewritten": needs.rewritten,
        "offline": needs.settings.offline,
        "answer": str(workshop.papers / "answer.json"),
    }


def _settings(needs: CondaNeeds, workshop: Workshop) -> dict[str, Any]:
    """Hard links would let a program that edits its own packages reach the cache and the next environment."""
    settings = needs.settings
    found: dict[str, Any] = {"allow-hard-links": False, "allow-symbolic-links": False}
    if settings.ssl_verify is False:
        found["tls-no-verify"] = True
    elif isinstance(settings.ssl_verify, str) or "SSL_CERT_FILE" in workshop.variables:
        found["tls-root-certs"] = "system"
    if proxies := {
        each: url for each, url in settings.proxies.items() if each in ("http", "https")
    }:
        found["proxy-config"] = proxies
    if needs.logins:
        known = _known_logins(workshop.variables)
        file = workshop.write("logins.json", [json.dumps({**known, **needs.logins})])
        found["authentication-override-file"] = str(file)
    return found


def _known_logins(variables: Mapping[str, str]) -> dict[str, Any]:
    """Give what the user's own file of credentials has, which ours takes the place of."""
    try:
        content = json.loads(Path(variables[_AUTH_VARIABLE]).read_bytes())
    except (KeyError, OSError, ValueError):
        return {}
    if isinstance(content, dict):
        return content
    return {}


def _run(needs: CondaNeeds, asked: dict[str, Any], workshop: Workshop) -> dict[str, Any]:
    request = workshop.write("request.json", [json.dumps(asked)])
    variables = {}
    if isinstance(needs.settings.ssl_verify, str):
        variables["SSL_CERT_FILE"] = needs.settings.ssl_verify
    with step(workshop.report, "Solving conda packages") as advance:
        heard = partial(_show, advance)
        workshop.run([sys.executable, "-I", PROGRAM, request], _DOING["install"], variables, heard)
    try:
        answer: dict[str, Any] = json.loads(Path(asked["answer"]).read_bytes())
    except (OSError, ValueError) as error:
        raise BuildFailed(_DOING["install"], f"The installer gave no answer: {error}") from error
    if "error" in answer:
        _refuse(needs, workshop, **answer["error"])
    return answer


def _show(advance: Advance, line: str) -> None:
    """Show what the program says of how far it is."""
    if line.startswith(_STEP):
        what = line.removeprefix(_STEP).strip()
        advance(State(what=what, line=what))


def _refuse(needs: CondaNeeds, workshop: Workshop, kind: str, message: str) -> None:
    text = redaction.redacted(message, workshop.secrets)
    if kind == "spec":
        raise InvalidFile(needs.directory / conda_yaml.FILE_NAME, "dependencies", text)
    if kind in ("lock", "platform") and needs.lock is not None:
        raise _lock_refused(
            needs.lock, f"does not fit the model's conda.yaml, or cannot be read: {text}"
        )
    doing = _DOING.get(kind, _DOING["install"])
    if "No space left on device" in text or "os error 28" in text:
        doing = f"{doing}: no space left in {workshop.place.parents[1]}"
    elif kind in ("unsolvable", "channel"):
        asked = ", ".join(each.url for each in needs.channels)
        text += f"\nAsked: {asked}" + (_ELSEWHERE if kind == "channel" else "")
    raise BuildFailed(doing, text)


_ELSEWHERE = "\n`channel_alias` and `custom_channels` in .condarc, or `mirrors` in rattler's config.toml, lead elsewhere."
