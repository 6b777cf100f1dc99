"""Programs that run in other interpreters: Python 3.8 and later, the standard library alone.

`__main__.py` is started as a script; it loads this folder as the package `_envkit`.
"""
