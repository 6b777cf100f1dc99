"""CycloneDX 1.6 in JSON, a software bill of materials: https://cyclonedx.org/docs/1.6/json/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envkit.errors import ToolNotFound
from envkit.formats import cyclonedx_merge

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component as CycloneDXComponent


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """Where a component comes from. hashes: algorithm to digest, `{"sha256": …}`."""

    url: str
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sbom:
    """A bill of materials in a distribution (PEP 770).

    path: in the distribution. document: the text of one in CycloneDX's JSON, None for another
    format, of which only the path is recorded.
    """

    path: str
    sha256: str
    document: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """One distribution.

    version: empty when it is not known. files: archives that it may be installed from. vcs: the URL
    of its repository with `@commit`, or empty. direct: the model itself requires it. sboms: bills
    of what is inside it, which become part of the whole.
    """

    name: str
    version: str
    files: tuple[File, ...] = ()
    vcs: str = ""
    direct: bool = False
    sboms: tuple[Sbom, ...] = ()


def dumps(name: str, components: Iterable[Component]) -> str:
    """Give the text of the bill of the model `name`.

    Equal components give equal bytes, so there is no timestamp. Raises `ToolNotFound` without the
    library `cyclonedx`.
    """
    try:
        # optional, and 300 ms
        from cyclonedx.model.bom import Bom, BomMetaData
    except ImportError:
        hint = "Install it: `pip install envkit[sbom]`."
        raise ToolNotFound("cyclonedx-python-lib", hint) from None
    import uuid

    from cyclonedx.model.component import Component as CycloneDXComponent
    from cyclonedx.model.component import ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    ordered = sorted(components, key=lambda component: (component.name, component.version))
    model = CycloneDXComponent(
        name=name, type=ComponentType.MACHINE_LEARNING_MODEL, bom_ref="model"
    )
    bom = Bom(
        metadata=BomMetaData(component=model),
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, repr((name, ordered))),
    )
    bom.metadata.timestamp = None  # type: ignore[assignment] # the format does not require it
    direct = []
    for component in ordered:
        entry = _component(component)
        bom.components.add(entry)
        bom.register_dependency(entry)
        for sbom in component.sboms:
            _merge(bom, entry, component.name, sbom)
        if component.direct:
            direct.append(entry)
    bom.register_dependency(model, direct)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _merge(bom: Bom, owner: CycloneDXComponent, name: str, sbom: Sbom) -> None:
    """Merge a bill of what is inside a distribution, and refer to it.

    A bill that cannot be parsed is only referred to.
    """
    from cyclonedx.model import (
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        XsUri,
    )
    from cyclonedx.model.dependency import Dependency

    part = None
    if sbom.document is not None:
        prefix = f"{owner.bom_ref.value}#{sbom.path}#"
        part = cyclonedx_merge.read(sbom.document, subject=name, prefix=prefix)
    comment = None
    if part is None:
        comment = "not merged: it is not a CycloneDX document in JSON that can be parsed"
    else:
        bom.components.update(part.bom.components)
        bom.dependencies.update(part.bom.dependencies)
        (own,) = (edge for edge in bom.dependencies if edge.ref == owner.bom_ref)
        for component in part.bom.components:
            if component.bom_ref.value in part.top:
                own.dependencies.add(Dependency(ref=component.bom_ref))
    owner.external_references.add(
        ExternalReference(
            type=ExternalReferenceType.BOM,
            url=XsUri(sbom.path),
            comment=comment,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sbom.sha256)],
        )
    )


def _component(component: Component) -> CycloneDXComponent:
    from cyclonedx.model.component import Component as CycloneDXComponent
    from packageurl import PackageURL

    qualifiers = {"vcs_url": component.vcs} if component.vcs else None
    purl = PackageURL("pypi", None, component.name, component.version or None, qualifiers)
    return CycloneDXComponent(
        name=component.name,
        version=component.version or None,
        purl=purl,
        bom_ref=str(purl),
        external_references=_references(component),
    )


def _references(component: Component) -> list[ExternalReference]:
    from cyclonedx.model import (
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        XsUri,
    )

    algorithms = {
        "sha256": HashAlgorithm.SHA_256,
        "sha384": HashAlgorithm.SHA_384,
        "sha512": HashAlgorithm.SHA_512,
    }
    references = []
    for file in component.files:
        hashes = [
            HashType(alg=algorithms[name], content=digest)
            for name, digest in file.hashes.items()
            if name in algorithms
        ]
        kind = ExternalReferenceType.DISTRIBUTION
        references.append(ExternalReference(type=kind, url=XsUri(file.url), hashes=hashes))
    if component.vcs:
        kind = ExternalReferenceType.VCS
        references.append(ExternalReference(type=kind, url=XsUri(component.vcs)))
    return references
