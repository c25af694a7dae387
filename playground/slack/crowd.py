"""A crowd of people who join and press the same button at the same moment, as a class does."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from playground.slack.control import Control
from playground.slack.errors import SlackError
from playground.slack.hands import Hands
from playground.slack.records import Json
from playground.slack.state import State
from playground.values import checked, loads

MOST = 1000
#: Number of people who join at a time. For each, the app has to acknowledge an event.
TOGETHER = 20
#: Number of times that a person presses the button if there is no answer.
TIMES = 5


class Crowd:
    """Many people who do the same thing, and the counts of what happens."""

    def __init__(self, state: State, hands: Hands, control: Control) -> None:
        #: Seconds until a person who got no answer presses the button again.
        self.again_seconds = 1.0
        self._state = state
        self._hands = hands
        self._control = control
        self._people: list[str] = []
        self._acks: list[float] = []
        self._pressed = 0
        self._again = 0
        self._since = ""

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/_playground/crowd", self._show)
        app.router.add_post("/_playground/crowd", self._join)
        app.router.add_post("/_playground/crowd/press", self._press)

    async def join(self, people: int, channel: str) -> None:
        """Make a number of people join the Slack workspace and a channel, unless they have already joined."""
        place = next(one for one in self._state.channels.values() if channel in (one.id, one.name))
        gate = asyncio.Semaphore(TOGETHER)

        async def one(number: int) -> str:
            user = f"U0CLASS{number:04}"
            place.members.add(user)
            if user not in self._state.people:
                async with gate:
                    name, shown = f"class{number}", f"Class {number}"
                    await self._control.change_person(
                        user, name=name, real_name=shown, role="class", color="0f766e"
                    )
            return user

        self._people = await asyncio.gather(*(one(number) for number in range(1, people + 1)))

    async def press(self, channel: str, ts: str, action_id: str) -> None:
        """Make everyone press a button now, and again if there is no answer."""
        self._acks, self._pressed, self._again = [], 0, 0
        self._since = self._state.new_ts()
        await asyncio.gather(*(self._one(user, channel, ts, action_id) for user in self._people))

    async def _one(self, user: str, channel: str, ts: str, action_id: str) -> None:
        self._pressed += 1
        for _ in range(TIMES):
            began = time.perf_counter()
            if (await self._hands.press(user, channel, ts, action_id))["ok"]:
                self._acks.append(time.perf_counter() - began)
                return
            self._again += 1
            await asyncio.sleep(self.again_seconds)

    def heard(self, user: str) -> list[str]:
        """Return the app's direct messages to a person since the button was pressed."""
        channel = self._state.direct.get(user)
        messages = self._state.visible(channel, user) if channel is not None else []
        return [one.text for one in messages if one.ts > self._since and one.user != user]

    async def _join(self, request: web.Request) -> web.Response:
        values = checked(loads(await request.read()), ("people", "channel"))
        if type(values["people"]) is not int or not 0 < values["people"] <= MOST:
            raise ValueError(f"people is a number up to {MOST}")
        if not any(values["channel"] in (one.id, one.name) for one in self._state.channels.values()):
            raise ValueError("no such channel")
        await self.join(values["people"], values["channel"])
        return web.json_response({"ok": True, "people": self._people})

    async def _press(self, request: web.Request) -> web.Response:
        values = checked(loads(await request.read()), ("channel", "ts", "action_id"))
        try:
            await self.press(values["channel"], values["ts"], values["action_id"])
        except SlackError as error:
            return web.json_response(error.body(), status=400)
        return await self._show(request)

    async def _show(self, _request: web.Request) -> web.Response:
        shown: Json = {
            "ok": True,
            "pressed": self._pressed,
            "pressed_again": self._again,
            "acknowledged": len(self._acks),
            "slowest_ack_s": round(max(self._acks), 3) if self._acks else None,
            "heard": [self.heard(user) for user in self._people],
        }
        return web.json_response(shown)
