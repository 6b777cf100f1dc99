"""Stage `files`: what the files of a model say, alone and together. Nothing is run, installed or downloaded.

A rule takes `check(facts: ModelFacts)`.
"""
