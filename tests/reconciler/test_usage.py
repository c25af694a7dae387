"""The ledger of a term matches what ran, despite kills, outages, clock changes and two processes."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.usage import Known
from bot.domain.workspaces import State
from bot.store import usage, workspaces
from bot.support.errors import ServerFailed, StoreBusy
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.world import World
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.providers import FakeProvider
from tests.rigs.store import ALICE, BOB, memory_store

HOUR = 3600.0
#: Twelve weeks, with a look at each machine every eight hours.
DAYS = 84
LOOKS = 3
#: Seconds by which the clock may be set, at most once a day.
JUMPS = (-90.0, 90.0)
MACHINES = {"a1": ALICE, "a2": ALICE, "a3": ALICE, "b1": BOB}


@dataclass
class Span:
    """A period of running according to the provider, and whether Usher began and ended it."""

    began: float
    by_usher: bool
    ended: float | None = None
    ended_by_usher: bool = False


class Recorder(FakeProvider):
    """A provider that can be away, and that records when each machine runs, no matter who started it."""

    def __init__(self, clock):
        super().__init__(clock)
        self.spans = defaultdict(list)
        self.is_away = False

    async def status(self, access, remote_ids, window=None):
        self._answer()
        return await super().status(access, remote_ids, window)

    async def start(self, access, workspace):
        self._answer()
        await super().start(access, workspace)

    async def stop(self, access, workspace, mode="stop"):
        self._answer()
        await super().stop(access, workspace, mode)

    async def discover(self, access):
        self._answer()
        return await super().discover(access)

    def _answer(self):
        if self.is_away:
            raise ServerFailed("away", status=503)

    def goes(self, remote_id, *, is_up, tells):
        """Start or stop a machine on the provider's own page."""
        now = self.clock.now()
        last = self.spans[remote_id][-1] if self.spans[remote_id] else None
        is_running = last is not None and last.ended is None
        if is_up and not is_running:
            self.put(remote_id, State.RUNNING, started_at=now if tells else None)
            self.spans[remote_id].append(Span(now, by_usher=False))
        elif not is_up and is_running:
            self.put(remote_id, State.STOPPED)
            last.ended = now

    def _took_start(self, access, remote_id):
        super()._took_start(access, remote_id)
        self.spans[remote_id].append(Span(self.clock.now(), by_usher=True))

    def _stop(self, remote_id, mode):
        before = len(self.accepted_stops)
        super()._stop(remote_id, mode)
        if len(self.accepted_stops) > before:
            last = self.spans[remote_id][-1]
            last.ended, last.ended_by_usher = self.clock.now() + self.stop_takes, True


class Term:
    """Weeks in which people and the provider start and stop machines, with one fault each day."""

    def __init__(self, store, clock, seed):
        self.random = Random(seed)
        self.clock, self.store = clock, store
        self.provider = Recorder(clock)
        ids = CountingIds()
        #: Two processes on one database.
        self.processes = [World(store, clock, ids, self.provider) for _ in range(2)]

    async def play(self):
        world = self.processes[0]
        rows = {key: await world.own(principal, key) for key, principal in MACHINES.items()}
        for _ in range(DAYS):
            trouble = self.random.randrange(LOOKS)
            for look in range(LOOKS):
                if look == trouble:
                    await self._go_wrong()
                for key, row in rows.items():
                    if self.random.random() < 0.3:
                        await self._act(key, row)
                await self._pass(24 * HOUR / LOOKS + self.random.uniform(-HOUR, HOUR))
                self.provider.is_away = False
        self.provider.is_away = False
        await self._pass(3 * HOUR)

    async def _act(self, key, row):
        is_running = bool(self.provider.spans[key]) and self.provider.spans[key][-1].ended is None
        if self.random.random() < 0.3:
            self.provider.goes(key, is_up=not is_running, tells=self.random.random() < 0.5)
            return
        verb = OperationVerb.STOP if is_running else OperationVerb.START
        found = await self.store.read(workspaces.find_workspace, row.id)
        with suppress(StoreBusy):
            await self.processes[0].begin(found, verb)

    async def _go_wrong(self):
        match self.random.choice(["kill", "away", "clock", "restart"]):
            case "kill":
                fuse = Fuse(self.random.randrange(1, 40), after=self.random.random() < 0.5)
                self.processes[0].reborn(fuse)
            case "away":
                self.provider.is_away = True
            case "clock":
                self.clock.jump(self.random.choice(JUMPS))
            case _:
                for world in self.processes:
                    await world.restart()

    async def _pass(self, seconds):
        """Let time pass in growing steps, with both processes working."""
        until, pause = self.clock.monotonic() + seconds, 5.0
        while self.clock.monotonic() < until:
            pause = min(1.5 * pause, HOUR)
            for world in self.processes:
                try:
                    await world.work()
                except (Killed, StoreBusy):
                    await world.restart()
                    pause = 5.0
            self.clock.advance(min(pause, max(0.1, until - self.clock.monotonic())))


async def played(seed):
    clock = FakeClock()
    async with memory_store(clock) as store:
        term = Term(store, clock, seed)
        await term.play()
        now = await store.now()
        lives = await store.read(lambda tx: list(usage.iterate_lives(tx, 0.0, now + HOUR)))
        spans = {term.provider.gate_key(key): found for key, found in term.provider.spans.items()}
        return lives, spans, now


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, *(pytest.param(one, marks=pytest.mark.thorough) for one in range(2, 6))])
async def test_the_ledger_of_a_term_is_what_ran(seed):
    lives, spans, now = await played(seed)
    slack = max(JUMPS)
    told = true = 0.0
    matched = set()
    for life in lives:
        span = max(spans[life.subject], key=lambda one, life=life: measure_overlap(life, one, now))
        assert id(span) not in matched, f"two lives of {span}"
        matched.add(id(span))
        if life.began.known is not Known.UNKNOWN:
            assert life.began.earliest - slack <= span.began <= life.began.latest + slack, (life, span)
        ended = span.ended or now
        if life.ended is not None and life.ended.known is not Known.UNKNOWN:
            assert life.ended.earliest - slack <= ended <= life.ended.latest + slack, (life, span)
        if span.by_usher and span.ended_by_usher:
            assert life.began.known is life.ended.known is Known.ASKED, (life, span)
            told += life.hours.best
            true += (ended - span.began) / HOUR
    ours = [one for found in spans.values() for one in found if one.by_usher and one.ended_by_usher]
    assert len(ours) > 50
    assert abs(told - true) <= 0.005 * true
    # Usher can't know about a run that no read found, but it knows about those that it started.
    missed = [one for found in spans.values() for one in found if id(one) not in matched]
    assert not [one for one in missed if one.by_usher and (one.ended or now) - one.began > 15 * 60.0], missed
    assert_apart(lives)


def measure_overlap(life, span, now):
    return min(life.runs_until, span.ended or now) - max(life.runs_from, span.began)


def assert_apart(lives):
    """Check that the periods of one workspace don't overlap, and that none ends before it begins."""
    by_subject = defaultdict(list)
    for life in lives:
        by_subject[life.subject].append(life)
    for found in by_subject.values():
        found.sort(key=lambda one: one.runs_from)
        for one in found:
            assert one.runs_from <= one.runs_until, one
        for first, second in pairwise(found):
            assert first.ended is not None
            assert first.ended.earliest <= second.began.earliest
            assert first.ended.latest <= second.began.latest
            assert first.runs_until <= second.runs_from, (first, second)
