"""Times and sizes, as options take them and tables show them."""

from __future__ import annotations

import re
import time

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
_BINARY_BYTES = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def parse_duration(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Give the seconds of `30d`, `12h`, `90m`, `2w`."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", value.strip().lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is not a duration such as 30d, 12h or 2w.")
    number, unit = match.groups()
    return float(number) * _SECONDS[unit]


def parse_size(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Give the bytes of `20GB`, `500MB`, `1.5GiB`, or of a plain number."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([KMGT]?)B?|([KMGT])IB?)", value.strip().upper())
    if match is None:
        raise click.BadParameter(f"{value!r} is not a size such as 20GB, 500MB or 1.5GiB.")
    number, decimal, binary = match.groups()
    factor = _BINARY_BYTES[binary] if binary else _BYTES[decimal]
    return int(float(number) * factor)


def format_size(size: float) -> str:
    """Give a number of bytes as `512 B`, `42 kB` or `1.3 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            precision = 0 if unit in {"B", "kB"} or size >= 100 else 1
            return f"{size:.{precision}f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def format_age(moment: float) -> str:
    """Give the time since a moment, in seconds since the epoch, as `3 days ago`."""
    seconds = max(time.time() - moment, 0)
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            number = int(seconds // length)
            plural = "s" if number > 1 else ""
            return f"{number} {unit}{plural} ago"
    return "just now"
