"""Ten minutes without Slack: who is told what afterwards, how late, and whether it is true.

Starts, runs and planned stops end while Slack takes nothing, and some of what was started is stopped
elsewhere meanwhile, until shortly before Slack's return. It is played twice: Slack answers nothing, or takes
and shows no messages while everything else is answered. Time is moved: no figure depends on the machine.
"""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import structlog

from benchmarks.figures import Figure
from benchmarks.machine import BenchmarkError
from benchmarks.sizes import Sizes
from bot.domain.people import Principal
from bot.domain.workspaces import State, Workspace
from bot.services.timers import plan_timer, set_timer
from bot.slack.methods import CHAT_POST_MESSAGE, CONVERSATIONS_HISTORY, CONVERSATIONS_REPLIES, METHODS
from bot.slack.notifier.rendering import MAX_READ_AGE_SECONDS
from bot.support.errors import SlackUnknownOutcome
from tests.reconciler.runs import RunWorld, new_run_world

MINUTE = 60.0
#: How long Slack is away: nothing is answered, and in its first minute what is sent arrives all the same.
AWAY = 10 * MINUTE
ANSWERS_LOST = MINUTE
#: For so long after its return people may be told.
PATIENCE = 10 * MINUTE
#: Each person has so many workspaces: the last one runs and is to be stopped, the others are started.
EACH = 5
#: The share of the started ones that is stopped again, elsewhere.
STOPPED = 0.2
#: What fails where Slack answers everything but what messages need.
_MESSAGES = (CHAT_POST_MESSAGE, CONVERSATIONS_HISTORY, CONVERSATIONS_REPLIES)
#: Messages that say how things stand, and not what has become of them.
_CARDS = frozenset({"card", "job_card"})
READY = re.compile(r"((?:\*[^*]+\*(?:, | and )?)+)[^.;*]*? (?:is|are) ready")


@dataclass(frozen=True, slots=True)
class Afterwards:
    """Hold what came of it, as counted from Slack's return.

    ``last`` is after how many seconds the last of all was told. ``untrue`` are workspaces called ready that
    are down, ``lost`` what nobody was told of, ``doubled`` what somebody was told of more than once.
    ``most`` is how many messages one person got.
    """

    last: float
    untrue: int
    lost: int
    doubled: int
    searches: int
    posts: int
    most: int


async def play(people: int, runs: int, methods: Collection[str] = METHODS) -> Afterwards:
    """Play it with so many people, of whom so many have a run; these methods of Slack's don't answer."""
    async with new_run_world() as stage:
        return await _Silence(stage, people, runs, methods).play()


class _Silence:
    def __init__(self, stage: RunWorld, people: int, runs: int, methods: Collection[str]) -> None:
        self._stage, self._world, self._slack = stage, stage.world, stage.slack
        self._silent = methods
        self._people = [Principal(None, "T1", f"U{number:04d}") for number in range(people)]
        self._runners = self._people[:runs]
        self._stage.cloud.start_takes = 2 * MINUTE
        self._stage.cloud.job_takes = 3 * MINUTE
        self._slack.history_page = 200
        #: What each person has yet to be told about: the names of their workspaces and runs.
        self._pending: dict[str, set[str]] = defaultdict(set)

    async def play(self) -> Afterwards:
        world, cloud = self._world, self._stage.cloud
        started = await self._prepare()
        before = len(self._slack.messages)
        began = world.clock.monotonic()
        self._refuse(lambda method: SlackUnknownOutcome(method, "no_answer"), after=True)
        for row in started:
            await world.begin(row)
        for principal in self._runners:
            name = f"job-{principal.user_id}"
            self._pending[principal.user_id].add(name)
            await self._stage.runs(principal, name, is_watched=False)
        await self._pass_until(began + ANSWERS_LOST)
        self._refuse(lambda method: SlackUnknownOutcome(method, "no_answer"))
        stopped = started[: round(STOPPED * len(started))]
        for number, row in enumerate(stopped, 1):
            before_return = 4 * MINUTE * (1 - number / len(stopped)) + MAX_READ_AGE_SECONDS
            await self._pass_until(began + AWAY - before_return)
            cloud.put(row.remote_id, State.STOPPED)
        await self._pass_until(began + AWAY)
        self._slack._faults.clear()
        self._slack.calls.clear()
        return await self._afterwards(before)

    async def _prepare(self) -> list[Workspace]:
        """Give everybody their workspaces; return those that are to be started."""
        world, started, planned = self._world, list[Workspace](), list[Workspace]()
        for principal in self._people:
            for number in range(EACH):
                is_last = number == EACH - 1
                state = State.RUNNING if is_last else State.STOPPED
                row = await world.own(principal, f"{principal.user_id}-{number}", state)
                self._pending[principal.user_id].add(row.name)
                (planned if is_last else started).append(row)
        for row in planned:
            timer = plan_timer(world.asking, row, await world.store.now() + 8 * MINUTE)
            await world.ask(principal=row.principal).run(set_timer, row.id, timer)
        await world.pass_time(6 * MINUTE, step=5.0)
        return started

    def _refuse(self, error: Any, **keys: Any) -> None:
        self._slack._faults.clear()
        for method in self._silent:
            self._slack.fail(method, error(method), times=10**9, **keys)

    async def _pass_until(self, at: float) -> None:
        await self._world.pass_time(at - self._world.clock.monotonic())

    async def _afterwards(self, before: int) -> Afterwards:
        world, returned = self._world, self._world.clock.now()
        while world.clock.now() < returned + PATIENCE and self._missing(before):
            world.clock.advance(1.0)
            await world.work()
        last = world.clock.now() - returned
        # What comes twice may come later.
        await world.pass_time(PATIENCE)
        told, after = self._count_messages(before), Counter[str]()
        for message in self._slack.messages[before:]:
            after[message["channel"]] += float(message["ts"]) >= returned
        if not (called_ready := self._called_ready()):
            raise BenchmarkError("nobody was told that anything is ready")
        return Afterwards(
            last,
            untrue=sum(self._is_down(name) for name in called_ready),
            lost=len(self._missing(before)),
            doubled=sum(count - 1 for count in told.values()),
            searches=self._slack.count(CONVERSATIONS_HISTORY),
            posts=self._slack.count(CHAT_POST_MESSAGE),
            most=max(after.values()),
        )

    def _count_messages(self, before: int) -> Counter[tuple[str, str]]:
        """Count in how many messages each person was told what has become of what."""
        found: Counter[tuple[str, str]] = Counter()
        for message in self._slack.messages[before:]:
            if _kind(message) not in _CARDS:
                user = message["channel"].removeprefix("D")
                found.update((user, name) for name in self._pending[user] if f"*{name}*" in _words(message))
        return found

    def _missing(self, before: int) -> set[tuple[str, str]]:
        pending = {(user, name) for user, names in self._pending.items() for name in names}
        return pending - self._count_messages(before).keys()

    def _called_ready(self) -> set[str]:
        """Return what messages called ready as they were sent since Slack's return, before any edit."""
        sent = [each for method, each in self._slack.calls if method == CHAT_POST_MESSAGE]
        said = [names for each in sent if _kind(each) not in _CARDS for names in READY.findall(_words(each))]
        return {name for names in said for name in re.findall(r"\*([^*]+)\*", names)}

    def _is_down(self, name: str) -> bool:
        return self._stage.cloud.machines[name.removeprefix("name-")].state is not State.RUNNING


def _kind(message: dict[str, Any]) -> str:
    return str(message["metadata"]["event_payload"]["key"]).rsplit("/", 2)[1]


def _words(message: dict[str, Any]) -> str:
    """Return all that a message says, in its sections."""
    return "\n".join(_texts(message.get("blocks") or ()))


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        text = part.get("text")
        if isinstance(text, str):
            yield text
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _texts(each)


async def measure_silence(sizes: Sizes) -> list[Figure]:
    """Measure how soon and how truly everybody is told once Slack is back."""
    # Every attempt that fails has its line.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    size = sizes.silence_people, sizes.silence_runs
    found = [await play(*size, methods) for methods in (METHODS, _MESSAGES)]
    worst = max(found, key=lambda one: one.last)
    said = f"{worst.posts} messages, at most {worst.most} for one person"
    lost, doubled = sum(one.lost for one in found), sum(one.doubled for one in found)
    return [
        Figure("silence_last", worst.last, note=said),
        Figure("silence_untrue", sum(one.untrue for one in found)),
        Figure("silence_wrong", lost + doubled, note=f"{lost} lost, {doubled} told more than once"),
        Figure("silence_searches", max(one.searches for one in found)),
    ]
