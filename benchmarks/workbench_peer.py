"""A local Workbench round the bot: the playground's, with a note of each read of a session.

``python -m benchmarks.workbench_peer --people N --each M`` prints the playground's ready line: the sessions
of each person are on their way for as long as anybody looks. ``/_noted`` is that of the peers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter, defaultdict
from typing import Any

from aiohttp import web

from benchmarks.crowd import Crowd
from benchmarks.peers import FOREVER, run
from playground.harness import Handler
from playground.posit.server import PositServer, build


class Reads:
    """Note by whom sessions are read, in how many requests, and how often each of them."""

    def __init__(self, server: PositServer) -> None:
        self._server = server
        self._requests: Counter[str] = Counter()
        self._reads: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._last: dict[str, float] = {}
        self._smallest = FOREVER
        self._refused = 0

    @web.middleware
    async def note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note a request that asks for sessions by their ids: whose it is, for whom, for which."""
        if request.path != "/api/get_session":
            return await handler(request)
        told = json.loads(await request.read()).get("kwparams", {})
        account = f"{request.headers.get('Authorization')} {told.get('user', '')}"
        wanted = [one for one in str(told.get("session_id") or "").split(",") if one]
        now = time.monotonic()
        self._requests[account] += 1
        for one in wanted:
            self._reads[account][one] += 1
            self._smallest = min(self._smallest, now - self._last.get(one, -FOREVER))
            self._last[one] = now
        response = await handler(request)
        self._refused += response.status != 200
        return response

    def forget(self) -> None:
        """Begin to count again; the next gap of each session still counts from its last read."""
        self._requests.clear()
        self._reads.clear()
        self._smallest, self._refused = FOREVER, 0

    def figures(self) -> dict[str, Any]:
        """Return each account's requests and its rounds: how often its sessions were read, on average."""
        rounds = {account: sum(reads.values()) / len(reads) for account, reads in self._reads.items()}
        return {
            "accounts": [[self._requests[account], rounds[account]] for account in rounds],
            "smallest": self._smallest,
            "refused": self._refused,
            "violations": len(self._server.harness.violations),
            "most_open": self._server.state.streams.most_open,
        }


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workbench_peer")
    parser.add_argument("--people", type=int, required=True)
    parser.add_argument("--each", type=int, required=True)
    arguments = parser.parse_args()
    crowd = Crowd(arguments.people, arguments.each)
    seed = {
        "users": [
            {"name": crowd.username(number), "token": crowd.token(number)} for number in range(crowd.people)
        ],
        "sessions": [
            {"owner": crowd.username(person), "name": crowd.workspace(workspace), "state": "launching"}
            for person, workspace in crowd.pairs()
        ],
        "settings": {"launching_seconds": FOREVER},
    }
    server = build(seed=seed)
    asyncio.run(run(server.app, Reads(server), server.credentials))


if __name__ == "__main__":
    main()
