"""Chooses which of the PostgreSQL servers in a database URL to use: the one with the latest timeline.

After a failover, the old primary may come back and still act as a primary. It then accepts writes on an
earlier timeline, which lacks everything written since the failover. So all servers are queried in parallel
before connecting, and every minute while a process runs. Usher switches to a later timeline immediately, and
never goes back to an earlier one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock
from time import monotonic
from typing import Final

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

log = structlog.get_logger(__name__)

#: ``ASKED_SECONDS`` is how long to wait for the servers in a URL to report their timelines. The answers are
#: then reused for ``KNOWN_SECONDS``.
ASKED_SECONDS, KNOWN_SECONDS = 2.0, 1.0
#: Default connection parameters. The URL may override them. With these, Usher notices within ten seconds if a
#: server silently disappears.
CONNECTING = {
    "connect_timeout": "5",
    "application_name": "usher",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "client_encoding": "utf8",
}
#: Interval, in seconds, at which a running process queries all servers.
LOOK_SECONDS = 60.0
#: SQL for the column that identifies a server and its timeline. After a promotion, the control file doesn't
#: show the new timeline until the first checkpoint, but the log file's name shows it immediately. A standby
#: writes no log.
TIMELINE: Final = (
    "CASE WHEN pg_is_in_recovery() THEN '' ELSE (SELECT system_identifier FROM pg_control_system()) "
    "|| '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) END AS timeline"
)
_TWO: Final = (
    "two servers of its address take writes: {used} is used, as its timeline is the later one. Shut the "
    "other one down ({others}), and make it a standby"
)


#: The connection parameters that distinguish one server in a URL from the others.
_Server = dict[str, str]


class Servers:
    """Keeps track of which of a URL's servers to use.

    All connections of an engine share this object. It is thread-safe.
    """

    def __init__(self) -> None:
        self._lock, self._noting = Lock(), Lock()
        self._asked_at = -KNOWN_SECONDS
        #: The connection parameters of the chosen server. They replace the parameters in the URL.
        self.used: _Server = {}
        #: Maps the identifier of each database system to the latest timeline seen on it.
        self._latest: dict[str, str] = {}
        #: A description of the problem if several servers accept writes, otherwise "". Usher still uses one
        #: of the servers.
        self.problem = ""

    def choose(self, url: str) -> str:
        """Return the connection string for the server to use.

        If the URL names only one server, or if no server that accepts writes answers in time, this is the URL
        itself.
        """
        given = _parse(url)
        servers = _list_servers(given)
        with self._lock:
            if len(servers) > 1 and monotonic() - self._asked_at >= KNOWN_SECONDS:
                self._ask(servers, given)
                self._asked_at = monotonic()
            return make_conninfo(**CONNECTING | given | self.used)

    async def watch(self, url: str) -> None:
        """Query all servers periodically, until cancelled."""
        while len(_list_servers(_parse(url))) > 1:
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.choose, url)

    def note(self, timeline: str) -> bool:
        """Record the timeline of a server that accepts writes.

        Return whether it is the latest timeline known.
        """
        past, _, number = timeline.partition("/")
        with self._noting:
            self._latest[past] = latest = max(number, self._latest.get(past, number))
        return number == latest

    def _ask(self, servers: Sequence[_Server], given: dict[str, str]) -> None:
        pool = ThreadPoolExecutor(len(servers), thread_name_prefix="store-servers")
        asked = {pool.submit(_ask_timeline, given | server): server for server in servers}
        answered, _ = wait(asked, ASKED_SECONDS)
        pool.shutdown(wait=False)
        # Among servers with equal timelines, prefer the one that comes first in the URL.
        found = [(one.result(), server) for one, server in asked.items() if one in answered and one.result()]
        found.sort(key=lambda one: one[0].partition("/")[2], reverse=True)
        for timeline, _ in found:
            self.note(timeline)
        self.used = found[0][1] if found else {}
        problem = ""
        if len(found) > 1:
            names = [_name(server) for _, server in found]
            problem = _TWO.format(used=names[0], others=", ".join(names[1:]))
        if problem and problem != self.problem:
            log.error("two databases take writes", problem=problem)
        self.problem = problem


def _parse(url: str) -> dict[str, str]:
    return {name: str(value) for name, value in conninfo_to_dict(url).items()}


def _name(server: _Server) -> str:
    """Return a server's host and port in the form that operators know."""
    host = server.get("host") or server.get("hostaddr") or ""
    return f"{host}:{server['port']}" if server.get("port") else host


def _ask_timeline(given: dict[str, str]) -> str:
    """Return a server's timeline, or "" if the server is a standby or doesn't answer."""
    given = given | {"connect_timeout": "2", "target_session_attrs": "any"}
    try:
        with psycopg.connect(make_conninfo(**given), autocommit=True) as connection:
            row = connection.execute(f"SELECT {TIMELINE}".encode()).fetchone()
    except psycopg.Error:
        return ""
    return str(row[0]) if row else ""


def _list_servers(given: dict[str, str]) -> list[_Server]:
    """Return the servers that a URL names. As in libpq, a single port applies to all of them."""
    places: dict[str, list[str]] = {
        key: given[key].split(",") for key in ("host", "hostaddr", "port") if given.get(key)
    }
    count = max((len(places[key]) for key in ("host", "hostaddr") if key in places), default=0)
    if count < 2:
        return []
    return [
        {key: each[number] if len(each) > 1 else each[0] for key, each in places.items()}
        for number in range(count)
    ]
