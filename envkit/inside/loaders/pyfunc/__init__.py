"""Loaders of models that are Python code, a single file, or have a loader module of their own."""
