"""What match specs of conda admit, by conda's documentation."""

from __future__ import annotations

import pytest

from envkit.formats import match_spec


@pytest.mark.parametrize(
    ("spec", "version", "admitted"),
    [
        ("numpy", "1.0", True),
        ("numpy=1.11", "1.11.3", True),
        ("numpy=1.11", "1.11", True),
        ("numpy=1.11", "1.110", False),
        ("numpy=1.11.0", "1.11", True),
        ("numpy==1.11", "1.11", True),
        ("numpy==1.11", "1.11.0", True),
        ("numpy==1.11", "1.11.3", False),
        ("numpy 1.11", "1.11.3", False),
        ("numpy 1.11.*", "1.11.3", True),
        ("numpy=1.11.*", "1.12", False),
        ("numpy==1.11.*", "1.11.9", True),
        ("numpy>=1.8,<2", "1.26.4", True),
        ("numpy >= 1.8, <2", "2.0", False),
        ("numpy<2", "2.0rc1", True),
        ("numpy>2", "2.0.post1", True),
        ("numpy>=2", "2.0.dev1", False),
        ("numpy!=1.8", "1.8", False),
        ("numpy!=1.8.*", "1.8.4", False),
        ("numpy~=1.8.1", "1.8.3", True),
        ("numpy~=1.8.1", "1.9", False),
        ("numpy~=1.8", "1.9", True),
        ("numpy=1.8|1.10", "1.10", True),
        ("numpy>=1.8,<1.9|>2", "2.1", True),
        ("numpy=*", "3", True),
        ("numpy[version='>=1,<2']", "2", False),
        ("conda-forge::numpy=1.8", "1.9", False),
        ("file:///a/b::numpy=1.8", "1.8.1", True),
        ("openssl=1.1.1", "1.1.1w", True),
        ("openssl>1.1.1a", "1.1.1w", True),
        ("x>=1!0.1", "3", False),
        ("x=1.*.3", "1.2.3", True),
        ("x=<2", "1", True),
        ("x==1.0+cu12", "1.0+cu11", False),
    ],
)
def test_a_spec_admits_versions(spec: str, version: str, admitted: bool) -> None:
    parsed = match_spec.parse(spec)

    assert parsed is not None
    assert parsed.admits(version) is admitted


@pytest.mark.parametrize(
    ("spec", "version", "build", "admitted"),
    [
        ("numpy=1.8=py311_0", "1.8", "py311_0", True),
        ("numpy=1.8=py311_0", "1.8", "py310_0", False),
        ("numpy=1.8=py311_0", "1.8.1", "py311_0", False),
        ("numpy 1.8 py311*", "1.8", "py311_0", True),
        ("numpy=*=*mkl", "1.8", "py311_mkl", True),
        ("numpy=*=*mkl", "1.8", "py311_blas", False),
        ("numpy[version=1.8,build=py311_0]", "1.8", "py310_0", False),
    ],
)
def test_a_spec_admits_builds(spec: str, version: str, build: str, admitted: bool) -> None:
    parsed = match_spec.parse(spec)

    assert parsed is not None
    assert parsed.admits(version, build) is admitted


@pytest.mark.parametrize("spec", ["", "=1", "numpy ]", "a b[c"])
def test_what_is_no_spec_is_none(spec: str) -> None:
    parsed = match_spec.parse(spec)

    assert parsed is None or parsed.admits("1")
