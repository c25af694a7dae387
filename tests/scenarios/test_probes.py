"""The reactions of supervisors to the probes in ``deploy/``, tested with processes in every kind of trouble.

No supervisor may restart a process that a restart can't repair, or withhold requests from a web process that
gives people correct answers.
"""

import asyncio
import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import yaml

from bot.app import Process, Role
from bot.support.errors import SlackLimited, SlackPermanent
from bot.support.settings import Settings
from playground.processes import reserved_port
from tests.project.repository import ROOT
from tests.rigs import postgres
from tests.rigs.postgres_standby import own_server
from tests.rigs.prometheus import Scrapes
from tests.rigs.scenario import World, world
from tests.rigs.scenario.stage import inject_fault
from tests.rigs.store import run_pragma

DEPLOY = ROOT / "deploy"
#: The time that Slack waits for an answer, in seconds.
PATIENCE = 3.0
#: A supervisor's reaction: whether it restarts the process, and whether it counts the process as ready.
COUNTED, LEFT_OUT = (False, True), (False, False)


async def read_people(made):
    """Read the list of Slack's people, as soon as the other process isn't reading it."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await made.bot.context.people.sync()
            except SlackLimited:
                await asyncio.sleep(0.1)


@dataclass(frozen=True)
class Probes:
    """The probes that a deployment uses for a process. Without any, the process counts as healthy."""

    restarts_without: tuple[str, ...]
    counts_with: tuple[str, ...]

    async def play(self, port: int) -> tuple[bool, bool]:
        """Return whether the process would be restarted, and whether it would count as ready."""
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

            async def holds(path: str) -> bool:
                async with session.get(path) as answer:
                    return answer.status == 200

            restarts = not all([await holds(path) for path in self.restarts_without])
            return restarts, all([await holds(path) for path in self.counts_with])


def of_kubernetes(name: str, role: str) -> Probes:
    """Return the probes in a manifest, of the pod that runs this role."""
    parts = yaml.safe_load_all((DEPLOY / f"kubernetes/{name}.yaml").read_text(encoding="utf-8"))
    pods = [one["spec"]["template"]["spec"] for one in parts if "template" in one["spec"]]
    (runs,) = [pod["containers"][0] for pod in pods if pod["containers"][0]["args"] == [role]]
    paths = {kind: runs[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    return Probes((paths["startup"], paths["liveness"]), (paths["readiness"],))


def of_image() -> Probes:
    """Return the image's health check. Swarm and similar tools restart a container that is unhealthy."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^HEALTHCHECK .*\\\n\s+CMD (.*)$", text, re.MULTILINE)
    return Probes(tuple(re.findall(r"'GET', '([^']+)'", json.loads(command)[-1])), ())


#: Compose and systemd have no probes of their own. They restart a process when it exits.
WEB, WORKER = of_kubernetes("processes", "web"), of_kubernetes("processes", "worker")
SERVE = of_kubernetes("one-process", "serve")


class Probed(World):
    """Runs a web process and a worker in real time, on a database server that can be stopped."""

    async def start_bot(self) -> None:
        self.made = {role: self.process(role) for role in (Role.WEB, Role.WORKER)}
        self.starts = [asyncio.create_task(one.start()) for one in self.made.values()]
        self.bot = self.made[Role.WORKER]

    def process(self, role: Role) -> Process:
        port = self.port if role is Role.WEB else reserved_port()
        settings = Settings(**{**self.environment(), "PORT": str(port)})
        return Process(
            settings,
            self.connections(),
            self._bot_stack,
            role=role,
            start_pauses=(0.1,),
        )

    async def played(self) -> dict[Role, tuple[bool, bool]]:
        """Return a supervisor's reaction to each process. Fail if a process ended by itself."""
        assert not [task for task in self.starts if task.done() and task.exception()]
        found = {}
        for role, probes in ((Role.WEB, WEB), (Role.WORKER, WORKER)):
            found[role] = await probes.play(self.made[role].port)
            # The image's own health check agrees that a restart wouldn't help.
            assert await of_image().play(self.made[role].port) == COUNTED
        return found

    async def comes(self, web: tuple[bool, bool], worker: tuple[bool, bool]) -> None:
        """Wait until the supervisors react to the two processes as given."""
        found = None
        async with asyncio.timeout(60):
            while found != {Role.WEB: web, Role.WORKER: worker}:
                # Supervisors also probe several times before they react. There is a moment when one server
                # has given up the port and the next isn't listening yet.
                with suppress(aiohttp.ClientConnectorError):
                    found = await self.played()

    async def answer(self) -> str:
        """Type a command for a person, and return the answer, which has to come in time."""
        began = time.monotonic()
        answer = await self.slack.say(self.alice.id, "C0GENERAL", "/workspace start training")
        assert answer["ok"], answer
        assert time.monotonic() - began < PATIENCE
        return next(shown.text for shown in self.alice.sees("C0GENERAL") if shown.ts == answer["ts"])


async def test_no_supervisor_restarts_what_it_cannot_mend_or_takes_away_who_tells_the_truth(tmp_path):
    with own_server() as server:
        made = Probed(tmp_path, {"settings": {"USHER_DATABASE_URL": server.url}, "live": True})
        inject_fault(made.slack.harness, "/api/", status=503, times=1_000_000)
        async with made.running():
            await made.comes(LEFT_OUT, LEFT_OUT)
            worker, scrapes = made.made[Role.WORKER], Scrapes()
            await scrapes.take(worker.port)
            assert scrapes.last("usher_check", check="slack") == 0
            made.heal()
            await made.comes(COUNTED, COUNTED)
            # The problem that was reported while it waited isn't reported any more.
            await scrapes.take(worker.port)
            assert scrapes.last("usher_check", check="slack") == 1
            made._install(f"http://127.0.0.1:{made.port}")
            await asyncio.gather(*made.starts)
            async with asyncio.timeout(60):
                while await made.bot.store.person(made.principal()) is None:  # noqa: ASYNC110 - a row
                    await asyncio.sleep(0.05)
            assert "link" in (await made.answer()).lower()

            # Only the worker can't write: it has lost its connection, and gets no other.
            engine: Any = made.bot.store.engine
            writer = engine._session._connection.info.backend_pid
            with postgres.connected(server.url.replace("/postgres?", "/template1?")) as other:
                other.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
                other.execute("SELECT pg_terminate_backend(%s)", [writer])
                await made.comes(COUNTED, LEFT_OUT)
                other.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS true")
            await made.comes(COUNTED, COUNTED)

            # The database is down. Everybody still gets an answer, and it is true.
            server._server.stop()
            await made.comes(COUNTED, LEFT_OUT)
            assert "I haven't" in await made.answer()
            server._server.ensure_postgres_running()
            await made.comes(COUNTED, COUNTED)

            # The token is revoked. Commands are still answered, but messages can't be sent.
            for token in made.slack.state.tokens.values():
                token.revoked = True
            with pytest.raises(SlackPermanent):
                await read_people(made)
            await made.comes(COUNTED, LEFT_OUT)
            assert "link" in (await made.answer()).lower()


async def test_one_process_that_can_neither_write_nor_send_still_answers(tmp_path):
    async with world(tmp_path, live=True) as made:

        async def comes(wanted, **checks):
            async with asyncio.timeout(60), aiohttp.ClientSession() as session:
                while await SERVE.play(made.port) != wanted or not checks.items() <= made_checks.items():
                    async with session.get(f"http://127.0.0.1:{made.port}/workz") as answer:
                        made_checks.update((await answer.json())["checks"])

        made_checks: dict[str, bool] = {}
        await comes(COUNTED, store=True, sending=True)
        await made.alice.has_linked("alice")
        await made.alice.writes("list")
        store = made.bot.store
        await run_pragma(store, "query_only = ON")
        await comes(COUNTED, store=False)
        assert "I haven't" in (await made.alice.types("start training")).text
        await run_pragma(store, "query_only = OFF")
        for token in made.slack.state.tokens.values():
            token.revoked = True
        with pytest.raises(SlackPermanent):
            await read_people(made)
        await comes(COUNTED, store=True, sending=False)
