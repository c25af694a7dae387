"""The first minute: what Usher is and the first steps, at a person's first contact and in an empty list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from bot.messages.blocks import replies
from bot.messages.blocks import welcome as drawn
from bot.providers import facets
from bot.support.errors import StoreError
from handlers.linking.connections import makers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bot.domain.models import Answer, Principal
    from handlers.services import Services

log = structlog.get_logger(__name__)


def what(services: Services) -> str:
    """Say in one sentence what Usher is, here."""
    return drawn.what(
        needs_accounts=len(services.linkless()) < len(services.connections),
        runs_jobs=any(isinstance(one, facets.Runs) for one in services.connections.values()),
    )


async def first_steps(services: Services, principal: Principal) -> list[dict[str, Any]]:
    """Return the first steps that work here and for this person: link, show my workspaces, make one."""
    return steps_with(services, await services.store.account_states(principal))


def steps_with(services: Services, accounts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the first steps for a person with accounts in these states, by connection."""
    linked = _linked(services, accounts)
    by_token = dict(services.linkable())
    approved = services.approvable()
    unlinked = {*by_token, *approved} - linked
    steps: list[dict[str, Any]] = []
    if len(unlinked) == 1 and unlinked.isdisjoint(approved):
        steps += replies.link_buttons([(name, by_token[name]) for name in unlinked])
    elif unlinked:
        steps.append(drawn.link_button())
    if linked or unlinked:
        steps.append(drawn.list_button())
    return [*steps, *_new(services, linked)]


async def new_step(services: Services, principal: Principal) -> list[dict[str, Any]]:
    """Return *New workspace* if the person can make one."""
    return _new(services, _linked(services, await services.store.account_states(principal)))


def _linked(services: Services, accounts: Mapping[str, str]) -> set[str]:
    """Return the connections on which a person with accounts in these states can act now."""
    active = {connection for connection, state in accounts.items() if state == "active"}
    return active | {name for name, _ in services.linkless()}


def _new(services: Services, linked: Collection[str]) -> list[dict[str, Any]]:
    able = makers(services, "workspace")
    # People who have linked nothing yet are asked to link on the way.
    usable = [name for name in able if name in linked] if linked else able
    return [drawn.new_button(usable[0] if len(usable) == 1 else None)] if usable else []


async def introduced(services: Services, principal: Principal, answer: Answer) -> Answer:
    """Return an answer to what a person wrote; at first contact with what Usher is and the first steps.

    It stays as it is if others read it, if it says nothing, or if the person may not use Usher.
    """
    if not answer.text or answer.in_channel:
        return answer
    try:
        steps = await _met(services, principal) if await services.contacts.is_new(principal) else None
    except StoreError as error:
        log.warning("nobody introduced", problem=error)
        return answer
    return answer if steps is None else drawn.introduced(answer, what(services.of(principal)), steps)


async def _met(services: Services, principal: Principal) -> list[dict[str, Any]] | None:
    """Return the first steps for a new person, who is introduced now; None if they may not use Usher."""
    if await services.store.person(principal) is None:
        # Nothing is known yet: it would take a request to Slack, and there will be another contact.
        return None
    if not (await services.authority.decide(principal, "help")).allowed:
        return None
    steps = await first_steps(services.of(principal), principal)
    return steps if await services.contacts.meet(principal) else None
