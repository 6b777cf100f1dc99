"""The engine that uses uv, whose wheel ships the program: https://docs.astral.sh/uv/reference/cli/."""

from __future__ import annotations

from pathlib import Path

from envkit.child import uv
from envkit.environments import locked_packages
from envkit.environments.installers import source_builds
from envkit.environments.installers.installer import Workshop
from envkit.environments.plan import Plan
from envkit.errors import BuildFailed
from envkit.formats import uv_toml
from envkit.formats.credentials import filled, placeholder_names, without_credentials
from envkit.formats.pylock_toml import LockFile
from envkit.formats.requirement_lines import Option
from envkit.interpreters.interpreter import Interpreter

_ALWAYS = ("--color", "never")
_IN_FILES = {
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--no-index",
    "--no-binary",
    "--only-binary",
}
_AS_ARGUMENTS = {
    "--pre": ("--prerelease", "allow"),
    "--require-hashes": ("--require-hashes",),
    "--trusted-host": ("--allow-insecure-host",),
}
_WITHOUT_EFFECT = {"--prefer-binary", "--use-feature", "--no-build-isolation"}


class Uv:
    """Makes environments with `uv venv`, `uv pip sync` (of a lock) and `uv pip install`.

    `beside` lets stand what another installer put into the environment, where a lock would have it
    removed.
    """

    def __init__(self, *, beside: bool = False) -> None:
        self._beside = beside

    def create(self, interpreter: Interpreter, workshop: Workshop) -> None:
        """See `Engine`."""
        argv: list[str | Path] = [
            uv.program(),
            "venv",
            *_ALWAYS,
            "--no-config",
            "--no-project",
            "--cache-dir",
            workshop.cache,
        ]
        argv += ["--python", interpreter.executable, workshop.place]
        workshop.run(argv, f"make an environment with {interpreter.executable}")

    def install(self, plan: Plan, workshop: Workshop) -> None:
        """See `Engine`. Files are copied, so that no environment can damage another."""
        common: list[str | Path] = [
            *_ALWAYS,
            *uv_toml.arguments(workshop.settings, workshop.papers),
            "--python",
            workshop.python,
            "--cache-dir",
            workshop.cache,
        ]
        common += ["--link-mode", "copy", *(("--break-system-packages",) if self._beside else ())]
        common += [] if plan.allow_source else ["--no-build"]
        if plan.build_constraints:
            common += [
                "--build-constraints",
                workshop.write("build-constraints.txt", plan.build_constraints),
            ]
        if plan.lock is not None and not locked_packages.obstacle(
            plan.lock, allow_source=plan.allow_source
        ):
            verb: tuple[str, ...] = ("sync",)
            if self._beside:
                verb = ("install", "--no-deps", "-r")
            argv = [
                uv.program(),
                "pip",
                verb[0],
                "--preview-features",
                "pylock",
                *common,
                *verb[1:],
                plan.lock.path,
            ]
            doing = f"install what {plan.lock.path} locks"
            workshop.install(argv, doing, _logins(plan.lock, workshop))
        elif plan.requirements:
            source_builds.refuse(plan, (*plan.requirements, *plan.constraints))
            argv = [uv.program(), "pip", "install", *common, *_options(plan.options)]
            argv += ["--require-hashes"] if _names_hashes(plan) else []
            argv += [
                "-r",
                workshop.write(
                    "requirements.txt", [*_option_lines(plan.options), *plan.requirements]
                ),
            ]
            argv += (
                ["-c", workshop.write("constraints.txt", plan.constraints)]
                if plan.constraints
                else []
            )
            workshop.install(argv, f"install {len(plan.requirements)} requirements with uv")


def _logins(lock: LockFile, workshop: Workshop) -> dict[str, str]:
    """Tell uv the credentials of the lock's indexes, which it then uses for their files."""
    wanted = [index for index in locked_packages.indexes(lock) if placeholder_names(index)]
    known = [
        url
        for index in wanted
        if (url := filled(index, workshop.variables)) != without_credentials(index)
    ]
    if known:
        return {"UV_INDEX": " ".join([workshop.variables.get("UV_INDEX", ""), *known]).strip()}
    return {}


def _names_hashes(plan: Plan) -> bool:
    """Whether any line has a hash: then all must, as in pip. uv would not check the others."""
    stated = any(option.name == "--require-hashes" for option in plan.options)
    return not stated and any(
        requirement.hashes for requirement in (*plan.requirements, *plan.constraints)
    )


def _option_lines(options: tuple[Option, ...]) -> list[Option]:
    """Put options into the file: other users could read credentials in arguments."""
    return [option for option in options if option.name in _IN_FILES]


def _options(options: tuple[Option, ...]) -> list[str]:
    found: list[str] = []
    for option in options:
        if option.name in _AS_ARGUMENTS:
            found += [*_AS_ARGUMENTS[option.name], *([option.value] if option.value else [])]
        elif option.name not in _IN_FILES | _WITHOUT_EFFECT:
            raise BuildFailed(
                f"install with uv: it has no option like `{option.name}`",
                "Use `--env-manager virtualenv`.",
            )
    return found
