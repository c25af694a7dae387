"""A person's resources as the server lists them: page by page, each as a recipe with a state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.errors import BadAnswer, NotFound
from bot.providers.reading import objects_in, text_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.providers.base import Credential
    from bot.providers.requests import Api

LIST_SECONDS = 10.0
#: A list that goes on longer than this has no end.
MAX_PAGES = 50


async def recipes(
    api: Api, credential: Credential, kind: str, beginning: str = ""
) -> list[tuple[str, dict[str, Any]]]:
    """Return the recipes of a type whose names begin so, each with its place for messages.

    Raises NotFound where there are no lists.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    query = {"type": kind} | ({"name": beginning} if beginning else {})
    keys: set[str] = set()
    for _ in range(MAX_PAGES):
        answer = await _page(api, credential, query)
        for number, recipe in enumerate(objects_in(answer, "recipes")):
            where = f"recipes[{number}]."
            if text_in(recipe, "type", where) == kind:
                found.append((where, recipe))
        key = _next_key(answer)
        if key is None:
            return found
        if key in keys:
            raise BadAnswer("the answer's field next_key comes again: the list has no end")
        keys.add(key)
        query["next_key"] = key
    raise BadAnswer(f"the list has more than {MAX_PAGES} pages")


def is_theirs(owner: str | None, username: str) -> bool:
    """Say whether a resource is a person's own, as far as both are told; owners are ``org/user``."""
    return not username or owner is None or owner.rpartition("/")[2] == username


async def _page(api: Api, credential: Credential, query: Mapping[str, str]) -> dict[str, Any]:
    try:
        response = await api.call("GET", "/api/recipes", credential, query=query, total=LIST_SECONDS)
    except BadAnswer as error:
        if error.status == 404:
            raise NotFound("this server has no lists", status=404) from None
        raise
    return response.json_object()


def _next_key(answer: Mapping[str, Any]) -> str | None:
    key = answer.get("next_key")
    if key is None or key == "":
        return None
    if isinstance(key, bool) or not isinstance(key, (str, int)):
        raise BadAnswer("the answer's field next_key is neither a text nor a number")
    return str(key)
