"""Commands forked from a process that has already imported their modules, which saves only the import."""

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

#: Modules that a serving process imports only when it first needs them.
LATER = ("encodings.ascii", "encodings.idna", "encodings.latin_1", "sqlite_utils", "sqlite_utils.db")


class Process:
    """A forked command, with the interface of asyncio's own processes."""

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
        """Return the exit status, or the negative number of the signal that ended the process."""
        if self.returncode is None:
            self.returncode = int(await self._told.readline())
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """Wait until the process has ended, and return the rest of its output."""
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def end(self) -> None:
        """Kill the process if it is still running, and close its outputs."""
        if self.returncode is None:
            self.send_signal(signal.SIGKILL)
            await self.communicate()
        self._asked.close()
        await self._asked.wait_closed()


async def start(
    words: Sequence[str], environment: Mapping[str, str], folder: Path, user: int | None = None
) -> Process:
    """Start ``python -m bot WORDS…`` with only this environment and without input.

    ``user`` is the user id that the process runs as, if different from this process's. Only root may set it.
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
    """Fork a process for each request."""
    import bot.__main__
    import bot.commands.database
    import bot.commands.serving
    import bot.commands.setting_up
    import bot.commands.up  # noqa: F401
    from bot.support import declarations
    from handlers.loading import load

    load()
    # Each command must load its features itself, as it does outside of tests. Otherwise, a command that
    # forgot to load them would still work here.
    load.cache_clear()
    declarations._complete.clear()
    gc.freeze()
    servers.serve(number, _fork_for)


def _fork_for(asked: socket.socket) -> None:
    # Reap the commands that have ended, so that their CPU time counts as this process's.
    while _has_ended():
        pass
    if os.fork() == 0:
        from bot.__main__ import main

        _exit(main(_forked(asked)))
    asked.close()


def _exit(status: int) -> None:
    """End as an interpreter does, but don't free memory shared with the parent: that would copy it."""
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
    """Fork again.

    Return the words in the process that is to run them, and report its exit status from the other.
    """
    request, outputs, _, _ = socket.recv_fds(asked, 65_536, 2)
    words, environment, folder, user = json.loads(request)
    pid = os.fork()
    if pid == 0:
        asked.close()
        for number, given in enumerate([os.open(os.devnull, os.O_RDONLY), *outputs]):
            os.dup2(given, number)
            os.close(given)
        # Reopen the outputs, as a new process would. The parent's may be another kind of file.
        sys.stdout, sys.stderr = (os.fdopen(number, "w", 1, "utf-8", closefd=False) for number in (1, 2))
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        if user is not None:
            # Import these now: another user may not be allowed to read Python's folder later.
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
    """Kill a command if its test ended, or was killed, without ending the command."""
    asked.recv(1)
    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.argv[0] = str(ROOT / "bot" / "__main__.py")
    _fork_for_all(int(sys.argv[1]))
