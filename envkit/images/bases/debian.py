"""A base of a few Debian packages, fetched and unpacked by mmdebstrap; nothing of it is run.

It has no shell and no package manager. What the packages' own scripts would make (users, the
bundle of certificates) is made here.
"""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from envkit.child import process, variables
from envkit.environments.packing.members import Member
from envkit.errors import BuildFailed, InvalidArgument, ToolNotFound
from envkit.formats import redaction
from envkit.images import native_libraries, users
from envkit.images.bases import debian_packages
from envkit.images.image import BaseImage, Layer
from envkit.images.layers.layer_cache import Facts, LayerCache
from envkit.images.layers.layer_file import Compression, LayerWriter, new_layer
from envkit.images.platforms import Platform

PACKAGES = ("base-files", "ca-certificates", "libc6", "libgcc-s1", "libstdc++6", "tzdata")
"""What every Python and most wheels need; other packages follow from the libraries they name."""
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
_DEFAULT_SUITE = "stable"
_SECONDS = 1200.0
_ARCHITECTURES = {"386": "i386", "ppc64le": "ppc64el"}  # where Debian names them otherwise
_ARCHIVES = "var/cache/apt/archives/"
_LEFT_OUT = re.compile(
    r"dev/|etc/(apt|dpkg|fstab|hostname|resolv\.conf|ca-certificates)|sys/|proc/|run/"
    r"|usr/share/(bash-completion|bug|debconf|gcc|info|lintian|locale|man|perl5|pixmaps)/"
    r"|usr/share/doc/.*/(?!copyright$)[^/]+$|usr/lib/ssl/misc/"
    r"|usr/s?bin/(c_rehash|debconf\b.*|dpkg-(pre|re)configure|update-ca-certificates)"
    r"|var/(cache|log|lib/apt|lib/dpkg)/"
)
_CERTIFICATE = re.compile(r"usr/share/ca-certificates/.*\.crt")


@dataclass(frozen=True, kw_only=True, slots=True)
class DebianBase:
    """Which base. suite: `bookworm`, `trixie`, `stable`. packages: beyond `PACKAGES`."""

    suite: str
    platform: Platform
    packages: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return f"debian:{self.suite}"

    @property
    def every_package(self) -> tuple[str, ...]:
        """All packages that are named; those that they depend on come with them."""
        return tuple(sorted({*PACKAGES, *self.packages}))


def suite_of_host(os_release: Path = Path("/etc/os-release")) -> str:
    """Give this machine's release of Debian, whose C library its environments need."""
    fields: dict[str, str] = {}
    if os_release.is_file():
        for line in os_release.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            fields[name] = value.strip("\"'")
    if fields.get("ID") == "debian" and fields.get("VERSION_CODENAME"):
        return fields["VERSION_CODENAME"]
    return _DEFAULT_SUITE


def check(suite: str) -> None:
    """Raise `InvalidArgument` for what is not the name of a release."""
    if re.fullmatch(r"[a-z][a-z0-9.-]*", suite) is None:
        raise InvalidArgument(f"{suite!r} is not a release of Debian. Write `debian:bookworm`.")


def build(
    base: DebianBase,
    cache: LayerCache,
    compression: Compression,
    time: int,
    environ: Mapping[str, str],
    report: Callable[[str], None],
) -> tuple[BaseImage, Facts]:
    """Give the base and its native libraries; it is made once and then kept.

    Raises `ToolNotFound` without mmdebstrap, `BuildFailed` when it fails, `OSError`.
    """

    def make() -> tuple[Layer, Facts]:
        report(f"Building a base of {len(base.every_package)} Debian packages ({base.suite})")
        with _unpacked(base, time, environ) as archive:
            return _layer(archive, base, cache, compression, time)

    decisive = {
        "layer": "debian",
        "suite": base.suite,
        "packages": base.every_package,
        "platform": str(base.platform),
        "compression": compression,
        "time": time,
    }
    cached = cache.get(decisive, f"mmdebstrap {base.suite}", make)
    configuration = {"config": {"Env": [f"SSL_CERT_FILE=/{CERTIFICATES}"]}}
    image = BaseImage(layers=(cached.layer,), configuration=configuration, name=base.name)
    return image, cached.facts


@contextmanager
def _unpacked(base: DebianBase, time: int, environ: Mapping[str, str]) -> Iterator[tarfile.TarFile]:
    """Let mmdebstrap make a tar of the unpacked packages."""
    architecture = base.platform.architecture
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        target = Path(folder, "base.tar")
        argv: list[str | Path] = [
            "mmdebstrap",
            "--quiet",
            "--variant=extract",
            "--skip=cleanup/apt/cache",  # the packages are read for what they say of themselves
            f"--architectures={_ARCHITECTURES.get(architecture, architecture)}",
            f"--include={','.join(base.every_package)}",
            base.suite,
            target,
        ]
        own = {**variables.for_installer(environ), "SOURCE_DATE_EPOCH": str(time)}
        try:
            ended = process.run(argv, environment=own, timeout=_SECONDS, keep_output=True)
        except FileNotFoundError:
            raise ToolNotFound(
                "mmdebstrap",
                "Install it (`apt-get install mmdebstrap`), or name an image with `--base`.",
            ) from None
        if not ended.succeeded:
            output = redaction.redacted(ended.output)
            raise BuildFailed(f"unpack {base.name} with mmdebstrap", output[-2000:])
        with tarfile.open(target) as archive:
            yield archive


def _layer(
    archive: tarfile.TarFile,
    base: DebianBase,
    cache: LayerCache,
    compression: Compression,
    time: int,
) -> tuple[Layer, Facts]:
    libraries = native_libraries.Examined()
    entries = list(archive)
    created_by = f"mmdebstrap {base.suite}"
    with new_layer(cache.blobs, compression, created_by, time) as (writer, result):
        _add_packages(writer, archive, entries, libraries)
        stanzas = list(_stanzas(archive, entries))
        for member in _made_here(archive, entries, stanzas):
            writer.add(member)
        writer.add_folder("tmp", mode=0o1777)
        for folder in ("dev", "proc", "run", "sys"):
            writer.add_folder(folder)  # where engines mount what the system needs
    packages = [debian_packages.name_and_version(entry) for entry in stanzas]
    return result[0], {**libraries.as_json(), "packages": packages}


def _add_packages(
    writer: LayerWriter,
    archive: tarfile.TarFile,
    entries: Iterable[tarfile.TarInfo],
    libraries: native_libraries.Examined,
) -> None:
    for entry in sorted(entries, key=lambda entry: _name(entry)):
        name = _name(entry)
        if not name or name == "tmp" or _LEFT_OUT.match(name + ("/" if entry.isdir() else "")):
            continue
        if entry.isdir():
            writer.add_folder(name, entry.mode & 0o755)
        elif entry.issym():
            libraries.add_link(name)
            writer.add(Member(name=name, link=entry.linkname))
        elif (content := archive.extractfile(entry)) is not None:
            # also of a hard link, which layers do better without
            data = content.read()
            libraries.add(name, data)
            writer.add(Member(name=name, content=data, executable=bool(entry.mode & 0o100)))


def _stanzas(archive: tarfile.TarFile, entries: Iterable[tarfile.TarInfo]) -> Iterator[str]:
    for entry in sorted(entries, key=lambda entry: entry.name):
        if _name(entry).startswith(_ARCHIVES) and entry.name.endswith(".deb"):
            content = archive.extractfile(entry)
            if content is not None:
                yield debian_packages.stanza(content)


def _made_here(
    archive: tarfile.TarFile, entries: Iterable[tarfile.TarInfo], stanzas: Iterable[str]
) -> Iterator[Member]:
    """Yield what the packages' scripts would have made."""
    certificates = io.BytesIO()
    for entry in sorted(entries, key=lambda entry: entry.name):
        if _CERTIFICATE.fullmatch(_name(entry)):
            content = archive.extractfile(entry)
            if content is not None:
                certificates.write(content.read().rstrip() + b"\n")
    yield Member(name=CERTIFICATES, content=certificates.getvalue())
    yield Member(name="var/lib/dpkg/status", content="\n".join(stanzas).encode())
    yield from users.files()


def _name(entry: tarfile.TarInfo) -> str:
    return posixpath.normpath(entry.name).removeprefix("/").removeprefix(".")
