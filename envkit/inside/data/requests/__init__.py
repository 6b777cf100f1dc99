"""Reading what a model predicts on: scoring requests in each format, and saved examples."""
