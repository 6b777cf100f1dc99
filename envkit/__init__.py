"""envkit: capture exactly what a machine-learning model needs, and rebuild that environment anywhere."""
