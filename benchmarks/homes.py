"""What Homes cost: drawing a long one, and five hundred open ones while as many people start a workspace."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.crowd import TEAM, Crowd, Deployment, settle
from benchmarks.figures import Figure
from benchmarks.messages import delays_of_starts
from benchmarks.sizes import Sizes
from benchmarks.stage import note
from bot.domain.installations import Installation
from bot.domain.people import Principal
from bot.domain.workspaces import State
from bot.features.home import store as home_store
from bot.features.home.messages import digest, render_home
from bot.features.home.model import HomeUse
from bot.features.home.use_cases import HomeGatherer
from bot.providers import build_providers, list_provider_classes
from bot.services.context import Context
from bot.services.message_context import Gatherer
from bot.slack.people import PeopleDirectory
from bot.store import open_store
from bot.store.store import Store
from bot.support.clock import SystemClock, SystemIds
from bot.support.http import Http
from bot.support.vault import Vault
from tests.rigs.homes import use_home
from tests.rigs.installed import Token

KEY: Final = "bm90IGEgc2VjcmV0LCBqdXN0IGEga2V5IG9mIDMyIGI="
_BASE_URL: Final = "https://cloud.example.org"


async def measure_homes(sizes: Sizes) -> list[Figure]:
    """Draw a long Home many times; then let everybody start a workspace with their Home open."""
    cpu = await _cpu_of_a_long_one(sizes)
    found = await delays_of_starts(
        sizes, sizes.homes, sizes.limited_spread, limits=True, before=_open_everybodys
    )
    detail = f"{found.detail}, {found.homes} of {sizes.homes} Homes drawn again"
    return [
        Figure("home_cpu", cpu, note="" if sizes.is_full else "toy"),
        Figure("homes_ready_last", max(found.delays), sound=found.is_sound, note=detail),
        Figure("homes_beyond_limits", float(found.limits_broken), sound=found.homes > 0, note=detail),
    ]


async def _cpu_of_a_long_one(sizes: Sizes) -> float:
    """Return the CPU time of gathering and drawing one Home, the database's own thread included, in ms."""
    crowd = Crowd(1, sizes.home_workspaces)
    with tempfile.TemporaryDirectory() as folder:
        place = Deployment(f"sqlite:///{Path(folder) / 'usher.db'}", KEY, _BASE_URL)
        await settle(crowd, place, State.RUNNING)
        store = await open_store(place.database_url, SystemClock(), SystemIds())
        session = Http.new_session()
        try:
            await store.migrate()
            found = context(store, place, Http(session, time.monotonic))
            gatherer = HomeGatherer(found, Gatherer(found))
            await use_home(store, Principal(None, TEAM, crowd.user(0)), HomeUse(page=2))
            (one,) = await store.claim(home_store.claim_wanted_homes, 1, 60.0)
            size = 0
            began = time.process_time()
            for page in range(sizes.home_draws):
                view = render_home(await gatherer.own(replace(one, page=page % 10 + 1)))
                size = len(json.dumps(view)) + len(digest(view))
            took = time.process_time() - began
        finally:
            await session.close()
            await store.close()
    note(
        f"{sizes.home_draws} Homes of {sizes.home_workspaces} workspaces in {took:.2f} s, {size:,} bytes each"
    )
    return took / sizes.home_draws * 1e3


def context(store: Store, place: Deployment, http: Http) -> Context:
    """Return what drawings need, in a process that asks nobody."""
    table = {"name": place.connection, "provider": "saturn", "title": "Saturn Cloud", "base_url": _BASE_URL}
    settings = list_provider_classes()["saturn"].settings_model.model_validate(table)
    return Context(
        store=store,
        # Nothing is asked of them here.
        connections=build_providers({place.connection: settings}, http),
        people=PeopleDirectory(store, None),  # type: ignore[arg-type]
        installation=Installation(TEAM),
        tenants=Token(),
        vault=Vault([KEY]),
        clock=SystemClock(),
        ids=SystemIds(),
    )


async def _open_everybodys(crowd: Crowd, place: Deployment) -> None:
    """Write that everybody's Home is open and outdated: each is drawn again when Slack allows it."""
    store = await open_store(place.database_url, SystemClock(), SystemIds())
    try:
        for number in range(crowd.people):
            await use_home(store, Principal(None, TEAM, crowd.user(number)), HomeUse())
        for one in await store.claim(home_store.claim_wanted_homes, crowd.people, 60.0):
            await store.write(home_store.record_published, one, "", "")
    finally:
        await store.close()
