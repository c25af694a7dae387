"""A person who uses the local Slack's page through its JSON API: types, clicks, reads, waits for answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from playground.slack.kit.entities import read

Message = dict[str, Any]
Form = dict[str, Any]
Field = dict[str, Any]


class NotSeenError(Exception):
    """Raised if something that a person waits for doesn't appear. The message says what that was."""


@dataclass(slots=True)
class Person:
    """A user of the local Slack. ``presses`` counts the user's clicks."""

    session: aiohttp.ClientSession
    slack_url: str
    user_id: str
    name: str
    presses: int = 0

    async def say(self, channel: str, text: str) -> Message:
        """Type a message or command into a channel; return the page's immediate answer."""
        answer = await self._post("say", channel=channel, text=text)
        if answer.get("ok") is not True:
            raise NotSeenError(f"Slack shows: {answer.get('error')}")
        return answer

    async def press(self, channel: str, message: Message, action: str) -> None:
        """Press the button with this action id in a message, or choose the menu option with the action id."""
        self.presses += 1
        found = next((one for one in buttons(message) if one["action_id"] == action), {"action_id": action})
        answer = await self._post("press", channel=channel, ts=message["ts"], **where(found))
        if answer.get("ok") is not True:
            raise NotSeenError(f"Slack shows: {answer.get('error')}")

    async def form_when(self, holds: Callable[[Form], bool], what: str, seconds: float) -> Form:
        """Return the open form once ``holds`` accepts it; raise NotSeenError if that takes too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        version = None
        while True:
            state = await self._state(since=version)
            async with self.session.get(
                f"{self.slack_url}/_page/form", params={"as": self.user_id}
            ) as answer:
                form: Form | None = (await answer.json())["form"]
            if form is not None and holds(form):
                return form
            if loop.time() >= until:
                raise NotSeenError(f"{what} did not come within {seconds:.0f} s")
            version = state["version"]

    async def fill(self, field: Field, value: str) -> None:
        """Fill in a field of the open form. In a menu, choose the option with this value."""
        if str(field["type"]).endswith("select"):
            answer = await self._post("choose", action_id=field["action_id"], query=value, pick=value)
        else:
            answer = await self._post("fill", values={field["action_id"]: value})
        if answer.get("ok") is not True:
            raise NotSeenError(f"Slack shows: {answer.get('error')}")

    async def submit(self) -> None:
        """Send the open form."""
        self.presses += 1
        answer = await self._post("submit")
        if answer.get("ok") is not True:
            raise NotSeenError(f"Slack shows: {answer.get('errors') or answer.get('error')}")

    async def file(self, file_id: str) -> str:
        """Return the content of a file that was attached to a message."""
        query = {"as": self.user_id}
        async with self.session.get(f"{self.slack_url}/_page/file/{file_id}", params=query) as answer:
            if answer.status != 200:
                raise NotSeenError(f"the file answered {answer.status}")
            return await answer.text()

    async def messages(self, channel: str) -> list[Message]:
        """Return the messages that the person sees in a channel; ``@bot`` is the direct message."""
        state = await self._state()
        return self._of(state, channel)

    async def wait_for(
        self, channel: str, matches: Callable[[Message], bool], what: str, seconds: float
    ) -> Message:
        """Return the newest matching message once there is one; raise NotSeenError if none comes in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        state = await self._state()
        while True:
            for message in reversed(self._of(state, channel)):
                if matches(message):
                    return message
            left = until - loop.time()
            if left <= 0:
                raise NotSeenError(f"{what} did not come within {seconds:.0f} s")
            try:
                async with asyncio.timeout(left):
                    state = await self._state(since=state["version"])
            except TimeoutError:
                continue

    def _of(self, state: dict[str, Any], channel: str) -> list[Message]:
        if channel == "@bot":
            channel = next((one["id"] for one in state["channels"] if one["kind"] == "im"), "")
        found: list[Message] = state["messages"].get(channel, [])
        return found

    async def _state(self, since: int | None = None) -> dict[str, Any]:
        query = {"as": self.user_id} | ({} if since is None else {"since": str(since)})
        async with self.session.get(f"{self.slack_url}/_page/state", params=query) as answer:
            answered: dict[str, Any] = await answer.json()
            return answered

    async def _post(self, verb: str, **fields: Any) -> dict[str, Any]:
        body = {"as": self.user_id, **fields}
        async with self.session.post(f"{self.slack_url}/_page/{verb}", json=body) as answer:
            got: dict[str, Any] = await answer.json()
            return got


def buttons(message: Message) -> Iterator[dict[str, Any]]:
    """Yield the buttons of a message. Options of overflow menus are also yielded as buttons.

    The value of such an option consists of an action id and a value. If several buttons share an action id,
    or a button is an option, its ``place`` identifies it when it is pressed.
    """
    blocks = message.get("blocks") or ()
    actions = Counter(
        one.get("action_id")
        for block in blocks
        for one in [*(block.get("elements") or ()), block.get("accessory") or {}]
    )
    for block in blocks:
        accessory = block.get("accessory")
        for element in [*(block.get("elements") or ()), *([accessory] if accessory else ())]:
            place = {"block_id": block.get("block_id"), "action_id": element.get("action_id")}
            if element.get("type") == "button":
                is_only = actions[element.get("action_id")] == 1
                yield element if is_only else {**element, "place": place}
            for option in element["options"] if element.get("type") == "overflow" else ():
                action, _, value = option["value"].partition(" ")
                shown = {**option, "type": "button", "action_id": action, "value": value}
                yield {**shown, "place": {**place, "value": option["value"]}}


def where(button: dict[str, Any]) -> dict[str, Any]:
    """Return what identifies a button when it is pressed: its place or, without one, its action id."""
    found: dict[str, Any] = button.get("place") or {"action_id": button["action_id"]}
    return found


def label(button: dict[str, Any]) -> str:
    """Return a button's label as shown to people."""
    return read(str(button["text"]["text"]))


def labels(message: Message, action: str) -> list[tuple[str, str]]:
    """Return (label, action id) of a message's buttons whose action id begins with ``action``."""
    return [
        (label(one), str(one["action_id"]))
        for one in buttons(message)
        if str(one.get("action_id", "")).partition(":")[0] == action
    ]


def address(message: Message, action: str, value: str = "") -> str:
    """Return the URL of a message's link button with this action and, if given, this value.

    The value is compared with the first word of the button's own value. Raises NotSeenError if there is no
    such button.
    """
    for element in buttons(message):
        is_meant = str(element.get("action_id", "")).partition(":")[0] == action
        if is_meant and element.get("url") and value in {"", str(element.get("value")).partition(" ")[0]}:
            return str(element["url"])
    raise NotSeenError(f"no button with an address on: {message.get('text')}")


def spoken(message: Message) -> str:
    """Return a message's text, followed by the labels of its buttons in brackets."""
    texts = [
        str(text["text"])
        for block in message.get("blocks") or ()
        for text in [block.get("text"), *(block.get("fields") or ()), *_context(block)]
        if isinstance(text, dict) and text.get("text")
    ]
    labelled = " ".join(f"[{label(element)}]" for element in buttons(message))
    return "\n".join([*(texts or [str(message.get("text", ""))]), *([labelled] if labelled else [])])


def _context(block: dict[str, Any]) -> list[Any]:
    return list(block.get("elements") or ()) if block.get("type") == "context" else []
