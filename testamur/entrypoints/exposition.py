"""What the workers of a machine tell over HTTP: metrics, and whether they are well.

Dramatiq runs :func:`serve` as a process beside the workers.
"""

import json
import logging
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from testamur.adapters.metrics.asked import Asked, Asking
from testamur.adapters.metrics.catalogue import (
    DATABASE_UP,
    OF_DATABASE,
    OF_QUEUE,
    QUEUE_UP,
    Metric,
)
from testamur.adapters.metrics.shared_files import remove_leftovers, share_metrics
from testamur.entrypoints.log_lines import take_over_logging
from testamur.entrypoints.lookout import Health, Lookout
from testamur.entrypoints.settings import Settings, load_settings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

#: Database and queue are asked for figures at most so often, however many read them.
FIGURES_KEPT_SECONDS: Final = 10.0

#: Whether they answer is looked at so often at most.
HEALTH_KEPT_SECONDS: Final = 2.0

#: Prometheus waits for 10 seconds by default, and both may need all of this.
PATIENCE_SECONDS: Final = 4.0

#: The port may still be held by the process that this one takes the place of.
_LISTEN_AGAIN_SECONDS: Final = 5

_logger: Final = logging.getLogger("testamur.metrics")


class Watch:
    """Looks at an installation for whoever asks over HTTP.

    Args:
        lookout: Asks database and queue.
    """

    def __init__(self, lookout: Lookout) -> None:
        self._has_queue = lookout.has_queue
        self._database = Asking(
            "database",
            lookout.try_database,
            kept_seconds=HEALTH_KEPT_SECONDS,
            patience_seconds=PATIENCE_SECONDS,
        )
        self._queue = Asking(
            "queue",
            lookout.last_tick,
            kept_seconds=HEALTH_KEPT_SECONDS,
            patience_seconds=PATIENCE_SECONDS,
        )
        asking = {DATABASE_UP: _figures("database", lookout.of_database)}
        answered: dict[Metric, tuple[Metric, ...]] = {DATABASE_UP: OF_DATABASE}
        if lookout.has_queue:
            asking[QUEUE_UP] = _figures("queue", lookout.of_queue)
            answered[QUEUE_UP] = OF_QUEUE
        self.asked: Final = Asked(asking, answered)

    def health(self) -> Health:
        """Return how the installation is."""
        queue = self._queue.answer() if self._has_queue else None
        database = self._database.answer()
        return Health(
            database=database.problem or None,
            queue=(queue.problem or None) if queue else None,
            last_tick=next(iter(queue.found or ()), None) if queue else None,
            has_queue=self._has_queue,
            at=datetime.now(UTC),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered to a request."""

    status: HTTPStatus
    media_type: str
    content: bytes


class Exposition(ThreadingHTTPServer):
    """Answers ``/metrics``, ``/healthz`` and ``/readyz``.

    Args:
        address: Host and port to listen at.
        registry: The metrics.
        watch: Tells how the installation is.
        main_process: It ends with this one, however that ends.
    """

    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        registry: "CollectorRegistry",
        watch: Watch,
        main_process: int,
    ) -> None:
        self._registry = registry
        self._watch = watch
        self._main_process = main_process
        super().__init__(address, _Requests)

    def page(self, path: str) -> Page:
        """Return what is answered to a request for a path."""
        match path.partition("?")[0]:
            case "/metrics":
                from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

                return Page(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry))
            case "/healthz":
                return _json(HTTPStatus.OK, {"status": "ok"})
            case "/readyz":
                health = self._watch.health()
                failing = health.status == "failing"
                status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
                return _json(status, health.told())
            case _:
                there_are = ["/metrics", "/healthz", "/readyz"]
                return _json(HTTPStatus.NOT_FOUND, {"there_are": there_are})

    def service_actions(self) -> None:
        """End where the main process has: twice a second it is looked at."""
        if os.getppid() != self._main_process:
            raise SystemExit(0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of a request that could not be answered; a reader that went away is no matter."""
        error = sys.exception()
        if not isinstance(error, OSError):
            _logger.error("a request was not answered", exc_info=error)


class _Requests(BaseHTTPRequestHandler):
    #: A reader that says nothing is let go.
    timeout = 30

    server: Exposition

    def do_GET(self) -> None:
        page = self.server.page(self.path)
        self.send_response(page.status)
        self.send_header("Content-Type", page.media_type)
        self.send_header("Content-Length", str(len(page.content)))
        self.end_headers()
        self.wfile.write(page.content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - so it is called there
        _logger.debug(format, *args)


def serve() -> int:
    """Answer requests until the main process ends."""
    main_process = os.getppid()
    settings = load_settings().settings
    take_over_logging(settings.log_format)
    if settings.metrics_port is None:
        raise AssertionError("metrics without a port")
    remove_leftovers()
    folder = share_metrics()
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    with Lookout(settings) as lookout:
        watch = Watch(lookout)
        registry.register(watch.asked)
        with _listening(settings, registry, watch, main_process) as server:
            _logger.info("metrics are at http://%s:%d/metrics", *server.server_address[:2])
            server.serve_forever()
    return 0


def _listening(
    settings: Settings, registry: "CollectorRegistry", watch: Watch, main_process: int
) -> Exposition:
    address = (settings.metrics_host, settings.metrics_port or 0)
    told = False
    while True:
        try:
            return Exposition(address, registry, watch, main_process)
        except OSError as error:
            if not told:
                _logger.error(  # noqa: TRY400 - where it happened says nothing more
                    "metrics cannot be given out at %s:%d: %s; that is tried again every %d s",
                    *address, error.strerror, _LISTEN_AGAIN_SECONDS,
                )  # fmt: skip
            told = True
        time.sleep(_LISTEN_AGAIN_SECONDS)
        if os.getppid() != main_process:
            raise SystemExit(0)


def _figures(about: str, ask: Any) -> "Asking[Any]":
    return Asking(
        f"figures of the {about}",
        ask,
        kept_seconds=FIGURES_KEPT_SECONDS,
        patience_seconds=PATIENCE_SECONDS,
    )


def _json(status: HTTPStatus, told: dict[str, Any]) -> Page:
    content = json.dumps(told, default=lambda value: value.isoformat(), ensure_ascii=False)
    return Page(status, "application/json", content.encode() + b"\n")
