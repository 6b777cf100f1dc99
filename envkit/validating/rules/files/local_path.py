"""Rule `local-path`: nothing is installed from the local machine, except the model's wheels."""

from pathlib import Path

from envkit.formats import pylock, pylock_toml
from envkit.formats.pylock import Package
from envkit.formats.requirement import is_conda_build_folder, is_url
from envkit.formats.requirement_lines import Option
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

REMEDY = (
    "put a wheel of it into the model's `wheels/` and require `./wheels/<file>`; `envkit capture "
    "MODEL --python ENV` does, in the environment where it is installed"
)
FOLDER_REMEDY = "put the wheels into the model with `envkit bundle MODEL`, then remove the option"
LOCK_REMEDY = "put the locked wheels into the model: `envkit bundle MODEL`"

VERSION_REMEDY = "require its version: `name==version`, as `conda list` shows it"


@rule("ENV123", "local-path", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each path that leaves the model, does not exist, or is not a wheel."""
    for line in facts.lines:
        if problem := _line_problem(line, facts):
            place = line.url or line.requirement.path or ""
            flag = "-e " if line.requirement.editable else ""
            yield Fault(
                problem=f"`{flag}{line.shown}` {problem}",
                remedy=VERSION_REMEDY if is_conda_build_folder(place) else REMEDY,
                location=line.location,
            )
    for location, option in facts.installer_options:
        if option.name == "--find-links" and _is_local(option, facts):
            yield Fault(
                problem=f"`{option.name}` names a local folder",
                remedy=FOLDER_REMEDY,
                location=location,
            )
    for package in facts.locked_packages:
        yield from _locked(package, facts)


def _line_problem(line: Line, facts: ModelFacts) -> str:
    url = line.url or ""
    if url.startswith("file:") or url.partition("+")[2].startswith("file:"):
        if is_conda_build_folder(url):
            return "is a build folder of conda, left by `pip freeze`, which exists nowhere"
        return "is a local file"
    path = line.requirement.path
    if path is None:
        return ""
    if line.requirement.editable:
        return "is a development install from a folder"
    if Path(path).is_absolute() or path.startswith("~") or facts.leads_out(path):
        return "lies outside the model"
    if not (facts.path / path).exists():
        return "does not exist"
    if not (facts.path / path).is_file():
        return "is a folder, which must be built first"
    return ""


def _is_local(option: Option, facts: ModelFacts) -> bool:
    value = option.value or ""
    return value.startswith("file:") or (not is_url(value) and facts.leads_out(value))


def _locked(package: Package, facts: ModelFacts) -> Faults:
    location = Location(pylock_toml.FILE_NAME, field=f"packages.{package.name}")
    files = pylock.files_of(package)
    places = [file.path or file.url or "" for file in files]
    if package.directory is not None:
        places.append(package.directory.path)
    for place in places:
        if _is_outside(place, facts):
            yield Fault(
                problem=f"`{place}` is not a file of the model",
                remedy=LOCK_REMEDY,
                location=location,
            )


def _is_outside(place: str, facts: ModelFacts) -> bool:
    """Whether a locked path or URL is local and not a file of the model."""
    if is_url(place):
        return place.startswith("file:")
    return facts.leads_out(place) or not (facts.path / place).exists()
