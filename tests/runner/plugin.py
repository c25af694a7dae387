"""``pytest --workers N``: run the collected tests in N processes that are forked from this one."""

import os
import random
import sys
import warnings
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from _pytest.config import create_terminal_writer
from _pytest.tmpdir import TempPathFactory

from tests.runner import keeper, memory, servers, spent, times
from tests.runner.batches import Batches
from tests.runner.spent import Spent


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("workers")
    group.addoption("--workers", type=int, default=0, metavar="N", help="run the tests in N forked processes")
    group.addoption("--record-times", action="store_true", help=f"write {times.TABLE.name}; needs --workers")


def pytest_configure(config: pytest.Config) -> None:
    # Where Python is told to write no bytecode, each process of a run would compile the same modules.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    config.pluginmanager.register(Runner(), "workers")


def _usual_folder(config: Any) -> Path:
    """Return where pytest itself has the folders of tests."""
    folder: Path = config._tmp_path_factory.getbasetemp()
    return folder


class Runner:
    """Have a keeper for every run, and the tests run by its workers if some are wanted."""

    def __init__(self) -> None:
        self._keeper = 0
        self._pipe: Connection | None = None
        #: Where workers have the folders of their tests.
        self._folder = Path()
        self._cost = times.Cost()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        option = session.config.option
        if option.collectonly or not session.items or session.testsfailed:
            return None
        if option.workers and option.usepdb:
            raise pytest.UsageError("--pdb asks at a terminal, which workers don't have: leave out --workers")
        if option.record_times and not option.workers:
            raise pytest.UsageError("--record-times measures workers: add --workers 2")
        self._begin(session, option.workers)
        if not option.workers:
            return None
        try:
            self._follow(session)
        finally:
            self.pytest_sessionfinish(session)
            self._cost.whole = spent.ended()
            if option.record_times:
                is_whole = session.config.args_source is pytest.Config.ArgsSource.TESTPATHS
                is_whole = is_whole and not (option.keyword or option.markexpr or session.shouldstop)
                times.table().recorded(self._cost, is_whole=is_whole).write()
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if terminalreporter.config.option.record_times:
            for line in self._cost.lines():
                terminalreporter.write_line(line)
            for name in times.table().unknown():
                terminalreporter.write_line(f"no longer in {times.TABLE.name}, as it is gone: {name}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Have the keeper end what is left, and wait until nothing is; keep what tests wrote that failed."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
            os.waitpid(self._keeper, 0)
            kept = _usual_folder(session.config) if session.testsfailed else None
            memory.forget(self._folder, kept)

    def _begin(self, session: pytest.Session, workers: int) -> None:
        self._pipe, theirs = Pipe()
        self._cost.collection = spent.ended()
        # Made before the fork, so that all have the same.
        usual = _usual_folder(session.config)
        self._folder = folder = memory.folder(usual) if workers else usual
        run, listeners = os.getpid(), servers.listeners()

        def work(pipe: Connection) -> None:
            _Worker(session, folder, pipe).run()

        def keep() -> None:
            self._pipe.close()
            batches = Batches(session.items, times.table().seconds, workers)
            keeper.Keeper(theirs, work, batches, listeners, list(servers.SERVERS)).keep(workers)
            servers.forget()
            if os.getppid() != run:
                memory.forget(folder, None)

        self._keeper = keeper.fork(keep)
        theirs.close()
        for listener in listeners:
            listener.close()

    def _follow(self, session: pytest.Session) -> None:
        """Report what workers tell as if it happened here, until all is told."""
        left = set(range(len(session.items)))
        if terminal := session.config.pluginmanager.get_plugin("terminalreporter"):
            terminal.showfspath = False  # the files come mixed
        while True:
            try:
                told = self._pipe.recv()
            except (EOFError, ConnectionResetError):
                break
            if isinstance(told, keeper.Beside):
                self._cost.beside = told.took
                continue
            left.discard(told.number)
            if isinstance(told, keeper.Lost):
                _report_lost(session, told)
            else:
                self._report(session, told)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        if left:
            raise session.Interrupted(f"the workers ended before {len(left)} of the tests were run")

    def _report(self, session: pytest.Session, told: "Told") -> None:
        config, hook = session.config, session.config.hook
        item = session.items[told.number]
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for one in told.reports:
            is_plain = isinstance(one, pytest.TestReport)
            hook.pytest_runtest_logreport(
                report=one if is_plain else hook.pytest_report_from_serializable(config=config, data=one)
            )
        for warned in told.warned:
            hook.pytest_warning_recorded.call_historic(kwargs=warned)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        self._cost.tests[item.nodeid] = told.spent
        self._cost.elsewhere += told.elsewhere
        session.shouldstop = session.shouldstop or told.stop


def _report_lost(session: pytest.Session, lost: keeper.Lost) -> None:
    """Have the test fail, by its name, that a worker died of."""
    item = session.items[lost.number]
    ended = f"was killed by signal {-lost.status}" if lost.status < 0 else f"ended itself with {lost.status}"
    when = "call" if lost.is_running else "teardown"
    words = f"The worker that ran this test {ended}."
    report = pytest.TestReport(item.nodeid, item.location, dict(item.keywords), "failed", words, when)
    session.config.hook.pytest_runtest_logreport(report=report)


@dataclass
class Told:
    """What a worker tells of a test, by its number; of its last one again, if what it ends with fails."""

    number: int
    reports: list[pytest.TestReport | dict[str, Any]] = field(default_factory=list)
    warned: list[dict[str, Any]] = field(default_factory=list)
    spent: Spent = (0.0, 0.0)
    #: Of the processor, in processes that a server forked for it.
    elsewhere: float = 0.0
    #: Why no further test is to be run.
    stop: str = ""


class _Worker:
    """Run tests, and stand in for the terminal there."""

    def __init__(self, session: pytest.Session, folder: Path, pipe: Connection) -> None:
        self._session = session
        self._pipe = pipe
        self._told = Told(0)
        #: What processes took until now that run on from test to test.
        self._running = 0.0
        config: Any = session.config
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(self, "terminalreporter")
        #: Where others write who expect a terminal, such as stacks after a time-out.
        self._tw = create_terminal_writer(config, sys.stderr)
        if capture := config.pluginmanager.get_plugin("capturemanager"):
            # What is captured lies in a file, in which the processes would write over one another.
            capture.stop_global_capturing()
            capture.start_global_capturing()
            capture.suspend_global_capture()
        config.option.basetemp = folder / f"worker-{os.getpid()}"
        config._tmp_path_factory = TempPathFactory.from_config(config, _ispytest=True)
        random.seed()

    def run(self) -> None:
        """Run what it is handed until that is nothing, or until it is interrupted."""
        number = None
        try:
            while batch := self._next():
                for number, follower in zip(batch, [*batch[1:], None], strict=True):
                    self._run(number, follower)
        except (KeyboardInterrupt, OSError):
            pass  # the run has ended
        except pytest.exit.Exception as asked:
            self._told.stop = str(asked)
            self._pipe.send(self._told)
        finally:
            if number is not None:
                self._finish(self._session.items[number])

    def _next(self) -> list[int]:
        self._pipe.send_bytes(b"")
        return self._pipe.recv()

    def _run(self, number: int, follower: int | None) -> None:
        session = self._session
        item = session.items[number]
        # After the last of a batch all is torn down but what is the session's: that has no end yet.
        nextitem = session if follower is None else session.items[follower]
        self._told = Told(number)
        clock, took, elsewhere = spent.clock(), spent.ended(), spent.elsewhere()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        clock, took = spent.clock() - clock, spent.ended() - took
        self._told.elsewhere = spent.elsewhere() - elsewhere
        if session.config.option.record_times:
            # What has ended meanwhile counts no longer here, but among the children that have.
            former, self._running = self._running, spent.running()
            took += self._running - former
        self._told.spent = clock, took
        self._pipe.send(self._told)

    def _finish(self, last: pytest.Item) -> None:
        """End what is the session's; a failure is one of the last test."""
        self._told = Told(self._told.number)
        call = pytest.CallInfo.from_call(lambda: self._session._setupstate.teardown_exact(None), "teardown")
        report = last.config.hook.pytest_runtest_makereport(item=last, call=call)
        if report.failed:
            self.pytest_runtest_logreport(report)
            self._pipe.send(self._told)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        config = self._session.config
        # What passed holds nothing but plain values.
        told = (
            report
            if report.passed
            else config.hook.pytest_report_to_serializable(config=config, report=report)
        )
        self._told.reports.append(told)

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str, location: tuple | None
    ) -> None:
        one = warning_message
        said = UserWarning(f"{one.category.__name__}: {one.message}")
        told = warnings.WarningMessage(said, UserWarning, one.filename, one.lineno)
        self._told.warned.append(
            {"warning_message": told, "when": when, "nodeid": nodeid, "location": location}
        )
