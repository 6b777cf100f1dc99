"""Types, columns and tensors, inferred from examples or from type hints; one file a kind of source."""
