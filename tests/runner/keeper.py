"""The process between a run of tests and all that it starts: however the run ends, nothing of it stays.

It is forked from the run once the tests are collected, and forks from that same state

- workers, to which it hands the tests, and another one in place of a worker that died;
- servers that all workers share, each at the first demand: somebody connects to its socket.

On Linux whatever these start becomes a child of the keeper's once nobody else is its parent, also what
detaches itself. So the keeper can end all of it when the run has ended, also if that was killed. Elsewhere
there may stay what somebody started who was killed.
"""

import atexit
import ctypes
import os
import signal
import socket
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import NoReturn, Protocol

import psutil

from tests.runner import spent

#: How long workers and servers have to end by themselves (seconds).
GRACE = 15.0
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Batches(Protocol):
    """What there is to do."""

    def take(self, last: list[int]) -> list[int]:
        """Return the numbers of the tests to run next, after these; none if nothing is left."""

    def put_back(self, batch: list[int]) -> None:
        """Have these run by somebody else."""


@dataclass
class Worker:
    """A forked process that runs tests."""

    pid: int
    batch: list[int] = field(default_factory=list)
    done: int = 0


@dataclass(frozen=True)
class Lost:
    """Tell of a worker that died; ``number`` is the test that it ran, or had run last."""

    number: int
    status: int
    is_running: bool


def fork(act: Callable[[], object]) -> int:
    """Do something in a process of its own, which ends as an interpreter does; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    status = 1
    try:
        act()
        status = 0
    except SystemExit:
        status = 0
    except BaseException:  # noqa: BLE001 - there is nobody to raise it to
        traceback.print_exc()
    finally:
        leave(status)


def leave(status: int) -> NoReturn:
    """End as an interpreter does, but free nothing that is shared: that would copy it first."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


@dataclass(frozen=True)
class Beside:
    """Tell what servers took of the processor, and what ended as nobody's child, by their names (seconds)."""

    took: dict[str, float]


class Keeper:
    """Fork, hand out, pass on what workers tell, and end it all."""

    def __init__(
        self,
        run: Connection,
        work: Callable[[Connection], object],
        batches: Batches,
        servers: Mapping[socket.socket, Callable[[socket.socket], object]],
        names: Sequence[str] = (),
    ) -> None:
        self._run = run
        self._parent = os.getppid()
        self._work = work
        self._batches = batches
        self._servers = servers
        #: Sockets of servers that don't run, and the sockets of those that do by their process.
        self._quiet = set(servers)
        self._serving: dict[int, socket.socket] = {}
        self._workers: dict[Connection, Worker] = {}
        self._ended: dict[int, int] = {}
        self._names = dict(zip(servers, names, strict=False))
        self._hired: set[int] = set()
        self._took: dict[str, float] = defaultdict(float)

    def keep(self, workers: int) -> None:
        """Serve this many workers until all tests are run, or only servers, until the run ends."""
        # A key that interrupts the run is the run's business, which ends this one by ending.
        os.setsid()
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        try:
            for _ in range(workers):
                self._hire()
            while (self._workers or not workers) and os.getppid() == self._parent:
                ready = wait([self._run, *self._workers, *self._quiet], timeout=1)
                if self._run in ready:
                    break
                for one in ready:
                    self._serve(one) if isinstance(one, socket.socket) else self._hear(one)
                self._reap()
                # What a worker started may hold its pipe open.
                for pipe, worker in list(self._workers.items()):
                    if worker.pid in self._ended and not pipe.poll():
                        self._miss(pipe)
        except BrokenPipeError:
            pass  # the run has ended while it was told something
        finally:
            self._end()
            with suppress(OSError):
                self._run.send(Beside(dict(self._took)))

    def _hire(self) -> None:
        ours, theirs = Pipe()

        def act() -> None:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            self._let_go([ours, *self._workers])
            self._work(theirs)

        pid = fork(act)
        self._hired.add(pid)
        self._workers[ours] = Worker(pid)
        theirs.close()

    def _serve(self, listener: socket.socket) -> None:
        def act() -> None:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            self._let_go([*self._workers, *(one for one in self._servers if one is not listener)])
            signal.signal(signal.SIGTERM, lambda *_: sys.exit())
            self._servers[listener](listener)

        self._quiet.discard(listener)
        self._serving[fork(act)] = listener

    def _let_go(self, others: Iterable[Connection | socket.socket]) -> None:
        for one in (self._run, *others):
            one.close()

    def _hear(self, pipe: Connection) -> None:
        worker = self._workers[pipe]
        try:
            told = pipe.recv_bytes()
        except (EOFError, OSError):
            self._miss(pipe)
            return
        if told:
            self._run.send_bytes(told)
            worker.done += 1
        else:
            batch = self._batches.take(worker.batch)
            if batch:
                worker.batch, worker.done = batch, 0
            with suppress(OSError):
                pipe.send(batch)

    def _miss(self, pipe: Connection) -> None:
        """Tell which test a worker died of, and have another one do the rest."""
        worker = self._workers.pop(pipe)
        pipe.close()
        while worker.pid not in self._ended:
            self._reap(0)
        status = self._ended[worker.pid]
        left = worker.batch[worker.done :]
        if worker.batch and (left or status):
            self._run.send(Lost((left or worker.batch[-1:])[0], status, is_running=bool(left)))
        if left:
            self._batches.put_back(left[1:])
            self._hire()

    def _reap(self, options: int = os.WNOHANG) -> bool:
        """Note who has ended; return whether there is anybody else."""
        with suppress(ChildProcessError):
            while True:
                called = spent.name_of_ended(options)
                pid, status, used = os.wait4(-1, options)
                if not pid:
                    return True
                self._ended[pid] = os.waitstatus_to_exitcode(status)
                if listener := self._serving.pop(pid, None):
                    self._quiet.add(listener)
                    called = self._names.get(listener, called)
                if pid not in self._hired:
                    self._took[called] += spent.of(used)
                options = os.WNOHANG
        return False

    def _end(self) -> None:
        """Ask the workers to end, then the servers; kill whatever else there is."""
        for pipe in self._workers:
            pipe.close()
        self._ask({worker.pid for worker in self._workers.values()}, signal.SIGINT)
        self._ask(set(self._serving), signal.SIGTERM)
        # Whether anything is left, the system knows. psutil compares when processes began, by the wall clock:
        # where that is set meanwhile, it takes a child for somebody else's, and names none.
        while self._reap():
            with suppress(psutil.Error):
                for one in psutil.Process().children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        one.kill()
            time.sleep(0.01)

    def _ask(self, pids: set[int], number: signal.Signals) -> None:
        end = time.monotonic() + GRACE
        for pid in pids - self._ended.keys():
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        while pids - self._ended.keys() and time.monotonic() < end:
            self._reap()
            time.sleep(0.02)
