"""The world of the fortnight: a Saturn Cloud, a Workbench, and a database that survives restarts."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.store.store import Store
from bot.support.clock import Clock, Ids
from playground.slack.records import Message
from tests.rigs.scenario.people import Person
from tests.rigs.scenario.shown import Shown
from tests.rigs.scenario.workbench import WorkbenchWorld
from tests.rigs.term import BERLIN, HOUR, TermWorld, at

#: The people: Liv is busy, Tess teaches five students, three people wait for the GPU that Dee has, Carol
#: leaves the company, and Quin asks to be linked.
STUDENTS = ("sam", "sol", "sue", "syd", "syl")
WAITING = ("ana", "ben", "cem")
LINKED = ("liv", "tess", *STUDENTS, *WAITING, "dee", "carol")
PEOPLE = (*LINKED, "quin", "amir")
#: People whose messages are read. They include a student who stays in the course and one who leaves it.
READERS = ("liv", "tess", "sam", "syl", *WAITING, "dee", "quin", "amir")
GENERAL = "C0GENERAL"
OPENS, CLOSES = at("2026-11-09", "7:00"), at("2026-11-22", "20:30")
#: The course and its end, and the workspaces that plans only ever start.
COURSE, COURSE_ENDS = "Biology", at("2026-11-19", "10:30")
STARTED_ONLY = {("liv", "training")}
#: Step sizes of the clock in seconds: while something happens, by day, and by night.
BUSY_STEP, DAY_STEP, NIGHT_STEP = 5.0, 30.0, 900.0
#: Hours of the day in which people plan things.
DAY_HOURS = range(7, 20)
_MARK = re.compile(r"<!date\^(\d+)\^([^|^>]*)[^|>]*\|[^>]*>")
_TIMES = {"start_seconds": 45.0, "stop_seconds": 4.0}
_GPU = {"name": "gpu", "instance_type": "g4dnxlarge", **_TIMES}


def user_id(name: str) -> str:
    """Return the Slack id of a person, by their username at the providers."""
    return f"U0{name.upper()}"


def read_at(text: str, now: float) -> str:
    """Replace the date markup in a message by what Slack shows to somebody in Berlin at the given time."""
    today = datetime.fromtimestamp(now, BERLIN).date()
    names = {0: "today", 1: "tomorrow", -1: "yesterday"}

    def read_mark(mark: re.Match[str]) -> str:
        moment = datetime.fromtimestamp(int(mark[1]), BERLIN)

        def read_part(part: re.Match[str]) -> str:
            if "time" in part[0]:
                return f"{moment:%H:%M}"
            pretty = names.get((moment.date() - today).days) if "pretty" in part[0] else None
            return pretty or f"{moment:%-d %b}"

        return re.sub(r"{[a-z_]+}", read_part, mark[2])

    return _MARK.sub(read_mark, text)


def _workspace(owner: str, name: str, **more: Any) -> dict[str, Any]:
    return {"owner": owner, "name": name, **_TIMES, **more}


SATURN_SEED: dict[str, Any] = {
    "page_size": 50,
    "dialect": "2026",
    "users": [{"name": name} for name in LINKED],
    "workspaces": [
        *(_workspace(name, "notebook") for name in ("liv", "tess", *STUDENTS, "carol")),
        *(_workspace("liv", name) for name in ("training", "report", "thesis")),
        _workspace("liv", "scratch", status="running"),
        _workspace("carol", "bench", status="running"),
        *({"owner": name, **_GPU} for name in WAITING),
        {"owner": "dee", **_GPU, "status": "running"},
    ],
    "jobs": [{"owner": "liv", "name": "failing", "command": "python import.py", "exit_code": 3}],
}
WORKBENCH_TOKENS = {"liv": "l1v-token-at-workbench"}
POSIT_SEED: dict[str, Any] = {
    "users": [
        {"name": "liv", "token": WORKBENCH_TOKENS["liv"], "password": "pw-liv"},
        {"name": "quin", "token": "qu1n-token-at-workbench", "password": "pw-quin"},
        {"name": "admin", "super_admin": True},
    ],
    "tokens": [
        {
            "name": "super",
            "kind": "super-admin",
            "user": "admin",
            "token": "the-super-admin-token-of-workbench",
        }
    ],
    "sessions": [{"owner": "liv", "name": "analysis", "state": "suspended"}],
}


def _slack_seed() -> dict[str, Any]:
    people = [
        {"id": user_id(name), "name": name, "real_name": name.title(), "tz": "Europe/Berlin"}
        for name in PEOPLE
    ]
    members = [user_id(name) for name in PEOPLE]
    return {"people": people, "channels": [{"id": GENERAL, "name": "general", "members": [*members, "@bot"]}]}


class FortnightWorld(TermWorld, WorkbenchWorld):
    """All participants, and every message that each of them receives."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            OPENS,
            slack_seed=_slack_seed(),
            saturn_seed=SATURN_SEED,
            posit_seed=POSIT_SEED,
            tokens={"wb": WORKBENCH_TOKENS},
            # The database is in memory, so a copy of the process has its own copy of it.
            settings={"USHER_DATABASE_URL": "sqlite:///:memory:"},
        )
        self.saturn.state.limits.gpus = 1
        #: Whether the Workbench is among the configured connections.
        self.has_workbench = True
        #: Whether the provider is down, and the people whose sign-in it refuses.
        self.is_away = False
        self.refused: set[str] = set()
        #: Everything that each person wrote or pressed and everything that happened to them, with the times.
        self.acts: list[tuple[float, str, str]] = []
        self._database = b""

    def named(self, name: str) -> Person:
        """Return a person by their username at the providers."""
        return self.person(user_id(name))

    async def begin(self) -> None:
        """Link everybody who is already linked when the fortnight begins."""
        for name in LINKED:
            await self.named(name).has_linked(name)
        await self.named("liv").has_linked("liv", "wb", is_named=False)
        await self.pass_time(60, step=10)

    def machine(self, owner: str, name: str) -> Any:
        """Return a workspace on Saturn Cloud."""
        return self.resource(name, owner)

    # -- what happens to providers -------------------------------------------------------------------------

    async def go_away(self) -> None:
        """Make Saturn Cloud stop answering."""
        self.is_away = True
        self.saturn_fails("/api/", status=503, times=None, name="outage")

    async def come_back(self) -> None:
        """Make Saturn Cloud answer again."""
        self.is_away = False
        self.heal()

    async def refuse(self, name: str) -> None:
        """Make Saturn Cloud refuse a person's sign-in."""
        self.refused.add(name)
        self.saturn.state.accounts.mark(name, "revoked")

    async def link_again(self, name: str) -> None:
        """Make a person link their account again, through the whole procedure."""
        self.refused.discard(name)
        await self.named(name).links(name)

    async def remove_workbench(self) -> None:
        """Remove the Workbench from the connections, and restart the bot, as that requires."""
        self.has_workbench = False
        self._database = self.bot.store.engine.serialized()  # type: ignore[attr-defined]
        await self.stop_bot()
        await self.start_bot()

    async def _open_store(self, url: str, clock: Clock, ids: Ids) -> Store:
        store = await super()._open_store(url, clock, ids)
        if self._database:
            with closing(sqlite3.connect(":memory:")) as copy:
                copy.deserialize(self._database)
                copy.backup(store.engine._session.connection)  # type: ignore[attr-defined]
        return store

    def connections(self) -> dict[str, Any]:
        found = super().connections()
        return found if self.has_workbench else {name: one for name, one in found.items() if name != "wb"}

    # -- time ----------------------------------------------------------------------------------------------

    async def pass_until(self, moment: float) -> None:
        """Advance the clock to a given time, in small steps while something happens, else in larger ones."""
        pause = BUSY_STEP
        while (now := self.clock.now()) < moment:
            if now - self._known_at > 12 * HOUR:
                self._known_at = now
                await self.know_everybody()
            self.clock.advance(max(min(pause, moment - now), 0.1))
            longest = DAY_STEP if self.now.hour in DAY_HOURS else NIGHT_STEP
            pause = BUSY_STEP if await self.settle() else min(2 * pause, longest)

    @staticmethod
    def _read(shown: Shown) -> str:
        return read_at(shown.text, float(shown.json.get("edited", {}).get("ts", 0) or shown.ts))

    def _heard(self, what: str, message: Message, before: dict[str, Any] | None) -> None:
        if what == "changed" and before is not None:
            now = message.to_json()
            if (now.get("text"), now.get("blocks")) == (before.get("text"), before.get("blocks")):
                return
        super()._heard(what, message, before)
