"""Stage `resolve`: what package indexes and conda channels have for each target.

A rule takes `check(facts: ModelFacts, resolved: Resolved)`.
"""
