"""The simulated people of the chaos run: each types commands, presses buttons, and retries what failed."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.chaos.stage import CHANNEL, CONNECTION, JOBS, KEPT, SPOKEN_JOB, WORKSPACES, Person, Stage
from playground.demo.person import buttons, where
from playground.slack.errors import SlackError

#: Matches the first line of the answer to an accepted operation (``bot.messages.texts.answers``).
ACCEPTED = re.compile(
    r"\A.*(?:Starting|Stopping|Restarting|Cancelling"
    r"|is already (starting|restarting|stopping|running|stopped)"
    r"|so I'm stopping it again|is stopping\. I'll start it again)"
)
#: Matches answers saying that the request joined an operation already in progress.
JOINED = re.compile(r"is already (starting|stopping|restarting|being)\b")
#: Matches the answer to an accepted run (``bot.messages.texts.runs``).
RUNS = re.compile(r"I'll message you when it's done")
#: Matches the answer to new hours (``bot.messages.texts.hours``).
HOURS = re.compile(r"now runs ")
#: Matches the problem that the form shows if the person has a workspace of this name.
NAME_TAKEN = re.compile(r"already have a workspace with that name")
#: Buttons that are pressed between the commands; the last three request operations themselves.
PRESSED = ("refresh", "status", "open", "stop", "start", "restart", "try_again")
#: The time zone that the local Slack reports for everybody.
ZONE = ZoneInfo("Europe/London")
#: How often a request is for an existing workspace, a run of a job, or a new workspace (as weights).
KINDS = {"workspace": 78, "run": 12, "create": 10}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An operation that Slack showed as accepted. Times come from this machine's clock, in epoch seconds."""

    who: Person
    workspace: str
    verb: str
    sent_at: float
    answered_at: float
    text: str

    @property
    def is_new(self) -> bool:
        """Return whether the answer announced a new operation, rather than joining one in progress."""
        return JOINED.search(self.text) is None


class Crowd:
    """All simulated people at once; ``operations`` is how many must be acknowledged in total.

    ``rules`` is how many people set hours: for half of them, the hours start a workspace during the storm;
    the other half start a workspace themselves, which the hours stop during the storm. If ``speaks`` is set,
    everybody also requests one run with a message.
    """

    def __init__(
        self,
        stage: Stage,
        operations: int,
        seconds: float,
        chance: random.Random,
        rules: int = 0,
        *,
        speaks: bool = False,
    ) -> None:
        self._stage = stage
        self._speaks = speaks
        self._rules = rules
        self._operations = operations
        self._seconds = seconds
        self._chance = chance
        self.acknowledged: list[Acknowledged] = []
        #: Hours that the bot confirmed as set.
        self.hours_set: list[Acknowledged] = []
        #: Failed requests, counted by the error that Slack or the bot showed to the person.
        self.failed: Counter[str] = Counter()
        self.clicks: Counter[str] = Counter()

    async def live(self) -> None:
        """Let everybody act, and return once all operations have been acknowledged."""
        people = self._stage.people
        each, more = divmod(self._operations, len(people))
        hours = ["start", "stop"] * (self._rules // 2) + ["start"] * (self._rules % 2)
        await asyncio.gather(
            *(
                self._live(who, each + (n < more), side)
                for n, (who, side) in enumerate(zip_longest(people, hours[: len(people)]))
            )
        )

    async def _live(self, who: Person, share: int, side: str | None) -> None:
        if side == "start":
            await self._set_hours(who, WORKSPACES[0], side)
        elif side == "stop" and share:
            await asyncio.sleep(self._chance.uniform(0.0, self._seconds / 3))
            await self._type(who, KEPT, "start")
            share -= 1
            await self._set_hours(who, KEPT, side)
        spoken_at = self._chance.randrange(share) if self._speaks and share else None
        wanted = dict.fromkeys(WORKSPACES, "stop")
        # Each job is run only once, so all of its runs must be due to that one operation.
        jobs = list(JOBS)
        for number in range(share):
            await asyncio.sleep(self._chance.uniform(0.0, 2.0 * self._seconds / (share + 1)))
            if number == spoken_at:
                # A kill may lose the message that answers this, so the run only checks that the job isn't run
                # twice.
                await who.slack.say(who.user, "@bot", f"run {SPOKEN_JOB}")
            (kind,) = self._chance.choices(list(KINDS), list(KINDS.values()))
            workspace = self._chance.choice(WORKSPACES)
            if kind == "run" and jobs:
                await self._type(who, jobs.pop(), "run")
            elif kind == "create":
                await self._make(who, f"own-{number}")
            else:
                verb = self._next(wanted[workspace])
                await self._type(who, workspace, verb)
                wanted[workspace] = verb
            await asyncio.sleep(self._chance.uniform(0.2, 3.0))
            await self._click(who, workspace)

    def _next(self, last: str) -> str:
        if last == "stop":
            return self._chance.choices(["start", "stop"], [9, 1])[0]
        return self._chance.choices(["stop", "start", "restart"], [6, 2, 2])[0]

    async def _type(self, who: Person, name: str, verb: str) -> None:
        """Type the command again and again until it is accepted."""
        is_run = verb == "run"
        text = f"/job run {CONNECTION} {name}" if is_run else f"/workspace {verb} {name}"
        accepted = RUNS if is_run else ACCEPTED
        while True:
            sent_at = self._read_clock()
            answer = await who.slack.say(who.user, CHANNEL, text)
            said = str(answer.get("text") or "")
            if answer["ok"] and accepted.search(said):
                self._took(who, name, verb, sent_at, said)
                return
            await self._fails(str(answer.get("error") or said))

    async def _set_hours(self, who: Person, name: str, side: str) -> None:
        """Set hours that start or stop a workspace during the storm, in everybody's time zone."""
        while True:
            sent_at = self._read_clock()
            at = datetime.fromtimestamp(sent_at + 60.0 + self._chance.uniform(0.0, self._seconds), ZONE)
            times = f"{at:%H:%M}-{at + timedelta(hours=1):%H:%M}" if side == "start" else f"-{at:%H:%M}"
            answer = await who.slack.say(who.user, CHANNEL, f"/workspace hours {name} every day {times}")
            said = str(answer.get("text") or "")
            if answer["ok"] and HOURS.search(said):
                self.hours_set.append(Acknowledged(who, name, "hours", sent_at, self._read_clock(), said))
                return
            await self._fails(str(answer.get("error") or said))

    async def _make(self, who: Person, name: str) -> None:
        """Fill in and submit the form until it is accepted.

        If the name is in use after the first attempt, an earlier one succeeded and only its answer was lost.
        """
        slack, user = who.slack, who.user
        for attempt in count():
            sent_at = self._read_clock()
            answer = await slack.say(user, CHANNEL, f"/workspace new {CONNECTION}")
            try:
                if answer["ok"]:
                    await slack.fill(user, {"field:name": name})
                    answer = await slack.submit(user)
                    is_late = attempt and NAME_TAKEN.search(str(answer.get("errors")))
                    if is_late or answer.get("response_action") == "clear":
                        self._took(who, name, "create", sent_at, "")
                        return
                await slack.close_view(user, everything=True)
            except (SlackError, KeyError) as error:
                answer = {"error": str(error)}
            await self._fails(str(answer.get("errors") or answer.get("error") or answer.get("text")))

    def _read_clock(self) -> float:
        return self._stage.slack_harness.clock.now()

    def _took(self, who: Person, name: str, verb: str, sent_at: float, text: str) -> None:
        self.acknowledged.append(Acknowledged(who, name, verb, sent_at, self._read_clock(), text))

    async def _fails(self, said: str) -> None:
        self.failed[said] += 1
        await asyncio.sleep(self._chance.uniform(0.3, 1.5))

    async def _click(self, who: Person, workspace: str) -> None:
        """Look something up, or press a button, sometimes twice at the same time; don't retry failures."""
        slack, user = who.slack, who.user
        if self._chance.random() < 0.4:
            verb = self._chance.choices([f"status {workspace}", "list", "home"], [3, 1, 1])[0]
            if verb == "home":
                answer = await slack.open_home(user)
            else:
                answer = await slack.say(user, CHANNEL, f"/workspace {verb}")
            self.clicks[verb.partition(" ")[0] if answer["ok"] else "failed"] += 1
            return
        found = self._pressable(who)
        if found is None:
            return
        ts, action_id, pressed = found
        twice = 2 if self._chance.random() < 0.3 else 1
        answers: list[Any] = await asyncio.gather(
            *(slack.press(user, "@bot", ts, **pressed) for _ in range(twice)), return_exceptions=True
        )
        for answer in answers:
            good = isinstance(answer, dict) and answer["ok"]
            self.clicks[action_id.partition(":")[0] if good else "failed"] += 1

    def _pressable(self, who: Person) -> tuple[str, str, dict[str, Any]] | None:
        choices = [
            (message["ts"], str(element["action_id"]), where(element))
            for message in who.slack.seen(who.user)[-4:]
            for element in buttons(message)
            if str(element.get("action_id", "")).partition(":")[0] in PRESSED
        ]
        return self._chance.choice(choices) if choices else None
