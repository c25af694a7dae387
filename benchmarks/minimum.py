"""The lower bound for the cost of a start: the least code that keeps Usher's promises for a start alone.

It is written by hand. It checks signatures (with Bolt) and replays, and looks up the person, the one
workspace of that name, the link and any open operation. One transaction writes the operation, its card and
the entry in the audit's hash chain. *Calling* is committed before the call, and only if the link is
unchanged. The workspace is read once the poll gate opens, and a message is stored as pending before it is
sent. The schema and the durability are Usher's. Nothing else that can go wrong is handled. Run it with
``python -m benchmarks.minimum API_URL BOT_TOKEN SIGNING_SECRET DATABASE KEY PROVIDER_URL``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import aiohttp
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.store.sqlite import MEMORY
from bot.support.vault import Vault, row_key
from playground.harness import serve_until_stopped

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection, float], Result]
#: Seconds until a workspace may be read again, including the margin that the bot leaves.
_CLOSED = 10.5
_WANTED = """
    SELECT w.id AS workspace, w.name, w.gate_key, w.remote_id, w.connection, w.principal, a.id AS account,
        a.secret, p.is_guest OR p.is_deleted OR EXISTS (
            SELECT 1 FROM operations o WHERE o.workspace_id = w.id AND o.outcome IS NULL
        ) AS is_refused
    FROM workspaces w JOIN people p ON p.principal = w.principal
    JOIN accounts a ON a.principal = w.principal AND a.connection = w.connection AND a.state = 'active'
    WHERE w.principal = :principal AND w.folded = :folded AND w.hidden = 0
"""
_SEE = "INSERT INTO inbox (key, seen_at) VALUES (:key, :now) ON CONFLICT DO NOTHING"
_ACCEPT = """
    INSERT INTO operations
        (id, principal, workspace_id, connection, verb, created_at, next_step_at, reference)
    VALUES (:id, :principal, :workspace, :connection, 'start', :now, :now, '')
"""
_SHOW = """
    INSERT INTO cards (id, subject, kind, principal, updated_at, about, created_at)
    VALUES (:card, :id, 'operation', :principal, :now, :workspace, :now)
"""
_LENGTHEN = """
    UPDATE audit SET detail = CAST(detail AS BIGINT) + 1 WHERE seq = 0
    RETURNING CAST(detail AS BIGINT) AS count, hash
"""
_CALL = """
    UPDATE operations SET start_call = 'calling', called_at = :now, sent_at = :now
    WHERE id = :id AND start_call = 'none' AND outcome IS NULL AND EXISTS (
        SELECT 1 FROM accounts WHERE id = :account AND state = 'active' AND secret = :secret
    )
"""
_CALLED = (
    "UPDATE operations SET start_call = 'accepted', read_since = :now, waits_for = 'read' WHERE id = :id"
)
_CLAIM = """
    UPDATE gates SET claimed_at = :now, next_check_at = :now + :closed
    WHERE gate_key = :gate_key AND next_check_at <= :now
"""
_SEEN = """
    UPDATE workspaces SET state = 'running', url = :url, observed_at = :now, verified_at = :now, up_at = :now
    WHERE id = :workspace
"""
_END = "UPDATE operations SET outcome = 'fulfilled', ended_at = :now WHERE id = :id"
_OWE = """
    INSERT INTO notices (id, subject, kind, occasion, principal, body, state, urgency, created_at, due_at)
    VALUES (:notice, :id, 'ready', 'end', :principal, '{}', 'leased', 0, :now, :now)
"""
_SENT = """
    UPDATE notices SET state = 'sent', sent_at = :now, channel_id = :channel, message_ts = :ts
    WHERE id = :notice
"""


@dataclass
class Minimum:
    """The database, whose writes are committed in batches, the provider, and the signatures seen so far."""

    db: sqlite3.Connection
    vault: Vault
    provider: aiohttp.ClientSession
    slack: AsyncWebClient

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.queue: list[tuple[Work[Any], asyncio.Future[Any]]] = []
        self.signatures: set[str] = set()
        self.under_way: set[asyncio.Task[None]] = set()

    async def write(self, work: Work[Result]) -> Result:
        """Return the result of the work once it is committed, along with everything else in the queue."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()
        if not self.queue:
            loop.call_soon(self.commit)
        self.queue.append((work, done))
        return await done

    def commit(self) -> None:
        """Run the queued work in one transaction."""
        some, self.queue = self.queue, []
        self.db.execute("BEGIN IMMEDIATE")
        results = [work(self.db, time.time()) for work, _ in some]
        self.db.execute("COMMIT")
        for (_, done), result in zip(some, results, strict=True):
            done.set_result(result)

    async def run(self, *statements: str, **params: Any) -> int:
        """Run statements in one transaction; return how many rows they wrote."""
        return await self.write(
            lambda db, now: sum(db.execute(one, {**params, "now": now}).rowcount for one in statements)
        )

    async def start(self, ack: AsyncAck, body: dict[str, str], request: AsyncBoltRequest) -> None:
        """Accept a start, and acknowledge it with its card; the rest happens in the background."""
        signature = request.headers["x-slack-signature"][0]
        if signature in self.signatures:
            await ack("That was sent before.")
            return
        self.signatures.add(signature)
        accepted = await self.write(lambda db, now: accept(db, now, body))
        if accepted is None:
            await ack("That can't be started.")
            return
        text = f"Starting *{accepted['name']}*…"
        await ack(text=text, blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": text}}])
        task = asyncio.create_task(self.carry_out(accepted))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def carry_out(self, one: dict[str, Any]) -> None:
        """Call the provider, read the workspace until it is ready, and tell its owner."""
        if not await self.run(_CALL, **one):
            return
        secret = self.vault.open(row_key(one["principal"], one["connection"]), one["secret"])
        headers = {"Authorization": f"token {secret['token']}"}
        path = f"/api/workspaces/{one['remote_id']}"
        async with self.provider.post(f"{path}/start", headers=headers) as response:
            response.raise_for_status()
        await self.run(_CALLED, **one)
        seen: dict[str, Any] = {}
        while seen.get("status") != "running":
            await asyncio.sleep(_CLOSED)
            if await self.run(_CLAIM, **one, closed=_CLOSED):
                async with self.provider.get(path, headers=headers) as response:
                    seen = await response.json()
        one |= {"url": seen["url"], "notice": f"notice_{uuid4().hex}"}
        await self.run(_SEEN, _END, _OWE, **one)
        said = await self.slack.chat_postMessage(
            channel=one["principal"].rpartition(":")[2],
            text=f"*{one['name']}* is ready: {one['url']}",
            metadata={"event_type": "usher", "event_payload": {"key": f"{one['id']}/ready/end"}},
        )
        await self.run(_SENT, **one, channel=said["channel"], ts=said["ts"])


def accept(db: sqlite3.Connection, now: float, body: dict[str, str]) -> dict[str, Any] | None:
    """Record what a person asked for; return the data for its steps, or None if it is refused."""
    principal, name = f"-:{body['team_id']}:{body['user_id']}", body["text"].removeprefix("start ")
    if not db.execute(_SEE, {"key": body["trigger_id"], "now": now}).rowcount:
        return None
    found = db.execute(_WANTED, {"principal": principal, "folded": name.casefold()}).fetchall()
    if len(found) != 1 or found[0]["is_refused"]:
        return None
    one = {**dict(found[0]), "id": f"operation_{uuid4().hex}", "card": f"card_{uuid4().hex}", "now": now}
    db.execute(_ACCEPT, one)
    db.execute(_SHOW, one)
    head = db.execute(_LENGTHEN).fetchone()
    target, detail = f"{one['connection']}/{one['remote_id']}", _json({"operation": one["id"]})
    entry = (head["count"], now, principal, "workspace.start", target, "accepted", detail, head["hash"])
    digest = hashlib.sha256(_json(entry).encode()).hexdigest()
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*entry, digest))
    db.execute("UPDATE audit SET hash = ? WHERE seq = 0", (digest,))
    return one


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


async def _run(api_url: str, token: str, secret: str, database: str, key: str, provider: str) -> None:
    db = sqlite3.connect(database, isolation_level=None)
    db.row_factory = sqlite3.Row
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", *MEMORY):
        db.execute(f"PRAGMA {pragma}").fetchall()
    async with aiohttp.ClientSession(base_url=provider) as session:
        app = AsyncApp(client=AsyncWebClient(token=token, base_url=api_url), signing_secret=secret)
        minimum = Minimum(db, Vault([key]), session, app.client)
        app.command("/workspace")(minimum.start)
        await serve_until_stopped(app.web_app(path="/slack/events"), 0, {})


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
