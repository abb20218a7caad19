"""The running stand-in: which view answers a request, what goes wrong, and start and stop."""

import logging
import re
import threading
from functools import lru_cache
from re import Match
from types import TracebackType
from typing import Self

from examples.stand_in_lms.account_views import ACCOUNT_ROUTES
from examples.stand_in_lms.completion_views import COMPLETION_ROUTES
from examples.stand_in_lms.connections import HOST, ConnectionServer, Sending
from examples.stand_in_lms.course_views import COURSE_ROUTES, progress_route
from examples.stand_in_lms.enrolment_views import ENROLMENT_ROUTES
from examples.stand_in_lms.exchange import (
    Answer,
    Headers,
    Refused,
    Request,
    Route,
    empty_answer,
    error_of,
    html_answer,
    json_answer,
)
from examples.stand_in_lms.faults import NONE, Fault, Faults
from examples.stand_in_lms.grade_fallback_views import GRADE_FALLBACK_ROUTES
from examples.stand_in_lms.grade_views import GRADEBOOK_ROUTES
from examples.stand_in_lms.pathway_views import PATHWAY_ROUTES
from examples.stand_in_lms.population import Population
from examples.stand_in_lms.site import Logged, RequestLog, Site
from examples.stand_in_lms.tokens import refusal, token_view

CLIENT_ID = "stand-in-client"
CLIENT_SECRET = "stand-in-secret"
SERVICE_USERNAME = "credentials_worker"

#: Where a stand-in that runs in another process tells how many requests it got; not of the LMS.
COUNTS_PATH = "/stand-in/requests"

_logger = logging.getLogger(__name__)

_ROUTES = (
    Route(
        "token",
        re.compile(r"/oauth2/access_token/?"),
        token_view,
        methods=("POST",),
        open_to_all=True,
    ),
    *GRADEBOOK_ROUTES,
    *GRADE_FALLBACK_ROUTES,
    *ENROLMENT_ROUTES,
    *ACCOUNT_ROUTES,
    *COURSE_ROUTES,
)


class StandInLms:
    """A stand-in LMS that listens on this machine while its context lasts.

    Args:
        population: Everything it knows. Changes show at once.
        faults: How it misbehaves; `faults` may be set anew while it runs.
        port: Where it listens; 0 for any free port.
    """

    client_id = CLIENT_ID
    client_secret = CLIENT_SECRET
    service_username = SERVICE_USERNAME

    def __init__(self, population: Population, faults: Faults = NONE, port: int = 0) -> None:
        self.site = Site(population, faults, CLIENT_ID, CLIENT_SECRET, SERVICE_USERNAME)
        self._port = port
        self._stopping = threading.Event()
        self._server: ConnectionServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return self.site.url

    @property
    def population(self) -> Population:
        """Everything it knows."""
        return self.site.population

    @property
    def requests(self) -> RequestLog:
        """Which requests came."""
        return self.site.log

    @property
    def faults(self) -> Faults:
        """How it misbehaves."""
        return self.site.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.site.faults = faults

    @property
    def tokens_issued(self) -> int:
        """How many tokens it issued."""
        return len(self.site.tokens)

    def take_back_tokens(self) -> None:
        """Refuse every token issued so far."""
        self.site.tokens.take_back()

    def __enter__(self) -> Self:
        self._server = ConnectionServer(
            self._port, self._answer, lambda: self.site.faults.longest_request_line
        )
        self.site.url = f"http://{HOST}:{self._server.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.hang_up()
            self._server.server_close()

    def _answer(self, request: Request) -> Sending:
        """Answer a request, or let it meet its fault."""
        if request.path == COUNTS_PATH:
            return Sending(json_answer(self.site.log.counts))
        route, match = self._route(request)
        name = route.name_for(request) if route else "unknown"
        target = request.target
        faults = self.site.faults
        outage = self.site.drawer.outage(faults, request.path)
        fault = self.site.drawer.draw(faults, request.method, target, request.body)
        if outage:
            sending = Sending(html_answer(outage.status or 503))
            if outage.status is None:
                sending = Sending(sending.answer, "dropped")
            outcome = "outage"
        elif fault and fault != "stall":
            sending = self._faulty(request, route, match, fault)
            outcome = fault
        else:
            if fault:
                self._stopping.wait(faults.stall_seconds)
            sending = Sending(self._answered(request, route, match))
            outcome = str(sending.answer.status)
        self.site.log.add(Logged(name, request.method, target, outcome))
        return sending

    def _route(self, request: Request) -> tuple[Route | None, Match[str] | None]:
        faults = self.site.faults
        routes: tuple[Route, ...] = (*_ROUTES, _progress(faults.progress_prefix))
        if faults.completion_installed:
            routes += COMPLETION_ROUTES
        if faults.learning_paths_installed:
            routes += PATHWAY_ROUTES
        for route in routes:
            if match := route.pattern.fullmatch(request.path):
                return route, match
        return None, None

    def _faulty(
        self, request: Request, route: Route | None, match: Match[str] | None, fault: Fault
    ) -> Sending:
        if fault == "429":
            return Sending(self._throttled(route, self.site.faults.retry_after_seconds))
        if fault == "503":
            return Sending(html_answer(503))
        if fault == "html_200":
            return Sending(html_answer(200, "Down for maintenance"))
        if fault == "dropped":
            return Sending(empty_answer(503), "dropped")
        return Sending(self._answered(request, route, match), "cut")

    def _answered(self, request: Request, route: Route | None, match: Match[str] | None) -> Answer:
        if route is None or match is None:
            return html_answer(404)
        if request.method not in route.methods:
            return error_of(route.family, 405, f'Method "{request.method}" not allowed.')
        site = self.site
        if not route.open_to_all:
            refused = refusal(site.tokens, request, route.family, takes_bearer=route.takes_bearer)
            if refused:
                return refused
        if route.throttled and site.faults.throttle is not None:
            wait = site.throttle.seconds_to_wait(site.faults.throttle, site.faults.throttle_seconds)
            if wait:
                return self._throttled(route, int(-(-wait // 1)))
        try:
            return route.view(site, request, match)
        except Refused as refused_by_view:
            return refused_by_view.answer
        except Exception:
            _logger.exception("the stand-in failed at %s", request.target)
            return html_answer(500)

    def _throttled(self, route: Route | None, seconds: int) -> Answer:
        family = route.family if route else "plain"
        headers: Headers = self.site.faults.retry_after_header(seconds)
        if family == "developer" and self.site.faults.generation != "new":
            headers = ()
        message = f"Request was throttled. Expected available in {seconds} seconds."
        return error_of(family, 429, message, headers)


@lru_cache
def _progress(prefix: str) -> Route:
    return progress_route(prefix)
