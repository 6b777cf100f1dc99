"""Conda environments: through the user's conda, mamba or micromamba, or built by py-rattler without any of them."""
