"""Starts a real hub and its proxy, waits until it responds, and ends all its processes."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

import playground
from playground.harness import Harness
from playground.jupyterhub import forwarder, runtime
from playground.jupyterhub.options import Options
from playground.processes import StageError, free_port, reserved_port

START_SECONDS = 60.0
#: Seconds after SIGTERM at which a hub that is still running is killed. Everything must be gone within 5 s.
STOP_SECONDS = 4.0
OAUTH_CLIENT_ID = "service-usher"
#: The scopes of people's tokens: for their servers, their own page and their tokens, and for opening their
#: servers.
SCOPES = ("servers!user", "read:users!user", "tokens!user", "access:servers!user")
#: The scopes that the OAuth client may request.
OAUTH_SCOPES = ("servers!user", "access:servers!user", "read:users:name!user", "tokens!user")
#: Variables that are passed on to the hub. The rest of the environment may contain secrets that it doesn't
#: need.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "PYTHONDONTWRITEBYTECODE")
_HERE = Path(__file__).parent


class HubError(OSError):
    """Raised if the hub doesn't start. The message says why."""


@dataclass(frozen=True, slots=True)
class Hub:
    """The values that are needed to use a running hub.

    ``url`` is that of the hub's own proxy, for people; ``api_url`` is that of the hub's API behind the
    forwarder. ``users`` maps each name to ``{"password", "token"}``.
    """

    url: str
    api_url: str
    users: dict[str, dict[str, str]]
    harness: Harness
    account: str
    process: asyncio.subprocess.Process
    directory: Path
    version: str = ""
    oauth_client_id: str | None = None
    oauth_client_secret: str | None = None

    @property
    def credentials(self) -> dict[str, Any]:
        """Return the credentials for the ready line."""
        shown: dict[str, Any] = {"api_url": self.api_url, "users": self.users}
        if self.oauth_client_secret is not None:
            shown["oauth_client_id"] = self.oauth_client_id
            shown["oauth_client_secret"] = self.oauth_client_secret
        return shown


@asynccontextmanager
async def running(options: Options, port: int = 0) -> AsyncIterator[Hub]:
    """Run a hub whose proxy listens on ``port`` (0: a free port); raise HubError if it doesn't start."""
    async with AsyncExitStack() as stack:
        account = runtime.account_to_use(options.account)
        directory = runtime.temporary_directory(account)
        stack.push_async_callback(asyncio.to_thread, shutil.rmtree, directory, ignore_errors=True)
        # Bind this port before the free ports are chosen. If the forwarder got the hub's port, it would
        # forward each request to itself until there are no file descriptors left.
        entrance = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        proxy_port = _wanted(port) if port else reserved_port()
        hub_port, proxy_api_port = reserved_port(), reserved_port()
        host = "localhost" if options.subdomains else "127.0.0.1"
        hub_url, url = f"http://127.0.0.1:{hub_port}", f"http://{host}:{proxy_port}"
        harness = Harness(words=lambda status: {"status": status, "message": "injected fault"})
        session = await stack.enter_async_context(forwarder.client_session())
        app = forwarder.build(hub_url, session, harness, proxy_port, url)
        door = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await door.setup()
        stack.push_async_callback(door.cleanup)
        await web.SockSite(door, entrance).start()
        api_origin = f"http://127.0.0.1:{door.addresses[0][1]}"

        passwords = {person.name: person.password or secrets.token_urlsafe(12) for person in options.users}
        made = options.oauth_client_secret or secrets.token_hex(32)
        secret = made if options.oauth_redirect_uri else None
        settings = await asyncio.to_thread(_settings, options, directory, account, passwords)
        settings |= {"url": url, "hub_url": hub_url, "forwarder_url": api_origin}
        settings["proxy_api_url"] = f"http://127.0.0.1:{proxy_api_port}"
        settings["oauth"] = secret and {
            "client_id": OAUTH_CLIENT_ID,
            "client_secret": secret,
            "redirect_uri": options.oauth_redirect_uri,
            "scopes": OAUTH_SCOPES,
        }
        process = await _launch(options.python or sys.executable, directory, settings)
        stack.push_async_callback(_end, process)
        await _wait_until_ready(process, session, (f"{hub_url}/hub/api", f"{url}/hub/api"), directory)
        tokens = {
            person.name: person.token or await _token(session, hub_url, person.name, passwords[person.name])
            for person in options.users
        }
        harness.requests.clear()
        yield Hub(
            url=url,
            api_url=f"{api_origin}/hub/api",
            users={name: {"password": passwords[name], "token": tokens[name]} for name in passwords},
            harness=harness,
            account=account,
            process=process,
            directory=directory,
            version=await _read_version(session, hub_url),
            oauth_client_id=OAUTH_CLIENT_ID if secret else None,
            oauth_client_secret=secret,
        )


def _settings(options: Options, directory: Path, account: str, passwords: dict[str, str]) -> dict[str, Any]:
    """Create the directory's contents, and return the settings for the configuration file."""
    state, homes = directory / "hub", directory / "homes"
    state.mkdir(mode=0o700)
    homes.mkdir()
    homes.chmod(0o711)
    python, environment = runtime.find_python(options.python, account, directory)
    if options.light:
        server = directory / "light_server.py"
        shutil.copyfile(_HERE / "light_server.py", server)
        server.chmod(0o644)
        command, arguments = [python, str(server)], []
    else:
        command = [python, "-m", "jupyterhub.singleuser"]
        arguments = ["--allow-root"] if os.geteuid() == 0 and not account else []
    shown = asdict(options)
    shown |= {
        "launcher": os.getpid(),
        "state": str(state),
        "homes": str(homes),
        "account": account,
        "passwords": passwords,
        "tokens": {person.name: person.token for person in options.users if person.token},
        "scopes": list(SCOPES),
        "admins": [person.name for person in options.users if person.admin],
        "named_servers": {person.name: list(person.servers) for person in options.users},
        "proxy_command": [options.python or sys.executable, str(_HERE / "proxy_main.py")],
        "server_command": command,
        "server_arguments": arguments,
        "server_environment": environment,
    }
    return shown


async def _launch(python: str, directory: Path, settings: dict[str, Any]) -> asyncio.subprocess.Process:
    state = directory / "hub"
    path = state / "settings.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(settings), encoding="utf-8")
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment["PLAYGROUND_HUB_SETTINGS"] = str(path)
    environment["PYTHONPATH"] = str(Path(playground.__file__).parents[1])
    with (state / "hub.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(python, "-m", "jupyterhub", "--config", str(_HERE / "hub_config.py")),
            cwd=state,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


async def _wait_until_ready(
    process: asyncio.subprocess.Process,
    session: aiohttp.ClientSession,
    urls: tuple[str, ...],
    directory: Path,
) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            for url in urls:
                while not await _answers(session, url):
                    if process.returncode is not None:
                        raise HubError(f"the hub ended:\n{_log_tail(directory)}")
                    await asyncio.sleep(0.1)
    except TimeoutError:
        raise HubError(f"the hub does not answer:\n{_log_tail(directory)}") from None


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _read_version(session: aiohttp.ClientSession, hub_url: str) -> str:
    async with session.get(f"{hub_url}/hub/api/") as answer:
        return str((await answer.json())["version"])


async def _token(session: aiohttp.ClientSession, hub_url: str, name: str, password: str) -> str:
    """Create a token for a person, who is authenticated by the password in the request's body."""
    body = {"auth": {"username": name, "password": password}, "note": "made at start", "scopes": list(SCOPES)}
    address = f"{hub_url}/hub/api/users/{quote(name, safe='')}/tokens"
    async with session.post(address, json=body) as answer:
        if answer.status != 201:
            raise HubError(f"no token for {name}: {answer.status}")
        return str(json.loads(await answer.read())["token"])


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the hub, which ends its proxy and its servers. Kill whatever doesn't end in time."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()  # its children get SIGTERM by their bond
        await process.wait()


def _log_tail(directory: Path) -> str:
    return (directory / "hub" / "hub.log").read_text(errors="replace")[-4000:]


def _wanted(port: int) -> int:
    try:
        return free_port(port)
    except StageError as error:
        raise HubError(str(error)) from None
