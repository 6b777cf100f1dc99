"""Stage `rebuild`: the model in its rebuilt environment.

A rule takes `check(facts: ModelFacts, rebuilt: Rebuilt)`.
"""
