"""Times and sizes in options and tables."""

from __future__ import annotations

import time
from typing import Any

import click
import pytest

from envkit.cli.quantities import format_age, format_size, parse_duration, parse_size

CONTEXT: Any = None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1.5m", 90), ("12h", 43_200), (" 30D ", 2_592_000), ("2 w", 1_209_600)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(CONTEXT, CONTEXT, text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1y", "1d2h"])
def test_another_text_is_not_a_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a duration such as 30d"):
        parse_duration(CONTEXT, CONTEXT, text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("512B", 512),
        ("20GB", 20_000_000_000),
        ("20 g", 20_000_000_000),
        ("1.5GiB", 1_610_612_736),
        ("1ki", 1024),
        ("1T", 1_000_000_000_000),
    ],
)
def test_a_size_is_decimal_unless_it_says_binary(text: str, size: int) -> None:
    assert parse_size(CONTEXT, CONTEXT, text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1iB", "1PB", "1GB2"])
def test_another_text_is_not_a_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a size such as 20GB"):
        parse_size(CONTEXT, CONTEXT, text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "2 kB"),
        (1_540_000, "1.5 MB"),
        (154_000_000, "154 MB"),
        (2_000_000_000, "2.0 GB"),
        (3_000_000_000_000, "3.0 TB"),
    ],
)
def test_a_size_is_shown_with_two_or_three_digits(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7_200, "2 hours ago"),
        (86_400 * 3.5, "3 days ago"),
    ],
)
def test_an_age_is_shown_in_its_largest_unit(seconds: float, text: str) -> None:
    assert format_age(time.time() - seconds) == text
