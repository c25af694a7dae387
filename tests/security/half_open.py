"""A server of ours in a process with a limit of files; it prints its port, and ends with its input."""

import asyncio
import resource
import sys

from aiohttp import web

from bot.support.logs import Redactor, configure
from bot.web.app import listening


async def serve(files: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (files // 2, files))
    configure("info", "json", Redactor())
    app = web.Application()
    app.router.add_get("/", lambda _: asyncio.sleep(0, web.Response(text="here")))
    async with listening(app, "127.0.0.1", 0) as port:
        print(port, flush=True)  # noqa: T201 - whoever started it reads it
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(serve(int(sys.argv[1])))
