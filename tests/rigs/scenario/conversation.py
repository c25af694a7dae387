"""Everything that one person sees in Slack, with counts of the messages, and a test of every button."""

from __future__ import annotations

import asyncio
import json
import os
import re
import selectors
import socket
import stat
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from playground.demo.person import buttons, label, where
from playground.slack.records import Message
from tests.rigs.scenario.people import BOT, GENERAL, Person
from tests.rigs.scenario.shown import Shown
from tests.rigs.scenario.workbench import WorkbenchWorld

PLACES = (BOT, GENERAL)
#: How long, in seconds, a person watches for the results of an action. Later messages don't belong to it.
WATCHED = 240.0
#: Matches the answer to a press if the button was out of date.
OVER = re.compile(
    r"has changed since|has already (?:ended|finished|passed)|so I did nothing"
    r"|no longer (?:works|has a planned|in use|open|on your list|exists)"
    r"|haven't changed anything|I've already|I already have|I'm already|nothing to (?:extend|cancel|stop)"
    r"|Nothing of yours|isn't running|isn't there any more|is already (?:running|stopped|suspended)"
    r"|no planned stop any more|has ended|is over|too late"
)
#: Matches an address that opens a workspace, and the workspace's id.
_INTO = re.compile(r"/(?:ide/([0-9a-f]{32})|s/([0-9a-f]{21}))")
#: Matches requests that only show something. Their answers only have to be true when posted.
_QUERY = re.compile(r"(?:/job )?(?:hello|help|list|status|open|history|hours$|what |am I )")
#: Labels of buttons that change something at a provider.
_CHANGES = {"Start", "Stop", "Suspend", "Resume", "Restart", "Try again", "Run again"}
#: Matches a question. Until it is answered, it changes nothing and stays as it is.
_QUESTION = re.compile(r"This will |[^\n]*\?(?:\n|$)")
_LISTENS = (socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
_NAME = re.compile(r"\*([^*]+)\*")
#: How long a press may take to have an effect, in seconds, and the timeout for checking it, in real seconds.
_EFFECT, _PATIENCE = 30, 120.0


def is_grey(message: dict[str, Any]) -> bool:
    """Return whether a message consists only of small grey lines."""
    blocks = message.get("blocks") or []
    return bool(blocks) and all(one["type"] == "context" for one in blocks)


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed in a copy of the world.

    ``wrong`` says what was wrong with it, or is "" if nothing was.
    """

    said: str
    labelled: str
    wrong: str


@dataclass(slots=True)
class Act:
    """Something that a person did, and the messages that resulted from it while the person was watching."""

    place: str
    said: str
    at: float
    made: set[str] = field(default_factory=set)

    @property
    def is_query(self) -> bool:
        """Return whether the act only asked to see something."""
        return _QUERY.match(self.said) is not None


class Conversation:
    """Follows everything that one person sees in their direct message and in a channel."""

    def __init__(self, stage: WorkbenchWorld, person: Person) -> None:
        self.stage, self.person = stage, person
        self.posts = self.edits = self.deletions = self.grey_edits = 0
        self.acts: list[Act] = []
        #: The buttons that were pressed, by message and label.
        self.pressed: dict[tuple[str, str], Press] = {}
        stage.slack.state.listeners.append(self._heard)

    def _heard(self, what: str, message: Message, before: dict[str, Any] | None) -> None:
        if message.user == self.person.id or message.only_for not in (None, self.person.id):
            return
        now = message.to_json()
        if what == "posted":
            self.posts += 1
            if self.acts and self.stage.clock.now() < self.acts[-1].at + WATCHED:
                self.acts[-1].made.add(message.ts)
        elif what == "deleted":
            self.deletions += 1
        elif before is not None and _face(now) != _face(before):
            self.edits += 1
            self.grey_edits += is_grey(now)

    def follow(self, place: str, said: str) -> None:
        """Record what the person is about to do. Messages that come from now on belong to it."""
        self.acts.append(Act(place, said, self.stage.clock.now()))

    async def does(self, place: str, said: str) -> None:
        """Type a message, or press the latest button with the label in brackets."""
        self.follow(place, said)
        command, _, rest = said.partition(" ")
        if said.startswith("["):
            labelled = said.strip("[]")
            shown = next(one for one in reversed(self.person.sees(place)) if labelled in one.labels)
            await self.person.presses(shown, labelled)
        elif said.startswith("/"):
            await self.person.types(rest, place, command=command)
        elif place == BOT:
            await self.person.writes(said)
        else:
            await self.person.types(said, place)

    def at_rest(self) -> list[Shown]:
        """Return the bot's current messages in both places, except ephemeral ones."""
        return [
            one
            for place in PLACES
            for one in self.person.sees(place)
            if one.json["user"] != self.person.id
            and not one.is_private
            and one.json.get("thread_ts") in (None, one.ts)
        ]

    def grey(self) -> list[Shown]:
        """Return the current messages that consist only of grey lines."""
        return [one for one in self.at_rest() if is_grey(one.json)]

    def twice(self) -> list[tuple[Act, list[Shown]]]:
        """Return the acts with more than one current message about the same name, and these messages."""
        found = []
        for act in self.acts:
            spoken = [one for one in self.at_rest() if one.ts in act.made]
            about: dict[str, list[Shown]] = {}
            for one in spoken:
                for name in set(_NAME.findall(one.text)[:1]):
                    about.setdefault(name, []).append(one)
            found += [(act, several) for several in about.values() if len(several) > 1]
        return found

    def standing(self) -> Iterator[Shown]:
        """Yield the current messages with buttons.

        Skip answers and questions, which only have to be true when posted.
        """
        shows = {one for act in self.acts if act.is_query for one in act.made}
        for one in self.at_rest():
            if one.labels and one.ts not in shows and not _QUESTION.match(one.text):
                yield one

    async def press_all(self) -> None:
        """Press every button of the current messages, each in its own copy of the world."""
        for one in self.standing():
            for number, button in enumerate(buttons(one.json)):
                wrong = await in_a_copy(partial(self._press, one, number))
                key, said = (one.ts, label(button)), one.read.splitlines()[0]
                before = self.pressed.get(key)
                if before is None or not before.wrong:
                    self.pressed[key] = Press(said, label(button), wrong)

    def untrue(self) -> list[Press]:
        """Return all buttons that were wrong when they were pressed."""
        return [one for one in self.pressed.values() if one.wrong]

    async def _press(self, shown: Shown, number: int) -> str:
        """Press a button, and agree if it asks for confirmation. Return why it was wrong, or ""."""
        button = list(buttons(shown.json))[number]
        if "url" in button:
            return self._leads(str(button["url"]))
        before, held, pressed = self._seen(), self._held(), where(button)
        slack, place = self.stage.slack, (shown.channel, shown.ts)
        answer = await slack.press(self.person.id, *place, **pressed)
        asks = pressed["action_id"] == "ask" or str(pressed.get("value", "")).startswith("ask ")
        shown_form = (self.person.modal() or {}) if answer["ok"] else {}
        # If the person can't agree, the form says why.
        can_agree = asks and "submit" in shown_form
        is_form = bool(shown_form) and not can_agree
        if can_agree:
            answer = await slack.submit(self.person.id, {})
        if not answer["ok"]:
            return f"Slack shows: {answer.get('error') or answer}"
        await self.stage.settle()
        await self.stage.pass_time(_EFFECT, step=3)
        said = [
            line
            for key, text in self._seen().items()
            for line in text.splitlines()
            if line not in before.get(key, "").splitlines()
        ]
        is_done = self._held() != held
        wrong = [line for line in said if OVER.search(line)]
        if is_done and label(button) in _CHANGES:
            wrong = []
        elif not said and not is_form and not is_done:
            wrong = ["nothing came of it"]
        return "; ".join(wrong[:1])

    def _leads(self, url: str) -> str:
        """Return an error if an address leads to a workspace that isn't running, or ""."""
        into = _INTO.search(url)
        if into is None:
            return ""
        now, (cloud, bench) = self.stage.clock.now(), into.groups()
        if cloud:
            state = self.stage.saturn.state.resources[cloud].status(now)
        else:
            state = next(one.state for one in self.stage.posit.state.sessions.values() if one.hex == bench)
        return "" if state.lower() in ("running", "active") else f"it leads to what is {state}"

    def _seen(self) -> dict[tuple[str, str], str]:
        return {
            (one.channel, one.ts): one.text
            for place in PLACES
            for one in self.person.sees(place)
            if one.json["user"] != self.person.id
        }

    def _held(self) -> Any:
        now, stage = self.stage.clock.now(), self.stage
        cloud = {one.id: (one.status(now), len(one.runs)) for one in stage.saturn.state.resources.values()}
        bench = {one.hex: one.state for one in stage.posit.state.sessions.values()}
        return cloud, bench, set(stage.posit.state.jobs)


def _face(message: dict[str, Any]) -> Any:
    return message.get("text"), message.get("blocks")


async def in_a_copy(act: Callable[[], Awaitable[str]]) -> str:
    """Do something in a copy of this process, and return the result.

    The whole world, including the database, is in this process's memory and has a single thread, so a fork is
    a copy of it. The fork closes all connections, so nobody outside notices it, not even a browser that is
    watching.
    """
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        # Nothing may run in this process until the copy has finished.
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        os.waitpid(child, 0)  # noqa: ASYNC222
        answer = json.loads(told or b'{"failed": "the copy ended early"}')
        if "failed" in answer:
            raise AssertionError(answer["failed"])
        return str(answer["came"])
    answer = {}
    try:
        _watch_alone(loop)
        async with asyncio.timeout(_PATIENCE):
            # Give each connection time to notice that it has been closed before anything uses it.
            await asyncio.sleep(0.01)
            answer["came"] = await act()
    except BaseException:  # noqa: BLE001 - told by the other process
        answer["failed"] = traceback.format_exc()
    finally:
        with suppress(OSError):
            os.write(writing, json.dumps(answer).encode())
        os._exit(0)


def _watch_alone(loop: Any) -> None:
    """Give the loop its own selector, and cut all its connections, because the parent uses these, too."""
    asyncio._set_running_loop(loop)
    mine = selectors.DefaultSelector()
    for key in list(loop._selector.get_map().values()):
        _cut(key.fd)
        mine.register(key.fileobj, key.events, key.data)
    loop._selector = mine
    # A fork doesn't have the threads of its parent.
    loop._default_executor = None


def _cut(number: int) -> None:
    """Replace a TCP connection by one that the other side has closed."""
    if not stat.S_ISSOCK(os.fstat(number).st_mode):
        return
    with socket.socket(fileno=os.dup(number)) as shared:
        is_tcp, is_listening = shared.family == socket.AF_INET, shared.getsockopt(*_LISTENS)
    if is_tcp and not is_listening:
        mine, other = socket.socketpair()
        with mine, other:
            os.dup2(mine.fileno(), number)


__all__ = ["OVER", "PLACES", "WATCHED", "Act", "Conversation", "Press", "in_a_copy", "is_grey"]
