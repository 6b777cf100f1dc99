"""Build the image of a model: `build_image` of the Python API."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.packing import writing
from envkit.environments.store.store import Store
from envkit.images import destinations, image_annotations, native_libraries, platforms, users
from envkit.images.attestations import attestations
from envkit.images.bases import choice as bases
from envkit.images.bases.debian_libraries import packages_of
from envkit.images.blob_cache import BlobCache, writing_to
from envkit.images.contents import Contents, build_contents
from envkit.images.evidence import CapturedFacts
from envkit.images.foreign_platform import ForeignPlatform
from envkit.images.image import BaseImage, Image, ImageSet, assemble, image_set
from envkit.images.layers.bytecode import Bytecode
from envkit.images.layers.factory import LayerFactory
from envkit.images.layers.layer_cache import CachedLayer, Facts, LayerCache
from envkit.images.layers.layer_file import Compression
from envkit.images.layers.model_layer import model_layer, open_model
from envkit.images.options import Engine, ImageOptions
from envkit.images.platforms import Platform
from envkit.images.registry.push import Pushed, push
from envkit.images.runtime_settings import runtime_settings
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltLayer:
    """A layer of an image. size: compressed bytes."""

    platform: str
    created_by: str
    digest: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltImage:
    """A finished image.

    Attributes:
        name: Its full name, empty when it was given none.
        digest: Of its manifest, or of its index when it is for several platforms.
        size: Compressed bytes of everything.
        layers: Of all platforms, base first.
        output: The folder or file with it.
        pushed: What a registry was sent.
        notes: What the user should know.
    """

    name: str
    digest: str
    size: int
    layers: tuple[BuiltLayer, ...]
    output: Path | None
    pushed: Pushed | None
    notes: tuple[str, ...]


def build_image(
    model_uri: str | Path,
    *,
    tag: str | None = None,
    output: str | Path | None = None,
    push_to: str | None = None,
    base: str = bases.DEBIAN,
    platform: str | Sequence[str] | None = None,
    compression: Compression | str = Compression.GZIP,
    bytecode: Bytecode | str = Bytecode.USED,
    user: str = users.DEFAULT,
    labels: Mapping[str, str] | None = None,
    server: bool = True,
    engine: Engine | str = Engine.NONE,
    attest: bool = False,
    use_cache: bool = True,
    env_manager: EnvType | str = EnvType.UV,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    report: Report | None = None,
) -> BuiltImage:
    """Build the container image of a model, without a container engine.

    The environment is built when it is not in the store. Equal models, environments and bases give
    equal bytes.

    Args:
        model_uri: The model.
        tag: The image's name, such as `registry.example/churn:1.0`.
        output: A folder, which becomes an OCI image layout or gets one more image; or a file that
            ends with `.tar`, for `docker load`.
        push_to: A reference to push to, with the logins of `docker login` or `podman login`.
        base: What to build on: `debian`, `debian:SUITE`, `none`, `oci:FOLDER[:TAG]`, the tar of
            `docker save`, or an image of a registry.
        platform: Such as `linux/arm64`; several make an index. Default: that of this machine.
        compression: Of layers: `gzip` or `zstd`.
        bytecode: Modules to compile: those that the capture recorded (`used`), `all` or `none`.
        user: `UID:GID` that the image runs as.
        labels: Further labels.
        server: Put the scoring server into it.
        engine: `podman` or `docker`, to load the image into.
        attest: Add a bill of materials and the provenance as referrers of the image.
        use_cache: Take layers that were made before.
        env_manager: As for `prepare_env`, like all that follow.
        allow_source: Build source distributions, which runs their code.
        pip_requirements_override: Requirements that replace the model's.
        python: The interpreter.
        python_policy: Which other version may stand in.
        conda_exe: The program that builds conda environments.
        report: Called with a line of text as things go on.

    Returns:
        The digest, the sizes and where the image went.

    Raises:
        InvalidArgument: An argument is invalid, or no destination is named.
        InvalidInput: The model or the base image does not exist or is malformed.
        BuildFailed: The environment cannot be built, or the image cannot be written.
        NativeLibraryMissing: The base lacks a library that the model uses.
        RegistryFailed: A registry refused, or cannot be reached.
        Missing: A program or library that this needs is not installed.
    """
    options = ImageOptions.from_arguments(
        tag=tag,
        output=output,
        push=push_to,
        base=base,
        platform=platform,
        compression=compression,
        bytecode=bytecode,
        user=user,
        labels=labels,
        server=server,
        engine=engine,
        attest=attest,
        use_cache=use_cache,
    )
    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    return _Build(open_model(model_uri), options, choice, report or _silent).run()


class _Build:
    """One call of `build_image`."""

    def __init__(
        self,
        model: ModelDirectory,
        options: ImageOptions,
        choice: EnvironmentChoice,
        report: Report,
    ) -> None:
        self._model, self._options, self._choice, self._report = model, options, choice, report
        self._store = Store.open()
        self._store.create()
        blobs = BlobCache(self._store.root / "images")
        self._factory = LayerFactory(
            cache=LayerCache(blobs, ignore=not options.use_cache),
            compression=options.compression,
            time=writing.source_date(os.environ),
            environ=os.environ,
        )
        self._captured = CapturedFacts.read(model)
        self._notes: list[str] = []
        self._base_name = ""

    def run(self) -> BuiltImage:
        images, layers = [], []
        for platform in self._options.platforms:
            with writing_to(self._store.root):
                image, listed = self._image(platform)
            images.append(image)
            layers += listed
        described = image_annotations.of_index(self._model)
        built = image_set(images, described, list(self._attestations(images)))
        self._write(built)
        pushed = None
        if self._options.push is not None:
            pushed = push(built, self._options.push, os.environ, self._base_name, self._report)
        return BuiltImage(
            name=self._options.full_name,
            digest=built.root.descriptor.digest,
            size=sum(image.size for image in built.images),
            layers=tuple(layers),
            output=self._options.output,
            pushed=pushed,
            notes=tuple(dict.fromkeys(self._notes)),
        )

    def _attestations(self, images: Sequence[Image]) -> Iterator[Image]:
        if not self._options.attest:
            return
        parameters = {
            "base": self._options.base,
            "bytecode": self._options.bytecode.value,
            "compression": self._options.compression.value,
            "server": self._options.server,
            "user": self._options.user,
        }
        for image in images:
            yield from attestations(self._model, image, parameters, self._created)

    @property
    def _created(self) -> str:
        return datetime.fromtimestamp(self._factory.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _image(self, platform: Platform) -> tuple[Image, list[BuiltLayer]]:
        options, factory = self._options, self._factory
        model = model_layer(factory, self._model.path)
        if platform == platforms.of_host():
            contents = self._contents()
            packages = self._debian_packages([*contents.layers, model])
            base, base_facts = self._open_base(platform, packages)
        else:
            spec = read_spec(self._model)
            foreign = ForeignPlatform.plan(platform, spec, self._choice, self._store, self._report)
            packages = (*self._captured.debian_packages, *foreign.packages(options.base))
            base, base_facts = self._open_base(platform, packages)
            contents = foreign.contents(
                self._model, options, base_facts, self._modules(), factory, self._report
            )
        added = [*contents.layers, model]
        self._notes += contents.notes
        self._check([*base_facts, *(layer.facts for layer in added)], platform)
        image = assemble(
            base,
            [cached.layer for cached in added],
            platform,
            runtime_settings(contents.launch, options.user, options.labels),
            annotations=image_annotations.of_image(
                self._model, base, contents.key, contents.python, model.layer.diff_id
            ),
            created=self._created,
        )
        every_layer = [*base.layers, *(cached.layer for cached in added)]
        return image, [
            BuiltLayer(
                platform=str(platform),
                created_by=layer.created_by,
                digest=layer.blob.descriptor.digest,
                size=layer.blob.descriptor.size,
            )
            for layer in every_layer
        ]

    def _open_base(
        self, platform: Platform, packages: Sequence[str]
    ) -> tuple[BaseImage, list[Facts]]:
        base, facts = bases.open_base(
            self._options.base, platform, tuple(packages), self._factory, self._report
        )
        self._base_name = base.name
        return base, facts

    def _contents(self) -> Contents:
        spec = read_spec(self._model, for_conda=self._choice.manager is EnvType.CONDA)
        return build_contents(
            spec,
            self._choice,
            self._options,
            self._modules(),
            self._factory,
            self._store,
            self._report,
        )

    def _modules(self) -> frozenset[str] | None:
        """Give the modules that the capture recorded; None when it recorded none."""
        if self._captured.modules is None and self._options.bytecode is Bytecode.USED:
            self._notes.append(
                "The model's capture recorded no modules, so all are compiled. "
                "Capture it again for a smaller image."
            )
        return self._captured.modules

    def _debian_packages(self, layers: Sequence[CachedLayer]) -> tuple[str, ...]:
        """Name what a Debian base must have beyond the usual."""
        facts = [layer.facts for layer in layers]
        certain, _ = native_libraries.missing(facts, self._captured.uses)
        return tuple(sorted({*self._captured.debian_packages, *packages_of(certain)}))

    def _check(self, facts: list[Facts], platform: Platform) -> None:
        native_libraries.check_machines(facts, platform)
        if self._options.base == bases.NONE:
            self._notes.append(
                "Without a base the image has no C library: it does not start by itself."
            )
            return
        native_libraries.check_glibc(facts)
        certain, perhaps = native_libraries.missing(facts, self._captured.uses)
        if certain:
            packages = tuple(sorted(packages_of(certain)))
            raise native_libraries.NativeLibraryMissing(certain, packages)
        for library, file in sorted(perhaps.items()):
            self._notes.append(
                f"The image lacks {library}, which {file} needs; the model does not."
            )

    def _write(self, built: ImageSet) -> None:
        options = self._options
        if options.output is not None:
            self._report(f"Writing {options.output}")
            destinations.write_output(options.output, built, options.tag_name, options.full_name)
        if options.engine is not Engine.NONE:
            self._report(f"Loading the image into {options.engine}")
            destinations.load(
                options.engine, built, options.tag_name, options.full_name, os.environ
            )


def _silent(_: str) -> None:
    """Report nothing."""
