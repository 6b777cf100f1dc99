"""From a model to its environment spec: trace, distributions, requirements, lock, files.

Here: running the model once, deciding what it needs, and writing that down.
Not here: reading code (`analysis`), what is installed (`installed`), locks (`locking`).
"""
