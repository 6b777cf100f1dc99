"""Recording of what a model uses while it loads and predicts. `tracer` installs all of it."""
