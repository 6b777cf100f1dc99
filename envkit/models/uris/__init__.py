"""Remote models: what a URI means, which files of a model are fetched, and where they are kept."""
