"""Registries of images: the distribution protocol and its logins."""
