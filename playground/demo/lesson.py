"""Two scenes in the demo: a hundred people press the button on a class card; Olivia posts a course."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp

from playground.demo.person import NotSeenError, Person, labels

PEOPLE = 100
CHANNEL, CHANNEL_NAME = "C0TRAINING", "training"
#: The class uses Sphere Engine because people don't have accounts there, so none of the hundred has to link
#: one.
CARD = "/workspace card courses/Python basics --title Class of {people}"
CARD_SECONDS = 30.0
PRESS_SECONDS = 120.0
READY = re.compile(r"\bis ready\b")
COURSE_CARD = (
    "/workspace card courses/Python basics --title Python lessons "
    "--hours daily {begin:%H:%M}-{end:%H:%M} --until {begin:%Y-%m-%d}"
)
#: Olivia's time zone, which is also the course's; the minimum time left to join before the lesson; and the
#: lesson's length.
ZONE: Final = ZoneInfo("Europe/London")
AHEAD: Final = timedelta(minutes=1)
LESSON: Final = timedelta(minutes=30)


def next_begin(now: datetime) -> datetime:
    """Return the next minute at which a lesson can begin and still end on the same day."""
    at = (now + AHEAD).replace(second=0, microsecond=0) + timedelta(minutes=1)
    return at if (at + LESSON).date() == at.date() else (at + LESSON).replace(hour=0, minute=0)


class Scene(ABC):
    """Something that the demo plays in the background, once at a time. ``note`` describes its progress."""

    note = ""
    _running: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Return whether the scene is being played."""
        return self._running is not None and not self._running.done()

    def begin(self) -> None:
        """Play the scene, unless it is already being played."""
        if not self.is_busy:
            self._running = asyncio.create_task(self._play())

    async def close(self) -> None:
        """Stop playing it."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    @abstractmethod
    async def _play(self) -> None:
        """Play it once."""


class Lesson(Scene):
    """A class in which everyone presses the button, and the counts of what happens then."""

    def __init__(self, slack_url: str, sphere_url: str, session: aiohttp.ClientSession) -> None:
        self.people = PEOPLE
        self._trouble = False
        #: Number of workspaces that were running before anyone pressed the button; None before a class has
        #: begun.
        self._running_before: int | None = None
        self._slack = slack_url
        self._sphere = sphere_url
        self._session = session

    async def counts(self) -> dict[str, str]:
        """Return the counts for the panel, as reported by both servers, and update ``note``."""
        if self._running_before is None:
            return {}
        try:
            async with self._session.get(f"{self._slack}/_playground/crowd") as answer:
                crowd = await answer.json()
            ready = max(0, await self._running_workspaces() - self._running_before)
        except (aiohttp.ClientError, TimeoutError):
            return {}
        messages = Counter(sum(bool(READY.search(text)) for text in texts) for texts in crowd["heard"])
        more = sum(people for count, people in messages.items() if count > 1)
        if not self.is_busy and not self._trouble:
            self.note = "Their workspaces are starting …"
            if messages[1] == self.people and ready >= self.people:
                self.note = "Everybody has a workspace and was told exactly once."
            elif not messages[0]:
                self.note = f"{more} people were told more than once."
        slowest = crowd["slowest_ack_s"]
        return {
            "Pressed": str(crowd["pressed"]),
            "Acknowledged": str(crowd["acknowledged"]),
            "Slowest acknowledgement": "none yet" if slowest is None else f"{slowest:.2f} s",
            "Pressed again, as nothing came in 3 s": str(crowd["pressed_again"]),
            "Ready": str(ready),
            "Told once": str(messages[1]),
            "Told more than once": str(more),
        }

    async def _play(self) -> None:
        self._running_before, self._trouble = None, False
        try:
            await self._lesson()
        except (NotSeenError, aiohttp.ClientError, TimeoutError) as failed:
            self._trouble = True
            self.note = "A server didn't answer. Check which faults are on, and try again."
            if isinstance(failed, NotSeenError):
                self.note = f"The class didn't begin: {failed}. Check which faults are on, and try again."

    async def _lesson(self) -> None:
        self.note = f"{self.people} people are joining #{CHANNEL_NAME} …"
        await self._ask("crowd", {"people": self.people, "channel": CHANNEL})
        self.note = "Olivia is posting the card …"
        olivia = Person(self._session, self._slack, "U0OLIVIA", "Olivia")
        before = {message["ts"] for message in await olivia.messages(CHANNEL)}
        await olivia.say(CHANNEL, CARD.format(people=self.people))
        card = await olivia.wait_for(
            CHANNEL,
            lambda message: message["ts"] not in before and bool(labels(message, "class_press")),
            "the class card",
            CARD_SECONDS,
        )
        self.note = "Everybody is pressing …"
        self._running_before = await self._running_workspaces()
        place = {"channel": CHANNEL, "ts": card["ts"], "action_id": labels(card, "class_press")[0][1]}
        await self._ask("crowd/press", place)

    async def _running_workspaces(self) -> int:
        async with self._session.get(f"{self._sphere}/_playground/workspaces") as answer:
            phases: Mapping[str, int] = (await answer.json())["phases"]
            return phases.get("running", 0)

    async def _ask(self, what: str, values: Mapping[str, Any]) -> None:
        timeout = aiohttp.ClientTimeout(total=PRESS_SECONDS)
        url = f"{self._slack}/_playground/{what}"
        async with self._session.post(url, json=values, timeout=timeout) as answer:
            if answer.status != 200:
                raise NotSeenError(f"the local Slack answered {answer.status}")


class Course(Scene):
    """A scene in which Olivia posts the card of a course with a single lesson, which begins soon."""

    def __init__(self, slack_url: str, session: aiohttp.ClientSession) -> None:
        self._olivia = Person(session, slack_url, "U0OLIVIA", "Olivia")

    async def _play(self) -> None:
        begin = next_begin(datetime.now(ZONE))
        try:
            await self._olivia.say(CHANNEL, COURSE_CARD.format(begin=begin, end=begin + LESSON))
            self.note = (
                f"The lesson begins at {begin:%H:%M} ({ZONE.key.rpartition('/')[2]}). "
                f"Press Join in #{CHANNEL_NAME} as anybody."
            )
        except (NotSeenError, aiohttp.ClientError, TimeoutError) as failed:
            self.note = f"Olivia couldn't do that: {failed}. Check which faults are on, and try again."
