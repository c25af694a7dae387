"""Tests of providers' webhooks: unsigned ones aren't read, and repeated ones have no effect."""

import asyncio
import hashlib
import hmac
import io
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import product

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.support.errors import StoreBusy
from bot.web.app import failures, protect
from bot.web.front import MAX_BYTES
from bot.web.webhooks import build_webhook_route
from tests.reconciler.sphere_world import SphereWorld, sphere_world
from tests.rigs.providers import FakeProvider

SIGNATURE = "X-Sphere-Engine-Signature"


class Busy:
    """A store that is too busy to record anything."""

    async def write(self, *_arguments: object) -> bool:
        raise StoreBusy("not committed in time")


class Desk:
    """Sends requests to the webhook, and counts the wake-ups that they cause: writes to ``gates``."""

    def __init__(self, world: SphereWorld, session: aiohttp.ClientSession, url: str) -> None:
        self.world, self.session, self.url = world, session, url
        self.woken = 0

    def told(self, tables) -> None:
        self.woken += "gates" in tables

    async def send(self, body: bytes, *, secret: str = "shh", to: str = "cloud", **headers: str):
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        told = {SIGNATURE: signature, **headers}
        async with self.session.post(f"{self.url}/hooks/{to}", data=body, headers=told) as answer:
            return answer.status, await answer.text()


def message(row, key="event-1", **result):
    came = {"status": {"code": 15, "name": "ok"}, "score": 100, **result}
    payload = {"workspace": {"id": row.remote_id}, "scenario": "tests", "result": came}
    return {"id": key, "type": "workspace.scenario.finished", "payload": payload}


def body(*messages):
    return json.dumps(list(messages)).encode()


@asynccontextmanager
async def opened(world, store=None):
    connections = {"cloud": world.world.provider, "plain": FakeProvider(world.clock)}
    async with aiohttp.ClientSession() as session:
        desk = Desk(world, session, "")
        context = replace(world.world.asking, store=store or world.store, connections=connections)
        world.store.engine.report_to(desk.told)
        app = web.Application(middlewares=[failures(world.world.ids)], client_max_size=MAX_BYTES)
        app.router.add_routes([build_webhook_route(context)])
        app.on_response_prepare.append(protect)
        async with TestServer(app, host="127.0.0.1") as server:
            desk.url = str(server.make_url("")).rstrip("/")
            yield desk


@pytest.fixture
async def desk():
    async with sphere_world() as world, opened(world) as made:
        yield made


async def remark(desk, row):
    return (await desk.world.row(row)).event_message


async def test_a_finished_scenario_is_kept_and_the_state_is_read_anew(desk):
    row = await desk.world.made()
    await desk.world.pass_time(30)
    reads = desk.world.server.harness.requests[f"GET /api/v1/workspaces/{row.remote_id}"]
    desk.woken = 0
    assert await desk.send(body(message(row))) == (204, "")
    assert await remark(desk, row) == "Scenario tests finished: passed, score 100."
    assert desk.woken == 1
    await desk.world.pass_time(10)
    assert desk.world.server.harness.requests[f"GET /api/v1/workspaces/{row.remote_id}"] == reads + 1
    (ready,) = desk.world.told("ready")
    assert "Scenario" not in str(ready["blocks"]), "what was said stays"


async def test_without_a_good_signature_nothing_is_read(desk):
    row = await desk.world.made()
    for signature in ("0" * 64, "", "sha256=" + "0" * 64, "é"):
        for text in (body(message(row)), b"no json", b"[" * 100_000):
            assert await desk.send(text, **{SIGNATURE: signature}) == (401, "")
    assert await remark(desk, row) is None


async def test_an_unknown_connection_is_not_found(desk):
    row = await desk.world.made()
    for to in ("plain", "nothing", "cloud/more", "..%2Fcloud", "CLOUD"):
        assert (await desk.send(body(message(row)), to=to))[0] == 404


async def test_other_methods_are_refused_alike(desk):
    for method, to in product(("GET", "HEAD", "PUT", "DELETE", "OPTIONS"), ("cloud", "nothing")):
        async with desk.session.request(method, f"{desk.url}/hooks/{to}") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_what_is_signed_and_no_list_of_messages_is_bad(desk):
    assert await desk.send(b"{}") == (400, "")


async def test_too_much_is_not_read(desk):
    signed = {SIGNATURE: "0" * 64}
    large = io.BytesIO(b"x" * (MAX_BYTES + 1))
    async with desk.session.post(f"{desk.url}/hooks/cloud", data=large, headers=signed) as answer:
        assert answer.status == 413

    async def pieces():
        for _ in range(20):
            yield b"x" * 100_000

    async with desk.session.post(f"{desk.url}/hooks/cloud", data=pieces(), headers=signed) as answer:
        assert answer.status == 413


async def test_a_store_that_is_busy_is_told_so_that_it_is_sent_again():
    async with sphere_world() as world, opened(world, Busy()) as desk:
        row = await world.made()
        assert (await desk.send(body(message(row))))[0] == 503


async def test_many_at_once_count_once(desk):
    row = await desk.world.made()
    desk.woken = 0
    answers = await asyncio.gather(*(desk.send(body(message(row))) for _ in range(10)))
    assert {status for status, _ in answers} == {204}
    assert desk.woken == 1
