"""The lock: resolvers, pins, local wheels, re-locking, and wheels for rebuilds without network.

The files themselves are read and written in `formats`.
"""
