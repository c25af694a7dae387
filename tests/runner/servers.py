"""Servers that all tests of a run share: each begins when the first worker asks for it."""

import shutil
import socket
import tempfile
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

#: Each takes the socket at which it is asked for.
SERVERS = {"postgres": "tests.rigs.postgres", "bots": "tests.rigs.forked"}

_folder: list[Path] = []


def listeners() -> dict[socket.socket, Callable[[socket.socket], object]]:
    """Listen for demands; what a socket is to be handed to when there is one."""
    _folder[:] = [Path(tempfile.mkdtemp(prefix="usher-servers-"))]
    made = {}
    for name, module in SERVERS.items():
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path(name))
        listener.listen(100)
        made[listener] = partial(_serve, module)
    return made


def _serve(module: str, listener: socket.socket) -> None:
    import_module(module).serve(listener)


def forget() -> None:
    """Remove what ``listeners`` made."""
    shutil.rmtree(_folder[0], ignore_errors=True)


def path(name: str) -> str:
    """Return where a server is to be asked."""
    return str(_folder[0] / name)


def asked(name: str) -> str:
    """Return what a server says to whoever connects."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path(name))
        said = b"".join(iter(partial(server.recv, 65_536), b""))
    assert said, f"the server {name} ended"
    return said.decode()


def say(listener: socket.socket, words: str) -> None:
    """Say the same to everybody, as long as the tests run."""
    while True:
        somebody, _ = listener.accept()
        with somebody:
            somebody.sendall(words.encode())
