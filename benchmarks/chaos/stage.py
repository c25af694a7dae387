"""What the chaos run plays on: a local Slack and Saturn Cloud full of people whom the database knows."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.domain.models import Account, Link, Person, Principal, Snapshot, State
from bot.providers.base import Credential
from bot.providers.connections import build_providers, load_connections
from bot.providers.contract import Scheduled
from bot.providers.saturn.offers import Offer
from bot.services.snapshots import payload_of
from bot.store import open_store
from bot.store.records import Activation, FoundWorkspace
from bot.support.clock import SystemClock, SystemIds
from bot.support.http import Http
from bot.support.vault import Vault, row_key
from playground import saturn as local_saturn
from playground import slack as local_slack
from playground.faults import ASKED, Act
from playground.processes import bot_environment, free_port

CHANNEL = "C0GENERAL"
CONNECTION = "saturn"
WORKSPACES = ("red", "green", "blue")
JOBS = ("nightly", "report")
RECIPE = "course"
ADMIN = "U0ADMIN"


@dataclass(slots=True)
class Called:
    """Note a start, stop or run that the local Saturn Cloud was asked for, faults or not.

    ``begun`` are the lives (pods) that came of it, which may be later than the call.
    """

    at: float
    resource: str
    verb: str
    begun: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Stage:
    """Hold the local servers, where they are, and what the bot's environment says."""

    folder: Path
    slack: local_slack.SlackServer
    saturn: local_saturn.SaturnServer
    users: list[str]
    port: int
    #: The URL of a PostgreSQL database.
    server: str = ""
    slack_url: str = ""
    saturn_url: str = ""
    keys: str = field(default_factory=lambda: Fernet.generate_key().decode())
    calls: list[Called] = field(default_factory=list)

    @property
    def database(self) -> str:
        """Return the URL of the bot's database: a SQLite file, unless there is a server."""
        return self.server or f"sqlite:///{self.folder / 'usher.db'}"

    @property
    def names(self) -> tuple[str, ...]:
        """Return what everybody's workspaces are called from the beginning."""
        return WORKSPACES

    @property
    def bot_url(self) -> str:
        """Return where the bot listens."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the settings of the bot as its environment gives them."""
        given, connections = self.slack.credentials, self.folder / "connections.toml"
        return bot_environment(given, self.port, self.database, self.keys, connections) | {
            "USHER_COMMAND": "/workspace",
            "USHER_JOB_COMMAND": "/job",
            "USHER_ADMINS": ADMIN,
            "USHER_LOG_FORMAT": "json",
            "USHER_LOG_LEVEL": "info",
        }

    def secrets(self) -> list[str]:
        """Return what must stand in no message and no log."""
        given = self.slack.credentials
        tokens = [self.token(user) for user in self.users]
        return [self.keys, given["bot_token"], given["signing_secret"], *tokens]

    def token(self, user: str) -> str:
        """Return the credential with which a person is linked."""
        accounts = self.saturn.state.accounts
        return accounts.user_token(accounts.people[user.lower()])

    def principal(self, user: str) -> Principal:
        """Return how the bot knows a person."""
        return Principal(None, self.slack.state.team.id, user)


def _slack_seed(users: list[str]) -> dict[str, Any]:
    people = [{"id": user, "name": user.lower(), "real_name": f"Person {user[2:]}"} for user in users]
    people.append({"id": ADMIN, "name": "admin", "real_name": "Admin"})
    channel = {"id": CHANNEL, "name": "general", "members": [*users, "@bot"]}
    return {"people": people, "channels": [channel], "app": {"commands": ["/workspace", "/job"]}}


def _saturn_seed(users: list[str], chance: random.Random) -> dict[str, Any]:
    return {
        "page_size": 50,
        "users": [{"name": user.lower()} for user in users],
        "workspaces": [
            {
                "owner": user.lower(),
                "name": name,
                "start_seconds": round(chance.uniform(1.0, 8.0), 2),
                "stop_seconds": round(chance.uniform(0.2, 4.0), 2),
                "fail": chance.random() < 0.05,
            }
            for user in users
            for name in WORKSPACES
        ],
        "jobs": [
            {
                "owner": user.lower(),
                "name": name,
                "start_seconds": round(chance.uniform(0.5, 4.0), 2),
                "run_seconds": round(chance.uniform(1.0, 15.0), 2),
                "exit_code": int(chance.random() < 0.1),
            }
            for user in users
            for name in JOBS
        ],
    }


@asynccontextmanager
async def stage(folder: Path, people: int, chance: random.Random, server: str = "") -> AsyncIterator[Stage]:
    """Serve both and link everybody; nothing of the bot runs yet."""
    users = [f"U0{number:04d}" for number in range(people)]
    made = Stage(
        folder,
        local_slack.build(seed=_slack_seed(users)),
        local_saturn.build(seed=_saturn_seed(users, chance)),
        users,
        free_port(),
        server,
    )
    # Innermost: what is noted here was accepted, whatever a fault makes of the answer.
    made.saturn.app.middlewares.append(_noting(made))
    async with AsyncExitStack() as stack:
        made.slack_url = await stack.enter_async_context(made.slack.running())
        runner = web.AppRunner(made.saturn.app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.saturn_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        made.slack.state.app.request_url = f"{made.bot_url}/slack/events"
        _write_connections(made)
        await _link_everybody(made)
        yield made


def _noting(made: Stage) -> Any:
    @web.middleware
    async def note(request: web.Request, handler: Any) -> web.StreamResponse:
        parts = request.path.split("/")
        resource = made.saturn.state.resources.get(parts[3]) if len(parts) == 5 else None
        if request.method == "POST" and resource is not None:
            called = Called(made.saturn.harness.clock.now(), resource.id, parts[4])
            made.calls.append(called)
            asked = request[ASKED]

            def noted(do: Act) -> Act:
                def act(at: float) -> None:
                    before = {run.name for run in resource.runs}
                    do(at)
                    called.begun += [run.name for run in resource.runs if run.name not in before]

                return act

            request[ASKED] = replace(asked, do=lambda do: asked.do(noted(do)))
        response: web.StreamResponse = await handler(request)
        return response

    return note


def _write_connections(made: Stage) -> None:
    recipe, path = made.folder / "course.json", made.folder / "connections.toml"
    recipe.write_text(json.dumps({"type": "workspace", "spec": {"name": "x", "owner": "acme/teacher"}}))
    recipe.chmod(0o600)
    path.write_text(
        f'[connections.{CONNECTION}]\nprovider = "saturn"\ntitle = "Saturn Cloud"\n'
        f'linking = ["token"]\nbase_url = {json.dumps(made.saturn_url)}\n'
        f'[[connections.{CONNECTION}.recipes]]\nname = "{RECIPE}"\nfile = {json.dumps(str(recipe))}\n',
        encoding="utf-8",
    )
    path.chmod(0o600)


def _offer(account: Account, jobs: list[Any], now: float) -> Snapshot:
    """Return what a form would have been told, so that no command has to wait for it."""
    scheduled = tuple(Scheduled(job.id, job.name, "") for job in jobs)
    offer = Offer(owner=f"acme/{account.username}", jobs=scheduled)
    return Snapshot(CONNECTION, account.id, "templates", payload_of(offer), now)


async def _link_everybody(made: Stage) -> None:
    """Write people, accounts and workspaces as linking and listing would have."""
    store = await open_store(made.database, SystemClock(), SystemIds())
    vault = Vault([made.keys])
    try:
        await store.migrate()
        async with Http.new_session() as session:
            connections = load_connections(made.folder / "connections.toml")
            provider = build_providers(connections, Http(session))[CONNECTION]
        now = await store.now()
        await store.save_people(
            [Person(made.principal(user), f"Person {user[2:]}", seen_at=now) for user in (*made.users, ADMIN)]
        )
        for number, user in enumerate(made.users):
            principal, name = made.principal(user), user.lower()
            token = SecretStr(made.token(user))
            secret = vault.seal(row_key(principal.key, CONNECTION), Credential(token).as_mapping())
            account = Account(f"account_{number}", principal, CONNECTION, name, secret, "active", now)
            link = Link(f"{number:064x}", principal, CONNECTION, None, now, now + 600)
            await store.new_link(link)
            if await store.activate(link.nonce_hash, "open", Activation(account)) != "ok":
                raise RuntimeError(f"{user} was not linked")
            theirs = [one for one in made.saturn.state.resources.values() if one.owner == name]
            mine = [one for one in theirs if one.type == "workspace"]
            await store.merge_discovered(
                account.id,
                [FoundWorkspace(o.id, provider.gate_key(o.id), o.name, State.STOPPED) for o in mine],
            )
            await store.save_snapshot(_offer(account, [one for one in theirs if one.type == "job"], now))
    finally:
        await store.close()
