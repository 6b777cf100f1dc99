"""Recording of what a model uses while it loads and predicts."""
