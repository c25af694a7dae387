"""What the page of a workspace costs: its first byte for many browsers at once, and its size."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle, islice, repeat
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import aiohttp

from benchmarks.crowd import TEAM, Crowd, Deployment
from benchmarks.figures import Figure, quantile
from benchmarks.load import send
from benchmarks.machine import BenchmarkError, cores, cpu_seconds, running
from benchmarks.sizes import Sizes
from benchmarks.stage import Bot, note, stage
from bot.domain.accounts import Account
from bot.domain.browsers import BrowserSession
from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.providers.base import Credential
from bot.services.linking import compute_digest, create_nonce
from bot.store import open_store
from bot.store.store import Store
from bot.support.clock import SystemClock, SystemIds
from bot.support.vault import Vault, row_key
from tests.rigs.store import add_workspace, begin_session, put_account

_TOKEN = "access-token-of-the-benchmark"  # noqa: S105 - of a server that ends with the run
_PROJECT = "a" * 32
_TRIES = 40
_HALF_A_DAY = 43_200.0
_OURS = re.compile(r'(?:src|href)="(/static/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Visitor:
    """Hold a browser that is signed in, and the workspace that its person has."""

    session_id: str
    workspace_id: str

    def request(self, host: str) -> bytes:
        """Return the whole request for the page."""
        return (
            f"GET /ide/{self.workspace_id} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n"
            f"Cookie: usher-session={self.session_id}\r\n\r\n"
        ).encode()


async def measure_page(sizes: Sizes) -> list[Figure]:
    """Measure the page of a running workspace."""
    crowd = Crowd(sizes.browsers)
    async with AsyncExitStack() as stack:
        scene = await stack.enter_async_context(stage(crowd))
        words = ["playground", "sphere", "--port", "0", "--seed", str(_seed(scene.folder, crowd))]
        _, others = cores()
        sphere = await stack.enter_async_context(running("sphere", words, scene.folder, others))
        visitors = await _settle(crowd, scene.place, sphere.url)
        client = scene.slack.ready["credentials"]
        bot = await stack.enter_async_context(
            scene.bot(
                _connection(sphere.url),
                SLACK_CLIENT_ID=client["client_id"],
                SLACK_CLIENT_SECRET=client["client_secret"],
            )
        )
        await _until_running(bot.target.url, visitors)
        late = [await _looks(bot, visitors, sizes) for _ in repeat(0, sizes.runs)]
        return [
            Figure("ide_first_byte", median(late)),
            Figure("ide_size", float(await _size(bot.target.url, visitors[0]))),
        ]


async def _until_running(url: str, visitors: list[Visitor]) -> None:
    """Wait until the bot has read every workspace for the first time; that warms it up, too."""
    host = urlsplit(url).netloc
    for _ in range(_TRIES):
        requests = (visitor.request(host) for visitor in visitors)
        if not (await send(url, requests, len(visitors), _is_running)).wrong:
            return
        await asyncio.sleep(1.0)
    raise BenchmarkError("the workspaces were not read in time")


def _is_running(body: bytes) -> bool:
    return b'data-phase="running"' in body


async def _looks(bot: Bot, visitors: list[Visitor], sizes: Sizes) -> float:
    """Return how long the first byte takes that comes later than 99 of 100, in seconds."""
    host = urlsplit(bot.target.url).netloc
    requests = (visitor.request(host) for visitor in islice(cycle(visitors), sizes.looks))
    before = cpu_seconds(bot.pid)
    outcome = await send(bot.target.url, requests, len(visitors), _is_running)
    used = (cpu_seconds(bot.pid) - before) / sizes.looks
    bot.child.must_live()
    if outcome.wrong:
        raise BenchmarkError(f"{len(outcome.wrong)} wrong answers, such as {outcome.wrong[0]}")
    middle, late = quantile(outcome.firsts, 0.5), quantile(outcome.firsts, 0.99)
    note(
        f"page: {outcome.rate:.0f} a second, {used * 1e6:.0f} µs of CPU each, "
        f"first byte {middle * 1e3:.0f} ms, of 99 in 100 at most {late * 1e3:.0f} ms"
    )
    return late


async def _size(url: str, visitor: Visitor) -> int:
    """Return the bytes of the page and of everything of ours that it loads, unpacked."""
    place = urlsplit(url)
    origin = f"{place.scheme}://{place.netloc}"
    headers = {"Cookie": f"usher-session={visitor.session_id}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(f"{origin}/ide/{visitor.workspace_id}") as answer:
            page = await answer.read()
        size = len(page)
        for path in set(_OURS.findall(page.decode())):
            async with session.get(origin + path) as answer:
                answer.raise_for_status()
                size += len(await answer.read())
    return size


def _seed(folder: Path, crowd: Crowd) -> Path:
    """Write the file of a local Sphere Engine where everybody's workspace runs."""
    path = folder / "sphere.json"
    workspaces = [
        {"project": "Python", "id": crowd.remote_id(number, 0), "retention_time_stopped": 60}
        for number in range(crowd.people)
    ]
    seed = {
        "access_token": _TOKEN,
        "projects": [{"name": "Python", "id": _PROJECT}],
        "workspaces": workspaces,
    }
    path.write_text(json.dumps(seed), encoding="utf-8")
    return path


def _connection(base_url: str) -> str:
    return (
        '[connections.sphere]\nprovider = "sphere"\ntitle = "Sphere Engine"\nlinking = ["none"]\n'
        f'base_url = {json.dumps(base_url)}\naccess_token = "{_TOKEN}"\n'
    )


async def _settle(crowd: Crowd, place: Deployment, base_url: str) -> list[Visitor]:
    """Give everybody a workspace and a browser that is signed in."""
    store = await open_store(place.database_url, SystemClock(), SystemIds())
    try:
        return [await _visitor(store, crowd, place, base_url, number) for number in range(crowd.people)]
    finally:
        await store.close()


async def _visitor(store: Store, crowd: Crowd, place: Deployment, base_url: str, number: int) -> Visitor:
    principal, now = Principal(None, TEAM, crowd.user(number)), await store.now()
    credential = Credential.for_connection("none")
    sealed = Vault([place.key]).seal(row_key(principal.key, "sphere"), credential.as_mapping())
    account = Account(f"sphere_{number:05d}", principal, "sphere", "", sealed, "active", now)
    await put_account(store, account)
    remote_id = crowd.remote_id(number, 0)
    workspace = await add_workspace(
        store,
        Workspace(
            id=f"workspace_{number:05d}",
            principal=principal,
            connection="sphere",
            remote_id=remote_id,
            gate_key=f"{base_url}#{remote_id}",
            name=crowd.workspace(0),
            origin="added",
        ),
    )
    session_id = create_nonce()
    session = BrowserSession(compute_digest(session_id), principal, now, now, now + _HALF_A_DAY)
    await begin_session(store, session)
    return Visitor(session_id, workspace.id)
