"""What a server offers to an account, as stored between two reads.

A server that only implements the published guides reports none of it: then there are no sizes to choose from,
names can't be checked, and jobs are named by their links.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.models import Choice
from bot.providers.base import Access
from bot.providers.contract import Listing, Scheduled
from bot.providers.reading import clean, note, object_in
from bot.providers.requests import Api, unless_absent
from bot.providers.saturn import lists
from bot.providers.saturn.lists import Resource
from bot.support.errors import BadAnswer, NotFound

SIZES_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold what the server offers; None for what it doesn't report."""

    sizes: tuple[Choice, ...] | None = None
    names: tuple[str, ...] = ()
    owner: str = ""
    jobs: tuple[Scheduled, ...] | None = None


async def read_offer(api: Api, access: Access) -> Offer:
    """Read sizes, the person's workspaces and their jobs."""
    try:
        workspaces = await _listed(api, access, "workspace")
    except BadAnswer as error:
        # Knowing the used names is merely useful: the offer doesn't fail without them.
        note(f"the names of workspaces can't be read: {error.message}")
        workspaces = None
    jobs = await _listed(api, access, "job")
    return Offer(
        sizes=await _sizes(api, access),
        names=tuple(one.name for one in workspaces or () if one.name),
        owner=next((one.owner for one in (*(workspaces or ()), *(jobs or ())) if one.owner), ""),
        jobs=None if jobs is None else tuple(_job(one) for one in jobs),
    )


async def _listed(api: Api, access: Access, kind: str) -> Listing[Resource] | None:
    """Return the person's own resources; None if the server has no lists."""
    try:
        return await lists.resources(api, access, kind)
    except NotFound:
        return None


def _job(one: Resource) -> Scheduled:
    return Scheduled(one.id, one.name or one.id, schedule_of(one.spec))


def schedule_of(spec: Mapping[str, Any]) -> str | None:
    """Return a job's cron expression; None if the recipe doesn't contain it.

    The documents say how it is set but not where it is read, so it is looked up under the name by which it
    is set, and under the short one.
    """
    options = spec.get("cron_schedule_options")
    value = options.get("schedule") if isinstance(options, dict) else spec.get("schedule", options)
    if value is None:
        return "" if {"schedule", "cron_schedule_options"} & spec.keys() else None
    return clean(value, 100) if isinstance(value, str) else None


async def _sizes(api: Api, access: Access) -> tuple[Choice, ...] | None:
    asking = api.call("GET", "/api/info/servers", access.credential, total=SIZES_SECONDS)
    response = await unless_absent(asking)
    if response is None:
        return None
    sizes = object_in(response.json_object(), "sizes")
    return tuple(Choice(name, _label(name, one)) for name, one in sizes.items() if name.isprintable())


def _label(name: str, value: Any) -> str:
    """Return a label that tells sizes apart: the server's own, or made from its description of each."""
    one = value if isinstance(value, dict) else {}
    shown = one.get("display_name")
    if isinstance(shown, str) and clean(shown):
        return clean(shown, 70)
    facts = [f"{one[key]} {word}" for key, word in (("cores", "cores"), ("memory", "memory")) if one.get(key)]
    facts += [f"{one['gpu']} GPU"] if one.get("gpu") else []
    return clean(f"{name}: {', '.join(facts)}" if facts else name, 70)
