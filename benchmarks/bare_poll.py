"""The baseline for polls: aiohttp alone sends GET requests and parses the responses, until it is killed.

Run with ``python -m benchmarks.bare_poll URL TOKEN AT_ONCE``, where URL is the address of a workspace's
status at the provider, and AT_ONCE is the number of concurrent requests.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import aiohttp


async def _poll(session: aiohttp.ClientSession, url: str) -> None:
    while True:
        async with session.get(url) as response:
            if (await response.json())["status"] != "pending":
                raise ValueError("this workspace is not pending")


async def _run(url: str, token: str, at_once: int) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": f"token {token}"}) as session:
        polling = asyncio.gather(*(_poll(session, url) for _ in range(at_once)))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, polling.cancel)
        print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - the ready line
        try:
            await polling
        except asyncio.CancelledError:
            return


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
