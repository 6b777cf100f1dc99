"""Edits of a model's environment files that rules propose."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from packaging.utils import canonicalize_name

from envkit.formats import conda_yaml, mlmodel, requirements_txt
from envkit.formats.conda_yaml import CondaEnv
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line

Edit: TypeAlias = tuple[str, str]
"""The name of a file and its whole new text."""
Edits: TypeAlias = Iterator[Edit]


def with_lines(facts: ModelFacts, file: str, changes: Mapping[int, str | None]) -> Edit:
    """Replace lines of a file, numbered from 1, or remove them (None); line ends stay."""
    new_lines = []
    lines = facts.text(file).splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        body = line.rstrip("\r\n")
        line_end = line[len(body) :]
        new_body = changes.get(number, body)
        if new_body is not None:
            new_lines.append(new_body + line_end)
    return file, "".join(new_lines)


def with_requirement(facts: ModelFacts, line: Line, text: str) -> Edits:
    """Replace a requirement in its file; nothing where it spans several lines."""
    number, old = line.requirement.line, line.requirement.text
    whole = _line_of_file(facts, line.file, number)
    if old in whole:
        yield with_lines(facts, line.file, {number: whole.replace(old, text, 1)})


def without_requirement(facts: ModelFacts, line: Line) -> Edits:
    """Remove a requirement from its file; nothing where it spans several lines."""
    number = line.requirement.line
    if line.requirement.text in _line_of_file(facts, line.file, number):
        yield with_lines(facts, line.file, {number: None})


def _line_of_file(facts: ModelFacts, file: str, number: int) -> str:
    lines = facts.text(file).splitlines()
    if 0 < number <= len(lines):
        return lines[number - 1]
    return ""


def with_more_requirements(facts: ModelFacts, file: str, requirements: list[str]) -> Edit:
    """Add requirements to a file, before the references at its end."""
    lines = facts.text(file).splitlines()
    references: list[str] = []
    while lines and (lines[-1].startswith("-") or not lines[-1].strip()):
        references.insert(0, lines.pop())
    lines += requirements
    lines += references
    return file, "".join(f"{line}\n" for line in lines)


def known_versions(facts: ModelFacts) -> Mapping[str, str]:
    """The versions that the model itself names, by normalized name.

    The lock counts before the evidence, then constraints, then what `MLmodel` records.
    """
    versions = dict(facts.recorded_versions)
    for line in facts.lines:
        if line.constraint and line.name and line.version:
            versions[line.name] = line.version
    for distribution in facts.captured_distributions:
        if distribution.version:
            versions[canonicalize_name(distribution.name)] = distribution.version
    for package in facts.locked_packages:
        if package.version is not None:
            versions[package.name] = str(package.version)
    return versions


def pip_lines(facts: ModelFacts) -> tuple[str, ...]:
    """The pip section that means what `requirements.txt` does, without conda's packages."""
    files = facts.requirement_files
    if files is None:
        return ()
    constraints = requirements_txt.CONSTRAINTS_FILE_NAME
    if files.options or not files.read <= {requirements_txt.FILE_NAME, constraints}:
        return (f"-r {requirements_txt.FILE_NAME}",)
    from_conda = {canonicalize_name(conda_yaml.name_of(spec)) for spec in facts.conda_packages}
    lines = [
        line.requirement.text
        for line in files.lines
        if not line.constraint and line.name not in from_conda
    ]
    if constraints in files.read:
        lines.append(f"-c {constraints}")
    return tuple(lines)


def conda_with_pip(facts: ModelFacts, env: CondaEnv) -> str:
    """Give the text of a conda environment with such a pip section."""
    lines = pip_lines(facts)
    dependencies = env.dependencies
    if lines and "pip" not in map(conda_yaml.name_of, dependencies):
        dependencies = (*dependencies, "pip")
    new_env = replace(env, dependencies=dependencies, pip=lines or None)
    return conda_yaml.dumps(new_env)


def with_python(facts: ModelFacts, version: str) -> Edits:
    """Name this Python in the files that name another, or none exactly."""
    if facts.python_env is not None and facts.python_env.python != version:
        name = facts.python_env_name
        yield name, _with_key(facts.text(name), "python", version)
    spec = facts.conda.python if facts.conda else None
    if spec is not None:
        exact_specs = (f"python={version}", f"python=={version}")
        if spec.replace(" ", "") not in exact_specs:
            text = facts.text(facts.conda_name)
            yield facts.conda_name, text.replace(spec, exact_specs[0], 1)
    named = facts.flavor.python_version if facts.flavor else None
    if named is not None and named != version:
        text = facts.text(mlmodel.FILE_NAME)
        yield mlmodel.FILE_NAME, _with_key(text, "python_version", version)


def _with_key(text: str, key: str, value: str) -> str:
    """Set a key of a YAML text that stands on a line of its own."""
    return re.sub(
        rf"^(\s*{key}:[ \t]*)[^\r\n#]*?([ \t]*(?:#.*)?\r?)$",
        rf"\g<1>{value}\g<2>",
        text,
        count=1,
        flags=re.MULTILINE,
    )
