"""A local Posit Workbench in the test's own process, on a clock that only tests move."""

import json
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from playground.posit import PositServer, build
from tests.playground.served import Client, served

SEED: dict[str, Any] = {
    "users": [
        {"name": "alice", "token": "a1", "password": "pw-alice"},
        {"name": "bob", "token": "b1", "password": "pw-bob", "maximums": {"Kubernetes": {"cpuCount": "2"}}},
        {"name": "dora", "token": "d1", "password": "pw-dora", "active": False},
        {"name": "admin", "token": "adm1", "super_admin": True},
    ],
    "tokens": [
        {"name": "admin", "kind": "admin", "user": "admin", "token": "ad"},
        {"name": "admin_read", "kind": "admin", "user": "admin", "access": "read", "token": "ad-r"},
        {"name": "admin_write", "kind": "admin", "user": "admin", "access": "write", "token": "ad-w"},
        {"name": "super", "kind": "super-admin", "user": "admin", "token": "su"},
        {"name": "super_read", "kind": "super-admin", "user": "admin", "access": "read", "token": "su-r"},
    ],
    "sessions": [
        {"owner": "alice", "name": "analysis"},
        {"owner": "alice", "name": "notes", "workbench": "JupyterLab"},
        {"owner": "alice", "name": "asleep", "state": "suspended"},
        {"owner": "bob", "name": "analysis"},
    ],
    "jobs": [{"owner": "bob", "name": "import", "command": "Rscript fail.R", "age": 300}],
}
LAUNCH = {"cluster": "Local", "placement_constraints": [], "resource_limits": [], "queues": []}


def launch_parameters(**changes: Any) -> dict[str, Any]:
    return {"name": "made", **LAUNCH, **changes}


class Posit(Client):
    server: PositServer

    def session_id(self, name: str, owner: str = "alice") -> str:
        return str(self.server.credentials["users"][owner]["sessions"][name])

    async def request(self, verb: str, path: str, token: str | None = None, **rest: Any) -> tuple[int, Any]:
        if token is not None:
            rest.setdefault("headers", {"Authorization": f"Bearer {token}"})
        async with self.session.request(verb, self.url + path, allow_redirects=False, **rest) as answer:
            text = await answer.text()
            try:
                return answer.status, json.loads(text)
            except ValueError:
                return answer.status, text

    async def call(self, method: str, token: str | None = "a1", **kwparams: Any) -> tuple[int, Any]:
        body = {"method": method, "kwparams": kwparams}
        return await self.request("POST", f"/api/{method}", token, json=body)

    async def result(self, method: str, token: str = "a1", **kwparams: Any) -> Any:
        status, answer = await self.call(method, token, **kwparams)
        assert (status, "error" in answer) == (200, False), answer
        return answer["result"]

    async def code(self, method: str, token: str = "a1", **kwparams: Any) -> int:
        status, answer = await self.call(method, token, **kwparams)
        assert (status, list(answer)) == (200, ["error"]), answer
        assert answer["error"]["message"]
        return int(answer["error"]["code"])

    async def launch(self, token: str = "a1", **kwparams: Any) -> Any:
        whole = {"workbench": "RStudio", "name": "made", "launch_parameters": launch_parameters(), **kwparams}
        return await self.result("launch_session", token, **whole)

    async def launch_job(self, command: str = "print-lines", token: str = "a1", **job: Any) -> Any:
        whole = {"name": "made", "cluster": "Local", "command": command, **job}
        return (await self.result("launch_job", token, job=whole))["result"]["job"]

    async def job(self, job_id: str, token: str = "a1", **kwparams: Any) -> Any:
        answer = await self.result("get_session", token, include_jobs=True, **kwparams)
        return next(job for job in answer["jobs"] if job["id"] == job_id)

    async def state(self, session_id: str) -> str:
        answer = await self.result("get_session", session_id=session_id, fields=["activity_state"])
        return str(answer["sessions"][0]["activity_state"]) if answer["sessions"] else "absent"

    async def control(self, path: str = "control", /, **told: Any) -> Any:
        status, answer = await self.request("POST", f"/_playground/{path}", json=told)
        assert status == 200, answer
        return answer

    async def advance(self, seconds: float) -> None:
        assert (await self.request("POST", "/_playground/advance", json={"seconds": seconds}))[0] == 200

    async def stats(self) -> Any:
        return (await self.request("GET", "/_playground/stats"))[1]

    async def rules_broken(self) -> list[str]:
        return [violation["rule"] for violation in (await self.stats())["violations"]]

    @asynccontextmanager
    async def output(self, job_id: str, token: str = "a1", **kwparams: Any):
        body = {"method": "get_job_output", "kwparams": {"job_id": job_id, **kwparams}}
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{self.url}/api/get_job_output"
        async with self.session.post(address, json=body, headers=headers) as answer:
            assert answer.status == 200
            yield Output(answer)

    @asynccontextmanager
    async def browser(self, name: str):
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            form = {"username": name, "password": f"pw-{name}"}
            async with browser.post(f"{self.url}/auth-sign-in", data=form) as answer:
                assert answer.status == 200
            yield browser


class Output:
    """A reader of successive JSON objects, whatever is between them."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.raw = bytearray()
        self._read = 0

    def _objects(self) -> Iterator[Any]:
        text = self.raw.decode(errors="replace")
        while rest := text[self._read :].lstrip():
            try:
                value, length = json.JSONDecoder().raw_decode(rest)
            except ValueError:
                return
            self._read = len(text) - len(rest) + length
            yield value

    async def take(self, count: int) -> list[Any]:
        """Return the next ``count`` objects."""
        found = list(self._objects())
        while len(found) < count:
            data = await self.answer.content.readany()
            assert data, "the stream ended"
            self.raw += data
            found += self._objects()
        return found

    async def rest(self) -> list[Any]:
        """Return all further objects until the server closes the stream."""
        found = list(self._objects())
        while data := await self.answer.content.readany():
            self.raw += data
            found += self._objects()
        return found


def posit_server(seed: Any = None):
    return served(build, seed or SEED, Posit)
