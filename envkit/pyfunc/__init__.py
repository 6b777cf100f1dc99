"""The author's API: models made of Python, saved, loaded and run."""
