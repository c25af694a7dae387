"""Third-party clients call Usher's tools like Slack's assistant, through a proxy that signs requests."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from handlers.assistant.tools import TOOLS
from tests.handlers.assistant.calls import ON, lets, who
from tests.rigs.clients.signer import signer
from tests.rigs.scenario import world

ROOT = Path(__file__).parents[2]
DRIVERS = ROOT / "tests/rigs/clients"
PYTHON = ROOT / ".venv/clients/bin/python"
NPM = ROOT / ".venv/npm-clients"
FOREVER = 1_000_000
#: The command that runs each client. The newest client by the protocol's authors is in the tests' own
#: environment.
CLIENTS = {
    "mcp": [sys.executable, DRIVERS / "drive.py"],
    "fastmcp": [PYTHON, DRIVERS / "drive.py"],
    "langchain-mcp-adapters": [PYTHON, DRIVERS / "drive.py"],
    "openai-agents": [PYTHON, DRIVERS / "drive.py"],
    "@modelcontextprotocol/sdk": ["node", DRIVERS / "drive.mjs"],
}

#: On a busy machine, importing the third-party libraries takes a long time.
pytestmark = [pytest.mark.thorough, pytest.mark.timeout(300)]


async def drive(client, url, calls):
    """Run a client in its own process, and have it make calls.

    Return the tools, and the outcome of each call.
    """
    process = await asyncio.create_subprocess_exec(
        *map(str, CLIENTS[client]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=NPM if client.startswith("@") else ROOT,
    )
    asked = {"client": client, "url": url, "calls": calls}
    said, errors = await process.communicate(json.dumps(asked).encode())
    assert process.returncode == 0, errors.decode()[-2000:]
    results = json.loads(said)
    tools = [one for one in results if isinstance(one, list)]
    return tools, results[len(tools) :]


class Player:
    """Makes a client call tools. Each call of ``calls`` runs the client in a new process."""

    def __init__(self, scene, client, url):
        self.scene, self.client, self.url = scene, client, url
        self.tools = []

    async def calls(self, *calls):
        """Make calls, and return what a model would read of each, as JSON."""
        self.tools, said = await drive(self.client, self.url, calls)
        return [json.loads(one) for one in said]


@pytest.fixture(params=CLIENTS)
def client(request):
    if request.param.startswith("@") and not (NPM / "node_modules").is_dir():
        pytest.skip("there is no npm here")
    return request.param


@pytest.fixture
async def player(client, tmp_path):
    async with world(tmp_path, settings=ON) as scene:
        await scene.alice.has_linked("alice")
        await lets(scene, "stop")
        address, secret = f"http://127.0.0.1:{scene.bot.port}", scene.slack.credentials["signing_secret"]
        async with signer(address, secret, scene.clock.now, who(scene)) as url:
            yield Player(scene, client, url)


async def test_client_lists_starts_and_stops(player):
    scene = player.scene
    (listed,) = await player.calls(("my_workspaces", {}))
    assert [name for name, _ in player.tools] == [*TOOLS]
    assert "can't set, change or pause hours" in dict(player.tools)["hours"]
    states = {one["name"]: one["state"] for one in listed["workspaces"]}
    assert (states["report"], states["notebook"]) == ("Running", "Stopped")
    scene.clock.advance(1)
    began, timed, later = await player.calls(
        ("start", {"name": "notebook", "until": ""}),
        ("start", {"name": "training", "until": "PT2H"}),
        ("stop", {"name": "report", "at": "in 3 hours"}),
    )
    assert [one["done"][0]["did"] for one in (began, timed, later)] == ["start", "start", "timer"]
    assert "until" not in began["done"][0]
    ends = timed["done"][0]["until"]
    # A time in a result can be passed to another tool.
    scene.clock.advance(1)
    (moved,) = await player.calls(("stop", {"name": "report", "at": ends}))
    assert moved["done"][0]["until"] == ends
    await scene.pass_time(60)
    (status,) = await player.calls(("status", {"name": "notebook"}))
    assert status["workspaces"][0]["state"] == "Running"
    assert scene.calls("POST .*/start$") == 2


async def test_client_reads_why_nothing_was_done(player):
    refused, unread, unknown, running = await player.calls(
        ("stop", {"name": "report", "at": "in 400 days"}),
        ("stop", {"name": "report", "at": "whenever"}),
        ("status", {"name": "nothing"}),
        ("start", {"name": "report", "until": ""}),
    )
    assert "in 400 days is too far away" in refused["says"]
    assert "`at` can't be used" in unread["says"]
    assert "No workspace is called that" in unknown["says"]
    assert "already running" in running["says"]
    assert not any(one.get("done") for one in (refused, unread, unknown, running))
    await player.scene.pass_time(30)
    assert player.scene.calls("POST .*/(start|stop)$") == 0


async def test_client_reads_of_an_outage_and_of_a_slow_start(player):
    scene = player.scene
    scene.resource("training").start_seconds = 300
    await player.calls(("start", {"name": "training", "until": ""}))
    await scene.pass_time(60)
    (slow,) = await player.calls(("status", {"name": "training"}))
    assert (slow["workspaces"][0]["state"], slow.get("done", [])) == ("starting", [])
    scene.saturn_fails("/api/", status=503, times=FOREVER)
    await scene.alice.types("status report")
    await scene.pass_time(900, step=15)
    (away,) = await player.calls(("status", {"name": "report"}))
    (report,) = away["workspaces"]
    assert report["provider_silent_since"] > report["as_of"][:13]
    assert report["as_of"] in away["says"]


async def test_client_calls_twice_in_a_second_and_it_is_done_once(player):
    scene = player.scene
    again = await asyncio.gather(
        *(player.calls(("start", {"name": "notebook", "until": ""})) for _ in range(2))
    )
    assert [one[0]["done"][0]["did"] for one in again] == ["start", "start"]
    await scene.pass_time(60)
    assert scene.calls("POST .*/start$") == 1


#: For each client, what happens when a tool returns a protocol error, and when it returns a result marked as
#: an error. The table in ``docs/internals/slack.md`` says the same. A raised error reaches the program that
#: runs the model.
REPLACED = "An error occurred while running the tool. Please try again."
ERRORS = {
    "mcp": ({"raised": "no such word"}, "not so"),
    "fastmcp": ({"raised": "no such word"}, {"raised": "not so"}),
    "langchain-mcp-adapters": ({"raised": "no such word"}, "not so"),
    "openai-agents": (REPLACED, "not so"),
    "@modelcontextprotocol/sdk": ({"raised": "MCP error -32602: no such word"}, "not so"),
}
FIELDS = {"type": "object", "properties": {"name": {"type": "string"}}}


async def answer_oddly(request):
    """Answer one tool's calls with a protocol error, and another's with a result marked as an error."""
    if request.method != "POST":
        return web.Response(status=405)
    message = await request.json()
    params, known = message.get("params") or {}, {"jsonrpc": "2.0", "id": message.get("id")}
    marked = {"content": [{"type": "text", "text": "not so"}], "isError": True}
    results = {
        "initialize": {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "odd", "version": "1"},
        },
        "tools/list": {"tools": [{"name": name, "inputSchema": FIELDS} for name in ("refuses", "fails")]},
        "tools/call": marked if params.get("name") == "fails" else None,
    }
    if "id" not in message:
        return web.Response(status=202)
    if (result := results.get(message["method"])) is not None:
        return web.json_response(known | {"result": result})
    return web.json_response(known | {"error": {"code": -32602, "message": "no such word"}})


async def test_client_reads_words_of_an_error_as_the_table_says(client):
    app = web.Application()
    app.router.add_route("*", "/mcp", answer_oddly)
    async with TestServer(app) as server:
        url = str(server.make_url("/mcp"))
        _, said = await drive(client, url, [("refuses", {"name": "x"}), ("fails", {"name": "x"})])
    assert tuple(said) == ERRORS[client]
