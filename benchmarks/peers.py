"""The playground's servers, extended to record what a benchmark needs to know afterwards.

``python -m benchmarks.peers slack|saturn …`` prints the playground's line that says it's ready. ``GET
/_noted`` returns the records, and ``POST /_noted`` clears them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from typing import Any, Protocol

from aiohttp import web

from benchmarks.crowd import TEAM, Crowd
from benchmarks.figures import quantile
from playground.harness import Handler, serve_until_stopped
from playground.saturn.server import SaturnServer
from playground.saturn.server import build as build_saturn
from playground.slack.server import SlackServer
from playground.slack.server import build as build_slack

_STATUS = re.compile(r"/api/workspaces/([0-9a-f]+)")
#: The channel in which people type commands, and where class cards are posted.
CHANNEL = "C0GENERAL"
#: A duration, in seconds, for workspaces that should stay pending during the whole run.
FOREVER = 1e7


class Gaps:
    """A record of when each workspace was read, as early as this server can notice it."""

    def __init__(self, server: SaturnServer, waste: float = 0.0) -> None:
        self._server = server
        self._waste = waste
        self._last: dict[str, float] = {}
        self._gaps: list[float] = []
        self._again: set[str] = set()
        self._polls = self._refused = self._refused_starts = 0

    @web.middleware
    async def note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record a status read, and whether it was answered successfully."""
        match = _STATUS.fullmatch(request.path) if request.method == "GET" else None
        if match is None:
            response = await handler(request)
            self._refused_starts += response.status == 429
            return response
        now = time.monotonic()
        last, self._last[match[1]] = self._last.get(match[1]), now
        self._polls += 1
        if last is not None:
            self._gaps.append(now - last)
            self._again.add(match[1])
        wasted = time.thread_time() + self._waste
        while time.thread_time() < wasted:
            pass
        response = await handler(request)
        self._refused += response.status != 200
        return response

    def forget(self) -> None:
        """Start counting again; each workspace's next gap still begins with its last read."""
        self._gaps, self._polls, self._refused = [], 0, 0
        self._again.clear()
        # The next variant has a different database, which doesn't know about these reads, so some of its own
        # come too early.
        self._server.harness.violations.clear()

    def figures(self) -> dict[str, Any]:
        """Return the figures, and when each running workspace became ready."""
        gaps = self._gaps
        ready = {
            one.id: run.due_at or run.started_at
            for one in self._server.state.resources.values()
            for run in one.runs[-1:]
        }
        return {
            "polls": self._polls,
            "refused": self._refused,
            "seen": len(self._again),
            "gaps": len(gaps),
            # Computed from the gaps: since reads come in rounds, a count would depend on when the measurement
            # begins and ends.
            "rate": len(self._again) * len(gaps) / sum(gaps) if gaps else None,
            "smallest": min(gaps, default=None),
            "median": quantile(gaps, 0.5) if gaps else None,
            "p99": quantile(gaps, 0.99) if gaps else None,
            "violations": len(self._server.harness.violations),
            "ready_at": ready,
            "made": {one.id: one.owner for one in self._server.state.resources.values()},
            "refused_starts": self._refused_starts,
        }


class Posts:
    """A record of when each message was accepted, with its key."""

    def __init__(self, server: SlackServer) -> None:
        self._server = server
        self._posts: list[tuple[float, str, str]] = []

    @web.middleware
    async def note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record the time, the recipient and the key of an accepted message."""
        response = await handler(request)
        if request.path == "/api/chat.postMessage" and isinstance(response, web.Response):
            body = response.body
            if isinstance(body, bytes) and json.loads(body).get("ok"):
                sent = json.loads(await request.read())
                key = sent.get("metadata", {}).get("event_payload", {}).get("key", "")
                self._posts.append((time.time(), str(sent["channel"]), str(key)))
        return response

    def forget(self) -> None:
        """Begin again."""
        self._posts = []

    def figures(self) -> dict[str, Any]:
        """Return the recorded messages, and how often Slack's limits were exceeded."""
        broken = [one for one in self._server.harness.violations if one["rule"] == "rate_limit"]
        return {"posts": self._posts, "limits_broken": len(broken)}


def _saturn(arguments: argparse.Namespace) -> tuple[web.Application, Gaps, Any]:
    crowd = Crowd(arguments.people, arguments.each)
    spread = random.Random(arguments.people)  # noqa: S311 - spreads readiness, protects nothing
    seed = {
        "users": [
            {"name": crowd.username(number), "token": crowd.token(number)} for number in range(crowd.people)
        ],
        "workspaces": [
            {
                "owner": crowd.username(person),
                "name": crowd.workspace(workspace),
                "id": crowd.remote_id(person, workspace),
                "status": arguments.status,
                "start_seconds": spread.uniform(arguments.soonest, arguments.latest),
            }
            for person, workspace in crowd.pairs()
        ],
        # Long lists come in pages.
        "page_size": min(max(arguments.each, 3), 100),
    }
    server = build_saturn(seed=seed)
    return server.app, Gaps(server, arguments.waste), {}


def _slack(arguments: argparse.Namespace) -> tuple[web.Application, Posts, Any]:
    crowd = Crowd(arguments.people)
    people = [
        {"id": crowd.user(number), "name": crowd.username(number), "real_name": crowd.username(number)}
        for number in range(crowd.people)
    ]
    members = [*(crowd.user(number) for number in range(crowd.people)), "@bot"]
    channel = {"id": CHANNEL, "name": "general", "members": members}
    server = build_slack(
        seed={"team": {"id": TEAM}, "people": people, "channels": [channel]}, limits=arguments.limits
    )
    server.app.router.add_post("/_answers", _accept)
    return server.app, Posts(server), server.credentials_at


async def _accept(_request: web.Request) -> web.Response:
    """Accept an answer to a button, sent to its response_url."""
    return web.Response(text="ok")


class Notes(Protocol):
    """Records of the requests to a server."""

    @property
    def note(self) -> Any:
        """Return the middleware that sees every request."""

    def forget(self) -> None:
        """Begin again."""

    def figures(self) -> dict[str, Any]:
        """Return what was noted."""


async def run(app: web.Application, notes: Notes, credentials: Any) -> None:
    """Serve with notes until SIGTERM."""

    async def tell(_request: web.Request) -> web.Response:
        return web.json_response(notes.figures())

    async def forget(_request: web.Request) -> web.Response:
        notes.forget()
        return web.json_response({})

    app.middlewares.insert(0, notes.note)
    app.router.add_get("/_noted", tell)
    app.router.add_post("/_noted", forget)
    await serve_until_stopped(app, 0, credentials)


def main() -> None:
    """Run one of the two servers until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    kinds = parser.add_subparsers(required=True)
    saturn = kinds.add_parser("saturn")
    saturn.set_defaults(make=_saturn)
    saturn.add_argument("--each", type=int, required=True)
    saturn.add_argument("--status", default="stopped")
    saturn.add_argument("--soonest", type=float, default=FOREVER)
    saturn.add_argument("--latest", type=float, default=FOREVER)
    saturn.add_argument("--waste", type=float, default=0.0, help="seconds of CPU for nothing, each read")
    slack = kinds.add_parser("slack")
    slack.set_defaults(make=_slack)
    slack.add_argument("--limits", action="store_true")
    for kind in (saturn, slack):
        kind.add_argument("--people", type=int, required=True)
    arguments = parser.parse_args()
    asyncio.run(run(*arguments.make(arguments)))


if __name__ == "__main__":
    main()
