"""What is counted of requests: by method, path template and status. Never by VIN, person or token."""

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counts requests into a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["method", "route"]
        self._requests = Counter("outrider_http_requests", "HTTP answers", [*labels, "status"], registry=registry)
        self._seconds = Histogram(
            "outrider_http_request_seconds", "From request to answer", labels, registry=registry, buckets=_BUCKETS
        )
        # Looking a child up by its labels costs more than counting.
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (method if method in _METHODS else "other", route, status)
        children = self._children.get(key)
        if children is None:
            children = self._requests.labels(*key), self._seconds.labels(*key[:2])
            self._children[key] = children
        children[0].inc()
        children[1].observe(seconds)
