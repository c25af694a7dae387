"""The first minute: what Usher is and the first steps, at a person's first contact and in an empty list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import structlog

from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.messages.blocks import replies
from bot.providers import base
from bot.support.errors import StoreError
from handlers.linking.connections import makers
from handlers.services import Services

log = structlog.get_logger(__name__)


def what(services: Services) -> str:
    """Say in one sentence what Usher is, here."""
    return replies.what(
        needs_accounts=len(services.linkless()) < len(services.connections),
        runs_jobs=any(isinstance(one, base.Runs) for one in services.connections.values()),
    )


async def first_steps(services: Services, principal: Principal) -> list[dict[str, Any]]:
    """Return the first steps that work here and for this person: link, show my workspaces, make one."""
    return steps_with(services, await services.store.account_states(principal))


def steps_with(services: Services, accounts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the first steps for a person with accounts in these states, by connection.

    For somebody who has nothing yet that is a button for each account.
    """
    linked = _linked(services, accounts)
    unlinked = [one for one in services.linking() if one[0] not in linked]
    steps = replies.ways(unlinked)
    if unlinked and not _active(accounts):
        return [*steps, *replies.new_buttons(services.linkless(), first=len(steps))]
    if len(steps) > 1:
        steps = [replies.link_button()]
    if linked:
        steps.append(replies.list_button())
    return [*steps, *_new(services, linked)]


async def new_step(services: Services, principal: Principal) -> list[dict[str, Any]]:
    """Return *New workspace* if the person can make one."""
    return _new(services, _linked(services, await services.store.account_states(principal)))


def _linked(services: Services, accounts: Mapping[str, str]) -> set[str]:
    """Return the connections on which a person with accounts in these states can act now."""
    return _active(accounts) | {name for name, _ in services.linkless()}


def _active(accounts: Mapping[str, str]) -> set[str]:
    return {connection for connection, state in accounts.items() if state == "active"}


def _new(services: Services, linked: Collection[str]) -> list[dict[str, Any]]:
    able = makers(services, "workspace")
    # People who have linked nothing yet are asked to link on the way.
    usable = [name for name in able if name in linked] if linked else able
    return [replies.new_button(usable[0] if len(usable) == 1 else None)] if usable else []


async def introduced(services: Services, principal: Principal, answer: Answer) -> Answer:
    """Return an answer to what a person wrote; at first contact with what Usher is and the first steps.

    It stays as it is if others read it, if it says nothing, or if the person may not use Usher.
    """
    if not answer.text or answer.in_channel:
        return answer
    try:
        met = await _met(services, principal) if await services.contacts.is_new(principal) else None
    except StoreError as error:
        log.warning("nobody introduced", problem=error)
        return answer
    if met is None:
        return answer
    steps, is_first = met
    return replies.introduced(answer, what(services.of(principal)), steps, is_first=is_first)


async def _met(services: Services, principal: Principal) -> tuple[list[dict[str, Any]], bool] | None:
    """Return the first steps for a new person, who is introduced now; None if they may not use Usher.

    And whether they have to link something before anything else.
    """
    if await services.store.person(principal) is None:
        # Nothing is known yet: it would take a request to Slack, and there will be another contact.
        return None
    if not (await services.authority.decide(principal, "help")).allowed:
        return None
    own = services.of(principal)
    accounts = await services.store.account_states(principal)
    is_first = bool(own.linking()) and not _active(accounts)
    steps = steps_with(own, accounts)
    return (steps, is_first) if await services.contacts.meet(principal) else None
