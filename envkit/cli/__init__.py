"""The command line: one command a file, and the only package that imports click.

A command reads words, calls the library and prints. What a caller from Python would want belongs in
the library.
"""
