"""Stage `code`: what code and artifacts need, read without running any of it, compared with what is declared.

A rule takes `check(facts: ModelFacts, code: ModelCode)`.
"""
