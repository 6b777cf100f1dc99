"""Reading what a model is asked to predict on: scoring requests in each format, and saved examples."""
