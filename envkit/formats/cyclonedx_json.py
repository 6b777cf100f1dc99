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
    """A bill of materials that a distribution brings (PEP 770).

    path: in the distribution. document: the text of one in CycloneDX's JSON, None for another,
    which is only named.
    """

    path: str
    sha256: str
    document: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """One distribution. version: empty when it is not known. files: archives that it may be installed from.

    vcs: the address of its repository with `@commit`, or empty. direct: the model itself asks for
    it. sboms: bills of what is inside it, which become part of the whole.
    """

    name: str
    version: str
    files: tuple[File, ...] = ()
    vcs: str = ""
    direct: bool = False
    sboms: tuple[Sbom, ...] = ()


def dumps(name: str, components: Iterable[Component]) -> str:
    """Give the text of the bill of the model `name`; equal components give equal bytes, so there is no timestamp.

    Raises `ToolNotFound` without the library `cyclonedx`.
    """
    try:
        from cyclonedx.model.bom import Bom, BomMetaData  # optional, and 300 ms
    except ImportError:
        raise ToolNotFound(
            "cyclonedx-python-lib", "Install it: `pip install envkit[sbom]`."
        ) from None
    import uuid

    from cyclonedx.model.component import Component as CycloneDXComponent
    from cyclonedx.model.component import ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    ordered = sorted(components, key=lambda each: (each.name, each.version))
    model = CycloneDXComponent(
        name=name, type=ComponentType.MACHINE_LEARNING_MODEL, bom_ref="model"
    )
    bom = Bom(
        metadata=BomMetaData(component=model),
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, repr((name, ordered))),
    )
    bom.metadata.timestamp = None  # type: ignore[assignment] # the format can do without
    found = [(each, _component(each)) for each in ordered]
    for each, made in found:
        bom.components.add(made)
        bom.register_dependency(made)
        for sbom in each.sboms:
            _add(bom, made, each.name, sbom)
    bom.register_dependency(model, [made for each, made in found if each.direct])
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _add(bom: Bom, owner: CycloneDXComponent, name: str, sbom: Sbom) -> None:
    """Merge a bill of what is inside a distribution, and name it; one that cannot be read is only named."""
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
        part = cyclonedx_merge.read(
            sbom.document, subject=name, prefix=f"{owner.bom_ref.value}#{sbom.path}#"
        )
    if part is not None:
        bom.components.update(part.bom.components)
        bom.dependencies.update(part.bom.dependencies)
        mine = next(each for each in bom.dependencies if each.ref == owner.bom_ref)
        mine.dependencies.update(
            Dependency(ref=each.bom_ref)
            for each in part.bom.components
            if each.bom_ref.value in part.top
        )
    owner.external_references.add(
        ExternalReference(
            type=ExternalReferenceType.BOM,
            url=XsUri(sbom.path),
            comment=None
            if part is not None
            else "not merged: it is no CycloneDX in JSON that could be read",
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
    references = [
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(each.url),
            hashes=[
                HashType(alg=algorithms[key], content=each.hashes[key])
                for key in each.hashes
                if key in algorithms
            ],
        )
        for each in component.files
    ]
    if component.vcs:
        references.append(
            ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(component.vcs))
        )
    return references
