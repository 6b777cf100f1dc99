"""What a model's code may import from MLflow and envkit where neither is installed."""
