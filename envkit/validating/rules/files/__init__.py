"""Stage `files`: what the files of a model say. Nothing is run, installed or downloaded.

A rule takes `check(facts: ModelFacts)`.
"""
