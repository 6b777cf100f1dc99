"""The content of `envkit.json`: why each distribution is there, and what else was seen.

It is the same in each capture of a model in an environment: no times, no temporary paths.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName

from envkit.capturing import native, outside_effects
from envkit.capturing.packagers import conda_package, is_of_debian
from envkit.capturing.places import Places
from envkit.capturing.requirements import SelectedDistribution, Selection
from envkit.capturing.trace import (
    CodeLocation,
    DataFileRead,
    FileUse,
    ModuleImport,
    PickledModule,
    Trace,
    Use,
)
from envkit.capturing.variables import Variable
from envkit.formats import envkit_json
from envkit.formats.credentials import placeholders
from envkit.installed.distribution import Origin, is_metadata
from envkit.locking.local_wheels import LocalWheel
from envkit.locking.pins import pin
from envkit.models.capture_warnings import CaptureWarning

REASONS_KEPT = 10  # for a distribution; a large library is imported from hundreds of places
OUTPUT_BYTES_KEPT = 1_000_000  # of a larger prediction only the digest is recorded

Wheels = Mapping[NormalizedName, LocalWheel]


def document(
    trace: Trace,
    selection: Selection,
    variables: Sequence[Variable],
    warnings: Sequence[CaptureWarning],
    places: Places,
    example: Path | None,
    wheels: Wheels,
) -> dict[str, Any]:
    """Put the evidence together as JSON values. example: the file that the model predicted on."""
    interpreter = trace.interpreter
    distributions = [
        *(_distribution(each, "requirement", places, wheels) for each in selection.requirements),
        *(_distribution(each, "constraint", places, wheels) for each in selection.constraints),
    ]
    return {
        "schema_version": envkit_json.SCHEMA_VERSION,
        "interpreter": {
            "implementation": interpreter.implementation,
            "version": interpreter.version,
            "platform": interpreter.platform,
        },
        "distributions": distributions,
        "optional": [_distribution(each, "optional", places, {}) for each in selection.optional],
        "outside": [{"module": each.name, "file": each.file} for each in selection.outside],
        "environment_variables": [variable.as_json() for variable in variables],
        "data_files": _data_files(trace, places),
        "modules": _modules_of_packages(trace),
        "libraries": native.libraries(trace, places),
        "processes": native.processes(trace, places),
        "connections": sorted(trace.connections),
        "writes": outside_effects.writes(trace, places),
        "sandbox": trace.sandbox,
        "prediction": _prediction(trace, example),
        "degradations": [warning.as_json() for warning in warnings],
    }


def _distribution(
    selected: SelectedDistribution,
    role: str,
    places: Places,
    wheels: Wheels,
) -> dict[str, Any]:
    distribution = selected.distribution
    wheel = wheels.get(distribution.name)
    conda = conda_package(distribution)
    return {
        "name": distribution.name,
        "version": distribution.version,
        "role": role,
        "extras": sorted(selected.extras),
        "requirement": str(pin(distribution, selected.extras, wheel)),
        "wheel": _wheel(wheel),
        "installer": distribution.installer,
        "conda": None if conda is None else conda.as_json(),
        "debian": is_of_debian(distribution),
        "origin": _origin(distribution.origin),
        "implied_by": list(selected.implied_by),
        "reasons": [_reason(use, places) for use in _first_of_each(selected.reasons)],
    }


def _wheel(wheel: LocalWheel | None) -> dict[str, str] | None:
    if wheel is None:
        return None
    return {"path": wheel.path, "sha256": wheel.sha256}


def _origin(origin: Origin | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    return {
        "url": placeholders(origin.url),
        "vcs": origin.vcs,
        "commit": origin.commit,
        "editable": origin.editable,
    }


def _reason(use: Use, places: Places) -> dict[str, Any]:
    match use:
        case PickledModule(module=module):
            return {"phase": use.phase, "module": module, "by": "artifact"}
        case ModuleImport(module=module):
            what = {"module": module}
        case FileUse(path=path):
            what = {use.KIND: places.relative(path)}
        case _:
            what = {}
    return {
        "phase": use.phase,
        **what,
        "by": _by(use.by, places),
        "line": use.by.line,
    }


def _by(code: CodeLocation, places: Places) -> str:
    if code.is_runner:
        # the folders in which envkit keeps its own files are not evidence
        return code.module.replace(".data.", ".").replace(".loaders.pyfunc.", ".loaders.")
    if code.file is None:
        return code.module
    return places.relative(code.file)


def _first_of_each(reasons: Iterable[Use]) -> list[Use]:
    """The first use by each importing module, so that the list stays readable."""
    first: dict[tuple[str, bool], Use] = {}
    for use in reasons:
        is_pickled = isinstance(use, PickledModule)
        first.setdefault((use.by.module, is_pickled), use)
    return list(first.values())[:REASONS_KEPT]


def _data_files(trace: Trace, places: Places) -> list[str]:
    paths = {
        places.relative(use.path)
        for use in trace.file_uses
        if isinstance(use, DataFileRead) and not is_metadata(use.path)
    }
    return sorted(paths)


def _modules_of_packages(trace: Trace) -> list[str]:
    """The installed modules that were imported, which container images compile."""
    return sorted(
        module
        for module, file in trace.files.items()
        if file is not None and ("/site-packages/" in file or "/dist-packages/" in file)
    )


def _prediction(trace: Trace, example: Path | None) -> Mapping[str, Any] | None:
    if trace.skipped is not None or example is None:
        return None
    output = envkit_json.dumps({"output": trace.prediction}).encode()
    prediction = {
        "input": example.name,
        "input_sha256": _sha256(example.read_bytes()),
    }
    if len(output) <= OUTPUT_BYTES_KEPT:
        return {**prediction, "output": trace.prediction}
    return {**prediction, "output_sha256": _sha256(output)}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
