"""Rule `pickle-version`: pickles are loaded with the versions that wrote them.

A pickle holds the inner state of objects and the bytecode of functions. Another minor version of
the library, or of Python, does not read them, or reads them wrongly.
"""

from packaging.version import InvalidVersion, Version

from envkit.analysis.python_versions import python_of
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ModelCode

READS_ONLY_ITSELF = frozenset({"scikit-learn"})
"""Libraries that promise nothing about pickles of another minor version."""
NUMPY_2_NAMES = Version("1.26")
"""The first NumPy that has the module `numpy._core`, which pickles of NumPy 2 name."""


@rule("ENV213", "pickle-version", Severity.ERROR)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report each artifact whose library or Python is required in another version."""
    for file, versions in code.survey.recorded.items():
        for name in sorted(READS_ONLY_ITSELF & versions.keys()):
            written = _version(versions[name])
            required = _pinned(name, facts)
            if written and required and _minor(written) != _minor(required):
                yield _fault(file, f"{name} {versions[name]}", f"{name} {required}")
    numpy = _pinned("numpy", facts)
    for file, names in code.survey.globals.items():
        is_of_2 = any(f"{module}.".startswith("numpy._core.") for module, _ in names)
        if is_of_2 and numpy is not None and numpy < NUMPY_2_NAMES:
            yield _fault(file, "NumPy 2", f"numpy {numpy}")
    python = _version(facts.python or "")
    if python is not None and len(python.release) > 1 and python.major == 3:
        writer = python_of(code.survey.pythons, {}, str(python))
        if writer is not None:
            yield _fault("", f"Python {writer} (the bytecode in it)", f"Python {python}")


def _fault(file: str, written: str, required: str) -> Fault:
    pickle = "the pickle" if file else "a pickle of the model"
    return Fault(
        problem=f"{pickle} was written with {written}, and the model requires {required}",
        remedy="require the version that wrote it, or save the model again with the other one",
        location=Location(file),
    )


def _pinned(name: str, facts: ModelFacts) -> Version | None:
    """The one version that requirements, constraints or the lock name."""
    for line in facts.requirements.lines:
        if line.name == name and line.version is not None:
            return _version(line.version)
    for package in facts.locked.get(name, []):
        return None if package.version is None else _version(str(package.version))
    return None


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _minor(version: Version) -> tuple[int, int]:
    return version.major, version.minor
