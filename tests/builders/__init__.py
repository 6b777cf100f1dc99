"""Builders of what tests need: models, wheels, indexes, site folders and channels, written to disk.

Fixtures that many folders share are in `tests/conftest.py`; each folder's own are in its
`conftest.py`. No test module imports another.
"""
