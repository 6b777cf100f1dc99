"""Environment spec to environment: the store, one engine a file, interpreters, the runner."""
