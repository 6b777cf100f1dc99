"""The scoring server: HTTP on this side, a model in worker processes of its rebuilt environment on the other."""
