"""Model directories: what they hold, and where a model URI leads."""
