"""The metrics of a server, for Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "envkit_requests",
            "Responses to prediction requests, by status.",
            ["status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "envkit_request_seconds",
            "Time from a request's headers to its response.",
            buckets=SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "envkit_requests_in_flight",
            "Prediction requests without a response yet.",
            registry=registry,
        )
        self.waiting = Gauge(
            "envkit_requests_waiting",
            "Prediction requests that wait for a worker.",
            registry=registry,
        )
        self.workers = Gauge(
            "envkit_workers_ready", "Workers that have loaded the model.", registry=registry
        )
        self.restarts = Counter(
            "envkit_worker_restarts",
            "Restarts of workers, by reason.",
            ["reason"],
            registry=registry,
        )

    def text(self) -> bytes:
        """Give all metrics in Prometheus's text format."""
        return generate_latest(self._registry)
