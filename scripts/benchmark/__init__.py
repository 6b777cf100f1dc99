"""Measure envkit side by side with doing the same without it, and print ratios.

Every row runs envkit and its counterpart in turns, after a first run of each that does not count,
with bytecode caching on. CPU time is that of the process and of all its child processes. Ratios are
medians over the pairs, with the smallest and largest in brackets; times are medians in seconds.
Repeat a row that misses its target by a little, with more pairs.

The command creates .venv if it is missing, and builds the model's environment in a temporary
folder. It needs a package index.
"""
