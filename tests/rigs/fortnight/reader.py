"""A reader of people's conversations who knows the real state, but nothing about Usher's store.

Messages are compared with the clock, with the providers' machines, and with whether the providers answer.
Each button is pressed in a copy of the world.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from playground.demo.person import buttons, label
from playground.slack.records import Message
from tests.rigs.fortnight.world import COURSE, COURSE_ENDS, GENERAL, FortnightWorld, read_at, user_id
from tests.rigs.scenario.conversation import OVER, Conversation, Press, in_a_copy
from tests.rigs.scenario.people import BOT
from tests.rigs.scenario.shown import Shown
from tests.rigs.term import BERLIN, Said

#: Seconds after which a new or edited message must match the current state. An update can take a minute.
FRESH_SECONDS = 150.0
#: Maximum delay of a planned stop, in seconds.
LATE_SECONDS = 20 * 60.0
#: Kinds of messages that were true when they were posted. They aren't compared with the current state.
ANSWERS = ("", "reply", "message")
#: Kinds of messages that don't count as notifications: answers, and cards of things that were just requested.
ASKED_FOR = (*ANSWERS, "card", "linked", "unlinked")
_MARK = re.compile(r"<!date\^(\d+)\^([^|^>]*)[^|>]*\|([^>]*)>")
_SENTENCE = re.compile(r"\n| · |(?<=[.!?…])\s+")
_LABELS = re.compile(r"\n\[[^\n]*\]$")
_FUTURE = re.compile(
    r"\b(?:I'll|will|won't|going to|begins|starts|ends|next|paused until)\b"
    r"|\b(?:waiting|keep trying|trying|can wait)\b[^.]*\buntil\b",
    re.IGNORECASE,
)
_BROKEN = re.compile(r"\{[a-z_]+\}|\bNone\b|something broke|<!date\^0\^")
_REFERENCE = re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b")
#: Kinds of messages about a fault, which may contain a reference.
_FAULTS = ("failed", "job_ended")
_RELATIVE = re.compile(r"\b(?:today|tonight|tomorrow|this evening)\b", re.IGNORECASE)
_STILL = re.compile(
    r"\bstill (running|starting|stopping)\b|\bis (starting|stopping)\b|^(Starting|Stopping) "
    r"|\bbeen (starting) since\b"
)
_GOES_ON = re.compile(r"\bgo on\b|\bwill\b|\bI'll\b|[Nn]ext lesson")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)\b")
_UNLINKED = re.compile(r"(?:refused|refuses|refusing|doesn't accept) your sign-in|link (?:it )?again")
_AWAY = re.compile(r"(?:hasn't (?:answered|been available)|doesn't answer|isn't answering|can't reach)")
_CHECKING = re.compile(r"^(?:Checking|Looking|One moment)\b")
_AS_OF = re.compile(r"as of|checked|\bat the time\b")
_PROMISES = re.compile(r"will be (?:stopped|suspended|ended)|I'll (?:still )?(?:stop|suspend|end)\b")
_NAMED = re.compile(r"\*([\w-]+)\*")
_MENTION = re.compile(r"<@(U\w+)>")
_IS_SO = {"running": "running", "starting": "pending", "stopping": "stopping"}
_FALSE_ALARMS = re.compile(r"^(?:I can keep trying)")


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake that an evening's check found in what people see.

    ``evening`` is when it was first found, ``posted`` when the message was posted, and ``said`` the message's
    first line. The kind *machine* is a running workspace about which a message is missing: ``posted`` is when
    it started, and ``said`` its name. The other kinds are text, button, home, approvals and promise.
    """

    kind: str
    evening: str
    reader: str
    posted: str
    said: str
    why: str

    def __str__(self) -> str:
        return f"{self.evening} {self.reader}, posted {self.posted}: {self.said!r}: {self.why}"


def moments_in(text: str) -> list[float]:
    """Return the times that a message contains as Slack date markup, in epoch seconds."""
    return [float(found[1]) for found in _MARK.finditer(text)]


class Reader(Conversation):
    """Reads and counts everything that Usher says to one person."""

    stage: FortnightWorld

    def __init__(self, stage: FortnightWorld, name: str) -> None:
        super().__init__(stage, stage.named(name))
        self.name = name
        self.findings: dict[tuple[str, str, str], Finding] = {}
        #: Counts for the first and for the second week: all messages, those that nobody asked for, and edits.
        self.messages, self.notifications, self.changes = [0, 0], [0, 0], [0, 0]
        #: The latest sentence that promises a stop, by message, workspace and time.
        self._promises: dict[tuple[str, str, float], str] = {}
        #: Users who are waiting for an admin's approval, according to the messages with an *Approve* button.
        self.open_requests: set[str] = set()

    def _heard(self, what: str, message: Message, before: dict[str, object] | None) -> None:
        super()._heard(what, message, before)
        place = self.stage.slack.state.channels[message.channel]
        if message.user == self.person.id or place.user != self.person.id or message.only_for is not None:
            return
        week = min((self.stage.now.date() - datetime(2026, 11, 9, tzinfo=BERLIN).date()).days // 7, 1)
        now = message.to_json()
        if what == "posted":
            self.messages[week] += 1
            self.notifications[week] += Shown(BOT, now).kind not in ASKED_FOR
        elif what == "deleted" or before is None or _face(now) != _face(before):
            self.changes[week] += 1
        if what != "deleted":
            self._note_promises(Shown(BOT, now))
        else:
            self._forget_promises(message.ts)

    def _note_promises(self, shown: Shown) -> None:
        self._forget_promises(shown.ts)
        for sentence in _sentences(shown):
            name = _NAMED.search(sentence)
            if name is not None and _PROMISES.search(sentence):
                for moment in moments_in(sentence)[:1]:
                    self._promises[shown.ts, name[1], moment] = sentence

    def _forget_promises(self, ts: str) -> None:
        for key in [key for key in self._promises if key[0] == ts and key[2] > self.stage.clock.now()]:
            del self._promises[key]

    # -- reading -------------------------------------------------------------------------------------------

    def standing_all(self) -> Iterator[Shown]:
        """Yield the messages in the person's direct message and, for the teacher, those in the channel."""
        for one in self.at_rest():
            if one.channel == BOT or self.name == "tess":
                yield one

    def read(self) -> None:
        """Check all messages that the person has in front of them."""
        now = self.stage.clock.now()
        self.open_requests.clear()
        for one in self.standing_all():
            changed = float(one.json.get("edited", {}).get("ts", 0) or 0)
            if now - max(float(one.ts), changed) >= FRESH_SECONDS:
                for why in self._wrongs(one, now):
                    self._find("text", one, why)
                for why in self._wrong_labels(one, now):
                    self._find("button", one, why)
            if "Approve" in one.labels:
                self.open_requests.add(_MENTION.findall(one.text)[0])
        self._read_promises(now)

    async def read_home(self) -> None:
        """Check the person's Home tab as it would be rendered now."""

        async def look() -> str:
            return (await self.person.opens_home()).text

        async def list_approvals() -> str:
            return (await self.person.types("approvals")).text

        text = await in_a_copy(look)
        shown = Shown("home", {"ts": str(self.stage.clock.now()), "text": text})
        for why in self._wrongs(shown, self.stage.clock.now(), is_home=True):
            self._find("home", shown, why)
        listed = await in_a_copy(list_approvals) if self.open_requests else ""
        for one in self.open_requests:
            if one not in listed:
                self._find("approvals", shown, f"names no request of {one}, which waits")

    def _wrongs(self, shown: Shown, now: float, *, is_home: bool = False) -> Iterator[str]:
        posted = datetime.fromtimestamp(float(shown.ts), BERLIN).date()
        today = datetime.fromtimestamp(now, BERLIN).date()
        # A list's heading says as of when the list was true. Home is always rendered for the present.
        is_dated = not is_home and _AS_OF.search(shown.text.partition("\n")[0])
        for sentence in _sentences(shown):
            plain = _MARK.sub("", sentence)
            if _BROKEN.search(plain) or (
                _REFERENCE.search(plain) and shown.kind not in _FAULTS and not is_home
            ):
                yield f"a placeholder or a broken thing: {sentence}"
            if _FALSE_ALARMS.search(sentence):
                continue
            moments = moments_in(sentence)
            if moments and max(moments) < now - 60 and _FUTURE.search(plain) and not is_dated:
                yield f"speaks of what has come as to come: {read_at(sentence, now)}"
            is_over = self.stage.now > COURSE_ENDS and f"*{COURSE}*" in sentence
            if is_over and shown.channel != "home" and _GOES_ON.search(plain):
                yield f"says of a course that has ended that it goes on: {sentence}"
            relative = _RELATIVE.search(plain)
            if posted != today and relative is not None and _FUTURE.search(plain):
                yield f"says {relative[0]}, but is of {posted:%-d %b}: {sentence}"
            if shown.kind not in ANSWERS or is_home:
                yield from self._untrue_states(sentence)

    def _wrong_labels(self, shown: Shown, now: float) -> Iterator[str]:
        posted, today = (datetime.fromtimestamp(one, BERLIN).date() for one in (float(shown.ts), now))
        for labelled in shown.labels:
            if posted != today and _RELATIVE.search(labelled):
                yield f"the button {labelled} names no date"
            clock = _CLOCK.search(labelled)
            if clock is not None and is_past(clock, float(shown.ts), now):
                yield f"the button {labelled} names what has passed"

    def _untrue_states(self, sentence: str) -> Iterator[str]:
        if _AS_OF.search(sentence):
            return
        if _CHECKING.search(sentence):
            yield f"nothing came of: {sentence}"
        if _UNLINKED.search(sentence) and self.name not in self.stage.refused and "unless" not in sentence:
            yield f"the sign-in isn't refused: {sentence}"
        if _AWAY.search(sentence) and not self.stage.is_away and "until" not in sentence:
            yield f"it answers: {sentence}"
        if found := _STILL.search(sentence):
            said = _IS_SO[next(one for one in found.groups() if one).lower()]
            if said not in (states := self._states(sentence)):
                yield f"nothing of that is {said}, but {', '.join(sorted(states))}: {sentence}"

    def _states(self, sentence: str) -> set[str]:
        """Return the states of the person's machines named in a sentence, or of all machines if none is."""
        names, now = _NAMED.findall(sentence), self.stage.clock.now()
        every = [one for one in self.stage.saturn.state.resources.values() if one.type == "workspace"]
        named = [one for one in every if one.owner == self.name and one.name in names]
        return {one.status(now) for one in named or every}

    def _read_promises(self, now: float) -> None:
        """Check every promised stop that is overdue against what the provider did."""
        for (ts, name, moment), sentence in list(self._promises.items()):
            if moment + LATE_SECONDS > now:
                continue
            del self._promises[ts, name, moment]
            mine = [
                one
                for one in self.stage.saturn.state.resources.values()
                if (one.owner, one.name) == (self.name, name)
            ]
            running = [
                run
                for one in mine
                for run in one.runs
                if run.created_at < moment - 60 and (run.ended_at or now) > moment + LATE_SECONDS
            ]
            if running and not self._heard_since(name, moment):
                shown = Shown(BOT, {"ts": ts, "text": sentence})
                self._find("promise", shown, f"{name} wasn't stopped at {_clock(moment)}, and nobody said so")

    def _heard_since(self, name: str, moment: float) -> bool:
        """Return whether a message named a workspace around a given time: up to an hour later."""
        said = self.stage.log.told(
            self.person.id,
            datetime.fromtimestamp(moment - 60, BERLIN),
            datetime.fromtimestamp(moment + 3600, BERLIN),
            also=True,
        )
        return any(f"*{name}*" in one.text for one in said if one.what != "deleted")

    def _find(self, kind: str, shown: Shown, why: str) -> None:
        # Report a problem only once, even if it persists.
        key = kind, "" if kind == "home" else shown.ts, re.sub(r"\d+", "", why.partition(":")[0])
        first = read_at(shown.text.splitlines()[0], self.stage.clock.now())
        evening = f"{self.stage.now:%a %-d %b %H:%M}"
        self.findings.setdefault(key, Finding(kind, evening, self.name, _clock(float(shown.ts)), first, why))

    # -- pressing ------------------------------------------------------------------------------------------

    async def press_standing(self, days: float) -> None:
        """Press each button of recent messages, each in its own copy of the world."""
        now = self.stage.clock.now()
        shows = {ts for act in self.acts if act.is_query for ts in act.made}
        for one in self.standing_all():
            age = now - float(one.ts)
            if one.ts in shows or age > days * 86_400 or age < FRESH_SECONDS:
                continue
            for number, button in enumerate(buttons(one.json)):
                try:
                    wrong = await in_a_copy(partial(self._press, one, number))
                except AssertionError as error:
                    wrong = f"broke: {str(error).strip().splitlines()[-1]}"
                self.pressed[one.ts, label(button)] = Press(one.text, label(button), wrong)
                if wrong:
                    self._find("button", one, f"[{label(button)}] is dead: {read_at(wrong, now)}")


def _sentences(shown: Shown) -> list[str]:
    return [one for one in _SENTENCE.split(_LABELS.sub("", shown.text)) if one]


def _face(message: dict[str, object]) -> object:
    return message.get("text"), message.get("blocks")


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, BERLIN):%a %-d %b %H:%M}"


def is_past(clock: re.Match[str], posted: float, now: float) -> bool:
    """Return whether a time of day has passed, if it means the first one after the message was posted."""
    begin = datetime.fromtimestamp(posted, BERLIN)
    moment = begin.replace(hour=int(clock[1]) % 24, minute=int(clock[2]), second=0)
    return (moment if moment > begin else moment + timedelta(days=1)).timestamp() < now


def messages_about(stage: FortnightWorld, names: set[str], machine: str, seconds: float) -> list[Said]:
    """Return the messages about a machine that these people received in the last ``seconds``."""
    since = datetime.fromtimestamp(stage.clock.now() - seconds, BERLIN)
    return [
        one
        for name in names
        for one in stage.log.told(user_id(name), since, stage.now, also=True)
        if f"*{machine}*" in one.text
    ]


__all__ = ["GENERAL", "OVER", "Finding", "Reader", "messages_about"]
