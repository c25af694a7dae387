"""Everything that the demo runs: a local Slack, local providers, a real JupyterHub, and the bot."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.fernet import Fernet

from playground.demo import kept, ports
from playground.demo.accounts import accounts, sign_outs
from playground.demo.backstage import backstage
from playground.demo.guests import Guest, invited
from playground.demo.people import NAMES, seeds
from playground.demo.usher import Usher, start_usher, wait_for_usher
from playground.processes import (
    HOME,
    Child,
    StageError,
    StoppedError,
    bot_environment,
    ready_line,
    start_child,
)

#: A Saturn Cloud template prepared by an operator. A class card creates everyone's workspace from it.
_COURSE = Path(__file__).with_name("course.json")
#: Launches on the Workbench that an operator has prepared. The forms offer these first.
_TEMPLATES = """\
[[connections.posit.templates]]
name = "gpu"
title = "RStudio with a GPU"
[connections.posit.templates.session]
workbench = "RStudio"
[connections.posit.templates.session.launch_parameters]
cluster = "Kubernetes"
container_image = "ghcr.io/acme/gpu:2024.12"
resource_profile = "large"

[[connections.posit.templates]]
name = "report"
title = "The nightly report"
[connections.posit.templates.job]
command = "Rscript report.R"
cluster = "Local"
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """The running servers and the demo's folder. ``slack`` to ``sphere`` are the servers' ready lines."""

    slack: dict[str, Any]
    saturn: dict[str, Any]
    hub: dict[str, Any]
    posit: dict[str, Any]
    sphere: dict[str, Any]
    bot_url: str
    folder: Path
    children: tuple[Child, ...]
    kept: kept.Kept
    guests: tuple[Guest, ...] = ()

    @property
    def page(self) -> str:
        """Return the URL of the local Slack's page, including the key that opens the list of accounts."""
        return f"{self.slack['url']}/#key={_key(self.kept)}"

    def ended(self) -> Child | None:
        """Return a process that has ended by itself, or None if all are running."""
        return next((child for child in self.children if child.has_ended), None)


@asynccontextmanager
async def stage(
    *,
    light: bool,
    slack_port: int | None = None,
    packages: Collection[str] = (),
    tell: Callable[[str], None],
    stop: asyncio.Event | None = None,
) -> AsyncIterator[Stage]:
    """Start everything, and stop it when the block ends, even after an error.

    Each server uses its usual port (see ``ports``) or the next free one. Raises StageError if a process
    fails, and StoppedError if ``stop`` is set before everything is running.
    """
    folder = Path(tempfile.mkdtemp(prefix="usher-demo-"))
    children: list[Child] = []
    try:
        held = kept.keep(kept.folder_of(os.environ), tell)
        port_of = ports.choose(slack_port or ports.FIRST, tell)
        guests = invited(packages, NAMES.values())
        tell("Starting a local Slack, Saturn Cloud, Workbench and Sphere Engine, and a real JupyterHub …")
        url = f"http://127.0.0.1:{port_of['usher']}"
        hub_words = ["--die-with-parent", "--oauth-redirect-uri", f"{url}/link/back/hub"]
        hub_words += ["--light"] if light else []
        for name in ("slack", "saturn", "jupyterhub", "posit", "sphere"):
            words = hub_words if name == "jupyterhub" else []
            place = ["--port", str(port_of[name]), *_seed(folder, name, held)]
            children.append(await start_child(name, ["playground", name, *words, *place], folder))
        for guest in guests:
            place = ["--port", "0", *write_seed(folder, guest.name, guest.seed)]
            children.append(await start_child(guest.name, [guest.module, *place], folder))
        lines = await _unless(stop, asyncio.gather(*map(ready_line, children)))
        servers = {child.name: line for child, line in zip(children, lines, strict=True)}
        slack, saturn, hub = servers["slack"], servers["saturn"], servers["jupyterhub"]
        posit, sphere = servers["posit"], servers["sphere"]
        tell("Starting Usher …")
        text = _connections(saturn, hub, posit, sphere)
        text += "".join(to_connection(one, servers[one.name]["url"]) for one in guests)
        environment = environment_of(folder, slack, text, port_of["usher"])
        children.append(await start_usher(folder, environment))
        coming = asyncio.gather(wait_for_usher(children[-1], url), manifest_of(environment))
        _, manifest = await _unless(stop, coming)
        await register(slack["url"], url, manifest)
        listed = {"key": _key(held), "people": accounts(servers, guests), "sign_outs": sign_outs(servers)}
        await _tell_slack(slack["url"], "accounts", listed)
        ours = servers.keys() & ports.SERVERS.keys()
        urls = {"hub" if name == "jupyterhub" else name: servers[name]["url"] for name in ours}
        async with backstage(urls, Usher(children[-1], url, folder, environment)) as address:
            await _tell_slack(slack["url"], "backstage", {"address": address})
            yield Stage(slack, saturn, hub, posit, sphere, url, folder, tuple(children), held, tuple(guests))
    finally:
        await asyncio.gather(*(child.stop() for child in reversed(children)))
        shutil.rmtree(folder, ignore_errors=True)


async def _unless(stop: asyncio.Event | None, work: asyncio.Future[Any]) -> Any:
    """Wait for work to finish; raise StoppedError if ``stop`` is set first."""
    stopping = asyncio.ensure_future((stop or asyncio.Event()).wait())
    try:
        await asyncio.wait([stopping, work], return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise StoppedError
        return work.result()
    finally:
        stopping.cancel()
        work.cancel()
        await asyncio.gather(stopping, work, return_exceptions=True)


def _key(held: kept.Kept) -> str:
    return held.password("the list of accounts")


def _seed(folder: Path, server: str, held: kept.Kept) -> list[str]:
    """Write the seed of a provider's server; return the command-line arguments that name the file."""
    seed = seeds(held).get(server)
    return [] if seed is None else write_seed(folder, server, seed)


def write_seed(folder: Path, server: str, seed: Mapping[str, Any]) -> list[str]:
    """Write a server's seed; return the command-line arguments that name the file."""
    path = folder / f"{server}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(seed), encoding="utf-8")
    return ["--seed", str(path)]


def write_connections(folder: Path, text: str) -> Path:
    """Write the connections file, and the course's file next to it. Return the path of the connections file.

    Usher refuses files that others can write. In a checkout made with umask 002, the course's file is such a
    file, so the copy gets its own mode.
    """
    connections, course = folder / "connections.toml", folder / _COURSE.name
    connections.write_text(text, encoding="utf-8")
    shutil.copyfile(_COURSE, course)
    for one in (connections, course):
        one.chmod(0o600)
    return connections


def environment_of(folder: Path, slack: dict[str, Any], text: str, port: int) -> dict[str, str]:
    """Write the connections file, and return the environment of a bot that uses the local Slack."""
    connections = write_connections(folder, text)
    given = slack["credentials"]
    (folder / "data").mkdir(mode=0o700)
    database = f"sqlite:///{folder / 'data' / 'usher.db'}"
    return bot_environment(given, port, database, Fernet.generate_key().decode(), connections) | {
        "SLACK_CLIENT_ID": given["client_id"],
        "SLACK_CLIENT_SECRET": given["client_secret"],
        "USHER_ADMINS": "U0AMIR",
        "USHER_ASSISTANT": "true",
        "USHER_COMMAND": "/workspace",
    }


def _connections(
    saturn: dict[str, Any], hub: dict[str, Any], posit: dict[str, Any], sphere: dict[str, Any]
) -> str:
    """Return the content of the connections file. JSON strings are also valid in TOML."""
    text = json.dumps
    return (
        "[connections.saturn]\n"
        'provider = "saturn"\ntitle = "Saturn Cloud"\nlinking = ["token"]\ncurrency = "USD"\n'
        f"base_url = {text(saturn['url'])}\n"
        '[[connections.saturn.templates]]\nname = "course"\ntitle = "Course notebook"\n'
        f"file = {text(_COURSE.name)}\n\n"
        "[connections.hub]\n"
        'provider = "jupyterhub"\ntitle = "Team hub"\nlinking = ["token"]\n'
        f"base_url = {text(hub['credentials']['api_url'])}\n"
        f"public_url = {text(hub['url'])}\n"
        f"client_secret = {text(hub['credentials']['oauth_client_secret'])}\n\n"
        "[connections.posit]\n"
        'provider = "posit"\ntitle = "Workbench"\nlinking = ["token", "admin"]\n'
        f"base_url = {text(posit['url'])}\n"
        f"super_admin_token = {text(posit['credentials']['super_admin_token'])}\n\n"
        f"{_TEMPLATES}\n"
        "[connections.courses]\n"
        'provider = "sphere"\ntitle = "Courses"\nlinking = ["none"]\n'
        f"base_url = {text(sphere['url'])}\n"
        f"access_token = {text(sphere['credentials']['access_token'])}\n"
        # Usher warns people five minutes before it stops an unused workspace. With this setting, someone
        # watching the demo sees the warning.
        "inactivity_minutes = 7\n"
    )


def to_connection(guest: Guest, url: str) -> str:
    """Return the table for a guest in the connections file."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in {**guest.settings, "base_url": url}.items()]
    return "\n".join(["", f"[connections.{guest.name}]", *lines, ""])


async def manifest_of(environment: dict[str, str]) -> dict[str, Any]:
    """Return the manifest that the bot prints for these connections. Some shortcuts depend on them."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "manifest", "--url", "https://usher.example.test", "--assistant"),
        stdout=asyncio.subprocess.PIPE,
        cwd=HOME,
        env={**os.environ, **environment},
    )
    printed, _ = await process.communicate()
    if process.returncode != 0:
        raise StageError("Usher printed no manifest")
    made: dict[str, Any] = json.loads(printed)
    return made


async def register(slack_url: str, bot_url: str, manifest: dict[str, Any]) -> None:
    """Register the app with its manifest, since the local Slack grants and sends only what a manifest names.

    The URL to which *Sign in with Slack* returns is added separately, as an operator does in Slack's form.
    """
    settings = {
        "manifest": manifest,
        "request_url": f"{bot_url}/slack/events",
        "assistant_url": f"{bot_url}/slack/mcp",
        "redirect_urls": [f"{bot_url}/link/slack"],
    }
    await _tell_slack(slack_url, "app", settings)


async def _tell_slack(slack_url: str, what: str, values: dict[str, Any]) -> None:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{slack_url}/_playground/{what}", json=values) as answer,
        ):
            taken = answer.status == 200
    except aiohttp.ClientError:
        taken = False
    if not taken:
        raise StageError(f"the local Slack did not take the settings of its {what}")


def say(line: str) -> None:
    """Print a line for the person at the terminal, without buffering."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
