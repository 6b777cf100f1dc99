"""Code, pickles and artifacts of a model, read without running any of it.

What follows for requirements is decided in `capturing`; what follows for a gate, in `validating`.
"""
