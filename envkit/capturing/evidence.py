"""The content of `envkit.json`: why each distribution is there, and what was seen besides.

Nothing in it changes between two captures of one model in one environment: no times, no temporary
paths.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName

from envkit.capturing import native, outside_effects
from envkit.capturing.packagers import conda_package, is_of_debian
from envkit.capturing.places import RUNNER, Places
from envkit.capturing.requirements import Needed, Selection
from envkit.capturing.trace import Import, Trace
from envkit.capturing.variables import Variable
from envkit.formats import envkit_json
from envkit.formats.credentials import placeholders
from envkit.installed.distributions import is_metadata
from envkit.locking.local_wheels import LocalWheel
from envkit.locking.pins import pin
from envkit.models.capture_warnings import CaptureWarning

REASONS_KEPT = 10  # per distribution; a large library is imported from hundreds of places
OUTPUT_BYTES_KEPT = 1_000_000  # a larger prediction is recorded by its digest alone


def document(
    trace: Trace,
    selection: Selection,
    variables: Sequence[Variable],
    warnings: Sequence[CaptureWarning],
    places: Places,
    example: Path | None,
    wheels: Mapping[NormalizedName, LocalWheel],
) -> dict[str, Any]:
    """Put the evidence together as JSON values."""
    facts = trace.interpreter
    return {
        "schema_version": envkit_json.SCHEMA_VERSION,
        "interpreter": {
            "implementation": facts.implementation,
            "version": facts.version,
            "platform": facts.platform,
        },
        "distributions": [
            *(
                _distribution(each, "requirement", places, wheels)
                for each in selection.requirements
            ),
            *(_distribution(each, "constraint", places, wheels) for each in selection.constraints),
        ],
        "optional": [_distribution(each, "optional", places, {}) for each in selection.optional],
        "outside": [{"module": each.module, "file": each.file} for each in selection.outside],
        "environment_variables": [each.as_json() for each in variables],
        "data_files": sorted(_data_files(trace, places)),
        "modules": sorted(_modules(trace)),
        "libraries": native.libraries(trace, places),
        "processes": native.processes(trace, places),
        "connections": sorted(trace.connections),
        "writes": outside_effects.writes(trace, places),
        "sandbox": trace.sandbox,
        "prediction": _prediction(trace, example),
        "degradations": [each.as_json() for each in warnings],
    }


def _distribution(
    needed: Needed, role: str, places: Places, wheels: Mapping[NormalizedName, LocalWheel]
) -> dict[str, Any]:
    origin = needed.distribution.origin
    wheel = wheels.get(needed.distribution.name)
    conda = conda_package(needed.distribution)
    return {
        "name": needed.distribution.name,
        "version": needed.distribution.version,
        "role": role,
        "extras": sorted(needed.extras),
        "requirement": str(pin(needed.distribution, needed.extras, wheel)),
        "wheel": None if wheel is None else {"path": wheel.path, "sha256": wheel.sha256},
        "installer": needed.distribution.installer,
        "conda": conda.as_json() if conda else None,
        "debian": is_of_debian(needed.distribution),
        "origin": None
        if origin is None
        else {
            "url": placeholders(origin.url),
            "vcs": origin.vcs,
            "commit": origin.commit,
            "editable": origin.editable,
        },
        "implied_by": list(needed.implied_by),
        "reasons": [_reason(each, places) for each in _first_of_each(needed.reasons)],
    }


def _reason(each: Import, places: Places) -> dict[str, Any]:
    if each.artifact:
        return {"phase": each.phase, "module": each.module, "by": "artifact"}
    # where envkit itself lies, or keeps its files, is no evidence
    if each.importer.partition(".")[0] == RUNNER:
        by = each.importer.replace(".data.", ".").replace(".loaders.pyfunc.", ".loaders.")
    elif each.importer_file is None:
        by = each.importer
    else:
        by = places.relative(each.importer_file)
    if each.data:
        what = {each.kind: places.relative(each.module)}
    else:
        what = {"module": each.module}
    return {"phase": each.phase, **what, "by": by, "line": each.line}


def _first_of_each(reasons: Iterable[Import]) -> list[Import]:
    """One import for each module that imports, so that the list stays readable."""
    first: dict[tuple[str, bool], Import] = {}
    for each in reasons:
        first.setdefault((each.importer, each.artifact), each)
    return list(first.values())[:REASONS_KEPT]


def _modules(trace: Trace) -> Iterator[str]:
    """Yield the modules of packages that were imported, which images compile."""
    for module, file in trace.files.items():
        if file is not None and ("/site-packages/" in file or "/dist-packages/" in file):
            yield module


def _data_files(trace: Trace, places: Places) -> set[str]:
    files = (
        each.module
        for each in trace.reads
        if each.kind == "data_file" and not is_metadata(each.module)
    )
    return set(map(places.relative, files))


def _prediction(trace: Trace, example: Path | None) -> Mapping[str, Any] | None:
    if trace.skipped is not None or example is None:
        return None
    output = envkit_json.dumps({"output": trace.prediction}).encode()
    if len(output) <= OUTPUT_BYTES_KEPT:
        kept = {"output": trace.prediction}
    else:
        kept = {"output_sha256": _sha256(output)}
    return {"input": example.name, "input_sha256": _sha256(example.read_bytes()), **kept}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
