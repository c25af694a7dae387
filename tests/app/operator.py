"""An operator at a terminal: runs Usher's commands in their own folder, and keeps a server running there."""

import asyncio
import os
import signal
from contextlib import suppress

import aiohttp

#: Seconds that an operator waits for something that happens on its own.
PATIENCE_SECONDS = 120


class Operator:
    """An operator who runs the commands of an installation in a folder with an ``.env``, and serves there."""

    def __init__(self, command, folder, env):
        self.command, self.folder = command, folder
        self.env = {"PATH": os.environ["PATH"], **env}
        self._log = folder.with_name("serve.log")
        self._serving = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        if self._serving is not None and self._serving.returncode is None:
            await self.kill()

    async def run(self, *words, status=0):
        """Run a command until it exits, and return what it prints."""
        process = await self._start(*words, to=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                written, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            raise
        assert process.returncode == status, f"$ usher {' '.join(words)}\n{written.decode()}"
        return written.decode()

    async def begin_serving(self):
        """Start ``serve``. Its log is appended to that of earlier runs."""
        with self._log.open("ab") as to:
            self._read = to.tell()
            self._serving = await self._start("serve", to=to)

    async def serve(self):
        """Start ``serve``, and wait until it is ready."""
        await self.begin_serving()
        await self.until_ready()

    async def restart(self):
        assert await self.stop() == 0
        await self.serve()

    async def stop(self):
        """Stop the server with SIGTERM, as systemd does, and return its exit status."""
        self._serving.send_signal(signal.SIGTERM)
        return await self._serving.wait()

    async def kill(self):
        self._serving.kill()
        await self._serving.wait()

    async def until_ready(self):
        await self._until(self._is_ready)

    async def log_says(self, part):
        """Wait until the log contains the text, counting from the last start."""

        async def is_there():
            return part in self._log.read_text()[self._read :]

        await self._until(is_there)

    async def until(self, holds, *words):
        """Run a command repeatedly until its output meets the condition."""

        async def is_so():
            return holds(await self.run(*words))

        await self._until(is_so)

    async def probe(self, path):
        """Return the status and body of one of the server's pages, or "" if nothing answers."""
        with suppress(aiohttp.ClientError):
            async with aiohttp.request("GET", f"http://127.0.0.1:{self.env['PORT']}/{path}") as answer:
                return f"{answer.status} {await answer.text()}"
        return ""

    def set(self, name, value):
        """Set a variable in ``.env``."""
        env = self.folder / ".env"
        lines = [line for line in env.read_text().splitlines() if not line.startswith(f"{name}=")]
        env.write_text("\n".join([*lines, f"{name}={value}", ""]))

    async def _is_ready(self):
        assert self._serving.returncode is None, self._log.read_text()[self._read :]
        return (await self.probe("readyz")).startswith("200")

    async def _until(self, holds):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await holds():  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.2)

    async def _start(self, *words, to):
        return await asyncio.create_subprocess_exec(
            *(self.command, *words),
            cwd=self.folder,
            env=self.env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=to,
            stderr=asyncio.subprocess.STDOUT,
        )
