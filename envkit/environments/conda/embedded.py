"""Conda environments without conda: py-rattler solves and installs, in a process of its own."""

from __future__ import annotations

import json
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import tomli_w

from envkit.child.progress import Advance, State, step
from envkit.child.variables import Variables
from envkit.environments.conda import machine
from envkit.environments.conda.request import CondaRequest
from envkit.environments.installers.installer import Workshop
from envkit.errors import BuildFailed, InvalidFile, ToolNotFound, Unsolvable
from envkit.formats import conda_yaml, condarc, match_spec, pixi_lock, redaction
from envkit.formats.condarc import Condarc
from envkit.inside import programs

PROGRAM = Path(programs.__file__).with_name("rattler_program.py")
_STEP = "step: "  # begins the program's lines about how far it is
_AUTH_VARIABLE = "RATTLER_AUTH_FILE"
_DOING = {
    "unsolvable": "find conda packages that fit together",
    "channel": "read the index of the conda channels",
    "hash": "trust a conda package: its archive is not the one that was named",
    "package": "read a conda package",
    "config": "read the configuration of rattler",
    "install": "install the conda packages",
}
_CHANNEL_HINT = (
    "`channel_alias` and `custom_channels` in .condarc, or `mirrors` in rattler's config.toml, "
    "set other addresses."
)


class Embedded:
    """py-rattler, which the extra `conda` of envkit installs."""

    kind = "rattler"

    def settings(
        self,
        environ: Variables,
        memory: Path | None = None,  # noqa: ARG002 - files are quick to read
    ) -> Condarc:
        """Return the settings in conda's files and variables, which need no conda."""
        return condarc.of_machine(environ, Path.home())

    def create(self, request: CondaRequest, workshop: Workshop) -> tuple[str, ...]:
        """Install the conda packages into the prefix `workshop.place`; return notes."""
        lock, notes = usable_lock(request)
        workshop.place.mkdir()
        job = _job(request, workshop) | {
            "job": "install",
            "lock": str(lock) if lock is not None else None,
            "prefix": str(workshop.place),
            "scripts": workshop.allow_source,
        }
        return (*notes, *_run(request, job, workshop)["notes"])

    def lock(
        self, request: CondaRequest, workshop: Workshop, target: Path, *, platform: str = ""
    ) -> list[dict[str, str]]:
        """Solve and write the lock to `target`; return the packages. Nothing is installed.

        `platform` is another of conda's platforms (`osx-arm64`) than this machine's.
        """
        job = _job(request, workshop) | {
            "job": "lock",
            "lock": str(target),
            "platform": platform,
        }
        packages: list[dict[str, str]] = _run(request, job, workshop)["packages"]
        return packages


def usable_lock(request: CondaRequest) -> tuple[Path | None, tuple[str, ...]]:
    """Return the lock to install from, if there is one, and a note when it lacks this platform.

    Raises `InvalidFile` for one that lacks a requested package, or has another version of it: one
    of the two was changed alone.
    """
    if request.lock is None:
        return None, ()
    platform = machine.subdir()
    packages = pixi_lock.read(request.lock, platform)
    if not packages:
        note = (
            f"{request.lock.name} has nothing for {platform}; conda packages were resolved again."
        )
        return None, (note,)
    locked = {package.name: package for package in packages}
    for spec in request.specs:
        requested = match_spec.parse(spec)
        if requested is None:
            continue
        package = locked.get(requested.name)
        if package is None:
            problem = f"does not match the model's conda.yaml: it has no {requested.name}"
            raise _lock_refused(request.lock, problem)
        if package.version and not requested.admits(package.version, package.build):
            problem = (
                f"does not match the model's conda.yaml: it has {package.name} {package.version} "
                f"{package.build}, and `{spec.rpartition('::')[2]}` is requested"
            )
            raise _lock_refused(request.lock, problem)
    return request.lock, ()


def _lock_refused(lock: Path, problem: str) -> InvalidFile:
    return InvalidFile(
        lock, "", problem, "Write it again with `envkit lock MODEL --conda`, or remove it."
    )


def _job(request: CondaRequest, workshop: Workshop) -> dict[str, Any]:
    """Return the keys that each job of the program has; its docstring lists them."""
    rattler = find_spec("rattler")
    if rattler is None or rattler.origin is None:
        raise ToolNotFound(
            "A builder of conda environments",
            "Install py-rattler (`pip install 'envkit[conda]'`), or put conda, mamba or micromamba "
            "on the PATH\nor name one: `--conda-exe PATH`. "
            "`--env-manager uv` does without conda packages.",
        )
    config = workshop.write("rattler.toml", [tomli_w.dumps(_settings(request, workshop))])
    return {
        "rattler": str(Path(rattler.origin).parent.parent),
        "channels": [channel.url for channel in request.channels],
        "specs": list(request.specs),
        "cache": str(workshop.cache),
        "config": [str(config)],
        "rewritten": request.rewritten,
        "offline": request.settings.offline,
        "answer": str(workshop.papers / "answer.json"),
    }


def _settings(request: CondaRequest, workshop: Workshop) -> dict[str, Any]:
    """Return the settings of rattler.

    Hard links would let a program that edits its own packages change the cache and, through it, the
    next environment.
    """
    configured = request.settings
    settings: dict[str, Any] = {"allow-hard-links": False, "allow-symbolic-links": False}
    if configured.ssl_verify is False:
        settings["tls-no-verify"] = True
    elif isinstance(configured.ssl_verify, str) or "SSL_CERT_FILE" in workshop.variables:
        settings["tls-root-certs"] = "system"
    proxies = {
        scheme: url for scheme, url in configured.proxies.items() if scheme in ("http", "https")
    }
    if proxies:
        settings["proxy-config"] = proxies
    if request.logins:
        logins = {**_users_logins(workshop.variables), **request.logins}
        file = workshop.write("logins.json", [json.dumps(logins)])
        settings["authentication-override-file"] = str(file)
    return settings


def _users_logins(variables: Variables) -> dict[str, Any]:
    """Read the user's own file of credentials, which envkit's replaces."""
    try:
        content = json.loads(Path(variables[_AUTH_VARIABLE]).read_bytes())
    except (KeyError, OSError, ValueError):
        return {}
    if isinstance(content, dict):
        return content
    return {}


def _run(request: CondaRequest, job: dict[str, Any], workshop: Workshop) -> dict[str, Any]:
    file = workshop.write("request.json", [json.dumps(job)])
    variables = {}
    if isinstance(request.settings.ssl_verify, str):
        variables["SSL_CERT_FILE"] = request.settings.ssl_verify
    doing = _DOING["install"]
    with step(workshop.report, "Solving conda packages") as advance:
        on_line = partial(_show, advance)
        workshop.run([sys.executable, "-I", PROGRAM, file], doing, variables, on_line)
    try:
        answer: dict[str, Any] = json.loads(Path(job["answer"]).read_bytes())
    except (OSError, ValueError) as error:
        raise BuildFailed(doing, f"The installer gave no answer: {error}") from error
    if "error" in answer:
        _refuse(request, workshop, **answer["error"])
    return answer


def _show(advance: Advance, line: str) -> None:
    """Show how far the program is."""
    if line.startswith(_STEP):
        what = line.removeprefix(_STEP).strip()
        advance(State(what=what, line=what))


def _refuse(request: CondaRequest, workshop: Workshop, kind: str, message: str) -> NoReturn:
    text = redaction.redacted(message, workshop.secrets)
    if kind == "spec":
        raise InvalidFile(request.directory / conda_yaml.FILE_NAME, "dependencies", text)
    if kind in ("lock", "platform") and request.lock is not None:
        problem = f"does not match the model's conda.yaml, or cannot be read: {text}"
        raise _lock_refused(request.lock, problem)
    doing = _DOING.get(kind, _DOING["install"])
    if "No space left on device" in text or "os error 28" in text:
        doing = f"{doing}: no space left in {workshop.place.parents[1]}"
    elif kind in ("unsolvable", "channel"):
        urls = ", ".join(channel.url for channel in request.channels)
        text += f"\nChannels: {urls}"
        if kind == "channel":
            text += f"\n{_CHANNEL_HINT}"
    if kind == "unsolvable":
        raise Unsolvable(doing, text)
    raise BuildFailed(doing, text)
