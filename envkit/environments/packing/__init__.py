"""Archives of environments that run wherever they are unpacked.

`pack` and `unpack` are the two ways; `virtual`, `conda` and `base` make what lies in an archive
independent of its place. Where a stored environment lies belongs to `store`.
"""
