"""The panel on the local Slack's page, which shows and controls the servers, the bot and a class."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from playground.demo.lesson import Course, Lesson
from playground.demo.switches import NAME, PROVIDERS, SLACK, Server
from playground.demo.usher import Usher
from playground.guard import guard
from playground.values import checked, loads

ANSWER_SECONDS = 3.0

Json = dict[str, Any]


class Backstage:
    """The panel's API. It sends requests to the servers whose URLs are in ``urls``, by name."""

    def __init__(
        self,
        urls: Mapping[str, str],
        usher: Usher,
        lesson: Lesson,
        course: Course,
        session: aiohttp.ClientSession,
    ) -> None:
        self.lesson = lesson
        self.course = course
        self._servers = {one.name: one for one in (*PROVIDERS, SLACK) if one.name in urls}
        self._urls = urls
        self._usher = usher
        self._session = session
        self.app = web.Application(middlewares=[guard()])
        self.app.router.add_get("/_playground/state", self._state)
        for name, deed in (("switch", self._switch), ("all-off", self._all_off)):
            self.app.router.add_post(f"/_playground/{name}", deed)
        self.app.router.add_post("/_playground/kill", self._kill)
        self.app.router.add_post("/_playground/class", self._class)
        self.app.router.add_post("/_playground/lesson", self._lesson)

    async def _state(self, _request: web.Request) -> web.Response:
        servers = await asyncio.gather(*(self._shown(one) for one in self._servers.values()))
        return web.json_response(
            {"ok": True, "servers": servers, "deeds": [self._bot(), await self._pupils(), self._taught()]}
        )

    async def _shown(self, server: Server) -> Json:
        shown: Json = {"name": server.name, "title": server.title, "facts": [], "switches": []}
        try:
            async with self._session.get(f"{self._urls[server.name]}/_playground/stats") as answer:
                stats = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return {**shown, "trouble": "This server isn't answering."}
        return {
            **shown,
            "facts": _facts(stats, has_starts=bool(server.starts)),
            "switches": [
                {
                    "name": one.name,
                    "label": one.label,
                    "explains": one.explains,
                    "on": any(map(one.is_set, stats["faults"])),
                }
                for one in server.switches
            ]
            + await self._shown_room(server),
        }

    async def _shown_room(self, server: Server) -> list[Json]:
        room = server.room
        if room is None:
            return []
        async with self._limit(server, {}) as answer:
            limits = await answer.json()
        is_on = all(limits[name] == value for name, value in room.limits.items())
        return [{"name": room.name, "label": room.label, "explains": room.explains, "on": is_on}]

    def _limit(self, server: Server, limits: Mapping[str, int | None]) -> Any:
        return self._session.post(f"{self._urls[server.name]}/_playground/limits", json=dict(limits))

    def _bot(self) -> Json:
        usher = self._usher
        facts = [
            _fact("state", "State", "Killed" if usher.is_away else f"Running (process {usher.child.pid})")
        ]
        facts.append(_fact("kills", "Kills", str(usher.kills)))
        if usher.away is not None:
            facts.append(_fact("away", "Away for", f"{usher.away:.1f} s"))
        note = "Usher is back." if usher.kills else ""
        if usher.is_away:
            note = "Usher is starting again …"
            if usher.has_failed:
                note += " It couldn't start: is a fault on for Slack?"
        return {
            "name": "kill",
            "title": "Usher",
            "button": "Kill and restart Usher",
            "explains": "Kills its process (kill -9) and starts it again. It picks up where it left off.",
            "busy": usher.is_away,
            "facts": facts,
            "note": note,
        }

    async def _pupils(self) -> Json:
        lesson = self.lesson
        counts = await lesson.counts()
        return {
            "name": "class",
            "title": f"A class of {lesson.people}",
            "button": f"Let {lesson.people} people press",
            "explains": (
                f"Olivia posts a class card in #training, and {lesson.people} people press its button at the "
                "same moment. Each gets a workspace of their own on Courses."
            ),
            "busy": lesson.is_busy,
            "facts": [_fact(label.lower(), label, value) for label, value in counts.items()],
            "note": lesson.note,
        }

    def _taught(self) -> Json:
        return {
            "name": "lesson",
            "title": "A course",
            "button": "Post its card",
            "explains": (
                "Olivia posts the card of a course in #training, with a lesson in a minute or two. Whoever "
                "joins has their own workspace for it."
            ),
            "busy": self.course.is_busy,
            "facts": [],
            "note": self.course.note,
        }

    async def _switch(self, request: web.Request) -> web.Response:
        try:
            values = checked(loads(await request.read()), ("server", "name", "on"))
            server = self._servers[values["server"]]
            switch, room = server.switch(values["name"]), server.room
            if room is not None and values["name"] == room.name:
                limits = {
                    name: value if values["on"] is True else None for name, value in room.limits.items()
                }
                return await self._answered([self._limit(server, limits)])
            if switch is None or type(values["on"]) is not bool:
                raise ValueError("no such switch")
        except (KeyError, TypeError, ValueError):
            return web.json_response({"ok": False, "error": "no_such_switch"}, status=400)
        url = f"{self._urls[server.name]}/_playground/faults"
        if values["on"]:
            asked = self._session.post(url, json=dict(switch.fault))
        else:
            asked = self._session.delete(url, params={"name": NAME})
        return await self._answered([asked])

    async def _all_off(self, _request: web.Request) -> web.Response:
        urls = (f"{self._urls[name]}/_playground/faults" for name in self._servers)
        asked = [self._session.delete(url, params={"name": NAME}) for url in urls]
        asked += [
            self._limit(server, dict.fromkeys(server.room.limits))
            for server in self._servers.values()
            if server.room is not None
        ]
        return await self._answered(asked)

    async def _answered(self, asked: list[Any]) -> web.Response:
        try:
            for answer in await asyncio.gather(*asked):
                answer.release()
        except (aiohttp.ClientError, TimeoutError):
            said = {"ok": False, "error": "no_answer", "message": "A server isn't answering."}
            return web.json_response(said)
        return web.json_response({"ok": True})

    async def _kill(self, _request: web.Request) -> web.Response:
        self._usher.kill()
        return web.json_response({"ok": True})

    async def _class(self, _request: web.Request) -> web.Response:
        self.lesson.begin()
        return web.json_response({"ok": True})

    async def _lesson(self, _request: web.Request) -> web.Response:
        self.course.begin()
        return web.json_response({"ok": True})


def _facts(stats: Json, *, has_starts: bool) -> list[Json]:
    facts = [_fact("requests", "Requests", f"{sum(stats['requests'].values()):,}")]
    if has_starts:
        gap = _seconds(stats["smallest_gap_s"])
        if stats["least_gap_s"] is not None:
            gap += f" (rule: {stats['least_gap_s']:g} s or more)"
        facts.append(_fact("reads", "Status reads", f"{stats['status_reads']:,}"))
        facts.append(_fact("gap", "Smallest gap between reads", gap))
        facts.append(_fact("starts", "Starts", f"{stats['starts']:,}"))
    facts.append(_fact("faults", "Faults injected", f"{stats['faults_given']:,}"))
    broken = Counter(str(one["rule"]) for one in stats["violations"])
    said = ", ".join(f"{rule}: {count:,}" for rule, count in broken.items())
    facts.append(_fact("violations", "Rules broken", said or "0"))
    return facts


def _fact(name: str, label: str, value: str) -> Json:
    return {"name": name, "label": label, "value": value}


def _seconds(value: float | None) -> str:
    return "none yet" if value is None else f"{value:.2f} s"


@asynccontextmanager
async def backstage(urls: Mapping[str, str], usher: Usher) -> AsyncIterator[str]:
    """Serve the panel's requests until the block ends. Yields the URL."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, aiohttp.ClientSession() as patient:
        lesson, course = Lesson(urls["slack"], urls["sphere"], patient), Course(urls["slack"], patient)
        made = Backstage(urls, usher, lesson, course, session)
        runner = web.AppRunner(made.app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
            await made.lesson.close()
            await made.course.close()
            await usher.close()
