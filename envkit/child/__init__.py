"""The only package that starts processes."""
