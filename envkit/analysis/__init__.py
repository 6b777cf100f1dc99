"""Code, pickles and artifacts of a model, read without running any of it.

Here: one `SourceFile` that is parsed once, and the survey of all that a model's files mention.
Not here: what follows for requirements (`capturing`) and for a gate (`validating`).
"""
