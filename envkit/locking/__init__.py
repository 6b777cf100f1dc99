"""The lock: resolvers, pins, local wheels, a lock made again, and wheels for a rebuild without network.

The files themselves are read and written in `formats`.
"""
