"""Plays dialogues with the whole bot, and checks what it does, says and offers, and that each button works.

``python -m tests.scenarios.dialogues FILE`` plays the dialogues in a file, and prints those that failed. A
dialogue has a ``world`` (workspaces on *Team hub* and *Saturn Cloud*, runs, outages, and connections that
aren't linked) and turns. A turn consists of a message or a button, the place (``where``: ``dm``, ``thread``
of the newest message, ``mention`` or ``command``), and the expected result:

``does``    the changes, as ``VERB NAME`` or ``VERB NAME@CONNECTION``; ``open NAME`` if the answer has its
            link; or ``nothing``
``names``   words that the answer contains, in upper or lower case
``offers``  parts of the labels of its buttons
``never``   things that must not be done (``VERB NAME``), offered (``offer: LABEL``) or said
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from aiohttp.test_utils import TestServer

from bot.store import workspaces
from playground import saturn as local_saturn
from playground.demo.person import buttons
from playground.harness import Clock
from playground.slack.errors import SlackError
from tests.rigs.acts import changes, read_kept
from tests.rigs.scenario.people import BOT, GENERAL
from tests.rigs.scenario.shown import Shown
from tests.rigs.scenario.stage import World, inject_fault

TABLE = Path(__file__).with_name("dialogues.json")
_TOKEN = "a11ce" * 8
_STATUS = {"starting": "pending", "failed": "error", "suspended": "stopped"}
_EXIT = {"failed": 3}
#: Matches answers that say that something went wrong.
_ERRORS = re.compile(
    r"something went wrong|can't find|don't have a command|didn't understand|don't see the name|reference:",
    re.IGNORECASE,
)
_ACTS = {"start", "stop", "restart", "suspend", "resume", "keep", "timer", "untimer", "cancel", "open", "run"}
#: Action ids of buttons that open a page and do nothing in Slack.
LINKS = ("open_url", "page_url", "link_url")


class DialogueWorld(World):
    """A world with two servers of the same kind: ``saturn``, and ``hub``, which people know as *Team hub*."""

    def __init__(self, folder: Path, told: Mapping[str, Any]) -> None:
        seeds = {place: self._seed(told, place) for place in ("saturn", "hub")}
        options = {"saturn_seed": seeds["saturn"], "tokens": {"hub": {"alice": _TOKEN}}}
        super().__init__(folder, {**options, **told.get("options", {})})
        self.told = told
        self.hub = local_saturn.build(Clock(self.clock.now), seeds["hub"])
        self.hub_url = ""

    @staticmethod
    def _seed(told: Mapping[str, Any], place: str) -> dict[str, Any]:
        kept = [one for one in told.get("workspaces", ()) if one["connection"] == place]
        rows = [
            {
                "owner": "alice",
                "name": one["name"],
                "status": _STATUS.get(one["state"], one["state"]),
                "start_seconds": 600 if one["state"] == "starting" else 20,
            }
            for one in kept
        ]
        jobs = [
            {
                "owner": "alice",
                "name": run["job"],
                "command": "papermill it",
                "exit_code": _EXIT.get(run["state"], 0),
                "run_seconds": 5 if run["state"] in {"failed", "succeeded"} else 5_000,
            }
            for run in told.get("runs", ())
            if run.get("connection", "saturn") == place
        ]
        return {"users": [{"name": "alice", "token": _TOKEN}], "workspaces": rows, "jobs": jobs}

    def connections(self) -> dict[str, Any]:
        table = {
            "name": "hub",
            "provider": "saturn",
            "title": "Team hub",
            "linking": ["token"],
            "base_url": self.hub_url,
        }
        self._options = {**self._options, "connections": {"hub": table}}
        return super().connections()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        async with TestServer(self.hub.app, host="127.0.0.1") as listening:
            # The hub has its own address, because a gate's key consists of the address and the workspace's
            # id.
            self.hub_url = str(listening.make_url("")).rstrip("/")
            self.watch.learn(self.hub)
            async with super().running():
                await self._prepared()
                yield self
                self.watch.learn(self.hub)

    async def _prepared(self) -> None:
        """Link accounts, run jobs, and make Usher notice outages, as the dialogue's world says."""
        for place in ("saturn", "hub"):
            if place not in self.told.get("unlinked", ()):
                await self.alice.has_linked("alice", place)
        await self.pass_time(12, step=4)
        for run in self.told.get("runs", ()):
            if not run["state"]:
                continue
            await self.alice.types(f"run {run.get('connection', 'saturn')} {run['job']}", command="/job")
            await self.pass_time(30 if run["state"] in _EXIT or run["state"] == "succeeded" else 4, step=2)
        if self.told.get("runs"):
            await self.pass_time(12, step=4)
        if place := self.told.get("outage"):
            server = self.saturn if place == "saturn" else self.hub
            inject_fault(server.harness, ".*", status=503, times=100_000)
            name = next((one["name"] for one in self.told["workspaces"] if one["connection"] == place), "")
            for _ in range(12):
                await self.alice.types(f"status {name}@{place}")
                await self.pass_time(15, step=5)

    # -- what was done -------------------------------------------------------------------------------------

    async def kept(self) -> dict[str, Any]:
        """Return all of the person's rows that the person can change, by kind."""
        return await read_kept(self.bot.store, self.principal())


class Player:
    """Plays one dialogue. ``problems`` lists everything that wasn't as expected."""

    def __init__(self, world: DialogueWorld, dialogue: Mapping[str, Any]) -> None:
        self.world = world
        self.turns: Sequence[Mapping[str, Any]] = dialogue["turns"]
        self.problems: list[str] = []
        self.offered: list[Shown] = []
        self.transcript: list[str] = []

    async def play(self) -> list[str]:
        """Play all turns, and then press every button that was offered. Return the problems."""
        for number, turn in enumerate(self.turns, 1):
            try:
                found = await self._turn(turn)
            except AssertionError as error:
                found = [str(error)[:300]]
            if found:
                said = turn.get("say") or turn.get("press")
                self.problems.append(f"turn {number} ({said!r}): {'; '.join(found)}")
        await self._press_all()
        return self.problems

    async def _turn(self, turn: Mapping[str, Any]) -> list[str]:
        await self.world.pass_time(2 + float(turn.get("wait", 0)), step=5)
        before = await self.world.kept()
        shown = await self.act(turn)
        after = await self.world.kept()
        said = turn.get("say") or f"[{turn.get('press')}]"
        self.transcript += [f"> {said}", *(one.text for one in shown)]
        found = self._wrong(turn["expect"], shown, changes(before, after))
        if "say" in turn:
            self.offered += shown
        return [*found, *(f"\n    {one.text.replace(chr(10), ' / ')}" for one in shown)] if found else []

    async def _a_moment(self) -> dict[str, bool]:
        await self.world.pass_time(2)
        return {"ok": True}

    async def act(self, turn: Mapping[str, Any]) -> list[Shown]:
        """Say or press what a turn says, and return the answer, waiting for it if necessary."""
        return await self._acted(turn) or await self.world.alice._new(BOT, self._a_moment)

    async def _acted(self, turn: Mapping[str, Any]) -> list[Shown]:
        alice, world = self.world.alice, self.world
        if "press" in turn:
            for shown in reversed(alice.sees()):
                label = next((one for one in shown.labels if turn["press"].casefold() in one.casefold()), "")
                if label:
                    return await alice.presses(shown, label)
            raise AssertionError(f"no button {turn['press']}")
        text, where = turn["say"], turn.get("where", "dm")
        if where == "command":
            return [await alice.types(text)]
        if where in {"mention", "channel"}:
            return await alice.mentions(text)
        thread = None
        if where == "thread":
            root = alice.hears()[-1]
            thread = root.json.get("thread_ts") or root.ts
        return await alice._new(BOT, lambda: world.slack.say(alice.id, BOT, text, thread))

    def _wrong(
        self, expected: Mapping[str, Any], shown: Sequence[Shown], done: Sequence[tuple[str, str, str]]
    ) -> list[str]:
        found = []
        text = "\n".join(one.read for one in shown).casefold()
        labels = [label for one in shown for label in one.labels]
        acts = {f"{verb} {name}@{place}".casefold() for verb, name, place in done}
        if (wanted := expected.get("does")) is not None:
            wanted = [] if wanted == "nothing" else [wanted] if isinstance(wanted, str) else wanted
            opened = [one for one in wanted if one.split()[0] == "open"]
            found += [f"gives no link: {one}" for one in opened if not self._opens(one, shown)]
            asked = [one.casefold() for one in wanted if one not in opened]
            missing = [one for one in asked if not any(_is(act, one) for act in acts)]
            surplus = [act for act in acts if not any(_is(act, one) for one in asked)]
            found += [f"did {sorted(acts)}, not {asked}"] if missing or surplus else []
        found += [f"doesn't say {one!r}" for one in expected.get("names", ()) if not says(text, one)]
        found += [
            f"doesn't offer {one!r}"
            for one in expected.get("offers", ())
            if not any(one.casefold() in label.casefold() for label in labels)
        ]
        for one in expected.get("never", ()):
            lead, _, rest = one.partition(": ")
            if lead == "offer":
                bad = [label for label in labels if _is(self._command(label, shown), rest.casefold())]
                found += [f"offers {bad}"] if bad else []
            elif any(_is(act, one.casefold()) for act in acts):
                found.append(f"did {one!r}")
            elif one.split()[0] not in _ACTS and one.casefold() in text:
                found.append(f"says {one!r}")
        if not shown and expected.get("names") != []:
            found.append("no answer")
        return found

    def _command(self, label: str, shown: Sequence[Shown]) -> str:
        """Return the action of the button with this label, and the connection that it acts on."""
        button = next(one.button(label) for one in shown if label in one.labels)
        key = str(button.get("value") or "").partition("@")[0]
        place = self._places.get(key, "")
        return f"{label.casefold()}@{place}" if place else label.casefold()

    _places: Mapping[str, str] = {}

    def _opens(self, wanted: str, shown: Sequence[Shown]) -> bool:
        name, _, place = wanted.partition(" ")[2].partition("@")
        servers = {"saturn": self.world.saturn, "hub": self.world.hub}
        keys = {
            key
            for at, server in servers.items()
            if place in {"", at}
            for key, one in server.state.resources.items()
            if one.name == name
        }
        return any(key in json.dumps(one.json) for key in keys for one in shown)

    async def _press_all(self) -> None:
        """Press each button that was offered. It's no problem if a button answers that it is out of date."""
        alice = self.world.alice
        pressed = set()
        offered = [(shown, button) for shown in self.offered for button in buttons_of(shown)]
        for shown, button in sorted(offered, key=lambda one: one[1]["action_id"].startswith("unlink")):
            key = (button.get("action_id"), button.get("value"))
            if str(button.get("action_id")).partition(":")[0] in LINKS or key in pressed:
                continue
            pressed.add(key)
            await self.world.pass_time(2)
            now = next((one for one in alice.sees(shown.channel) if one.ts == shown.ts), None)
            if now is None or button not in buttons_of(now):
                continue
            try:
                answers = await alice.clicks(now, button["action_id"])
            except (AssertionError, SlackError) as error:
                self.problems.append(f"pressing {button['text']['text']!r} fails: {str(error)[:200]}")
                continue
            wrong = [one.text for one in answers if _ERRORS.search(one.text)]
            if wrong:
                self.problems.append(f"pressing {button['text']['text']!r} says: {wrong[0][:300]}")


def buttons_of(shown: Shown) -> list[dict[str, Any]]:
    """Return a message's buttons, without the items of its menus."""
    return [one for one in buttons(shown.json) if "value" not in one.get("place", ())]


def _is(act: str, wanted: str) -> bool:
    """Return whether an act is the wanted one. If ``wanted`` names no connection, any will do."""
    return act == wanted or ("@" not in wanted and act.partition("@")[0] == wanted)


def says(text: str, wanted: str) -> bool:
    """Return whether a message contains something. A time of day may be written in either way."""
    wanted = wanted.casefold()
    clock = re.fullmatch(r"(\d{1,2}):(\d\d)", wanted)
    if clock is not None:
        later = f"{(int(clock[1]) % 12) + 12:02d}:{clock[2]}"
        return wanted in text or later in text
    return wanted in text


async def play(dialogue: Mapping[str, Any], folder: Path) -> list[str]:
    """Play one dialogue in a new world, and return the problems."""
    async with DialogueWorld(folder, dialogue["world"]).running() as world:
        player = Player(world, dialogue)
        rows = await world.bot.store.perform(workspaces.read_workspaces, world.principal())
        player._places = {one.id: one.connection for one in rows}
        return await player.play()


async def main(dialogues: Sequence[Mapping[str, Any]], *only: str) -> int:
    """Play dialogues, and print each result and a total. Return how many failed."""
    failed = 0
    chosen = [one for one in dialogues if not only or one["id"] in only]
    for dialogue in chosen:
        with tempfile.TemporaryDirectory() as folder:
            try:
                problems = await play(dialogue, Path(folder))
            except AssertionError as error:
                problems = [f"a rule was broken: {str(error)[:500]}"]
        failed += bool(problems)
        sys.stdout.write(f"{'FAIL' if problems else 'ok  '} {dialogue['id']}" + "\n")
        for one in problems:
            sys.stdout.write(f"  {one}" + "\n")
    sys.stdout.write(f"{len(chosen) - failed} of {len(chosen)}" + "\n")
    return failed


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[1]).read_text())
    sys.exit(min(asyncio.run(main(told, *sys.argv[2:])), 1))


__all__ = ["GENERAL", "LINKS", "TABLE", "DialogueWorld", "Player", "buttons_of", "play", "says"]
