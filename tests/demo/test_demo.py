"""Tests of ending the demonstration at any moment: it names the part that failed, and cleans up."""

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from playground.demo.browser import Browser
from playground.processes import StageError, free_port, ready_line, reserved_port, start_child
from tests.project.repository import ROOT


@asynccontextmanager
async def playing(folder: Path, *words: str, module: str = "playground"):
    """Run ``python -m MODULE …`` with its own folder for temporary files."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "XDG_STATE_HOME": str(folder / "state")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()


def processes_that_name(text: str) -> list[str]:
    """Return the processes whose environment or command line contains a string."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if text.encode() in said:
                found.append(process.name)
    return found


async def line_with(process: asyncio.subprocess.Process, part: str) -> str:
    said = ""
    async with asyncio.timeout(90):
        while raw := await process.stdout.readline():
            if part in (line := raw.decode()):
                return line
            said += line
    raise AssertionError(f"no line with {part}, but:\n{said}")


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.mark.parametrize("name", ["demo", "demo-once"])
async def test_interrupted_while_it_starts_it_says_so_and_leaves_nothing(tmp_path, name):
    async with playing(tmp_path, name, "--light", "--port", str(reserved_port())) as process:
        await line_with(process, "Starting a local Slack")
        process.send_signal(signal.SIGINT)
        status, text = await ended(process)
    assert (status, text) == (130, "Stopped before everything was running.\n")
    assert list(tmp_path.glob("usher-demo-*")) == []


async def test_a_port_that_does_not_exist_is_a_sentence(tmp_path):
    async with playing(tmp_path, "demo", "--light", "--port", "65500") as process:
        status, text = await ended(process)
    assert status == 1
    assert text == (
        "The demo couldn't start: --port 65500 leaves no room for 6 servers: it's at most 65476\n"
    )
    assert list(tmp_path.glob("usher-demo-*")) == []


async def test_a_part_that_ends_at_once_is_named_with_its_last_words(tmp_path):
    child = await start_child("saturn", ["playground", "saturn", "--seed", "/nowhere/seed.json"], tmp_path)
    try:
        with pytest.raises(StageError, match=r"saturn ended before it was ready:\nplayground saturn: "):
            await ready_line(child)
    finally:
        await child.stop()


async def test_a_part_is_stopped_with_all_that_it_started(tmp_path):
    child = await start_child("slack", ["playground", "slack"], tmp_path)
    told = await ready_line(child)
    await child.stop()
    assert child.process.returncode == 0
    port = int(told["url"].rpartition(":")[2])
    assert free_port(port) == port


async def test_a_page_is_read_aloud_without_its_head_and_steps(aiohttp_page):
    page = await aiohttp_page(
        "<html><head><title>Linked · Usher</title><style>p {}</style></head><body><main>"
        '<header><span>Usher</span></header><section><ol class="steps"><li>Sign in</li></ol>'
        "<h1>Is this\n right?</h1><dl><div><dt>Slack user</dt><dd>olivia</dd></div>"
        "<div><dt>Workspace</dt><dd>Acme</dd></div></dl><p>Nothing <b>yet</b>.</p>"
        '<form method="post" action="/yes"><input name="form" value="1"><button>Link it</button></form>'
        '<p><a class="button" href="/sign-in">Sign in</a> or <a href="/help">read on</a></p>'
        "</section></main></body></html>"
    )
    assert page.lines == (
        "Is this right?",
        "Slack user olivia · Workspace Acme",
        "Nothing yet .",
        "[Link it]",
        "[Sign in] or read on",
    )
    assert page.form.fields == {"form": "1"}
    assert page.link("/sign-in").endswith("/sign-in")
    with pytest.raises(LookupError, match="no link with /nowhere"):
        page.link("/nowhere")


@pytest.fixture
async def aiohttp_page():
    """Serve a page with aiohttp, and open it in the demonstration's browser."""
    from aiohttp import web
    from aiohttp.test_utils import TestServer

    async with Browser() as browser:

        async def show(source: str):
            async def answer(_request):
                return web.Response(text=source, content_type="text/html")

            app = web.Application()
            app.router.add_get("/", answer)
            async with TestServer(app, host="127.0.0.1") as server:
                return await browser.get(str(server.make_url("/")))

        yield show


@pytest.mark.timeout(300)
async def test_the_whole_story_with_light_servers(tmp_path):
    async with playing(tmp_path, "demo-once", "--light", "--port", str(reserved_port())) as process:
        async with asyncio.timeout(280):
            out, _ = await process.communicate()
    text = out.decode()
    assert process.returncode == 0, text
    assert "notebook is ready." in text
    assert "training is ready." in text
    assert "paper is ready." in text
    assert "Rscript report.R on Workbench is done after" in text
    assert text.count("chen's browser is refused: 403") == 3
    assert "signs in to Team hub as olivia" in text
    pressed = [
        int(number)
        for number in re.findall(r"(\d+) press(?:es)? from the first page to the ready card", text)
    ]
    assert len(pressed) == 4
    # Clicks from the command to the ready card, on Saturn Cloud and the hub. A workspace that needs a form
    # takes more.
    assert max(pressed[:2]) <= 6
    assert "lesson is ready." in text
    assert "Chen's browser is refused: 404" in text
    assert text.endswith("The whole story worked: on Saturn Cloud, the hub, Workbench and Sphere Engine.\n")
    assert list(tmp_path.glob("usher-demo-*")) == []


@pytest.mark.thorough
@pytest.mark.timeout(200)
async def test_a_killed_worker_of_the_cluster_is_replaced_and_nothing_is_left_at_the_end(tmp_path):
    words = ["--people", "5", "--kill-every", "1"]
    async with playing(tmp_path, *words, module="benchmarks.cluster_demo") as process:
        await line_with(process, "Tara has installed Usher in Beta Labs.")
        await line_with(process, "is back after")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        status, text = await ended(process)
    assert status == 0, text
    assert re.search(r"lost +0\n", text)
    assert re.search(r"workers killed +[1-9]", text)
    assert text.endswith("\nStopping everything …\nEverything has been stopped and removed.\n")
    assert list(tmp_path.glob("usher-demo-*")) == []
    assert processes_that_name(str(tmp_path)) == []
