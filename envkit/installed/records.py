"""Check an environment's files against the records of what was installed in it.

The records are the RECORD files of the installed distributions
(https://packaging.python.org/en/latest/specifications/recording-installed-packages/). Sizes are
compared, not digests: 21,000 files take 0.2 s so and 6 s otherwise. `digests` and `unlike` are for
who has that time.

Two distributions may bring the same file (`xgboost` and `xgboost-cpu`). Installers take that, and
one of them wins: the file must be as one of its records says.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from envkit.installed import conda_records as conda_records

_OWN = ".dist-info/RECORD"  # uv notes what it was in the wheel, when the wheel forgot to list it


def problems(environment: Path) -> Iterator[str]:
    """Yield what is wrong with the files installed in a virtual environment, a sentence each."""
    found = list(_distributions(environment))
    recorded: dict[str, set[str]] = {}
    for folder, info in found:
        for path, size, problem in _distribution(folder, info):
            if size is not None:
                recorded = recorded or _sizes(found)
                if str(size) in recorded[_normal(folder, path)]:
                    continue
            yield problem


def shared(environment: Path) -> Iterator[str]:
    """Yield a sentence for distributions that bring the same files with other contents, of which one won each time."""
    owners: dict[str, dict[str, str]] = {}
    for folder, info in _distributions(environment):
        for path, digest, _ in _sound_rows(info):
            if digest and not path.endswith((".pyc", _OWN)):
                owners.setdefault(_normal(folder, path), {})[
                    info.name.removesuffix(".dist-info")
                ] = digest
    together: dict[tuple[str, ...], list[str]] = {}
    for path, digests in owners.items():
        if len(set(digests.values())) > 1:
            together.setdefault(tuple(sorted(digests)), []).append(path)
    for names, paths in sorted(together.items()):
        example = os.path.relpath(min(paths), os.path.realpath(environment))
        yield (
            f"{' and '.join(names)} bring the same files with other contents ({len(paths)}, such as {example}); "
            "the installer let one of them win."
        )


def digests(environment: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the path of each file whose digest is recorded, from the environment on, and `sha256=<hexadecimal>`.

    There are several digests where several distributions bring the file. What has no sound record
    is passed over: `problems` tells it.
    """
    base = os.path.realpath(environment)
    found: dict[str, tuple[str, ...]] = {}
    for folder, info in _distributions(environment):
        for path, digest, _ in _sound_rows(info):
            if "=" in digest and not path.endswith((".pyc", _OWN)):
                name = os.path.relpath(_normal(folder, path), base)
                found[name] = (*found.get(name, ()), _hexadecimal(digest))
    yield from found.items()
    for meta in sorted(environment.glob("conda-meta/*.json")):
        yield from _of_conda(meta)


def unlike(path: Path, digests: Sequence[str]) -> str:
    """Say what distinguishes a file from the recorded digests, in words that follow its path; "" when one fits."""
    try:
        fitting = any(_has(path, digest) for digest in digests)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            return "is missing"
        return f"cannot be read ({error.strerror})"
    except ValueError:  # a digest of the future
        return ""
    if fitting:
        return ""
    return "has another content than was installed"


def _has(path: Path, digest: str) -> bool:
    algorithm, _, wanted = digest.partition("=")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest() == wanted


def _sizes(distributions: Iterable[tuple[Path, Path]]) -> dict[str, set[str]]:
    """Give the sizes of each file, one of each distribution that brings it."""
    found: dict[str, set[str]] = {}
    for folder, info in distributions:
        for path, _, size in _sound_rows(info):
            found.setdefault(_normal(folder, path), set()).add(size)
    return found


def _sound_rows(info: Path) -> Iterator[list[str]]:
    """Yield path, digest and size of each file, as text; nothing of a damaged record."""
    try:
        rows = list(csv.reader(_record(info).splitlines()))
    except (OSError, ValueError, csv.Error):
        return
    yield from (row for row in rows if len(row) == 3)


def _normal(folder: Path, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))  # noqa: PTH118 - 20,000 files


def _distributions(environment: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each installed distribution's folder of packages and folder of metadata.

    Not what conda installed: it writes the prefix into files and leaves out some, so RECORD is not
    of this place.
    """
    of_conda = conda_records.distributions(environment)
    for folder in sorted(
        {Path(os.path.realpath(each)) for each in environment.glob("lib*/python*/site-packages")}
    ):
        yield from (
            (folder, info)
            for info in sorted(folder.glob("*.dist-info"))
            if info.name not in of_conda
        )


def _record(info: Path) -> str:
    return (info / "RECORD").read_text(encoding="utf-8")


def _hexadecimal(digest: str) -> str:
    algorithm, _, value = digest.partition("=")
    try:
        return f"{algorithm}={base64.urlsafe_b64decode(value + '=' * (-len(value) % 4)).hex()}"
    except ValueError:
        return digest


def _of_conda(meta: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the digests of a conda package's files, where they are known as installed, paths replaced."""
    try:
        paths = json.loads(meta.read_bytes())["paths_data"]["paths"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return
    for each in paths:
        if each.get("prefix_placeholder"):
            as_packed = ""
        else:
            as_packed = each.get("sha256")
        digest = each.get("sha256_in_prefix") or as_packed
        if digest and each.get("path_type") == "hardlink" and not each["_path"].endswith(".pyc"):
            yield each["_path"], (f"sha256={digest}",)


def _distribution(site_packages: Path, info: Path) -> Iterator[tuple[str, int | None, str]]:
    """Yield path, size (None where there is no file to have one) and problem."""
    try:
        rows = list(_rows(_record(info)))
    except OSError:
        yield "", None, f"{info.name} has no RECORD"
        return
    except ValueError:
        yield "", None, f"{info.name} has a damaged RECORD"
        return
    for path, size in rows:
        yield from _file(site_packages, path, size)


def _rows(record: str) -> Iterator[tuple[str, int | None]]:
    """Yield path and size of each file, without the caches that Python itself writes; the record has no size."""
    for row in csv.reader(record.splitlines()):
        if len(row) == 3 and not row[0].endswith(".pyc"):
            yield row[0], int(row[2]) if row[2] and not row[0].endswith(_OWN) else None


def _file(
    site_packages: Path, path: str, size: int | None
) -> Iterator[tuple[str, int | None, str]]:
    try:
        found = os.stat(os.path.join(site_packages, path)).st_size  # noqa: PTH116, PTH118 - 20,000 files, twice as fast
    except OSError:
        yield path, None, f"{path} is missing"
        return
    if size is not None and found != size:
        yield path, found, f"{path} has {found} bytes, its record says {size}"
