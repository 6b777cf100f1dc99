"""Requests, examples, answers and values: from JSON, CSV and Parquet to what a signature
promises, and back.
"""
