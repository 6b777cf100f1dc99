"""Changes of a model's environment files that rules propose: each is a file's name with its whole new text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from packaging.utils import canonicalize_name

from envkit.formats import conda_yaml, mlmodel, requirements_txt
from envkit.formats.conda_yaml import CondaEnv
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line

Edit = tuple[str, str]


def lines_changed(facts: ModelFacts, file: str, changes: Mapping[int, str | None]) -> Edit:
    """Give a file with lines (numbers from 1) in new words, or without them (None); ends of lines stay."""
    kept = []
    for number, line in enumerate(facts.text(file).splitlines(keepends=True), 1):
        body = line.rstrip("\r\n")
        new = changes.get(number, body)
        if new is not None:
            kept.append(new + line[len(body) :])
    return file, "".join(kept)


def requirement_changed(facts: ModelFacts, line: Line, text: str | None) -> Iterator[Edit]:
    """Give the file of a requirement with another in its place, or none; nothing where it spans lines."""
    lines = facts.text(line.file).splitlines()
    whole = lines[line.line - 1] if 0 < line.line <= len(lines) else ""
    if line.requirement.text in whole:
        if text is None:
            new = None
        else:
            new = whole.replace(line.requirement.text, text, 1)
        yield lines_changed(facts, line.file, {line.line: new})


def added(facts: ModelFacts, file: str, requirements: list[str]) -> Edit:
    """Give a file of requirements with more of them, before the references at its end."""
    lines = facts.text(file).splitlines()
    at = len(lines)
    while at and (not lines[at - 1].strip() or lines[at - 1].startswith("-")):
        at -= 1
    return file, "".join(f"{line}\n" for line in (*lines[:at], *requirements, *lines[at:]))


def versions(facts: ModelFacts) -> Mapping[str, str]:
    """The versions that the model itself tells: its lock, else the evidence, constraints, or what `MLmodel` records."""
    lock = {
        str(each["name"]): str(each["version"])
        for each in (facts.lock.packages if facts.lock else ())
        if each.get("version")
    }
    evidence = facts.evidence.distributions if facts.evidence else ()
    seen = {str(canonicalize_name(each.name)): each.version for each in evidence if each.version}
    bounds = {
        each.name: each.version
        for each in facts.lines
        if each.constraint and each.name and each.version
    }
    recorded = {
        str(canonicalize_name(name)): version for name, version in facts.recorded_versions.items()
    }
    return {**recorded, **bounds, **seen, **lock}


def pip_lines(facts: ModelFacts) -> tuple[str, ...]:
    """What stands in a pip section so that it means what `requirements.txt` does, without what conda brings itself."""
    files = facts.requirement_files
    if files is None:
        return ()
    plain = {requirements_txt.FILE_NAME, requirements_txt.CONSTRAINTS_FILE_NAME}
    if not files.read <= plain or files.options:
        return (f"-r {requirements_txt.FILE_NAME}",)
    packages = facts.conda.packages if facts.conda else ()
    of_conda = {canonicalize_name(conda_yaml.name_of(each)) for each in packages}
    own = [
        each.requirement.text
        for each in files.lines
        if not each.constraint and each.name not in of_conda
    ]
    bounded = requirements_txt.CONSTRAINTS_FILE_NAME in files.read
    return (*own, *([f"-c {requirements_txt.CONSTRAINTS_FILE_NAME}"] if bounded else []))


def conda_with_pip(facts: ModelFacts, env: CondaEnv) -> str:
    """Give the text of a conda environment with such a pip section."""
    lines = pip_lines(facts)
    if any(conda_yaml.name_of(each) == "pip" for each in env.dependencies) or not lines:
        tools = env.dependencies
    else:
        tools = (
            *env.dependencies,
            "pip",
        )
    return conda_yaml.dumps(replace(env, dependencies=tools, pip=lines or None))


def python_named(facts: ModelFacts, version: str) -> Iterator[Edit]:
    """Give the files that name another Python, or none exactly, with this one."""
    if facts.python_env is not None and facts.python_env.python != version:
        yield facts.python_env_name, _key(facts.text(facts.python_env_name), "python", version)
    spec = facts.conda.python if facts.conda else None
    if spec is not None and spec.replace(" ", "") not in (
        f"python={version}",
        f"python=={version}",
    ):
        yield facts.conda_name, facts.text(facts.conda_name).replace(spec, f"python={version}", 1)
    flavor = facts.mlmodel.python_function if facts.mlmodel else None
    if flavor is not None and flavor.python_version not in (None, version):
        yield mlmodel.FILE_NAME, _key(facts.text(mlmodel.FILE_NAME), "python_version", version)


def _key(text: str, key: str, value: str) -> str:
    """Set a key of a YAML text that stands on a line of its own."""
    return re.sub(
        rf"^(\s*{key}:[ \t]*)[^\r\n#]*?([ \t]*(?:#.*)?\r?)$",
        rf"\g<1>{value}\g<2>",
        text,
        count=1,
        flags=re.MULTILINE,
    )
