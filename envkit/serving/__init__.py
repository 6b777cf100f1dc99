"""The scoring server: HTTP in front of worker processes that have loaded the model.

`serve.py` is the Python API, `server.py` the life of a server; `application.py` answers requests
with the workers of `worker_pool.py`. What runs inside a worker is `envkit/inside/`, not here.
"""
