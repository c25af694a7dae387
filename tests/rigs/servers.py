"""Servers that are shared by all tests of a run. Each starts when it is first needed, and ends with the run.

The run listens on a socket in a folder of its own, and tells its workers where the folder is. The first
worker that needs a server starts it. A server stays connected to the run's socket. When that connection
closes, because the run has ended or was killed, the server ends. Killing a worker doesn't end a server that
others use.
"""

import atexit
import fcntl
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

#: Modules of the servers. Each is started with the number of the socket that it listens on, and runs until
#: the end of the run.
SERVERS = {"postgres": "tests.rigs.postgres", "bots": "tests.rigs.forked"}
#: Time that servers have to stop by themselves, in seconds.
GRACE_SECONDS = 15.0

#: The folder of this run, once it has been created.
_folders: list[Path] = []


def begin() -> str:
    """Return the folder of this run's socket, and open the socket if it isn't open yet.

    Servers connect to the socket. Workers pass the folder to ``join``.
    """
    if not _folders:
        _folders.append(Path(tempfile.mkdtemp(prefix="usher-servers-")))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(_folders[0] / "run"))
        listener.listen(len(SERVERS))
        atexit.register(_end, listener, _folders[0])
    return str(_folders[0])


def join(folder: str) -> None:
    """Use the servers of the run that created this folder."""
    _folders[:] = [Path(folder)]


def path(name: str) -> str:
    """Return the path of a server's socket. Start the server if it isn't running."""
    folder = Path(begin())
    place = folder / name
    with _locked(folder / f"{name}.starting"):
        if not place.exists():
            _start(name, place)
    return str(place)


def _start(name: str, place: Path) -> None:
    running = place.with_suffix(".running").open("w")
    # The file stays locked as long as the server has it open.
    fcntl.flock(running, fcntl.LOCK_EX)
    with running, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen(100)
        passed = [listener.fileno(), running.fileno()]
        command = [sys.executable, "-m", SERVERS[name], str(listener.fileno())]
        # The server has its own session, so Ctrl+C doesn't reach it. It ends when the run does.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=passed, start_new_session=True, cwd=_ROOT
        )
    # The server ends with the run and not with this process, so nothing in this process waits for it.
    process.returncode = 0


_ROOT = Path(__file__).parents[2]


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def _end(listener: socket.socket, folder: Path) -> None:
    """Make the servers stop, and wait until they have."""
    listener.close()
    end = time.monotonic() + GRACE_SECONDS
    for file in folder.glob("*.running"):
        while time.monotonic() < end and not _is_free(file):
            time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _is_free(file: Path) -> bool:
    with file.open("w") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def ask(name: str) -> str:
    """Connect to a server, and return everything that it sends."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path(name))
        said = b"".join(iter(partial(server.recv, 65_536), b""))
    assert said, f"the server {name} ended"
    return said.decode()


def serve(number: int, answer: Callable[[socket.socket], None]) -> None:
    """Answer connections until the run has ended."""
    with socket.socket(fileno=number) as listener, socket.socket(socket.AF_UNIX) as run:
        run.connect(str(Path(listener.getsockname()).with_name("run")))
        while run not in (ready := select.select([listener, run], [], [])[0]):
            if listener in ready:
                answer(listener.accept()[0])
