"""What a model's code may import of MLflow and envkit where neither is installed."""
