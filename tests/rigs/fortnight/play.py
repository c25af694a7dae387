"""Plays the fortnight: runs the actions at their times, and has readers check the messages each evening."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.rigs.fortnight.reader import Finding, Reader, messages_about
from tests.rigs.fortnight.story import STORY
from tests.rigs.fortnight.world import CLOSES, GENERAL, OPENS, READERS, STARTED_ONLY, FortnightWorld, user_id
from tests.rigs.scenario.people import BOT
from tests.rigs.term import BERLIN, HOUR, Log, at

#: Days of November on which the evening check presses the buttons of all messages. On other days, it presses
#: only those of messages from the last two days.
WEEKENDS = (15, 22)
#: Time, in seconds, that a workspace may run without a planned stop before somebody must have been asked
#: about it.
UNASKED_SECONDS = 36 * HOUR
#: Matches messages that say or ask that something keeps running.
_RUNS_ON = re.compile(
    r"nothing (?:\w+ )?(?:will )?stops? |still running|keeps? running|Still needed|won't (?:be )?stop"
)
#: People whose Home tab is checked each evening.
HOMES = ("liv", "tess", "amir")


@dataclass(slots=True)
class Fortnight:
    """The results of the fortnight: the findings, a transcript, and counts of messages."""

    findings: list[Finding] = field(default_factory=list)
    transcript: str = ""
    #: For each reader, the numbers of messages, notifications and edits in each week.
    counts: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)
    #: Everything that was said, everything that ran, and the actions that failed.
    log: Log = field(default_factory=Log)
    pressed: int = 0

    def count_per_week(self, place: int) -> float:
        """Return the mean of one of the counts over all weeks of all readers."""
        found = [week[place] for weeks in self.counts.values() for week in weeks]
        return sum(found) / len(found)


async def play_fortnight(folder: Path) -> Fortnight:
    """Play the whole fortnight, and return its results."""
    stage = FortnightWorld(folder)
    async with stage.running():
        await stage.begin()
        play = _Play(stage)
        await stage.play(CLOSES)
        return play.result()


class _Play:
    def __init__(self, stage: FortnightWorld) -> None:
        self.stage = stage
        self.readers = {name: Reader(stage, name) for name in READERS}
        self.findings: dict[str, Finding] = {}
        for number, (day, clock, who, what) in enumerate(STORY):
            moment = at(f"2026-11-{day:02}", clock)
            stage.does(moment, f"{number} {day} {clock} {who} {what}", partial(self.act, who, what))
        for day in range(OPENS.day, CLOSES.day + 1):
            stage.does(at(f"2026-11-{day:02}", "20:00"), f"evening {day}", partial(self.evening, day))

    async def act(self, who: str, what: str) -> object:
        stage = self.stage
        stage.acts.append((stage.clock.now(), who, what))
        if what.startswith("<"):
            await self._happens(who, what)
            return None
        place, said = (GENERAL, what[1:]) if what.startswith("#") else (BOT, what)
        person = stage.named(who)
        pressed = re.fullmatch(r"\[([^|\]]+)(?:\|([^\]]+))?\]", said)
        if who in self.readers:
            self.readers[who].follow(place, said)
        if pressed is not None:
            return await stage.presses_last(person, rf"^{re.escape(pressed[1])}$", pressed[2] or "", place)
        if said.startswith("/"):
            command, _, rest = said.partition(" ")
            return await person.types(rest, place, command=command)
        return await (person.writes(said) if place == BOT else person.types(said, place))

    async def _happens(self, who: str, what: str) -> None:
        stage = self.stage
        if what == "<leaves>":
            await stage.slack.change_person(user_id(who), deleted=True)
        elif what == "<refused>":
            await stage.refuse(who)
        elif what == "<links>":
            await stage.link_again(who)
        elif what == "<no workbench>":
            await stage.remove_workbench()
        else:
            await (stage.go_away() if what == "<away>" else stage.come_back())

    async def evening(self, day: int) -> None:
        """Check everything that each reader has in front of them, and press the buttons."""
        for reader in self.readers.values():
            reader.read()
            await reader.press_standing(15 if day in WEEKENDS else 1.9)
        for name in HOMES:
            await self.readers[name].read_home()
        self._machines()

    def _machines(self) -> None:
        """Find workspaces that keep running although nobody who could stop them was told."""
        stage, now = self.stage, self.stage.clock.now()
        for one in stage.saturn.state.resources.values():
            if one.type != "workspace" or one.status(now) != "running" or not one.live():
                continue
            ran = now - min(run.created_at for run in one.live())
            mentioned = partial(messages_about, stage, {one.owner, "amir"}, one.name)
            # The owner or an administrator must have received a message about it in the last 26 hours: a day,
            # plus two hours because the time of day varies. If the owner has left, one message since the
            # workspace started is enough.
            has_left = any(who == one.owner and what == "<leaves>" for _, who, what in stage.acts)
            if ran > UNASKED_SECONDS and not mentioned(ran if has_left else 26 * HOUR):
                self._find(one, ran, "runs on for more than a day and a half without a word")
            is_by_plan = not any(
                who == one.owner and 0 <= now - ran - moment < 180 for moment, who, _ in stage.acts
            )
            is_by_plan = is_by_plan and stage.clock.now() - ran > OPENS.timestamp()
            if is_by_plan and ran < 15 * HOUR and (one.owner, one.name) not in STARTED_ONLY:
                said = [message.text for message in mentioned(ran)]
                if not any(_RUNS_ON.search(text) for text in said):
                    self._find(one, ran, "was started by a plan, and nothing says that it runs on")

    def _find(self, machine: Any, ran: float, why: str) -> None:
        since, evening = (
            f"{moment:%a %-d %b %H:%M}"
            for moment in (self.stage.now - timedelta(seconds=ran), self.stage.now)
        )
        found = Finding("machine", evening, machine.owner, since, f"*{machine.name}*", why)
        self.findings.setdefault(f"{machine.owner} {machine.name} {why}", found)

    def result(self) -> Fortnight:
        findings = [*self.findings.values()]
        for reader in self.readers.values():
            findings += reader.findings.values()
        return Fortnight(
            findings=findings,
            transcript=self._transcript(),
            counts={
                name: list(zip(one.messages, one.notifications, one.changes, strict=True))
                for name, one in self.readers.items()
            },
            log=self.stage.log,
            pressed=sum(len(one.pressed) for one in self.readers.values()),
        )

    def _transcript(self) -> str:
        """Return everything that each person read, wrote and pressed, in order of time."""
        parts = []
        names = {user_id(name): name for name in READERS}
        for name in READERS:
            lines = [
                (
                    one.moment.timestamp(),
                    f"{one.moment:%a %-d %b %H:%M:%S} Usher {one.what} {_number(one.ts)}",
                    one,
                )
                for one in self.stage.log.said
                if one.to == user_id(name)
            ]
            entries = [(moment, head, _indented(one.text)) for moment, head, one in lines]
            entries += [
                (moment, f"{_moment(moment)} {who or 'It happens'}:", _indented(what))
                for moment, who, what in self.stage.acts
                if who in (name, "")
            ]
            parts.append(f"===== {name} =====\n\n" + _joined(entries))
        everybody = [one for one in self.stage.log.said if one.to not in names]
        entries = [
            (
                one.moment.timestamp(),
                f"{one.moment:%a %-d %b %H:%M:%S} Usher {one.what} {_number(one.ts)} in #general",
                _indented(one.text),
            )
            for one in everybody
            if not one.to
        ]
        parts.append("===== #general =====\n\n" + _joined(entries))
        return "\n".join(parts)


def _joined(entries: list[tuple[float, str, str]]) -> str:
    return "".join(f"{head}\n{text}\n\n" for _, head, text in sorted(entries, key=lambda one: one[0]))


def _number(ts: str) -> str:
    """Return a short number for a message, so that later edits of it can be recognised in the transcript."""
    return f"#{int(float(ts)) % 1_000_000:06}"


def _moment(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, BERLIN):%a %-d %b %H:%M:%S}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
