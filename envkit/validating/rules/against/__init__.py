"""Stage `against`: will the model run in an existing environment, without building one?

A rule takes `check(facts: ModelFacts, drift: Drift)`.
"""
