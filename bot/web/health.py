"""The monitoring endpoints: ``/healthz``, ``/readyz``, ``/workz`` and ``/metrics``.

They report whether the process is alive, whether it can answer people and whether its background work is
running, and they expose metrics. They reveal no secrets and no people's names.
"""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import SecretStr

from bot.store import counts, maintenance
from bot.store.counts import Figures
from bot.store.store import Store
from bot.support.errors import StoreBusy, StoreError

#: Timeout, in seconds, for checking that the database can be read and written.
STORE_SECONDS = 2.0
#: Timeout, in seconds, for computing the metrics that come from the database. Monitoring systems usually wait
#: for ten seconds.
FIGURES_SECONDS = 5.0


Checks = Callable[[], Mapping[str, bool]]
#: Explains why a health check failed, and what to do. The database isn't listed, because its check returns
#: its own explanation.
_PROBLEMS = {
    "loops": "background work stands still: usher docs incidents#work-stands-still-or-everything-is-slow",
    "keys": "other processes have encryption keys that this one lacks: restart it with all of them",
    "sending": "Slack doesn't answer, or has shut the app out: usher docs incidents#slack-isnt-reached",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRoutes:
    """The routes for monitoring the process (``docs/adr/0079-what-a-supervisor-is-told.md``).

    ``ready`` returns whether each part that is needed to answer people works. ``works`` returns the same for
    each part that does background work. ``store`` is None until the database has been reached. If there is a
    ``metrics_token``, a request for ``/metrics`` must contain it.
    """

    store: Store | None
    ready: Checks
    works: Checks
    metrics: Metrics
    metrics_token: SecretStr | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the four endpoints, each with and without a trailing slash."""
        answers = {
            "/healthz": self._lives,
            "/readyz": self._readiness,
            "/workz": self._working,
            "/metrics": self._figures,
        }
        return [web.get(f"{path}{end}", answer) for path, answer in answers.items() for end in ("", "/")]

    async def _lives(self, _request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _readiness(self, _request: web.Request) -> web.Response:
        # The store isn't checked. Even while it is down, Usher can truthfully tell people that nothing was
        # done.
        return _verdict("ready", self.ready())

    async def _working(self, _request: web.Request) -> web.Response:
        problem = await self._check()
        checks = {"store": not problem, **self.works()}
        problems = {name: _PROBLEMS.get(name, problem) for name, works in checks.items() if not works}
        if self.store is not None and (warning := self.store.engine.warning):
            problems.setdefault("store", warning)
        return _verdict("working", checks, **({"problems": problems} if problems else {}))

    async def _check(self) -> str:
        """Return what is wrong with the store, or "" if it can be read and written."""
        if self.store is None:
            return "the database hasn't been reached yet"
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self.store.write(maintenance.try_writing)
                await self.store.read(maintenance.find_failover)
                return self.store.engine.problem
        except StoreBusy as error:
            return self.store.engine.problem or str(error)
        except StoreError as error:
            return str(error)
        except TimeoutError:
            return self.store.engine.problem or "the database doesn't answer"

    async def _figures(self, request: web.Request) -> web.Response:
        if self.metrics_token is not None:
            wanted = f"Bearer {self.metrics_token.get_secret_value()}"
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode()):
                headers = {"WWW-Authenticate": "Bearer"}
                return web.Response(status=401, text="This needs USHER_METRICS_TOKEN.", headers=headers)
        problem = await self._check()
        figures: Figures | None = None
        if self.store is not None and not problem:
            with suppress(StoreError, TimeoutError):
                async with asyncio.timeout(FIGURES_SECONDS):
                    figures = await self.store.perform(counts.measure_figures)
        body = self.metrics.render({"store": not problem, **self.ready(), **self.works()}, figures)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _verdict(what: str, checks: Mapping[str, bool], **more: object) -> web.Response:
    holds = all(checks.values())
    return web.json_response({what: holds, "checks": checks, **more}, status=200 if holds else 503)


#: Maps each of the store's counts to its description.
_COUNTED_ROWS = {
    "open_operations": "requested operations that haven't ended",
    "open_runs": "job runs that haven't ended",
    "pending_notices": "messages waiting to be sent",
    "waiting_edits": "messages in Slack that have yet to be updated",
    "dead_notices": "messages that couldn't be delivered in the last week",
    "accounts": "linked accounts",
    "owed_revocations": "secrets of removed links that providers haven't yet confirmed as revoked",
    "workspaces": "workspaces on people's lists",
    "tasks": "open tasks of the background work",
    "people": "people known from Slack",
}
#: Upper bounds, in seconds, of the histogram buckets for the time that it takes to claim status reads. Before
#: a process reads workspaces' states from a provider, it claims them in the database, so that no other
#: process reads them. Slow claims delay reads.
_CLAIM_SECONDS = (0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)
#: How often, in seconds, Usher checks whether the event loop was blocked. Only delays of at least
#: ``_LATE_SECONDS`` count, because shorter ones are normal on a busy machine.
_LOOKS_EVERY = 0.5
_LATE_SECONDS = 0.1


class Metrics:
    """The counters of events in this process, and figures from the store.

    For the documentation, ``described`` lists the name, type, labels and meaning of each metric.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.described: list[tuple[str, str, tuple[str, ...], str]] = []
        gauge, counter = self._gauge, self._counter
        self._gauges = {key: gauge(f"usher_{key}", text) for key, text in _COUNTED_ROWS.items()}
        self._waited = gauge(
            "usher_oldest_notice_seconds",
            "how long the message that has been due for longest has waited",
        )
        for one in (*self._gauges.values(), self._waited):
            # Until the database has been read, a zero would be wrong, and the increase after it would set off
            # an alert.
            one.set(math.nan)
        self._outages = gauge(
            "usher_outage_seconds",
            "how long a connection has had a problem, by kind",
            "connection",
            "kind",
        )
        self._processes = gauge("usher_processes", "processes that are running, on PostgreSQL", "role")
        self._in_line = gauge(
            "usher_waiting_for_room", "people on the waitlist, by what they wait for", "connection", "kind"
        )
        self._waits = gauge(
            "usher_waited_for_room_seconds",
            "average wait of people who got their turn on the waitlist in the last day",
            "connection",
            "kind",
        )
        self._checks = gauge(
            "usher_check", "1 if the store, Slack, the loops or sending works, else 0", "check"
        )
        self.clock_ahead = gauge(
            "usher_clock_ahead_seconds", "how far this machine's clock is ahead of Slack's"
        )
        self.closed_secrets = gauge(
            "usher_closed_secrets", "stored secrets that no encryption key opened when the process started"
        )
        self.spooled_bytes = gauge("usher_spooled_bytes", "bytes of job output stored on disk")
        self._late = counter(
            "usher_loop_late_seconds", "seconds in which one piece of work held up everything else"
        )
        self._polls = counter("usher_polls", "status reads that were sent", "connection")
        text, labels = "how long it took to claim up to 100 status reads", ("connection",)
        self._claims = Histogram(
            "usher_claim_seconds", text, labels, registry=self._registry, buckets=_CLAIM_SECONDS
        )
        self.described.append(("usher_claim_seconds", "histogram", labels, text))
        self._errors = counter(
            "usher_provider_errors", "calls to a provider that failed, by kind", "connection", "kind"
        )
        self.accepted_requests = counter(
            "usher_slack_requests_accepted", "requests to Slack's address that were signed with our secret"
        )
        self._refused = counter(
            "usher_slack_requests_refused", "requests to Slack's address that were refused", "reason"
        )
        for reason in ("signature", "time"):
            # Create these series now. Monitoring doesn't count the first value of a new series as an
            # increase.
            self._refused.labels(reason)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        self.described.append((name, "gauge", labels, text))
        return Gauge(name, text, labels, registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        self.described.append((f"{name}_total", "counter", labels, text))
        return Counter(name, text, labels, registry=self._registry)

    def count_reads(self, connection: str, count: int = 1) -> None:
        """Count status reads."""
        self._polls.labels(connection).inc(count)

    def note_claim(self, connection: str, seconds: float) -> None:
        """Record how many seconds it took to claim status reads."""
        self._claims.labels(connection).observe(seconds)

    def count_failure(self, connection: str, kind: str) -> None:
        """Count a failed call. ``kind`` is the error's class name."""
        self._errors.labels(connection, kind).inc()

    def request_refused(self, reason: str) -> None:
        """Count a refused request. The part of ``reason`` before ":" becomes the label."""
        self._refused.labels(reason.partition(":")[0]).inc()

    async def follow_loop(self) -> None:
        """Measure, until cancelled, for how many seconds the event loop is blocked."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOKS_EVERY
            await asyncio.sleep(_LOOKS_EVERY)
            late = loop.time() - due
            if late >= _LATE_SECONDS:
                self._late.inc(late)

    def render(self, checks: Mapping[str, bool], figures: Figures | None) -> bytes:
        """Return all metrics as text. Without ``figures``, the store's metrics keep their last values."""
        for name, works in checks.items():
            self._checks.labels(name).set(works)
        if figures is not None:
            self._show(figures)
        return generate_latest(self._registry)

    def _show(self, figures: Figures) -> None:
        for key, gauge in self._gauges.items():
            gauge.set(figures.counts[key])
        self._waited.set(figures.waited)
        self._outages.clear()
        for name, seconds in figures.outages.items():
            # Outages that don't concern a connection, such as Slack's, have a name without one.
            connection, _, kind = name.partition("#")
            self._outages.labels(connection, kind or "away").set(seconds)
        self._processes.clear()
        for role, count in figures.processes.items():
            self._processes.labels(role).set(count)
        self._in_line.clear()
        self._waits.clear()
        for of, (waiting, waited) in figures.waiting.items():
            self._in_line.labels(*of).set(waiting)
            self._waits.labels(*of).set(waited)
