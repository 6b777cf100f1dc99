"""Archives of environments that run wherever they are unpacked, and environments from such archives."""
