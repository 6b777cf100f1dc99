"""Values on their way into a model and out of it.

`requests` reads them from JSON, CSV, Parquet and saved examples, `enforcement` gives them the types
of the signature, `json_encoding` and `wire` write the answers.
"""
