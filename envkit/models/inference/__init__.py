"""Schemas inferred from examples and type hints, one file per kind of source.

Each library is recognised by the names of its types, so that none is imported for other data.
"""
