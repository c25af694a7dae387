"""Commands as processes forked from one that has already imported them, which only saves the import."""

import asyncio
import atexit
import gc
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from tests.project.repository import ROOT
from tests.rigs import servers

#: What a process that serves imports when it needs it.
LATER = ("encodings.ascii", "encodings.idna", "encodings.latin_1", "sqlite_utils", "sqlite_utils.db")


class Process:
    """Be a command that was forked, as asyncio's own processes are."""

    def __init__(
        self,
        pid: int,
        outputs: tuple[asyncio.StreamReader, asyncio.StreamReader],
        told: asyncio.StreamReader,
        asked: asyncio.StreamWriter,
    ) -> None:
        self.pid = pid
        self.stdout, self.stderr = outputs
        self.returncode: int | None = None
        self._told = told
        self._asked = asked

    async def wait(self) -> int:
        """Return its exit status, or the negative number of the signal that ended it."""
        if self.returncode is None:
            self.returncode = int(await self._told.readline())
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """Return what it has yet to write, once it has ended."""
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def end(self) -> None:
        """Kill it if it still runs, and let go of its outputs."""
        if self.returncode is None:
            self.send_signal(signal.SIGKILL)
            await self.communicate()
        self._asked.close()
        await self._asked.wait_closed()


async def start(
    words: Sequence[str], environment: Mapping[str, str], folder: Path, user: int | None = None
) -> Process:
    """Start ``python -m bot WORDS…`` with nothing but this environment, without an input.

    ``user`` is whose process it is, if it isn't this one's: only root may say so.
    """
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()
    asked = socket.socket(socket.AF_UNIX)
    try:
        asked.connect(servers.path("bots"))
        request = json.dumps([list(words), dict(environment), str(folder), user])
        socket.send_fds(asked, [request.encode()], [to_out, to_err])
    finally:
        os.close(to_out)
        os.close(to_err)
    told, writer = await asyncio.open_unix_connection(sock=asked)
    return Process(int(await told.readline()), (await _reader(out), await _reader(err)), told, writer)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb"))
    return reader


def _fork_for_all(number: int) -> None:
    """Fork for everybody who asks."""
    import bot.__main__
    import bot.commands.database
    import bot.commands.serving
    import bot.commands.setting_up
    import bot.commands.up  # noqa: F401
    from bot.support import declarations
    from handlers.loading import load

    load()
    # Each command loads its features again, as it does outside: a command that doesn't would work only here.
    load.cache_clear()
    declarations._complete.clear()
    gc.freeze()
    servers.serve(number, _fork_for)


def _fork_for(asked: socket.socket) -> None:
    # Whoever has ended is waited for: what it took counts as this process'.
    while _has_ended():
        pass
    if os.fork() == 0:
        from bot.__main__ import main

        _exit(main(_forked(asked)))
    asked.close()


def _exit(status: int) -> None:
    """End as an interpreter does, but don't free what is shared with the parent: that would copy it first."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _has_ended() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _forked(asked: socket.socket) -> list[str]:
    """Fork again, and return the words in the process that is to act on them; tell how that one ends."""
    request, outputs, _, _ = socket.recv_fds(asked, 65_536, 2)
    words, environment, folder, user = json.loads(request)
    pid = os.fork()
    if pid == 0:
        asked.close()
        for number, given in enumerate([os.open(os.devnull, os.O_RDONLY), *outputs]):
            os.dup2(given, number)
            os.close(given)
        # As of a new process: those of the parent may be of another kind of file.
        sys.stdout, sys.stderr = (os.fdopen(number, "w", 1, "utf-8", closefd=False) for number in (1, 2))
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        if user is not None:
            # What is imported later, as somebody else may not be able to read where Python is.
            for module in LATER:
                import_module(module)
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        return words
    for output in outputs:
        os.close(output)
    asked.sendall(b"%d\n" % pid)
    threading.Thread(target=_kill_once_alone, args=(pid, asked), daemon=True).start()
    _, status = os.waitpid(pid, 0)
    asked.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _kill_once_alone(pid: int, asked: socket.socket) -> None:
    """End a command whose test has ended without it, or was killed."""
    asked.recv(1)
    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.argv[0] = str(ROOT / "bot" / "__main__.py")
    _fork_for_all(int(sys.argv[1]))
