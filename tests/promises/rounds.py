"""One round: collect the tests once, fork for each patch, and run tests there until one fails.

The process that collects is itself forked, so another round begins as clean as the first. It starts no
thread and runs no test; what a patch's process leaves behind is ended and deleted with it.
"""

import atexit
import json
import math
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import pytest

from tests.promises.applying import Living, serve
from tests.promises.reach import Measuring, Reach, looked_at
from tests.runner import times

#: A patch may make a test wait for what never comes; that is noticed, too.
_SECONDS = 60
#: Imported before the first fork, as far as they are there: what patched modules are loaded with.
_WARM = (
    "aiohttp.web",
    "cryptography.fernet",
    "jinja2",
    "joserfc",
    "prometheus_client",
    "psycopg",
    "pydantic_settings",
    "rapidfuzz.fuzz",
    "slack_bolt.async_app",
    "sqlite_utils",
    "structlog",
    "yaml",
)


class Verdict(StrEnum):
    """Name what came of a patch."""

    RED = "red"  #: a test failed: it was noticed
    GREEN = "green"  #: all tests passed
    ABSENT = "absent"  #: a test that should run isn't there
    BROKEN = "broken"  #: the patched code can't be loaded, or its process ended early


@dataclass(frozen=True, slots=True)
class Job:
    """Ask whether tests notice a change of one file: they are run in this order until some have failed.

    The name of a test function stands for all its cases, that of a file or folder for all tests in it.

    ``is_fresh``: the file is loaded patched; otherwise the patch is applied to what lives. After ``most``
    seconds no other test is begun.
    """

    name: str
    file: str
    patched: str
    tests: tuple[str, ...]
    is_fresh: bool = False
    most: float = math.inf

    @property
    def files(self) -> set[str]:
        """Return what has to be collected for its tests."""
        return {test.partition("::")[0] for test in self.tests}


@dataclass(frozen=True, slots=True)
class Share:
    """Ask which functions one of several equal shares of the quick tests reach."""

    number: int
    of: int

    name: ClassVar[str] = "reach"
    files: ClassVar[set[str]] = {"tests"}
    is_fresh: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Result:
    """Tell what came of a job: which tests failed, how many were run, and what the first of them said."""

    name: str
    verdict: Verdict
    red: tuple[str, ...] = ()
    tried: int = 0
    seconds: float = 0.0
    said: str = ""


def measure(workers: int) -> Reach:
    """Run the quick tests, and return which functions each of them reaches."""
    parts: list[Reach] = []

    def told(result: Result) -> None:
        if result.verdict is not Verdict.GREEN:
            raise RuntimeError(result.said)
        parts.append(Reach(**json.loads(result.said)))

    play([Share(number, workers) for number in range(workers)], workers, told)
    found = Reach.of(parts)
    found.keep()
    return found


def play(jobs: Sequence[Job | Share], workers: int, told: Callable[[Result], None], stops: int = 1) -> None:
    """Play a round; ``told`` hears of each result. A job ends once so many of its tests have failed."""
    if not jobs:
        return
    folder = Path(tempfile.mkdtemp(prefix="usher-promises-"))
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _collect(_Round(jobs, workers, stops, folder, writing))
    os.close(writing)
    left = {job.name for job in jobs}
    try:
        with os.fdopen(reading) as lines:
            for line in lines:
                result = _result(json.loads(line))
                left.discard(result.name)
                told(result)
        os.waitpid(pid, 0)
        for name in sorted(left):
            told(Result(name, Verdict.BROKEN, said=f"the round ended early:\n{_end_of(folder)}"))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _result(written: Mapping[str, Any]) -> Result:
    return Result(**{**written, "verdict": Verdict(written["verdict"]), "red": tuple(written["red"])})


def _end_of(folder: Path) -> str:
    output = folder / "output.txt"
    return output.read_text(errors="replace")[-3000:] if output.exists() else ""


def _collect(round_: "_Round") -> NoReturn:
    """Be the process that collects, and then perhaps that of a job."""
    os.setsid()
    round_.be_alone(round_.folder)
    options = ("-q", "--capture=no", "-p", "no:cacheprovider", "-o", f"timeout={_SECONDS}")
    # What is collected is said later: the conftests of files that are named here would be imported at once.
    status: int = pytest.main([*options, "tests"], plugins=[round_])
    # As an interpreter ends, but nothing is freed that is shared with the parent: that would copy it.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


@dataclass(frozen=True, slots=True)
class _Running:
    job: Job | Share
    folder: Path


class _Round:
    """Be pytest's plugin: fork where nothing is imported yet, and where all is collected."""

    def __init__(
        self, jobs: Sequence[Job | Share], workers: int, stops: int, folder: Path, writing: int
    ) -> None:
        self.folder = folder
        self._workers = workers
        self._stops = stops
        self._writing = writing
        self._fresh = [job for job in jobs if isinstance(job, Job) and job.is_fresh]
        self._living = [job for job in jobs if not job.is_fresh]
        self._running: dict[int, _Running] = {}
        #: What this process is about, once it is that of a job.
        self._job: Job | Share | None = None
        self._absent: list[str] = []
        self._began = 0.0
        self._session: pytest.Session | None = None
        self._tried = 0
        self._red: list[str] = []
        self._said = ""
        self._is_broken = False
        self._measuring: Measuring | None = None

    def be_alone(self, folder: Path) -> None:
        """Have a folder for all that is temporary, no input, and no other output than a file there."""
        sys.stdout.flush()
        sys.stderr.flush()
        output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, given in enumerate((nothing, output, output)):
            os.dup2(given, number)
        os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = str(folder)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Fork for what has to be loaded patched, before anything is imported."""
        for module in _WARM if self._fresh else ():
            with suppress(ImportError):
                __import__(module)
        for job in self._fresh:
            if self._forked(job):
                session.config.args = list(job.files)
                serve(job.file, job.patched)
                return
        if not self._living:
            self._wait(0)
            pytest.exit("there is nothing else to play", returncode=0)
        session.config.args = sorted({file for job in self._living for file in job.files})

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Fork for each job that shares this collection, and have its tests run there; here none are."""
        if self._job is None:
            living = Living({job.file for job in self._living if isinstance(job, Job)})
            for job in self._living:
                if self._forked(job):
                    if isinstance(job, Job):
                        living.apply(job.file, job.patched)
                    break
        if self._job is None:
            self._wait(0)
            session.items[:] = []
        elif isinstance(self._job, Job):
            session.items[:] = self._chosen(session, self._job)
            session.config.option.maxfail = self._stops
        else:
            session.items[:] = [item for item in session.items if looked_at(item)][
                self._job.number :: self._job.of
            ]
            self._measuring = Measuring()
        self._began, self._session = time.perf_counter(), session
        return (yield)

    def _chosen(self, session: pytest.Session, job: Job) -> list[pytest.Item]:
        quick = sorted(session.items, key=_seconds)
        selected = {name: [item for item in quick if _is_of(item, name)] for name in job.tests}
        self._absent = [name for name, some in selected.items() if not some]
        return list({item: None for some in selected.values() for item in some})

    def _forked(self, job: Job | Share) -> bool:
        """Return whether this is the job's process now."""
        self._wait(self._workers - 1)
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        if threading.active_count() > 1:
            raise RuntimeError(f"threads don't survive a fork: {threading.enumerate()}")
        pid = os.fork()
        if pid:
            self._running[pid] = _Running(job, folder)
            return False
        os.close(self._writing)
        self._job, self._running, self.folder = job, {}, folder
        self.be_alone(folder)
        return True

    def _wait(self, most: int) -> None:
        """Wait until at most so many jobs are running; tell what came of the others."""
        while len(self._running) > most:
            pid, _ = os.wait()
            ended = self._running.pop(pid, None)
            if ended is None:
                continue
            written = ended.folder / "result.json"
            if written.exists():
                line = written.read_text()
            else:
                line = _line(Result(ended.job.name, Verdict.BROKEN, said=_end_of(ended.folder)))
            shutil.rmtree(ended.folder, ignore_errors=True)
            os.write(self._writing, f"{line}\n".encode())

    # -- in the process of a job -----------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count a test, or measure what it reaches."""
        self._tried += 1
        if self._measuring is None:
            return (yield)
        with self._measuring.of(item.nodeid):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which test failed, and what the first of them said."""
        if report.failed and report.nodeid not in self._red:
            self._red.append(report.nodeid)
            self._said = self._said or report.longreprtext[-1500:]

    def pytest_runtest_logfinish(self) -> None:
        """End a job that takes too long."""
        has_ended = isinstance(self._job, Job) and time.perf_counter() - self._began > self._job.most
        if has_ended and self._session is not None:
            self._session.shouldstop = "it takes too long"

    def pytest_exception_interact(self, call: "pytest.CallInfo[None]", report: pytest.CollectReport) -> None:
        """Tell a patch that can't work from a promise that is broken."""
        if call.excinfo is not None and call.excinfo.errisinstance((NameError, ImportError, SyntaxError)):
            self._is_broken = True
            self._said = self._said or str(report.longrepr)[-1500:]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Write down what came of the job."""
        if self._job is not None:
            result = self._result(self._job.name, round(time.perf_counter() - self._began, 3))
            (self.folder / "result.json").write_text(_line(result))

    def _result(self, name: str, seconds: float) -> Result:
        if self._measuring is not None:
            found = json.dumps(asdict(self._measuring.reach()))
            return Result(name, Verdict.GREEN, (), self._tried, seconds, found)
        verdict, said = Verdict.GREEN, self._said
        if self._is_broken:
            verdict = Verdict.BROKEN
        elif self._red:
            verdict = Verdict.RED
        elif self._absent:
            verdict, said = Verdict.ABSENT, "\n".join(self._absent)
        return Result(name, verdict, tuple(self._red), self._tried, seconds, said)


def _seconds(item: pytest.Item) -> tuple[bool, float]:
    """Return how long a test takes, as far as is known; those that start a server of PostgreSQL come last."""
    return "postgresql" in item.nodeid, times.table().seconds(item.nodeid)


def _is_of(item: pytest.Item, name: str) -> bool:
    """Return whether a test is that of a name, or one of its cases, or in that file or folder."""
    return item.nodeid == name or (item.nodeid.startswith(name) and item.nodeid[len(name)] in "[:/")


def _line(result: Result) -> str:
    return json.dumps(asdict(result))
