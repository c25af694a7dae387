"""A school term on a moved clock: what people do at each minute, and two logs that aren't the bot's.

One is the local Saturn Cloud's: when each pod was made and when it ended. The other is the local Slack's:
every message as it was posted, changed and deleted, with the time and the people who can see it.
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
#: How far apart the looks are: about a begin and an end, on a day that is read and on any other; in a
#: lesson that is read and its lead; by day; by night.
FINE, PLAIN, COARSE, REST, NIGHT = 20.0, MINUTE, 10 * MINUTE, HOUR, 3 * HOUR
_BY_DAY = range(8, 21)
#: Slack takes a message a second for each conversation: where much happens, so many seconds go by;
#: on a day that isn't read only so many.
BUSY, LESS = 6, 2
#: A lesson is reported on, and its end warned of, so long before.
REPORT, WARNING = 5 * MINUTE, 10 * MINUTE
#: So long does it take until what is done has its effect.
FOLLOWS = 5 * MINUTE
#: Nothing is started sooner before a lesson.
LEAD = 45 * MINUTE
_MARKS = re.compile(r"<(?:[@#!])[^>]*>")

Act = Callable[[], Awaitable[Any]]
#: A lesson from its begin to its end; a run, which may not have ended.
Span = tuple[datetime, datetime]
Run = tuple[datetime, datetime | None]


def at(day: str, clock: str = "0:00", *, fold: int = 0) -> datetime:
    """Return a time in Berlin; ``day`` as in ``2026-10-05``."""
    hour, minute = map(int, clock.split(":"))
    return datetime.fromisoformat(day).replace(hour=hour, minute=minute, tzinfo=BERLIN, fold=fold)


#: What a message says to its reader, in the sense; the first that fits.
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
    """Hold a version of a message: when, to whom, what happened to it, and what it says by now."""

    moment: datetime
    ts: str
    #: Its only reader, empty for those of a channel.
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
    """Hold what is left of a term when its servers are gone."""

    said: list[Said] = field(default_factory=list)
    #: By the owner, the name and the id: when each pod was made and ended.
    pods: dict[tuple[str, str, str], list[Run]] = field(default_factory=dict)
    #: What couldn't be done as it was meant, by what it was called.
    failed: dict[str, str] = field(default_factory=dict)
    #: What was shown to whoever did something, by what it was called.
    shown: dict[str, str] = field(default_factory=dict)
    broken: str = ""

    def runs(self, owner: str, since: datetime, until: datetime) -> list[Run]:
        """Return what ran for somebody, as Saturn Cloud has it: by when it was started."""
        every = [run for key, runs in self.pods.items() if key[0] == owner for run in runs]
        return sorted((one for one in every if since <= one[0] < until), key=lambda one: one[0])

    def told(self, person: str, since: datetime, until: datetime, *, also: bool = False) -> list[Said]:
        """Return what somebody alone was told; with ``also``, what it became, too."""
        kinds = ("posted", "changed", "deleted") if also else ("posted",)
        return [
            one for one in self.said if one.to == person and one.what in kinds and since <= one.moment < until
        ]

    def left(self, person: str, since: datetime, until: datetime) -> list[Said]:
        """Return what is left of what somebody was told, as it stands in the end."""
        last = {one.ts: one for one in self.said if one.to == person}
        first = self.told(person, since, until)
        return [last[one.ts] for one in first if last[one.ts].what != "deleted"]


class TermWorld(World):
    """Begin at a moment, and move from one act to the next."""

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
        """Return what is read, with Slack's marks of times as somebody in Berlin reads them."""

        def local(found: re.Match[str]) -> str:
            moment = datetime.fromtimestamp(int(found[1]), BERLIN)
            return re.sub(
                r"{[a-z_]*}", lambda one: f"{moment:{'%H:%M' if 'time' in one[0] else '%-d %b'}}", found[2]
            )

        return re.sub(r"<!date\^(\d+)\^([^|^>]*)[^>]*>", local, shown.text)

    def note_pods(self) -> None:
        """Write down what Saturn Cloud has run."""
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
        """Look closely about a lesson: when its starts, its message, its warning and its stop are due."""
        first, last = begin.timestamp(), end.timestamp()
        for moment, early in ((first, REPORT), (last, WARNING)):
            self._zones[PLAIN] += [(moment - early - 10, moment - early + 60), (moment - 20, moment + 90)]
        if is_read:
            self._closely.add(begin.date())
            self._zones[COARSE].append((first - LEAD - COARSE, last))
            self._zones[FINE] += [(first - REPORT - 10, first + 90), (last - 60, last + 90)]

    def watch_moment(self, moment: datetime) -> None:
        """Look closely at what comes of something within some minutes."""
        self._zones[PLAIN].append((moment.timestamp(), moment.timestamp() + FOLLOWS))

    def does(self, moment: datetime, called: str, act: Act) -> None:
        """Have something done at a moment."""
        self._acts.append((moment.timestamp(), called, act))

    async def play(self, until: datetime) -> None:
        """Do everything in its time; what can't be done is written down, and the term goes on."""
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
        """Let time pass until a moment, in steps as long as what is near allows."""
        while (now := self.clock.now()) < moment:
            if now - self._known_at > 12 * HOUR:
                self._known_at = now
                await self.know_everybody()
            # No step is too small for a clock that counts from 1970.
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
        """Return the newest card of a title in a channel."""
        found = [one for one in person.sees(channel) if one.kind == "class_card" and f"*{title}*" in one.text]
        return found[-1]

    async def joins(self, person: Person, title: str, channel: str, label: str = "Join") -> list[Shown]:
        """Press a card's button; return what is shown to whoever pressed."""
        seen = await person.presses(self.card(person, title, channel), label)
        return [one for one in seen if one.is_private]

    async def presses_last(
        self, person: Person, label: str, about: str = "", place: str = BOT
    ) -> list[Shown]:
        """Press the newest button of a label that stands below a text."""
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
    """Return every day from one to another, at midnight."""
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)


def together(*several: list[Span]) -> list[Span]:
    """Return lessons of which those that touch or overlap are one."""
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
    """Check that somebody's workspace was started once in the lead of each of these, and ended with it."""
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
    """Return what a message says, in the sense."""
    return next((word for word, pattern in SENSES.items() if re.search(pattern, one.text)), "?")
