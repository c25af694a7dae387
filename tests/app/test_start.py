"""Tests of starting and stopping the process: a failed start prints a sentence; a signal stops it."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot.app import GROUPS_READ_SECONDS, Outlets, Process, StartError
from bot.store import audit, open_store
from bot.support.errors import StoreAway, StoreBusy, StoreUnavailable
from bot.support.settings import Settings
from playground.faults import Fault
from playground.processes import reserved_port
from tests.app.command_line import environment, of_slack, run, running
from tests.playground.slack_help import slack
from tests.project.repository import ROOT
from tests.rigs.connections import load_connections
from tests.rigs.outside import install


@asynccontextmanager
async def silent():
    """Serve a Slack that accepts requests but never answers them."""
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


async def asked(port, *paths):
    """Request some paths of a process, and return the status and text of each."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        return {path: await got(session, path) for path in paths}


async def got(session, path):
    async with session.get(path) as answer:
        return answer.status, await answer.text()


async def turns(holds):
    """Let the event loop run until a condition holds."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)


@asynccontextmanager
async def starting(made, logs, event):
    """Start a process that can't finish its start.

    In the block it is listening, and has retried a few times.
    """
    start = asyncio.create_task(made.start(loops=False))
    try:
        await turns(lambda: [one["event"] for one in logs].count(event) > 3 or start.done())
        assert not start.done()
        yield start
    finally:
        start.cancel()
        await asyncio.gather(start, return_exceptions=True)


def reachable(local):
    """Make Slack answer with errors only; return a function that ends this."""
    away = Fault(re.compile("/api/"), status=503, times=1_000_000)
    local.harness.faults.append(away)
    return lambda: local.harness.faults.remove(away)


async def test_however_long_slack_is_away_it_waits_is_alive_and_not_ready_and_then_is_the_same_process(
    tmp_path,
):
    """Monitoring mustn't consider a process dead that waits for Slack, since restarting it doesn't help."""
    paths = ("/healthz", "/readyz", "/workz", "/metrics", "/link/abc", "/slack/events")
    async with slack() as (local, _client):
        come_back = reachable(local)
        made_of = {**of_slack(local), "PORT": str(reserved_port())}
        with capture_logs() as logs:
            async with (
                process(tmp_path, **made_of) as made,
                starting(made, logs, "slack not reached") as start,
            ):
                seen = await asked(made.port, *paths)
                # Once the pauses have reached their maximum, it keeps retrying at that interval.
                waited = sum(one["event"] == "slack not reached" for one in logs)
                await turns(lambda: sum(one["event"] == "slack not reached" for one in logs) > waited + 20)
                assert not start.done()
                come_back()
                async with asyncio.timeout(60):
                    await start
                assert (await asked(made.port, "/readyz"))["/readyz"][0] == 200
    assert {path: status for path, (status, _) in seen.items()} == {
        "/healthz": 200,
        "/readyz": 503,
        "/workz": 503,
        "/metrics": 200,
        "/link/abc": 503,
        "/slack/events": 503,
    }
    assert json.loads(seen["/readyz"][1])["checks"] == {"slack": False}
    assert json.loads(seen["/workz"][1])["checks"] == {"store": True, "slack": False}
    assert 'usher_check{check="slack"} 0.0' in seen["/metrics"][1]
    assert "Try again in a moment." in seen["/link/abc"][1]


@pytest.mark.parametrize("problem", ["away", "revoked"])
async def test_where_it_was_before_it_starts_without_slack_and_takes_requests(tmp_path, problem):
    async with slack() as (local, _client):
        async with process(tmp_path, **of_slack(local)) as made:
            await made.start(loops=False)
            known = made.context.installation
        if problem == "away":
            reachable(local)
        for token in local.state.tokens.values():
            token.revoked = True
        async with process(tmp_path, **of_slack(local)) as made:
            await made.start(loops=False)
            assert made.context.installation == known
            # From the start, it knows that it can't send anything to Slack.
            found = made._slack_setup.slack
            assert (found.is_away, found.is_locked_out) == (problem == "away", problem == "revoked")
            assert (await asked(made.port, "/readyz"))["/readyz"][0] == 200
        # The installation is stored for this token only, and the log doesn't say what it was.
        other = of_slack(local, SLACK_BOT_TOKEN="xoxb-another")
        if problem == "revoked":
            async with process(tmp_path, **other) as made:
                with pytest.raises(StartError, match="Slack refuses the bot token"):
                    await made.start()
        assert local.credentials["bot_token"].encode() not in (tmp_path / "usher.db").read_bytes()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seconds", [pytest.param(300, marks=pytest.mark.thorough), 3])
async def test_minutes_without_slack_at_the_start_are_one_process(tmp_path, seconds):
    """A supervisor polls a real process while Slack is away, and finds no reason to end it."""
    port, asked_times = reserved_port(), 0
    async with slack() as (local, _client):
        come_back = reachable(local)
        env = environment(tmp_path, **of_slack(local, PORT=str(port)))
        async with running("serve", env=env) as made:
            await made.line_with("slack not reached")
            await made.line_with("slack not reached")
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                seen = await asked(port, "/healthz", "/readyz")
                assert [status for status, _ in seen.values()] == [200, 503]
                asked_times += 1
                await local.state.wait_for(lambda: False, 0.5)
            come_back()
            assert json.loads(await made.line_with('"event": "ready"'))["port"] == port
            assert (await asked(port, "/readyz"))["/readyz"][0] == 200
            assert (await made.end()).status == 0
    assert asked_times > seconds / 2


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


async def test_a_database_whose_server_stays_away_is_waited_for(tmp_path):
    url = f"postgresql://u:canary-1@127.0.0.1:{reserved_port()}/usher"
    with capture_logs() as logs:
        async with (
            process(tmp_path, USHER_DATABASE_URL=url, PORT=str(reserved_port())) as made,
            starting(made, logs, "database not reached"),
        ):
            seen = await asked(made.port, "/healthz", "/readyz", "/workz", "/metrics")
    assert [status for status, _ in seen.values()] == [200, 503, 503, 200]
    assert json.loads(seen["/workz"][1])["problems"] == {"store": "the database hasn't been reached yet"}
    assert 'usher_check{check="store"} 0.0' in seen["/metrics"][1]
    problems = {entry["problem"] for entry in logs if entry["event"] == "database not reached"}
    assert any("no server answers there" in problem for problem in problems)
    assert "canary" not in str(logs)


async def test_a_database_that_refuses_the_password_is_a_sentence(tmp_path):
    """Waiting helps only if something is unavailable. A wrong password isn't."""

    async def store(*_given):
        raise StoreUnavailable("the password is wrong")

    async with process(tmp_path, Outlets(store=store)) as made:
        with pytest.raises(StoreUnavailable, match="the password is wrong"):
            await made.start()


async def test_a_database_whose_server_is_restarted_is_found(tmp_path):
    answers = iter([StoreAway("the server is starting or stopping"), StoreBusy("lost"), None])

    async def store(*given):
        if (problem := next(answers)) is not None:
            raise problem
        return await open_store(*given)

    outlets = Outlets(store=store)
    async with slack() as (local, _client), process(tmp_path, outlets, **of_slack(local)) as made:
        await made.start(loops=False)
        assert await made.store.read(audit.read_audit_head) == (0, "")
    assert next(answers, None) is None


async def test_who_is_in_a_user_group_is_read_again_by_itself(tmp_path):
    async with slack() as (local, _client):
        local.state.groups["S0TEAM"] = {"U0AMIR"}
        async with process(tmp_path, **of_slack(local, USHER_ADMINS="S0TEAM")) as made:
            await made.start()
            place = made.context.installation
            assert [one.user_id for one in place.list_administrators()] == ["U0AMIR"]
            local.state.groups["S0TEAM"] = {"U0OLIVIA"}
            again = timedelta(seconds=GROUPS_READ_SECONDS)
            jobs = made.scheduler._ticker._jobs.get_jobs()
            (read,) = [one for one in jobs if getattr(one.trigger, "_pause", None) == again]
            await read.func()
            assert [one.user_id for one in place.list_administrators()] == ["U0OLIVIA"]


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
        env = environment(tmp_path, **of_slack(local))
        async with running("serve", env=env) as made:
            ready = json.loads(await made.line_with('"event": "ready"'))
            address = f"http://127.0.0.1:{ready['port']}"
            async with aiohttp.ClientSession() as session, session.get(f"{address}/workz") as answer:
                told = await answer.json()
            ended = await made.end(number)
    assert told == {"working": True, "checks": {"store": True, "loops": True, "sending": True}}
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


async def test_the_audit_says_whose_provider_runs_and_which_version(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path)
    mine = tmp_path / "mine.toml"
    mine.write_text(
        '[connections.new]\nprovider = "lagoon"\nfrom = "usher-lagoon"\n'
        'base_url = "https://new.example.org"\naccess_token = "t0ken-of-the-account"\n'
    )
    mine.chmod(0o600)
    async with (
        slack() as (local, _client),
        process(tmp_path, **of_slack(local, USHER_CONNECTIONS=str(mine))) as made,
    ):
        await made.start(loops=False)
        (found,) = [
            row for row in await made.store.read(audit.read_audit) if row["action"] == "providers.loaded"
        ]
    assert json.loads(found["detail"]) == {"new": "usher-lagoon 1.4"}


async def test_line_of_the_procfile_serves_alone_and_everywhere(tmp_path):
    """A platform runs this line in a shell and sets PORT.

    The variant for separate processes is in a comment.
    """
    (line,) = re.findall(r"^(?!#).+$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE)
    name, _, typed = line.partition(": ")
    program, port = tmp_path / "usher", reserved_port()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bot "$@"\n')
    program.chmod(0o755)
    async with slack() as (local, _client):
        env = environment(tmp_path, **of_slack(local), PORT=str(port)) | {"PYTHONPATH": str(ROOT)}
        made = await asyncio.create_subprocess_shell(
            f"exec {typed}",
            cwd=tmp_path,
            env=env | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(60):
                while '"event": "ready"' not in (written := (await made.stderr.readline()).decode()):
                    assert written
            assert json.loads(written)["port"] == port
            # The server listens on all addresses of 127.0.0.0/8, all of which belong to this machine.
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.2:{port}/workz") as answer,
            ):
                assert (name, answer.status) == ("web", 200)
        finally:
            if made.returncode is None:
                made.terminate()
            await made.communicate()
    assert made.returncode == 0
