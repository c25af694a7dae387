"""Run one of Usher's servers with a limit on open files; print its port, and exit when stdin closes."""

import asyncio
import resource
import sys
import time

from aiohttp import web
from pydantic import SecretStr

from bot.slack.manifest import SLACK_PATH
from bot.support.clock import SystemClock
from bot.support.logs import Redactor, configure
from bot.web.app import listening
from bot.web.front import MAX_BYTES, Front
from bot.web.health import Metrics
from bot.web.replays import Replays
from tests.web.signed import SECRET


async def serve(files: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (files // 2, files))
    configure("info", Redactor())
    front = Front(SecretStr(SECRET), SystemClock(), Replays(time.monotonic), Metrics())
    app = web.Application(client_max_size=MAX_BYTES)
    app.router.add_get("/", lambda _: asyncio.sleep(0, web.Response(text="here")))
    signed = front.guard(lambda payload, *_: asyncio.sleep(0, web.Response(text=payload["text"])))
    app.router.add_route("*", SLACK_PATH, signed)
    async with listening(app, "127.0.0.1", 0) as port:
        print(port, flush=True)  # noqa: T201 - whoever started it reads it
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(serve(int(sys.argv[1])))
