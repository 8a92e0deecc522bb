"""What is counted for Prometheus: requests, seconds, images, batches, what is taken."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.process_collector import ProcessCollector

from ganlab.serving.batcher import Batcher

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SIZES = (1, 2, 4, 8, 16, 32, 64)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one server, in a registry of their own.

    Names of models and of routes are labels; what a client wrote is none.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "ganlab_requests",
            "Requests answered, by model, route and status.",
            ["model", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "ganlab_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            ["model", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._images = Counter(
            "ganlab_images",
            "Images generated.",
            ["model"],
            registry=self.registry,
        )
        self._batches = Histogram(
            "ganlab_batch_images",
            "Images of each run of a generator.",
            ["model"],
            buckets=SIZES,
            registry=self.registry,
        )
        self._taken = Gauge(
            "ganlab_images_taken",
            "Images of requests that are taken and not yet answered.",
            ["model"],
            registry=self.registry,
        )

    def count(self, model: str, route: str, status: int, seconds: float) -> None:
        """Counts one answered request."""
        self._requests.labels(model, route, str(status)).inc()
        if model:
            self._seconds.labels(model, route).observe(seconds)

    def observer_of_batches(self, model: str) -> Callable[[int], None]:
        """A function that is told the size of each batch of a model."""
        batches, images = self._batches.labels(model), self._images.labels(model)

        def observe(size: int) -> None:
            batches.observe(size)
            images.inc(size)

        return observe

    def watch_taken(self, model: str, batcher: Batcher) -> None:
        """Reads what is taken from a batcher, whenever it is asked for."""
        self._taken.labels(model).set_function(lambda: batcher.taken)

    def text(self) -> bytes:
        """All metrics as Prometheus reads them."""
        return generate_latest(self.registry)
