"""The environment store: one shared, content-addressed folder of built environments.

Locks, markers, manifests, housekeeping. What is installed into an environment is decided by
`installers` and `conda`.
"""
