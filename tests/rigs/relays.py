"""TCP servers on this machine, for the duration of a block, and relays from them to other servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from ssl import SSLContext


@asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    port: int = 0,
    ssl: SSLContext | None = None,
) -> AsyncIterator[int]:
    """Serve the connections to a port for the duration of a block, and yield the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection has one"
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        with closing(writer), suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)

    async with await asyncio.start_server(accept, "127.0.0.1", port, ssl=ssl) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    # Closed transports are cleaned up in the loop's next iteration.
    await asyncio.sleep(0)


async def relay(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    other: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Pass on everything between two connections, until both have ended."""
    both = _pass_on(reader, other[1]), _pass_on(other[0], writer)
    await asyncio.gather(*both, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while read := await reader.read(65_536):
            writer.write(read)
    finally:
        writer.close()
