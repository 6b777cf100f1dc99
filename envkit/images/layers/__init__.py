"""The layers that envkit adds to a base: interpreter, server, packages, model."""
