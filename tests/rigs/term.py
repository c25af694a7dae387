"""A school term on a fake clock: actions at given minutes, and two logs that don't come from the bot.

One log is the local Saturn Cloud's: when each pod was created and when it ended. The other is the local
Slack's: every posting, edit and deletion of a message, with the time and the people who can see it.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playground.slack.records import Message
from tests.rigs.clock import FakeClock
from tests.rigs.scenario.people import BOT, Person
from tests.rigs.scenario.shown import Shown
from tests.rigs.scenario.stage import World

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, HOUR = 60.0, 3600.0
#: Time steps of the clock: FINE at the begin and end of a lesson whose messages are checked; PLAIN at those
#: of any lesson; COARSE during a checked lesson and its lead; REST by day; NIGHT at night.
FINE, PLAIN, COARSE, REST, NIGHT = 20.0, MINUTE, 10 * MINUTE, HOUR, 3 * HOUR
_BY_DAY = range(8, 21)
#: Slack accepts one message per second in each conversation. These are the maximum numbers of seconds allowed
#: for messages after each step: on a day with checked lessons, and on other days.
BUSY, LESS = 6, 2
#: How long before a lesson the teacher gets the report, and how long before its end members are warned.
REPORT, WARNING = 5 * MINUTE, 10 * MINUTE
#: Time until an action has had its effect.
FOLLOWS = 5 * MINUTE
#: How long before a lesson a start may happen at the earliest.
LEAD = 45 * MINUTE
_MARKS = re.compile(r"<(?:[@#!])[^>]*>")

Act = Callable[[], Awaitable[Any]]
#: ``Span``: the begin and end of a lesson. ``Run``: the begin and end of a run, which may not have ended.
Span = tuple[datetime, datetime]
Run = tuple[datetime, datetime | None]


def at(day: str, clock: str = "0:00", *, fold: int = 0) -> datetime:
    """Return a time in Berlin. ``day`` is written like ``2026-10-05``."""
    hour, minute = map(int, clock.split(":"))
    return datetime.fromisoformat(day).replace(hour=hour, minute=minute, tzinfo=BERLIN, fold=fold)


#: Patterns by which a message's meaning is recognised. The first match counts.
SENSES = {
    "skipping": r"I'll skip",
    "no room": r"[Nn]o room",
    "ready": r"is ready|are ready",
    "starting": r"still starting",
    "warned": r"ends at|will be stopped|stops at|stops in|ends in",
    "ended": r"has been stopped|has ended|is over|[Ss]topped",
    "skipped": r"[Nn]o lesson|There's no \*",
    "back": r"after all|takes place",
    "changed": r"new timetable|no lesson|now (?:on|at)",
}
EVER = at("2000-01-01"), at("2100-01-01")


@dataclass(frozen=True, slots=True)
class Said:
    """A version of a message: when it was posted, edited or deleted, who can read it, and what it says."""

    moment: datetime
    ts: str
    #: The only reader, or "" for messages in a channel.
    to: str
    place: str
    what: str
    text: str
    labels: tuple[str, ...]

    @property
    def clock(self) -> str:
        """Return the time of day in Berlin."""
        return f"{self.moment:%H:%M}"


@dataclass(slots=True)
class Log:
    """The record of a term, which remains when its servers are gone."""

    said: list[Said] = field(default_factory=list)
    #: When each pod was created and ended, by owner, name and id.
    pods: dict[tuple[str, str, str], list[Run]] = field(default_factory=dict)
    #: Errors of actions that failed, by the action's name.
    failed: dict[str, str] = field(default_factory=dict)
    #: What people saw in reply to their actions, by the action's name.
    shown: dict[str, str] = field(default_factory=dict)
    broken: str = ""

    def runs(self, owner: str, since: datetime, until: datetime) -> list[Run]:
        """Return a person's runs at Saturn Cloud, in the order in which they started."""
        every = [run for key, runs in self.pods.items() if key[0] == owner for run in runs]
        return sorted((one for one in every if since <= one[0] < until), key=lambda one: one[0])

    def told(self, person: str, since: datetime, until: datetime, *, also: bool = False) -> list[Said]:
        """Return the messages that only this person was sent. With ``also``, include edits and deletions."""
        kinds = ("posted", "changed", "deleted") if also else ("posted",)
        return [
            one for one in self.said if one.to == person and one.what in kinds and since <= one.moment < until
        ]

    def left(self, person: str, since: datetime, until: datetime) -> list[Said]:
        """Return the person's messages that still exist at the end, in their final form."""
        last = {one.ts: one for one in self.said if one.to == person}
        first = self.told(person, since, until)
        return [last[one.ts] for one in first if last[one.ts].what != "deleted"]


class TermWorld(World):
    """A world that begins at a given time, and moves from one action to the next."""

    def __init__(self, folder: Path, begins: datetime, **options: Any) -> None:
        self._begins = begins.timestamp()
        super().__init__(folder, options)
        self.log = Log()
        self._zones: dict[float, list[tuple[float, float]]] = {FINE: [], PLAIN: [], COARSE: []}
        self._acts: list[tuple[float, str, Act]] = []
        self._closely: set[date] = set()
        self._known_at = 0.0
        self.slack.state.listeners.append(self._heard)

    @property
    def clock(self) -> Any:
        return self._clock

    @clock.setter
    def clock(self, clock: Any) -> None:
        self._clock = FakeClock(self._begins)

    # -- what is written down ------------------------------------------------------------------------------

    def _heard(self, what: str, message: Message, _before: dict[str, Any] | None) -> None:
        channel = self.slack.state.channels[message.channel]
        reader = message.only_for or channel.user or ""
        if message.user == reader:
            return
        shown = Shown(message.channel, message.to_json())
        text, labels = _MARKS.sub("@", self._read(shown)), tuple(shown.labels)
        said = Said(self.now, message.ts, reader, message.channel, what, text, labels)
        self.log.said.append(said)

    @staticmethod
    def _read(shown: Shown) -> str:
        """Return a message's text, with times as somebody in Berlin reads them."""

        def local(found: re.Match[str]) -> str:
            moment = datetime.fromtimestamp(int(found[1]), BERLIN)
            return re.sub(
                r"{[a-z_]*}", lambda one: f"{moment:{'%H:%M' if 'time' in one[0] else '%-d %b'}}", found[2]
            )

        return re.sub(r"<!date\^(\d+)\^([^|^>]*)[^>]*>", local, shown.text)

    def note_pods(self) -> None:
        """Record the pods that Saturn Cloud has run."""
        for one in self.saturn.state.resources.values():
            one.settle(self.clock.now())
            self.log.pods[one.owner, one.name, one.id] = [
                (_local(run.created_at), None if run.ended_at is None else _local(run.ended_at))
                for run in one.runs
            ]

    # -- time ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return _local(self.clock.now())

    def watch_lesson(self, begin: datetime, end: datetime, *, is_read: bool) -> None:
        """Use small time steps around a lesson, when its starts, message, warning and stop are due."""
        first, last = begin.timestamp(), end.timestamp()
        for moment, early in ((first, REPORT), (last, WARNING)):
            self._zones[PLAIN] += [(moment - early - 10, moment - early + 60), (moment - 20, moment + 90)]
        if is_read:
            self._closely.add(begin.date())
            self._zones[COARSE].append((first - LEAD - COARSE, last))
            self._zones[FINE] += [(first - REPORT - 10, first + 90), (last - 60, last + 90)]

    def watch_moment(self, moment: datetime) -> None:
        """Use small time steps in the minutes after a given time."""
        self._zones[PLAIN].append((moment.timestamp(), moment.timestamp() + FOLLOWS))

    def does(self, moment: datetime, called: str, act: Act) -> None:
        """Schedule an action."""
        self._acts.append((moment.timestamp(), called, act))

    async def play(self, until: datetime) -> None:
        """Perform all actions at their times. Those that fail are recorded, and the term continues."""
        for moment, called, act in sorted(self._acts, key=lambda one: one[0]):
            if moment > until.timestamp():
                break
            await self.pass_until(moment)
            self.watch_moment(self.now)
            try:
                found = await act()
            except Exception:  # noqa: BLE001 - its test tells it
                self.log.failed[called] = traceback.format_exc()
            else:
                self.log.shown[called] = _text(found)
        await self.pass_until(until.timestamp())
        self.note_pods()

    async def pass_until(self, moment: float) -> None:
        """Advance the clock to a given time, in steps that are short near something of interest."""
        while (now := self.clock.now()) < moment:
            if now - self._known_at > 12 * HOUR:
                self._known_at = now
                await self.know_everybody()
            # Avoid steps that are too small for a clock that counts from 1970.
            self.clock.advance(max(min(*self._steps(now), moment - now), 0.1))
            for _ in range(BUSY if self.now.date() in self._closely else LESS):
                if not await self.settle() or self.clock.now() >= moment:
                    break
                self.clock.advance(1.0)

    def _steps(self, now: float) -> Iterator[float]:
        yield REST if self.now.hour in _BY_DAY else NIGHT
        for step, zones in self._zones.items():
            for first, last in zones:
                if first <= now < last:
                    yield step
                elif now < first:
                    yield first - now

    # -- people --------------------------------------------------------------------------------------------

    def card(self, person: Person, title: str, channel: str) -> Shown:
        """Return the newest card with a title in a channel."""
        found = [one for one in person.sees(channel) if one.kind == "class_card" and f"*{title}*" in one.text]
        return found[-1]

    async def joins(self, person: Person, title: str, channel: str, label: str = "Join") -> list[Shown]:
        """Press a button of a course's card, and return what only the person who pressed it sees."""
        seen = await person.presses(self.card(person, title, channel), label)
        return [one for one in seen if one.is_private]

    async def presses_last(
        self, person: Person, label: str, about: str = "", place: str = BOT
    ) -> list[Shown]:
        """Press the button with this label on the newest message that contains a string."""
        fits = [one for one in person.sees(place) if about in one.text and _fitting(one, label)]
        assert fits, f"no button {label} about {about}: {[one.text for one in person.sees(place)][-3:]}"
        return await person.presses(fits[-1], _fitting(fits[-1], label)[0])


def _fitting(shown: Shown, label: str) -> list[str]:
    return [one for one in shown.labels if re.search(label, one)]


def _text(found: Any) -> str:
    several = found if isinstance(found, list) else [found]
    return "\n".join(one.read if isinstance(one, Shown) else str(one) for one in several)


def _local(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, BERLIN)


def days(first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield every day from the first to the last, at midnight."""
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def together(*several: list[Span]) -> list[Span]:
    """Merge lessons that touch or overlap."""
    merged: list[Span] = []
    for begin, end in sorted({one for lessons in several for one in lessons}):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((begin, end))
    return merged


def ran(
    log: Log, who: str, expected: list[Span], *, since: datetime = EVER[0], until: datetime = EVER[1]
) -> None:
    """Check that a person's workspace started once in the lead of each lesson, and stopped at its end."""
    runs = log.runs(who, since, until)
    said = [f"{a:%-d %b %H:%M}-{b and format(b, '%H:%M')}" for a, b in runs]
    wanted = [one for one in expected if since <= one[0] < until]
    for begin, end in wanted:
        fits = [
            one
            for one in runs
            if begin.timestamp() - LEAD <= one[0].timestamp() <= begin.timestamp()
            and one[1] is not None
            and 0.0 <= one[1].timestamp() - end.timestamp() <= 150.0
        ]
        assert len(fits) == 1, f"{who}: not {begin:%-d %b %H:%M}-{end:%H:%M}, but {_near(runs, begin)}"
    assert len(runs) == len(wanted), f"{who}: {len(runs)} runs, {len(wanted)} lessons: {said}"


def _near(runs: list[Run], begin: datetime) -> list[str]:
    day = timedelta(days=1)
    return [f"{a:%-d %b %H:%M}-{b and format(b, '%-d %b %H:%M')}" for a, b in runs if abs(a - begin) < day]


def sense(one: Said) -> str:
    """Return the meaning of a message, as a key of ``SENSES``."""
    return next((word for word, pattern in SENSES.items() if re.search(pattern, one.text)), "?")
