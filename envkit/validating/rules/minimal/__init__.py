"""Stage `minimal`: the model without each requirement in turn.

A rule takes `check(facts: ModelFacts, minimal: Minimal)`.
"""
