"""Models that lie elsewhere: what a URI means, which files of the model are fetched, and where they are kept."""
