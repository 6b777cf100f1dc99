"""One module a flavor: `cases()` makes its models."""
