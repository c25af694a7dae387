"""The local Sphere Engine: its default seed, and the command that starts it alone."""

import asyncio
import json
import signal
import sys

import aiohttp

from playground.sphere import build


def test_the_default_seed():
    server = build()
    assert set(server.credentials["projects"]) >= {"Console Python", "Broken image", "Broken initialisation"}
    assert {one.phase for one in server.state.workspaces.values()} == {"running", "stopped"}
    assert build().credentials["access_token"] != server.credentials["access_token"]


def test_a_told_base_url_stands_in_addresses():
    server = build(base_url="https://acme.example/")
    assert server.ready_credentials("https://acme.example")["sdk_base"] == "acme.example"
    assert server.ready_credentials("https://acme.example")["sdk_https"] is True


async def test_the_command_prints_one_ready_line_and_ends_when_told(tmp_path):
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"access_token": "t9", "projects": [{"name": "Only"}]}))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "playground",
        "sphere",
        "--port",
        "0",
        "--seed",
        str(seed),
        "--webhook-secret",
        "shh",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = json.loads(await process.stdout.readline())
    assert line["ready"] is True
    assert line["credentials"]["access_token"] == "t9"
    assert line["credentials"]["webhook_secret"] == "shh"
    assert line["credentials"]["sdk_base"] == line["url"].removeprefix("http://")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{line['url']}/api/v1/projects?access_token=t9") as answer:
            assert (await answer.json())["items"] == [
                {"id": line["credentials"]["projects"]["Only"], "name": "Only"}
            ]
        async with session.get(f"{line['url']}/_playground/stats") as answer:
            assert await answer.json() == {
                "requests": {"GET /api/v1/projects": 1},
                "violations": [],
                "smallest_gap_s": None,
                "least_gap_s": 5.0,
                "status_reads": 0,
                "starts": 0,
                "faults_given": 0,
                "faults": [],
            }
        # A socket that a browser holds open does not keep the server from ending.
        async with session.ws_connect(f"{line['url']}/sdk/live/any"):
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    assert await process.stdout.read() == b""
