"""The setup of the chaos run: one or two local Slack workspaces and a local Saturn Cloud, already linked."""

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
from pydantic_core import to_jsonable_python

from benchmarks.workspaces import TEAMS, administrators, by_oauth, install, slack_workspaces
from bot.domain import people
from bot.domain.accounts import Account
from bot.domain.people import Principal
from bot.domain.snapshots import Snapshot
from bot.domain.workspaces import State
from bot.providers import build_providers
from bot.providers.base import Credential
from bot.providers.saturn.offers import ListedJob, SaturnOffer
from bot.store import discovered, open_store, snapshots
from bot.support.clock import SystemClock, SystemIds
from bot.support.http import Http
from bot.support.vault import Vault, row_key
from playground import saturn as local_saturn
from playground import slack as local_slack
from playground.faults import ASKED, Act
from playground.harness import Harness
from playground.processes import bot_environment, reserved_port
from playground.slack.history import History
from tests.rigs.connections import load_connections
from tests.rigs.store import listed_workspace, put_account

CHANNEL = "C0GENERAL"
CONNECTION = "saturn"
WORKSPACES = ("red", "green", "blue")
#: The workspace that people never stop themselves, because their hours stop it.
KEPT = "gray"
JOBS = ("nightly", "report")
#: The job that everybody requests once with a message.
SPOKEN_JOB = "survey"
RECIPE = "course"
ADMIN = "U0ADMIN"


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A person in a Slack workspace. If there are several workspaces, the same id is someone else in each."""

    slack: local_slack.SlackServer
    user: str
    #: At the provider.
    name: str

    @property
    def principal(self) -> Principal:
        """Return the bot's identifier for this person."""
        return Principal(None, self.slack.state.team.id, self.user)


@dataclass(slots=True)
class Called:
    """A start, stop or run requested from the local Saturn Cloud, whether or not a fault hit the call.

    ``begun`` lists the pods that were started because of the call, which may be some time after it.
    """

    at: float
    resource: str
    verb: str
    begun: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Stage:
    """The local servers, their addresses, and the settings that the bot gets in its environment."""

    folder: Path
    #: Either one workspace, whose bot token is in the environment, or several, where the bot is installed by
    #: OAuth.
    slacks: list[local_slack.SlackServer]
    #: The secrets and ids that an operator would copy from Slack's pages.
    given: dict[str, Any]
    saturn: local_saturn.SaturnServer
    people: list[Person]
    port: int
    #: What people read in each.
    histories: list[History]
    #: The URL of a PostgreSQL database; "" for a SQLite file.
    server: str = ""
    keys: str = field(default_factory=lambda: Fernet.generate_key().decode())
    calls: list[Called] = field(default_factory=list)

    @property
    def database(self) -> str:
        """Return the URL of the bot's database: PostgreSQL if there is a server, a SQLite file otherwise."""
        return self.server or f"sqlite:///{self.folder / 'usher.db'}"

    @property
    def slack_harness(self) -> Harness:
        """Return the harness that counts requests to Slack and injects faults, for all workspaces."""
        return self.slacks[0].harness

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the workspaces that everybody has at the start."""
        return *WORKSPACES, KEPT

    @property
    def bot_url(self) -> str:
        """Return where the bot listens."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the environment variables with the bot's settings."""
        connections = self.folder / "connections.toml"
        given = {"bot_token": "", **self.given}
        is_oauth = len(self.slacks) > 1
        return bot_environment(given, self.port, self.database, self.keys, connections) | {
            **(by_oauth(given) if is_oauth else {}),
            "USHER_COMMAND": "/workspace",
            "USHER_JOB_COMMAND": "/job",
            "USHER_ADMINS": administrators(ADMIN) if is_oauth else ADMIN,
            "USHER_LOG_LEVEL": "info",
        }

    async def install(self) -> None:
        """Install the bot by OAuth in each Slack workspace without a bot token. Raises StageError."""
        for slack in self.slacks:
            if not slack.state.app.installed:
                await install(self.bot_url, slack.state.team.id, ADMIN)

    def secrets(self) -> list[str]:
        """Return the secrets that must not appear in any message or log."""
        known = [self.given[name] for name in ("signing_secret", "client_secret") if name in self.given]
        bots = [token.value for slack in self.slacks for token in slack.state.tokens.values()]
        return [self.keys, *known, *bots, *map(self.token, self.people)]

    def token(self, person: Person) -> str:
        """Return the credential with which a person's account is linked."""
        accounts = self.saturn.state.accounts
        return accounts.user_token(accounts.people[person.name])

    def admins(self) -> list[Principal]:
        """Return the administrators, one for each Slack workspace."""
        return [Principal(None, slack.state.team.id, ADMIN) for slack in self.slacks]


def _slack_seed(users: list[str]) -> dict[str, Any]:
    admin = {"id": ADMIN, "name": "admin", "real_name": "Admin", "is_admin": True}
    others = [{"id": user, "name": user.lower(), "real_name": f"Person {user[2:]}"} for user in users]
    channel = {"id": CHANNEL, "name": "general", "members": [*users, "@bot"]}
    return {"people": [*others, admin], "channels": [channel], "app": {"commands": ["/workspace", "/job"]}}


def _workspace(owner: str, name: str, chance: random.Random) -> dict[str, Any]:
    """Describe a workspace to the local Saturn Cloud; about one start in twenty fails.

    A failing start takes longer than the time between two reads, as it does on a real server.
    """
    fails = chance.random() < 0.05
    return {
        "owner": owner,
        "name": name,
        "start_seconds": round(chance.uniform(*((12.0, 15.0) if fails else (1.0, 8.0))), 2),
        "stop_seconds": round(chance.uniform(0.2, 4.0), 2),
        "fail": fails,
    }


def _saturn_seed(names: list[str], chance: random.Random) -> dict[str, Any]:
    return {
        "page_size": 50,
        "users": [{"name": one} for one in names],
        "workspaces": [_workspace(owner, name, chance) for owner in names for name in (*WORKSPACES, KEPT)],
        "jobs": [
            {
                "owner": owner,
                "name": name,
                "start_seconds": round(chance.uniform(0.5, 4.0), 2),
                "run_seconds": round(chance.uniform(1.0, 15.0), 2),
                "exit_code": int(chance.random() < 0.1),
            }
            for owner in names
            for name in (*JOBS, SPOKEN_JOB)
        ],
    }


@asynccontextmanager
async def stage(folder: Path, people: int, chance: random.Random, server: str = "") -> AsyncIterator[Stage]:
    """Start the local servers and link everybody's accounts, without starting the bot.

    With the URL of a database server, there are two Slack workspaces, where the bot is installed by OAuth.
    """
    port = reserved_port()
    names = [f"u0{number:04d}" for number in range(people)]
    saturn = local_saturn.build(seed=_saturn_seed(names, chance))
    async with AsyncExitStack() as stack:
        if server:
            half = [f"U0{number:04d}" for number in range(-(-people // len(TEAMS)))]
            bot_url = f"http://127.0.0.1:{port}"
            several = slack_workspaces({team: _slack_seed(half) for team in TEAMS}, bot_url)
            await stack.enter_async_context(several.running())
            slacks, given = several.members, several.credentials
        else:
            alone = local_slack.build(seed=_slack_seed([name.upper() for name in names]))
            await stack.enter_async_context(alone.running())
            alone.state.app.request_url = f"http://127.0.0.1:{port}/slack/events"
            slacks, given = [alone], alone.credentials
        count = len(slacks)
        sitting = [Person(slacks[n % count], f"U0{n // count:04d}", name) for n, name in enumerate(names)]
        histories = [History.of(slack.state) for slack in slacks]
        made = Stage(folder, slacks, given, saturn, sitting, port, histories, server)
        # This middleware is the innermost, so it notes what was accepted even if a fault changes the
        # response.
        saturn.app.middlewares.append(_noting(made))
        runner = web.AppRunner(saturn.app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        _write_connections(made, f"http://127.0.0.1:{runner.addresses[0][1]}")
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


def _write_connections(made: Stage, saturn_url: str) -> None:
    recipe, path = made.folder / "course.json", made.folder / "connections.toml"
    recipe.write_text(json.dumps({"type": "workspace", "spec": {"name": "x", "owner": "acme/teacher"}}))
    recipe.chmod(0o600)
    path.write_text(
        f'[connections.{CONNECTION}]\nprovider = "saturn"\ntitle = "Saturn Cloud"\n'
        f'linking = ["token"]\nbase_url = {json.dumps(saturn_url)}\n'
        f'[[connections.{CONNECTION}.templates]]\nname = "{RECIPE}"\nfile = {json.dumps(str(recipe))}\n',
        encoding="utf-8",
    )
    path.chmod(0o600)


def _offer(account: Account, jobs: list[Any], now: float) -> Snapshot[dict[str, Any]]:
    """Return the snapshot that a form would have read and stored, so that no command has to wait for it."""
    scheduled = tuple(ListedJob(job.id, job.name) for job in jobs)
    offer = SaturnOffer(owner=f"acme/{account.username}", jobs=scheduled)
    return Snapshot(CONNECTION, account.id, "templates", to_jsonable_python(offer), now)


async def _link_everybody(made: Stage) -> None:
    """Write the rows that there would be if everybody had linked an account and listed their workspaces."""
    store = await open_store(made.database, SystemClock(), SystemIds())
    vault = Vault([made.keys])
    try:
        await store.migrate()
        async with Http.new_session() as session:
            connections = load_connections(made.folder / "connections.toml")
            provider = build_providers(connections, Http(session))[CONNECTION]
        now = await store.now()
        known = [(one.principal, f"Person {one.name}") for one in made.people]
        known += [(admin, "Admin") for admin in made.admins()]
        await store.save_people([people.Person(principal, name, seen_at=now) for principal, name in known])
        for number, person in enumerate(made.people):
            principal, name = person.principal, person.name
            token = SecretStr(made.token(person))
            secret = vault.seal(row_key(principal.key, CONNECTION), Credential(token).as_mapping())
            account = Account(f"account_{number}", principal, CONNECTION, name, secret, "active", now)
            await put_account(store, account)
            theirs = [one for one in made.saturn.state.resources.values() if one.owner == name]
            mine = [one for one in theirs if one.type == "workspace"]
            await store.perform(
                discovered.merge_discovered,
                account.id,
                [listed_workspace(o.id, provider.gate_key(o.id), o.name, State.STOPPED) for o in mine],
            )
            await store.write(
                snapshots.save_snapshot, _offer(account, [one for one in theirs if one.type == "job"], now)
            )
    finally:
        await store.close()
