"""What a Python is, where interpreters lie, and which may stand in for another.

One program describes an interpreter (`describe`); a search starts nothing that is remembered
(`known_interpreters`). Building environments with an interpreter belongs to `environments`.
"""
