"""The start and the end of the process: what keeps it from starting is a sentence; asked to stop, it does."""

import asyncio
import json
import signal
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot.app import GROUPS_EVERY, Outlets, Process, StartError
from bot.providers import load_connections
from bot.store import open_store
from bot.support.errors import StoreAway, StoreBusy, StoreUnavailable
from bot.support.settings import Settings
from playground.processes import reserved_port
from tests.app.command_line import environment, run, running
from tests.playground.slack_help import slack


def of_slack(local, **changes):
    given = local.credentials
    return {
        "SLACK_BOT_TOKEN": given["bot_token"],
        "SLACK_SIGNING_SECRET": given["signing_secret"],
        "USHER_SLACK_API_URL": given["api_url"],
        **changes,
    }


@asynccontextmanager
async def silent():
    """Serve a Slack that takes requests and never answers."""
    asked, let_go = asyncio.Event(), asyncio.Event()

    async def handle(_request):
        asked.set()
        await let_go.wait()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as made:
        try:
            yield str(made.make_url("/api/")), asked
        finally:
            let_go.set()


@asynccontextmanager
async def process(folder, outlets=None, **changes):
    env = environment(folder, **changes)
    settings = Settings(**env)
    async with AsyncExitStack() as stack:
        connections = load_connections(settings.connections)
        yield Process(settings, connections, stack, start_pauses=(0.0, 0.0), outlets=outlets)


async def test_a_refused_token_is_a_sentence(tmp_path):
    async with slack() as (local, _client):
        ended = await run("serve", env=environment(tmp_path, **of_slack(local, SLACK_BOT_TOKEN="xoxb-no")))
    assert ended.status == 1
    last = ended.err.splitlines()[-1]
    assert last.startswith("Slack refuses the bot token (invalid_auth). Copy it again")
    assert "Traceback" not in ended.err
    assert "xoxb-no" not in ended.err


async def test_a_slack_that_stays_away_is_tried_again_and_then_a_sentence(tmp_path):
    url = f"http://127.0.0.1:{reserved_port()}/api/"
    async with process(tmp_path, USHER_SLACK_API_URL=url) as made:
        with capture_logs() as logs, pytest.raises(StartError, match="Slack doesn't answer"):
            await made.start()
    tries = [entry for entry in logs if entry["event"] == "slack not reached"]
    assert [entry["again_in"] for entry in tries] == [0.0, 0.0, None]


async def test_while_it_waits_for_slack_it_is_alive_and_not_ready(tmp_path):
    """Otherwise monitoring takes it for dead, and whoever restarts it changes nothing."""
    seen = {}

    async def away(_request):
        if made.port:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{made.port}") as session:
                for path in ("/healthz", "/readyz", "/metrics", "/link/abc", "/slack/events"):
                    async with session.get(path) as answer:
                        seen[path] = answer.status, await answer.text()
        return web.Response(status=503)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", away)
    async with (
        TestServer(app, host="127.0.0.1") as slack_away,
        process(tmp_path, USHER_SLACK_API_URL=str(slack_away.make_url("/api/"))) as made,
    ):
        with pytest.raises(StartError, match="Slack doesn't answer"):
            await made.start()
    assert {path: status for path, (status, _) in seen.items()} == {
        "/healthz": 200,
        "/readyz": 503,
        "/metrics": 200,
        "/link/abc": 503,
        "/slack/events": 503,
    }
    assert json.loads(seen["/readyz"][1])["checks"] == {"store": True, "slack": False}
    assert 'usher_check{check="slack"} 0.0' in seen["/metrics"][1]
    assert "Try again in a moment." in seen["/link/abc"][1]


async def test_a_slack_that_comes_back_is_found(tmp_path):
    async with slack() as (local, _client):
        faults = local.credentials["api_url"].replace("/api/", "/_playground/faults")
        async with aiohttp.ClientSession() as session:
            await session.post(faults, json={"path": "auth.test", "times": 2, "status": 503})
        async with process(tmp_path, **of_slack(local), PORT=str(reserved_port())) as made:
            await made.start(loops=False)
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{made.port}/readyz") as answer,
            ):
                assert answer.status == 200


async def test_a_database_whose_server_stays_away_is_tried_again_and_then_a_sentence(tmp_path):
    url = f"postgresql://u:canary-1@127.0.0.1:{reserved_port()}/usher"
    async with process(tmp_path, USHER_DATABASE_URL=url) as made:
        with capture_logs() as logs, pytest.raises(StoreUnavailable, match="no server answers there"):
            await made.start()
    tries = [entry for entry in logs if entry["event"] == "database not reached"]
    assert [entry["again_in"] for entry in tries] == [0.0, 0.0]
    assert "canary" not in str(logs)


async def test_a_database_whose_server_is_restarted_is_found(tmp_path):
    answers = iter([StoreAway("the server is starting or stopping"), StoreBusy("lost"), None])

    async def store(*given):
        if (problem := next(answers)) is not None:
            raise problem
        return await open_store(*given)

    outlets = Outlets(store=store)
    async with slack() as (local, _client), process(tmp_path, outlets, **of_slack(local)) as made:
        await made.start(loops=False)
        assert await made.store.audit_head() == (0, "")
    assert next(answers, None) is None


async def test_who_is_in_a_user_group_is_read_again_by_itself(tmp_path):
    async with slack() as (local, _client):
        local.state.groups["S0TEAM"] = {"U0AMIR"}
        async with process(tmp_path, **of_slack(local, USHER_ADMINS="S0TEAM")) as made:
            await made.start()
            place = made.context.installation
            assert [one.user_id for one in place.administrating()] == ["U0AMIR"]
            local.state.groups["S0TEAM"] = {"U0OLIVIA"}
            again = timedelta(seconds=GROUPS_EVERY)
            (read,) = [one for one in made.scheduler._ticker._jobs.get_jobs() if one.trigger._pause == again]
            await read.func()
            assert [one.user_id for one in place.administrating()] == ["U0OLIVIA"]


async def test_a_port_in_use_is_a_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with slack() as (local, _client):
            ended = await run("serve", env=environment(tmp_path, **of_slack(local, PORT=str(port))))
    assert ended.status == 1
    assert ended.err.splitlines()[-1] == (
        f"Something else is already listening on 127.0.0.1, port {port}. "
        "Stop it, or set PORT to another number."
    )
    assert "Traceback" not in ended.err


async def test_a_host_that_is_not_ours_is_a_sentence(tmp_path):
    async with (
        slack() as (local, _client),
        process(tmp_path, **of_slack(local), USHER_HOST="192.0.2.1") as made,
    ):
        with pytest.raises(StartError, match="Check USHER_HOST and PORT"):
            await made.start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_runs_until_it_is_asked_to_stop(tmp_path, number):
    async with slack() as (local, _client):
        env = environment(tmp_path, **of_slack(local, USHER_LOG_FORMAT="json"))
        async with running("serve", env=env) as made:
            ready = json.loads(await made.line_with('"event": "ready"'))
            address = f"http://127.0.0.1:{ready['port']}"
            async with aiohttp.ClientSession() as session, session.get(f"{address}/readyz") as answer:
                told = await answer.json()
            ended = await made.end(number)
    assert told == {
        "ready": True,
        "checks": {"store": True, "slack": True, "loops": True, "sending": True},
    }
    assert ended.status == 0
    events = [json.loads(line)["event"] for line in ended.err.splitlines()]
    assert "draining" in events
    assert events[-1] == "drained"
    for secret in (env["SLACK_BOT_TOKEN"], env["SLACK_SIGNING_SECRET"], env["USHER_ENCRYPTION_KEYS"]):
        assert secret not in ended.err


async def test_asked_to_stop_while_slack_keeps_it_waiting_it_goes_at_once(tmp_path):
    async with silent() as (url, asked):
        env = environment(tmp_path, USHER_SLACK_API_URL=url)
        async with running("serve", env=env) as made:
            async with asyncio.timeout(30):
                await asked.wait()
            ended = await made.end()
    assert ended.status == 0
    assert "ready" not in ended.err
    assert "Traceback" not in ended.err
