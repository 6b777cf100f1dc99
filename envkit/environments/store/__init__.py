"""The environment store: one shared, content-addressed folder of built environments.

Here are its folder, locks, markers, lists of files, uses and clean-up. What is installed into an
environment is decided by `installers` and `conda`; under which key, by `planning`.
"""
