"""Workspaces from recipes: cloned once, found again by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bot.domain.models import Created, Spec
from bot.providers.base import Access
from bot.providers.prepared import named
from bot.providers.reading import MAX_NAME, clean, id_in, part_of
from bot.providers.requests import Api, may_have_acted, path_part, unless_absent
from bot.providers.saturn import lists
from bot.providers.saturn.settings import Recipe
from bot.support.errors import (
    BadAnswer,
    Conflict,
    Forbidden,
    InvalidRequest,
    LimitReached,
    NotFound,
    PermanentError,
    Untold,
)

#: How refusals about limits, or about names, read: the guides don't say.
_LIMIT = re.compile(r"\bquota\b|\b(limit|maximum)\b.*\b(exceeded|reached)\b", re.IGNORECASE)
_TAKEN = re.compile(r"\balready (exists|taken|in use)\b|\bname is taken\b", re.IGNORECASE)
NO_RECIPE = "That template is no longer set up. Choose another one."
TAKEN = "There's already a workspace with that name. Choose another name."


async def create(api: Api, access: Access, spec: Spec, recipes: Iterable[Recipe]) -> Created:
    """Clone a recipe; doing so twice would make two."""
    recipe = named(recipes, spec.word("recipe"))
    if recipe is None:
        raise InvalidRequest(NO_RECIPE)
    name = spec.name
    try:
        existing = await find(api, access, spec)
    except Untold:
        existing = None
    if existing is not None:
        raise Conflict(TAKEN)
    body = recipe.filled(name, _owner(access, spec, recipe), spec.word("size"))
    try:
        response = await api.call("POST", "/api/resource_recipes/clone", access.credential, json_body=body)
    except (Forbidden, Conflict, InvalidRequest) as error:
        raise refusal(error) from None
    with may_have_acted():
        made = _id_of(response.json_object())
    return Created(made, name, is_started=False)


async def names(api: Api, access: Access, stem: str) -> Collection[str] | None:
    """Return the person's own names with a prefix; None if the server doesn't say whose they are."""
    try:
        found = await lists.resources(api, access, "workspace", stem)
    except NotFound:
        return None
    says_whose = bool(access.username) and found.is_whole and all(one.owner and one.name for one in found)
    return {one.name for one in found} if says_whose else None


async def find(api: Api, access: Access, spec: Spec) -> Created | None:
    """Look for a workspace by its name; raise Untold if the server can't look it up."""
    name = spec.name
    path = f"/api/recipes/workspace/{path_part(name)}"
    response = await unless_absent(api.call("GET", path, access.credential, total=lists.LIST_SECONDS))
    if response is None:
        return await _find_in_list(api, access, name)
    found = lists.resource(response.json_object())
    if lists.is_theirs(found.owner, access.username):
        return Created(found.id, name, is_started=False)
    # Somebody else's has that name, too: the person's own may be behind it.
    return await _find_in_list(api, access, name)


async def _find_in_list(api: Api, access: Access, name: str) -> Created | None:
    """Look in the list as well: a server that supports neither answers 404 to everything."""
    try:
        found = await lists.resources(api, access, "workspace", name)
    except NotFound:
        raise Untold("this server tells no names") from None
    made = next((one for one in found if one.name == name), None)
    if made is not None:
        return Created(made.id, name, is_started=False)
    if not found.is_whole or not all(one.name for one in found):
        raise BadAnswer("an entry of the list can't be read: it may be the one")
    return None


def refusal(error: PermanentError) -> PermanentError:
    """Return what a refusal's message means: a limit, a taken name, or nothing more specific."""
    if _LIMIT.search(error.message):
        return LimitReached(error.message, status=error.status)
    if _TAKEN.search(error.message):
        return Conflict(error.message, status=error.status)
    return error


def _owner(access: Access, spec: Spec, recipe: Recipe) -> str:
    """Return the future owner, ``org/user`` if the organisation is known; "": the token's own."""
    if not access.username:
        return ""
    prefix = spec.word("owner").rpartition("/")[0] or recipe.organisation
    return f"{prefix}/{access.username}" if prefix else access.username


def _id_of(answer: Mapping[str, Any]) -> str:
    """Return the id of the new workspace: ``id``, or ``state.id``."""
    return clean(id_in(answer if "id" in answer else part_of(answer, "state"), "id"), MAX_NAME)
