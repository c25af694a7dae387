"""Payloads as Slack documents them, complete and with each field left out: each gets an answer or a log line.

Each file in ``payloads`` names its page in Slack's documentation, and the effect of the complete payload.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from bot.slack.manifest import EVENTS
from bot.store import accounts, tasks
from bot.web.bolt import build_http_handler
from bot.web.shapes import JSON
from tests.handlers.rig import Rig, rig
from tests.handlers.slack import LittleSlack, bolt_for, little_slack
from tests.rigs.clock import FakeClock
from tests.rigs.store import ALICE
from tests.web import signed

FOLDER = Path(__file__).parent / "payloads"
PAYLOADS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
#: Kinds of payloads besides events.
KINDS = {
    "command",
    "block_actions",
    "block_suggestion",
    "message_action",
    "shortcut",
    "url_verification",
    "view_submission",
}
SEEN = {"info", "warning"}


def encoded(payload: dict[str, Any], *, whole: dict[str, Any]) -> tuple[bytes, str]:
    """Return a payload's bytes and content type, encoded as Slack does for the complete payload."""
    if "command" in whole:
        return signed.form(payload), signed.FORM
    if "event" in whole or "challenge" in whole:
        return json.dumps(payload).encode(), JSON
    return signed.interaction(payload), signed.FORM


def lacking(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every field, at any depth."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(node, dict):
            yield (*path, key)
        if isinstance(value, dict | list):
            yield from lacking(value, (*path, key))


def without(payload: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """Return a payload without one of its fields."""
    payload = deepcopy(payload)
    node: Any = payload
    for step in path[:-1]:
        node = node[step]
    del node[path[-1]]
    return payload


def filled(payload: Any, slack: LittleSlack, workspace: str) -> Any:
    """Fill in the values that only the test knows: a workspace's id, and the response_url."""
    text = json.dumps(payload).replace("RESPONSE_URL", f"{slack.url}respond")
    return json.loads(text.replace("WORKSPACE", workspace))


async def effects(bot: Rig, slack: LittleSlack, body: str, before: float) -> set[str]:
    """Return what a person gets to see, and whether anything about people was stored."""
    person = await bot.store.person(ALICE)
    found = {
        "response": bool(body) and json.loads(body) not in ({}, {"options": []}),
        "posted": bool(slack.responses),
        "form": bool(slack.views),
        "notice": bool(await bot.notices()),
        "waiting": bool(await bot.store.claim(tasks.claim_tasks, 10, 60.0)),
        "person": person is not None and person.seen_at > before,
        "unlinked": not await bot.store.perform(accounts.list_active_accounts),
        "renamed": bool(await bot.store.engine.read(lambda tx: tx.all("SELECT * FROM channel_ids"))),
    }
    return {name for name, is_so in found.items() if is_so}


class Door:
    """The front at Slack's address, with a bot behind it that knows only one person."""

    def __init__(self, slack: LittleSlack) -> None:
        self._slack = slack
        self._serve: Any = None
        self.clock = FakeClock()
        self.client = TestClient(TestServer(signed.guarded(self.clock, self._through)))

    async def _through(
        self, payload: dict[str, Any], signature: str, headers: Mapping[str, str]
    ) -> web.Response:
        response: web.Response = await self._serve(payload, signature, headers)
        return response

    async def take(
        self, payload: dict[str, Any], path: tuple[Any, ...] = ()
    ) -> tuple[int, set[str], list[dict[str, Any]]]:
        """Send a payload, without the field at ``path`` if given, and return the status, effects and log."""
        async with rig() as bot:
            self._slack.responses.clear()
            self._slack.views.clear()
            self._serve = build_http_handler(bolt_for(bot.services, self._slack))
            await bot.link()
            await bot.services.create_caller(ALICE).authorise("list")
            user = payload.get("event", {}).get("user")
            if isinstance(user, dict) and user.get("deleted"):
                # Slack is asked again before a link is ended.
                bot.people.marks[ALICE.user_id] = {"is_deleted": True}
            before = (await bot.store.person(ALICE)).seen_at
            bot.clock.advance(1)
            whole = filled(payload, self._slack, (await bot.workspace()).id)
            raw, kind = encoded(without(whole, path) if path else whole, whole=whole)
            headers = signed.headers_for(self.clock, raw, content_type=kind)
            with capture_logs() as logged:
                answer = await self.client.post("/slack/events", data=raw, headers=headers)
                body = await answer.text() if answer.status == 200 else ""
            return answer.status, await effects(bot, self._slack, body, before), logged


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    async with little_slack() as slack:
        made = Door(slack)
        async with made.client:
            yield made


def test_every_kind_of_payload_is_here_and_names_its_page():
    kinds = set()
    for one in PAYLOADS.values():
        assert one["page"].startswith("https://docs.slack.dev/")
        payload = one["payload"]
        event = payload.get("event", {})
        suffix = ".im" if event.get("channel_type") == "im" else ""
        kinds.add(f"{event['type']}{suffix}" if event else payload.get("type", "command"))
    assert kinds == KINDS | set(EVENTS)


@pytest.mark.parametrize("name", PAYLOADS)
async def test_a_payload_of_slacks_documentation_is_answered(door, name):
    status, found, logged = await door.take(PAYLOADS[name]["payload"])
    assert status == 200
    assert PAYLOADS[name]["effect"] in found, (found, logged)
    assert not [line for line in logged if line["log_level"] not in {*SEEN, "debug"}]


@pytest.mark.parametrize("apart", [3, pytest.param(1, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("name", PAYLOADS)
async def test_whatever_field_is_missing_somebody_is_told_or_the_log_says_so(door, name, apart):
    payload = PAYLOADS[name]["payload"]
    silent, failed = [], []
    # Most fields occur in many kinds of payloads, so a different third of them is left out of each.
    for path in islice(lacking(payload), list(PAYLOADS).index(name) % apart, None, apart):
        status, found, logged = await door.take(payload, path)
        levels = {line["log_level"] for line in logged}
        if status >= 500 or levels - {*SEEN, "debug"}:
            failed.append((path, status, logged))
        if not found and not levels & SEEN:
            silent.append(path)
    assert (failed, silent) == ([], [])
