"""Tests of the whole process's readiness and metrics: a loop that has stopped is visible from outside."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

import bot.web.health
from bot.app import Process, Role
from bot.domain.people import Person
from bot.store import counts
from bot.support.errors import SlackPermanent
from bot.support.settings import Settings
from bot.web.health import HealthRoutes, Metrics
from tests.app.command_line import environment
from tests.playground.slack_help import slack
from tests.rigs.clock import FakeClock
from tests.rigs.connections import load_connections
from tests.rigs.functions import replace_function
from tests.rigs.store import ALICE, memory_store, run_pragma


async def test_a_store_that_can_only_be_read_lets_nobody_work_and_says_why():
    async with memory_store() as store:
        stands = dict[str, bool]()
        health = HealthRoutes(store=store, ready=dict, works=lambda: stands, metrics=Metrics())
        app = web.Application()
        app.router.add_routes(health.routes())

        async def working(*, may_write):
            await run_pragma(store, f"query_only = {'OFF' if may_write else 'ON'}")
            answer = await client.get("/workz")
            return answer.status, await answer.json()

        async with TestClient(TestServer(app)) as client:
            assert await working(may_write=True) == (200, {"working": True, "checks": {"store": True}})
            status, answer = await working(may_write=False)
            assert (status, answer["checks"]) == (503, {"store": False})
            assert answer["problems"]["store"].startswith("the database is read-only")
            stands["sending"] = False
            _, answer = await working(may_write=True)
            assert answer["checks"] == {"store": True, "sending": False}
            assert "usher docs incidents#slack-isnt-reached" in answer["problems"]["sending"]


async def test_slow_counts_leave_the_metrics_as_they_were(monkeypatch):
    """Slow counting doesn't mean that the database doesn't answer."""
    async with memory_store() as store:
        health = HealthRoutes(store=store, ready=dict, works=dict, metrics=Metrics())
        app = web.Application()
        app.router.add_routes(health.routes())
        async with TestClient(TestServer(app)) as client:
            await store.save_people([Person(ALICE, "Alice", seen_at=await store.now())])
            assert "usher_people 1.0" in await (await client.get("/metrics")).text()
            replace_function(store, counts.measure_figures, partial(asyncio.sleep, 60.0))
            monkeypatch.setattr(bot.web.health, "FIGURES_SECONDS", 0.01)
            assert (await client.get("/workz")).status == 200
            text = await (await client.get("/metrics")).text()
            assert "usher_people 1.0" in text
            assert 'usher_check{check="store"} 1.0' in text


async def test_figures_are_unknown_until_the_database_has_been_reached():
    """Zeros would be untrue, and the increase after them would look like messages that were just lost."""
    app = web.Application()
    app.router.add_routes(HealthRoutes(store=None, ready=dict, works=dict, metrics=Metrics()).routes())
    async with TestClient(TestServer(app)) as client:
        text = await (await client.get("/metrics")).text()
    assert "usher_dead_notices NaN\n" in text
    assert "usher_oldest_notice_seconds NaN\n" in text
    assert 'usher_check{check="store"} 0.0\n' in text


@asynccontextmanager
async def process_of(tmp_path, clock, role=Role.SERVE):
    async with slack() as (local, _client), AsyncExitStack() as stack:
        given = local.credentials
        settings = Settings(
            **environment(
                tmp_path,
                SLACK_BOT_TOKEN=given["bot_token"],
                USHER_SLACK_API_URL=given["api_url"],
            )
        )
        connections = load_connections(settings.connections)
        yield Process(settings, connections, stack, role=role, clock=clock), local


async def test_nothing_stands_still_where_nothing_works_in_the_background(tmp_path):
    clock = FakeClock()
    async with process_of(tmp_path, clock, Role.WEB) as (process, _):
        await process.start()
        clock.advance(61)
        assert process.check_background() == {}


async def test_loops_that_stand_still_and_a_slack_that_shuts_us_out_are_seen(tmp_path):
    clock = FakeClock()
    async with process_of(tmp_path, clock) as (process, local):
        assert process.check_background() == {}
        await process.start()
        assert process.check_background() == {"loops": True, "sending": True}
        # An idle loop doesn't count, so here a loop has begun a step that can't end before the check.
        await asyncio.sleep(0)
        assert process.check_background() == {"loops": True, "sending": True}
        clock.advance(61)
        assert process.check_background() == {"loops": False, "sending": True}
        assert b"usher_spooled_bytes 0.0" in process.metrics.render({}, None)

        for token in local.state.tokens.values():
            token.revoked = True
        with pytest.raises(SlackPermanent):
            await process.context.people.sync()
        assert process.check_background()["sending"] is False
