"""Model to environment spec: trace, distributions, requirements, lock."""
