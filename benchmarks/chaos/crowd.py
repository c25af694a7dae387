"""The people of the chaos run: each wishes, looks, presses, and tries again what failed, as people do."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.chaos.stage import CHANNEL, WORKSPACES
from playground.demo.person import buttons

if TYPE_CHECKING:
    from benchmarks.chaos.stage import Stage

#: What an accepted wish is answered with (``bot.words.answers``).
ACCEPTED = re.compile(
    r"Starting|Stopping|Restarting|Calling off"
    r"|is (starting|restarting|stopping) already|was (running|stopped) already"
)
#: Buttons that are pressed in between; the last ones wish something themselves.
PRESSED = ("refresh", "status", "open", "stop", "start", "restart", "try_again")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Hold a wish that Slack showed as accepted; times are those of this machine, in epoch seconds."""

    user: str
    workspace: str
    verb: str
    sent_at: float
    answered_at: float
    text: str

    @property
    def is_new(self) -> bool:
        """Say whether the words promise a wish of its own, not one that was joined."""
        return "already. You get" not in self.text


class Crowd:
    """Drive everybody at once; ``wishes`` is how many have to be acknowledged in all."""

    def __init__(self, stage: Stage, wishes: int, seconds: float, chance: random.Random) -> None:
        self._stage = stage
        self._wishes = wishes
        self._seconds = seconds
        self._chance = chance
        self.acknowledged: list[Acknowledged] = []
        #: Requests that the person saw fail, by what Slack or the bot said.
        self.failed: Counter[str] = Counter()
        self.clicks: Counter[str] = Counter()

    async def live(self) -> None:
        """Return when every wish has been acknowledged."""
        users = self._stage.users
        shares = [self._wishes // len(users) + (n < self._wishes % len(users)) for n in range(len(users))]
        await asyncio.gather(*(self._person(user, share) for user, share in zip(users, shares, strict=True)))

    async def _person(self, user: str, share: int) -> None:
        wanted = dict.fromkeys(WORKSPACES, "stop")
        for _ in range(share):
            await asyncio.sleep(self._chance.uniform(0.0, 2.0 * self._seconds / (share + 1)))
            workspace = self._chance.choice(WORKSPACES)
            verb = self._next(wanted[workspace])
            await self._wish(user, workspace, verb)
            wanted[workspace] = verb
            await asyncio.sleep(self._chance.uniform(0.2, 3.0))
            await self._click(user, workspace)

    def _next(self, last: str) -> str:
        if last == "stop":
            return self._chance.choices(["start", "stop"], [9, 1])[0]
        return self._chance.choices(["stop", "start", "restart"], [6, 2, 2])[0]

    async def _wish(self, user: str, workspace: str, verb: str) -> None:
        """Type the command until it is accepted."""
        clock = self._stage.slack.harness.clock
        while True:
            sent_at = clock.now()
            answer = await self._stage.slack.say(user, CHANNEL, f"/workspace {verb} {workspace}")
            text = str(answer.get("text") or "")
            if answer["ok"] and ACCEPTED.search(text):
                self.acknowledged.append(Acknowledged(user, workspace, verb, sent_at, clock.now(), text))
                return
            self.failed[str(answer.get("error") or text)] += 1
            await asyncio.sleep(self._chance.uniform(0.3, 1.5))

    async def _click(self, user: str, workspace: str) -> None:
        """Look or press once, sometimes twice at the same time; what fails is not tried again."""
        slack = self._stage.slack
        if self._chance.random() < 0.4:
            answer = await slack.say(user, CHANNEL, f"/workspace status {workspace}")
            self.clicks["status" if answer["ok"] else "failed"] += 1
            return
        found = self._pressable(user)
        if found is None:
            return
        ts, action_id = found
        twice = 2 if self._chance.random() < 0.3 else 1
        answers: list[Any] = await asyncio.gather(
            *(slack.press(user, "@bot", ts, action_id) for _ in range(twice)), return_exceptions=True
        )
        for answer in answers:
            good = isinstance(answer, dict) and answer["ok"]
            self.clicks[action_id.partition(":")[0] if good else "failed"] += 1

    def _pressable(self, user: str) -> tuple[str, str] | None:
        choices = [
            (message["ts"], str(element["action_id"]))
            for message in self._stage.slack.seen(user)[-4:]
            for element in buttons(message)
            if str(element.get("action_id", "")).partition(":")[0] in PRESSED
        ]
        return self._chance.choice(choices) if choices else None
