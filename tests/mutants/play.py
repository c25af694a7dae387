"""Mutants, played: tests are collected once, and each mutant has a fork that runs them until one fails.

The process that collects is itself forked, so that another round begins as clean as the first. It starts no
thread and runs no test; the leftovers of a mutant's process are ended and deleted with it.
"""

import atexit
import json
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

from tests.mutants.apply import LiveFunctions, load_instead
from tests.mutants.reach import TESTS, Measurement, Reach, is_measured
from tests.runner import times

#: A mutant may make a test wait for ever. Generous: a machine's load must not count as a test that notices.
TEST_TIMEOUT_SECONDS = 180
#: After so many seconds no further test of a mutant is begun.
MAX_MUTANT_SECONDS = 300.0
#: Imported before the first fork, as far as they are there: what fresh modules are loaded with.
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
    """The outcome of a mutant."""

    NOTICED = "noticed"  #: a test failed, or nothing could be imported any more
    UNNOTICED = "unnoticed"  #: all tests passed
    FAILED = "failed"  #: the mutant couldn't be played: that says nothing about the tests


@dataclass(frozen=True, slots=True)
class Job:
    """A changed file, and the tests to run in this order until some have failed.

    The name of a test function stands for all its cases. ``is_fresh``: the file is loaded changed; otherwise
    the change is applied to live functions.
    """

    name: str
    file: str
    text: str
    tests: tuple[str, ...]
    is_fresh: bool = False
    max_failures: int = 1

    @property
    def files(self) -> set[str]:
        """Return the files of tests to collect."""
        return {test.partition("::")[0] for test in self.tests}


@dataclass(frozen=True, slots=True)
class Share:
    """One of several equal shares of the quick tests, whose reach is measured."""

    number: int
    count: int

    name: ClassVar[str] = "reach"
    files: ClassVar[frozenset[str]] = frozenset(TESTS)
    is_fresh: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Result:
    """The verdict on a job: the tests that failed, the number that ran, and the first failure's text."""

    name: str
    verdict: Verdict
    failed: tuple[str, ...] = ()
    tried: int = 0
    text: str = ""


def measure(workers: int) -> Reach:
    """Run the quick tests, and keep the functions that each of them reaches."""
    parts: list[Reach] = []

    def add(result: Result) -> None:
        if result.verdict is Verdict.FAILED:
            raise RuntimeError(result.text)
        parts.append(Reach(**json.loads(result.text)))

    play([Share(number, workers) for number in range(workers)], workers, add)
    reach = Reach.merge(parts)
    reach.write()
    return reach


def play(
    jobs: Sequence[Job | Share],
    workers: int,
    on_result: Callable[[Result], None],
    max_seconds: float = float("inf"),
) -> None:
    """Play a round, and call ``on_result`` for each job; after so many seconds no further one is begun."""
    if not jobs:
        return
    folder = Path(tempfile.mkdtemp(prefix="usher-mutants-"))
    ends_at = time.monotonic() + max_seconds
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _collect(_Round(jobs, workers, ends_at, folder, writing))
    os.close(writing)
    pending = {job.name for job in jobs}
    try:
        with os.fdopen(reading) as lines:
            for line in lines:
                result = _parse(json.loads(line))
                pending.discard(result.name)
                on_result(result)
        os.waitpid(pid, 0)
        for name in sorted(pending) if time.monotonic() < ends_at else ():
            on_result(Result(name, Verdict.FAILED, text=f"the round ended early:\n{_read_output(folder)}"))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _parse(written: Mapping[str, Any]) -> Result:
    values = {**written, "verdict": Verdict(written["verdict"]), "failed": tuple(written["failed"])}
    return Result(**values)


def _read_output(folder: Path) -> str:
    output = folder / "output.txt"
    return output.read_text(errors="replace")[-3000:] if output.exists() else ""


def _collect(round_: "_Round") -> NoReturn:
    """Be the process that collects, and then perhaps that of a job."""
    os.setsid()
    round_.isolate(round_.folder)
    options = ("-q", "--capture=no", "-p", "no:cacheprovider", "-o", f"timeout={TEST_TIMEOUT_SECONDS}")
    # The files to collect are set later: the conftests of those named here would be imported at once.
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
    """Pytest's plugin that forks before anything is imported, and again when all is collected."""

    def __init__(
        self, jobs: Sequence[Job | Share], workers: int, ends_at: float, folder: Path, writing: int
    ) -> None:
        self.folder = folder
        self._workers = workers
        self._ends_at = ends_at
        self._writing = writing
        self._fresh = [job for job in jobs if isinstance(job, Job) and job.is_fresh]
        self._live = [job for job in jobs if not job.is_fresh]
        self._running: dict[int, _Running] = {}
        #: The job of this process, once it has one.
        self._job: Job | Share | None = None
        self._began = 0.0
        self._session: pytest.Session | None = None
        self._tried = 0
        self._failed: list[str] = []
        self._text = ""
        self._measurement: Measurement | None = None

    def isolate(self, folder: Path) -> None:
        """Take a folder for all that is temporary, no input, and no other output than a file there."""
        sys.stdout.flush()
        sys.stderr.flush()
        output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, source in enumerate((nothing, output, output)):
            os.dup2(source, number)
        os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = str(folder)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Fork for the files to load changed, before anything is imported."""
        for module in _WARM if self._fresh else ():
            with suppress(ImportError):
                __import__(module)
        for job in self._fresh:
            if self._fork(job):
                session.config.args = list(job.files)
                load_instead(job.file, job.text)
                return
        if not self._live:
            self._wait(0)
            pytest.exit("there is nothing else to play", returncode=0)
        session.config.args = sorted({file for job in self._live for file in job.files})

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Fork for each job that shares this collection; its tests run there, here none do."""
        if self._job is None:
            live = LiveFunctions({job.file for job in self._live if isinstance(job, Job)})
            for job in self._live:
                if self._fork(job):
                    if isinstance(job, Job):
                        live.apply(job.file, job.text)
                    break
        if self._job is None:
            self._wait(0)
            session.items[:] = []
        elif isinstance(self._job, Job):
            session.items[:] = _select(session.items, self._job.tests)
            session.config.option.maxfail = self._job.max_failures
        else:
            measured = [item for item in session.items if is_measured(item)]
            session.items[:] = measured[self._job.number :: self._job.count]
            self._measurement = Measurement()
        self._began, self._session = time.perf_counter(), session
        return (yield)

    def _fork(self, job: Job | Share) -> bool:
        """Return whether this is the job's process now."""
        self._wait(self._workers - 1)
        if time.monotonic() > self._ends_at:
            return False
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        if threading.active_count() > 1:
            raise RuntimeError(f"threads don't survive a fork: {threading.enumerate()}")
        pid = os.fork()
        if pid:
            self._running[pid] = _Running(job, folder)
            return False
        os.close(self._writing)
        self._job, self._running, self.folder = job, {}, folder
        self.isolate(folder)
        return True

    def _wait(self, most: int) -> None:
        """Wait until at most so many jobs are running; pass on the results of the others."""
        while len(self._running) > most:
            pid, _ = os.wait()
            ended = self._running.pop(pid, None)
            if ended is None:
                continue
            written = ended.folder / "result.json"
            if written.exists():
                line = written.read_text()
            else:
                line = _format(Result(ended.job.name, Verdict.FAILED, text=_read_output(ended.folder)))
            shutil.rmtree(ended.folder, ignore_errors=True)
            os.write(self._writing, f"{line}\n".encode())

    # -- in the process of a job -----------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Count a test, or measure its reach."""
        self._tried += 1
        if self._measurement is None:
            return (yield)
        with self._measurement.measure(item.nodeid):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that failed, and the first one's text."""
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that can't be imported any more."""
        self._note(report)

    def pytest_internalerror(self, excrepr: object) -> None:
        """Note that the features can't be loaded any more."""
        if isinstance(self._job, Job) and not self._tried:
            self._failed.append("features")
            self._text = self._text or str(excrepr)[-1500:]

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed and report.nodeid not in self._failed:
            self._failed.append(report.nodeid)
            self._text = self._text or report.longreprtext[-1500:]

    def pytest_runtest_logfinish(self) -> None:
        """End a job that takes too long."""
        is_late = isinstance(self._job, Job) and time.perf_counter() - self._began > MAX_MUTANT_SECONDS
        if is_late and self._session is not None:
            self._session.shouldstop = "it takes too long"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Write down the result of the job."""
        if self._job is not None:
            (self.folder / "result.json").write_text(_format(self._result(self._job)))

    def _result(self, job: Job | Share) -> Result:
        if isinstance(job, Share):
            if self._measurement is None:
                return Result(job.name, Verdict.FAILED, tuple(self._failed), text=self._text)
            return Result(job.name, Verdict.UNNOTICED, text=json.dumps(asdict(self._measurement.end())))
        verdict = Verdict.NOTICED if self._failed else Verdict.UNNOTICED if self._tried else Verdict.FAILED
        return Result(job.name, verdict, tuple(self._failed), self._tried, self._text)


def _select(items: Sequence[pytest.Item], names: Sequence[str]) -> list[pytest.Item]:
    """Return the items of these names, the quickest of each first; a test that is gone since has none."""
    quick = sorted(items, key=_seconds)
    return list({item: None for name in names for item in quick if _is_case(item, name)})


def _seconds(item: pytest.Item) -> tuple[bool, float]:
    """Return a test's usual seconds; those that start a server of PostgreSQL come last."""
    return "postgresql" in item.nodeid, times.table().seconds(item.nodeid)


def _is_case(item: pytest.Item, name: str) -> bool:
    """Return whether a test has this name, or is one of its cases."""
    return item.nodeid == name or item.nodeid.startswith(f"{name}[")


def _format(result: Result) -> str:
    return json.dumps(asdict(result))
