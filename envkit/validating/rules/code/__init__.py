"""Stage `code`: what code and artifacts import, compared with what is declared.

A rule takes `check(facts: ModelFacts, code: ModelCode)`.
"""
