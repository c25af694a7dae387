"""The class: everybody presses *Start* on a card in their Slack workspace, and the results are counted."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.chaos.rows import rows
from benchmarks.cluster_demo.stage import CHANNEL, TRAINER, Stage
from benchmarks.workspaces import TEAMS
from bot.domain.people import Principal
from playground.demo.person import buttons
from playground.processes import StageError
from playground.slack import SlackServer
from playground.slack.errors import SlackError

#: Seconds that posting a card may take, and seconds that people wait before they press again.
_CARD_SECONDS = 60.0
_AGAIN = 1.0
#: The provider's rule.
_SMALLEST_GAP = 10.0
_UNDER_WAY = """
SELECT principal FROM operations WHERE outcome IS NULL
UNION SELECT principal FROM notices WHERE state NOT IN ('sent', 'dead')
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted at one moment."""

    people: int
    pressed: int
    started: int
    told: int
    doubled: int
    astray: int
    lost: int
    beyond_limits: int
    smallest_gap: float | None
    kills: int
    away: tuple[float, ...]

    @property
    def is_over(self) -> bool:
        """Return whether everybody has pressed the button and was told, or never will be."""
        return self.pressed == self.people and self.told + self.lost == self.people

    def holds(self) -> bool:
        """Return whether every promise was kept."""
        gap = self.smallest_gap
        wrong = self.doubled or self.astray or self.lost or self.beyond_limits
        return self.is_over and not wrong and (gap is None or gap >= _SMALLEST_GAP)

    def line(self) -> str:
        """Describe the progress of the class in one line."""
        return (
            f"{self.pressed} of {self.people} have pressed, {self.started} started, "
            f"{self.told} told that it's ready, {self.doubled} doubled, {self.lost} lost; kills: {self.kills}"
        )

    def summary(self) -> str:
        """Return everything, a line each."""
        gap = "no workspace was read twice" if self.smallest_gap is None else f"{self.smallest_gap:.2f} s"
        away = ", ".join(f"{seconds:.1f}" for seconds in self.away) or "-"
        return f"""
What it survived:

    pressed Start              {self.pressed} of {self.people}, in {len(TEAMS)} Slack workspaces
    started                    {self.started}
    told once that it's ready  {self.told}
    started or told twice      {self.doubled}
    told to somebody else      {self.astray}
    lost                       {self.lost}
    smallest gap between reads {gap}
    calls beyond Slack's rules {self.beyond_limits}
    workers killed             {self.kills}
    seconds until replaced     {away}"""


class Lesson:
    """One lesson: posts the cards, lets people press their buttons, and counts the results."""

    def __init__(self, made: Stage) -> None:
        self._made = made
        self._cards: dict[str, tuple[str, str]] = {}
        self._pressed: set[int] = set()

    async def post(self) -> None:
        """Post a card in each workspace as the trainer; raise StageError if one doesn't appear."""
        await asyncio.gather(*(self._post(member) for member in self._made.slacks.members))

    async def _post(self, member: SlackServer) -> None:
        said = ""
        try:
            async with asyncio.timeout(_CARD_SECONDS):
                while True:
                    answer = await member.say(TRAINER, CHANNEL, "/workspace card notebook --title Statistics")
                    said = str(answer.get("text") or answer.get("error"))
                    if answer["ok"] and await member.state.wait_for(lambda: self._card(member), 10.0):
                        return
                    await asyncio.sleep(_AGAIN)
        except TimeoutError:
            raise StageError(f"no class card came in {member.state.team.name}: {said}") from None

    def _card(self, member: SlackServer) -> bool:
        for message in member.seen(TRAINER, CHANNEL):
            for button in buttons(message):
                if str(button.get("action_id", "")).startswith("class_press"):
                    self._cards[member.state.team.id] = message["ts"], str(button["action_id"])
                    return True
        return False

    async def all_press(self, within: float) -> None:
        """Let everybody press the button at a random moment, and again if they get no answer."""
        chance = random.Random(self._made.people.people)  # noqa: S311 - spreads presses, protects nothing
        numbers = range(self._made.people.people)
        await asyncio.gather(*(self._press(number, chance.uniform(0.0, within)) for number in numbers))

    async def _press(self, number: int, after: float) -> None:
        await asyncio.sleep(after)
        member, user = self._made.member(number), self._made.people.user(number)
        while number not in self._pressed:
            try:
                answer = await member.press(user, CHANNEL, *self._cards[member.state.team.id])
            except SlackError:
                answer = {"ok": False}
            if answer["ok"]:
                self._pressed.add(number)
            else:
                await asyncio.sleep(_AGAIN)

    def look(self) -> Seen:
        """Count the results in the database, in Slack and at the provider."""
        made = self._made
        # This order matters: people who had pressed before must then have an open operation or a message.
        pressed = set(self._pressed)
        people = {self._principal(number): number for number in range(made.people.people)}
        under_way = {people.get(row["principal"]) for row in rows(made.database, _UNDER_WAY)}
        starts: Counter[int | None] = Counter()
        owners: dict[str, int | None] = {}
        for row in rows(made.database, "SELECT id, principal, verb FROM operations"):
            owners[row["id"]] = people.get(row["principal"])
            starts[owners[row["id"]]] += row["verb"] != "stop"
        runs: Counter[int | None] = Counter()
        names = {made.people.username(number): number for number in people.values()}
        for resource in list(made.saturn.state.resources.values()):
            runs[names.get(resource.owner)] += len(resource.runs)
        told = Counter((team, key) for team, _, key in self._ready())
        hit = {owners.get(key.partition("/")[0]) for _, key in told} - {None}
        doubled = {owners.get(key.partition("/")[0]) for (_, key), times in told.items() if times > 1}
        doubled |= {number for number, count in runs.items() if count > starts[number]}
        limits = sum(one["rule"] == "rate_limit" for one in list(made.slacks.harness.violations))
        return Seen(
            people=len(people),
            pressed=len(pressed),
            started=sum(1 for count in runs.values() if count),
            told=len(hit),
            doubled=len(doubled),
            astray=sum(not self._is_for(owners, *one) for one in self._ready()),
            lost=len(pressed - hit - under_way),
            beyond_limits=limits,
            smallest_gap=made.saturn.harness.smallest_gap,
            kills=made.supervisor.kills,
            away=tuple(made.supervisor.away),
        )

    def _principal(self, number: int) -> str:
        return Principal(None, self._made.people.team(number), self._made.people.user(number)).key

    def _ready(self) -> Iterator[tuple[str, str, str]]:
        """Yield the team, the readers and the key of each message which says that a workspace is ready."""
        for member in self._made.slacks.members:
            state = member.state
            for place, messages in list(state.messages.items()):
                for message in list(messages):
                    sent: dict[str, Any] = message.metadata or {}
                    key = str(sent.get("event_payload", {}).get("key", ""))
                    if "/ready/" in key:
                        readers = sorted(state.channels[place].members - {state.app.bot_user})
                        yield state.team.id, ",".join(readers), key

    def _is_for(self, owners: dict[str, int | None], team: str, reader: str, key: str) -> bool:
        number = owners.get(key.partition("/")[0])
        people = self._made.people
        return number is None or (team, reader) == (people.team(number), people.user(number))
