"""A person's resources as listed by the server: page by page, each as a recipe with a state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.providers.base import Access, Credential
from bot.providers.contract import Listing
from bot.providers.reading import MAX_NAME, clean, entries, id_in, part_of, word_in
from bot.providers.requests import Api, pages
from bot.support.errors import BadAnswer, NotFound

LIST_SECONDS = 10.0
#: A longer list is taken to be endless.
MAX_PAGES = 50


@dataclass(frozen=True, slots=True)
class Resource:
    """Hold one workspace or job; fields that couldn't be read are "", except for its id."""

    id: str
    name: str = ""
    owner: str = ""
    status: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)


async def resources(api: Api, access: Access, kind: str, beginning: str = "") -> Listing[Resource]:
    """Return the person's own resources of a type whose names have a prefix.

    Raises NotFound if there are no lists. The IDE opens only for its owner, so somebody else's
    workspace isn't one of this person's.
    """
    query = {"type": kind} | ({"name": beginning} if beginning else {})

    def read(recipe: Any) -> Resource | None:
        found = resource(recipe)
        its_kind = word_in(recipe, "type") or kind
        return found if its_kind == kind and is_theirs(found.owner, access.username) else None

    try:
        found = await paged(api, "/api/recipes", access.credential, query)
    except BadAnswer as error:
        if error.status == 404:
            raise NotFound("this server has no lists", status=404) from None
        raise
    return entries(found, "recipes", read)


async def paged(
    api: Api, path: str, credential: Credential, query: Mapping[str, str]
) -> Listing[dict[str, Any]]:
    """Return the pages of a list."""

    async def ask(key: str | None) -> dict[str, Any]:
        more = {} if key is None else {"next_key": key}
        response = await api.call("GET", path, credential, query={**query, **more}, total=LIST_SECONDS)
        return response.json_object()

    return await pages(ask, lambda answer: answer.get("next_key"), MAX_PAGES)


def resource(recipe: Any) -> Resource:
    """Read a recipe with its state; raise BadAnswer if its id or its owner is missing."""
    if not isinstance(recipe, Mapping):
        raise BadAnswer("the answer's recipe is not an object")
    spec, state = part_of(recipe, "spec"), part_of(recipe, "state")
    owner = spec.get("owner")
    if owner is not None and not isinstance(owner, str):
        raise BadAnswer("the answer's field spec.owner is not a text")
    made = clean(id_in(state if "id" in state else recipe, "id", "state."), MAX_NAME)
    if not made:
        raise BadAnswer("the answer's field state.id is no id")
    name = clean(word_in(spec, "name", "spec.") or "", MAX_NAME)
    return Resource(made, name, owner or "", word_in(state, "status", "state.") or "", spec)


def is_theirs(owner: str, username: str) -> bool:
    """Return whether a resource is a person's own, as far as both are known; owners are ``org/user``."""
    return not username or not owner or owner.rpartition("/")[2] == username
