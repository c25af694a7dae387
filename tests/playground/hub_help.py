"""Helpers for tests of the local JupyterHub: calls with a token, a browser, and waiting for a state."""

import json
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from playground.jupyterhub import Hub


class Client:
    """A person who calls a hub's API."""

    def __init__(self, hub: Hub, session: aiohttp.ClientSession) -> None:
        self.hub, self.session = hub, session

    async def call(
        self, method: str, path: str, *, who: str | None = None, token: str = "", **rest: Any
    ) -> tuple[int, Any, Any]:
        if who or token:
            rest["headers"] = {"Authorization": f"token {token or self.hub.users[who or '']['token']}"}
        url = path if path.startswith("http") else self.hub.api_url + path
        async with self.session.request(method, url, allow_redirects=False, **rest) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json" and text
            return answer.status, json.loads(text) if is_json else text, answer.headers

    async def events(self, who: str, name: str = ""):
        path = f"/users/{who}/servers/{name}/progress" if name else f"/users/{who}/server/progress"
        headers = {"Authorization": f"token {self.hub.users[who]['token']}"}
        async with self.session.get(self.hub.api_url + path, headers=headers) as answer:
            assert answer.status == 200
            async for line in answer.content:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])


@asynccontextmanager
async def client(hub: Hub):
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Client(hub, session)


@asynccontextmanager
async def browser():
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def log_in(session: aiohttp.ClientSession, url: str, name: str, password: str) -> tuple[int, str, str]:
    """Open a page, submit the login form that it redirects to, and return the result.

    The result consists of the final page's status, path and text.
    """
    async with session.get(url) as form:
        assert form.status == 200
        assert form.url.path == "/hub/login"
        xsrf = re.search(r'name="_xsrf"\s+value="([^"]+)"', await form.text())
        assert xsrf is not None
    data = {"username": name, "password": password, "_xsrf": xsrf[1]}
    async with session.post(form.url, data=data) as page:
        return page.status, page.url.path, await page.text()


def descendants(pid: int) -> set[int]:
    """Return the ids of all descendants of a process."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def owners_of(pid: int, argument: bytes) -> set[int]:
    """Return the user ids of a process's descendants that have the given argument."""
    return {Path(f"/proc/{found}").stat().st_uid for found in having(descendants(pid), argument)}


def having(pids: set[int], argument: bytes) -> list[int]:
    """Return the processes that have the given argument."""
    return [pid for pid in pids if argument in Path(f"/proc/{pid}/cmdline").read_bytes()]


def alive(pids: set[int]) -> set[int]:
    """Return the processes that are still running, leaving out zombies."""
    running = set()
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                running.add(pid)
        except OSError:
            continue
    return running
