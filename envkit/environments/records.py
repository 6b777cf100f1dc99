"""Check an environment's files against the records of what was installed in it.

The records are the RECORD files of the installed distributions
(https://packaging.python.org/en/latest/specifications/recording-installed-packages/). Sizes are compared, not
digests: 21,000 files take 0.2 s so and 6 s otherwise. `digests` and `unlike` are for who has that time.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from envkit.environments.conda import records as conda_records

_OWN = ".dist-info/RECORD"  # uv notes what it was in the wheel, when the wheel forgot to list it


def problems(environment: Path) -> Iterator[str]:
    """Yield what is wrong with the files installed in a virtual environment, a sentence each."""
    for folder, info in _distributions(environment):
        yield from _distribution(folder, info)


def digests(environment: Path) -> Iterator[tuple[str, str]]:
    """Yield the path of each file whose digest is recorded, from the environment on, and `sha256=<hexadecimal>`.

    What has no sound record is passed over: `problems` tells it.
    """
    base = os.path.realpath(environment)
    for folder, info in _distributions(environment):
        try:
            rows = [row for row in csv.reader(_record(info).splitlines()) if len(row) == 3 and "=" in row[1]]
        except (OSError, ValueError, csv.Error):
            continue
        for path, digest, _ in rows:
            if not path.endswith((".pyc", _OWN)):
                yield os.path.relpath(os.path.normpath(folder / path), base), _hexadecimal(digest)
    for meta in sorted(environment.glob("conda-meta/*.json")):
        yield from _of_conda(meta)


def unlike(path: Path, digest: str) -> str:
    """Say what distinguishes a file from the recorded digest, in words that follow its path; "" when nothing does."""
    algorithm, _, wanted = digest.partition("=")
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, algorithm).hexdigest()
    except OSError as error:
        return "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
    except ValueError:  # a digest of the future
        return ""
    return "" if found == wanted else "has another content than was installed"


def _distributions(environment: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each installed distribution's folder of packages and folder of metadata.

    Not what conda installed: it writes the prefix into files and leaves out some, so RECORD is not of this place.
    """
    of_conda = conda_records.distributions(environment)
    for folder in sorted({Path(os.path.realpath(each)) for each in environment.glob("lib*/python*/site-packages")}):
        yield from ((folder, info) for info in sorted(folder.glob("*.dist-info")) if info.name not in of_conda)


def _record(info: Path) -> str:
    return (info / "RECORD").read_text(encoding="utf-8")


def _hexadecimal(digest: str) -> str:
    algorithm, _, value = digest.partition("=")
    try:
        return f"{algorithm}={base64.urlsafe_b64decode(value + '=' * (-len(value) % 4)).hex()}"
    except ValueError:
        return digest


def _of_conda(meta: Path) -> Iterator[tuple[str, str]]:
    """Yield the digests of a conda package's files, where they are known as installed, paths replaced."""
    try:
        paths = json.loads(meta.read_bytes())["paths_data"]["paths"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return
    for each in paths:
        as_packed = "" if each.get("prefix_placeholder") else each.get("sha256")
        digest = each.get("sha256_in_prefix") or as_packed
        if digest and each.get("path_type") == "hardlink" and not each["_path"].endswith(".pyc"):
            yield each["_path"], f"sha256={digest}"


def _distribution(site_packages: Path, info: Path) -> Iterator[str]:
    try:
        rows = list(_rows(_record(info)))
    except OSError:
        yield f"{info.name} has no RECORD"
        return
    except ValueError:
        yield f"{info.name} has a damaged RECORD"
        return
    for path, size in rows:
        yield from _file(site_packages, path, size)


def _rows(record: str) -> Iterator[tuple[str, int | None]]:
    """Yield path and size of each file, without the caches that Python itself writes; the record has no size."""
    for row in csv.reader(record.splitlines()):
        if len(row) == 3 and not row[0].endswith(".pyc"):
            yield row[0], int(row[2]) if row[2] and not row[0].endswith(_OWN) else None


def _file(site_packages: Path, path: str, size: int | None) -> Iterator[str]:
    try:
        found = os.stat(os.path.join(site_packages, path)).st_size  # noqa: PTH116, PTH118 - 20,000 files, twice as fast
    except OSError:
        yield f"{path} is missing"
        return
    if size is not None and found != size:
        yield f"{path} has {found} bytes, its record says {size}"
