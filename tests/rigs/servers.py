"""Servers that the tests of one worker share: each begins at the first demand, and ends with the worker."""

import atexit
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

#: Modules that serve at the socket whose number they are called with, until their input ends.
SERVERS = {"postgres": "tests.rigs.postgres", "bots": "tests.rigs.forked"}


@cache
def path(name: str) -> str:
    """Return where a server is to be asked; begin it first."""
    folder = tempfile.mkdtemp(prefix="usher-servers-")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place := str(Path(folder, name)))
        listener.listen(100)
        number = listener.fileno()
        command = [sys.executable, "-m", SERVERS[name], str(number)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[number])
    atexit.register(_end, process, folder)
    return place


def _end(process: subprocess.Popen[bytes], folder: str) -> None:
    process.communicate()
    shutil.rmtree(folder, ignore_errors=True)


def asked(name: str) -> str:
    """Return what a server says to whoever connects."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path(name))
        said = b"".join(iter(partial(server.recv, 65_536), b""))
    assert said, f"the server {name} ended"
    return said.decode()


def serve(number: int, answer: Callable[[socket.socket], None]) -> None:
    """Answer whoever connects, until whoever began this has ended."""
    import select

    with socket.socket(fileno=number) as listener:
        while sys.stdin not in (ready := select.select([listener, sys.stdin], [], [])[0]):
            if listener in ready:
                answer(listener.accept()[0])
