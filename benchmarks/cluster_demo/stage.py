"""The setup of the demonstration: PostgreSQL, two Slack workspaces behind one address, and a Saturn Cloud."""

from __future__ import annotations

import json
import random
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.fernet import Fernet

from benchmarks.chaos.cluster import WEBS, balancer
from benchmarks.cluster_demo.supervisor import Supervisor
from benchmarks.crowd import CONNECTION, Crowd, Deployment, settle
from benchmarks.postgres import database
from benchmarks.workspaces import TEAMS, administrators, by_oauth, install, slack_workspaces
from bot.domain.workspaces import State
from playground import saturn as local_saturn
from playground.demo import ports
from playground.processes import StageError, bot_environment, free_port, reserved_port
from playground.slack import SlackServer, SlackWorkspaces

WORKERS = 3
CHANNEL = "C0GENERAL"
TRAINER = "U0TARA"


class Class(Crowd):
    """People who are assigned alternately to two Slack workspaces."""

    @staticmethod
    def team(number: int) -> str:
        """Return the Slack workspace that a person is in."""
        return list(TEAMS)[number % len(TEAMS)]

    @staticmethod
    def user(number: int) -> str:
        """Return a person's id in Slack, which belongs to somebody else in the other workspace."""
        return f"U0P{number // len(TEAMS):05d}"

    @staticmethod
    def workspace(_number: int) -> str:
        """Return the name of a person's workspace, which is the same for everybody."""
        return "notebook"


@dataclass(frozen=True, slots=True)
class Stage:
    """The local servers, the bot's processes, and the pages on which people watch."""

    people: Class
    slacks: SlackWorkspaces
    saturn: local_saturn.SaturnServer
    supervisor: Supervisor
    database: str
    pages: list[str]
    folder: Path

    def member(self, number: int) -> SlackServer:
        """Return a person's Slack workspace."""
        return self.slacks[self.people.team(number)]


@asynccontextmanager
async def stage(folder: Path, options: Namespace, tell: Callable[[str], None]) -> AsyncIterator[Stage]:
    """Start everything, and stop it all in the end, whatever happens. Raises StageError."""
    people, port, key = Class(options.people), reserved_port(), Fernet.generate_key().decode()
    bot_url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        tell("Starting PostgreSQL, two Slack workspaces and a Saturn Cloud …")
        # Started in this thread, so that an interruption can't leave the server running.
        server = stack.enter_context(database(folder))
        slacks = slack_workspaces({team: _seed(people, team) for team in TEAMS}, bot_url)
        saturn = _saturn(people, options)
        await stack.enter_async_context(slacks.running())
        pages = await stack.enter_async_context(slacks.pages(_ports(options.port)))
        runner = web.AppRunner(saturn.app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        saturn_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        tell(f"Linking {people.people} people …")
        await settle(people, Deployment(server.url, key, saturn_url), State.STOPPED)
        connections = folder / "connections.toml"
        connections.write_text(_connection(saturn_url, options.starts), encoding="utf-8")
        connections.chmod(0o600)
        given = slacks.credentials
        usual = bot_environment({**given, "bot_token": ""}, port, server.url, key, connections)
        environment = {
            **usual,
            **by_oauth(given),
            "USHER_ADMINS": administrators(TRAINER),
            "USHER_COMMAND": "/workspace",
            "USHER_HOST": "127.0.0.1",
        }
        supervisor = _supervisor(environment, folder, tell)
        await stack.enter_async_context(balancer(port, (web.url for web in supervisor.processes[:WEBS])))
        tell(f"Starting {WEBS} webs and {WORKERS} workers …")
        await stack.enter_async_context(supervisor.running())
        await supervisor.ready()
        for team, name in TEAMS.items():
            await install(bot_url, team, TRAINER)
            tell(f"Tara has installed Usher in {name}.")
        yield Stage(people, slacks, saturn, supervisor, server.url, pages, folder)


def _supervisor(environment: dict[str, str], folder: Path, tell: Callable[[str], None]) -> Supervisor:
    made = Supervisor(tell)
    kinds = [*(("web", n + 1) for n in range(WEBS)), *(("worker", n + 1) for n in range(WORKERS))]
    for kind, number in kinds:
        made.add(f"{kind}.{number}", ["usher", kind], environment, folder, reserved_port())
    return made


def _ports(asked: int) -> list[int]:
    """Return the ports of the two pages: those asked for, or else the usual ones, or else any free ones."""
    wanted = [(asked or ports.FIRST) + number for number in range(len(TEAMS))]
    try:
        return [free_port(port) for port in wanted]
    except StageError:
        if asked:
            raise
        return [0 for _ in wanted]


def _seed(people: Class, team: str) -> dict[str, Any]:
    sitting = [number for number in range(people.people) if people.team(number) == team]
    entries = [{"id": TRAINER, "name": "tara", "real_name": "Tara, trainer", "is_admin": True}]
    entries += [
        {"id": people.user(n), "name": people.username(n), "real_name": f"Person {n + 1}"} for n in sitting
    ]
    members = [*(str(entry["id"]) for entry in entries), "@bot"]
    return {
        "people": entries,
        "channels": [{"id": CHANNEL, "name": "general", "members": members}],
    }


def _saturn(people: Class, options: Namespace) -> local_saturn.SaturnServer:
    chance = random.Random(people.people)  # noqa: S311 - spreads readiness, protects nothing
    made = local_saturn.build(
        seed={
            "users": [{"name": people.username(n), "token": people.token(n)} for n in range(people.people)],
            "workspaces": [
                {
                    "owner": people.username(person),
                    "name": people.workspace(workspace),
                    "id": people.remote_id(person, workspace),
                    "start_seconds": chance.uniform(options.soonest, options.latest),
                }
                for person, workspace in people.pairs()
            ],
        }
    )
    made.state.limits.starts_per_second = options.starts
    return made


def _connection(saturn_url: str, starts: int) -> str:
    return (
        f'[connections.{CONNECTION}]\nprovider = "saturn"\ntitle = "Saturn Cloud"\nlinking = ["token"]\n'
        f"base_url = {json.dumps(saturn_url)}\nstarts_per_second = {starts}\n"
    )
