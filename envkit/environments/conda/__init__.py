"""Conda environments, built by the user's conda, mamba or micromamba, or else by py-rattler.

What a model asks conda for, who installs it, and how its Python is found. Reading conda's own files
(`conda.yaml`, `.condarc`, `pixi.lock`) belongs to `formats`, its records to `installed`.
"""
