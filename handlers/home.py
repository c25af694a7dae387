"""A user's Home tab, published when the user opens it or clicks in it, and when one of their links changes.

Nothing else updates the tab, so it says when it was drawn and has a *Refresh* button.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

import structlog

from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Surface, Where
from bot.messages.blocks import homes as drawn
from bot.messages.blocks import plain, replies
from bot.messages.texts import answers
from bot.slack.errors import is_content_refused
from bot.slack.installed import AnySlack
from bot.slack.methods import VIEWS_PUBLISH
from bot.store import accounts, homes
from bot.support.errors import SlackPermanent
from handlers.dispatch import run_unasked
from handlers.requests import routes
from handlers.requests.deferred_command import RESPONSE_SECONDS, DeferredCommand
from handlers.requests.event_request import EventRequest
from handlers.requests.request import SILENT, Request
from handlers.requests.services import Services

log = structlog.get_logger(__name__)
#: The command whose answer the Home tab shows, unless another page was opened in the tab.
HOME_COMMAND: Final = "list all"
HOME_VERB: Final = "list"
Links: TypeAlias = list[list[str]]


@routes.event("app_home_opened")
async def open_home(occurrence: EventRequest) -> None:
    """Request a redraw of the Home tab. Until it is done, Slack shows the previous version."""
    services = occurrence.services
    if (occurrence.event.get("tab") or "home") != "home":
        return
    principal = services.resolve_principal(occurrence.payload)
    if not services.context.installation.has_team(principal.enterprise_id, principal.team_id):
        return
    # For a person who hasn't used Usher yet, the Home tab itself is the introduction.
    if (await services.create_caller(principal).decide(HOME_VERB)).allowed:
        await services.greeted.greet(principal)
    await services.store.carry_out(lambda tx: homes.open_home(tx, principal))


@routes.action("home")
async def press_home(request: Request) -> Answer:
    """Redraw the Home tab. For the *totals* button of an earlier release, say where totals are now."""
    return replies.hint(request.fill(answers.NO_TOTALS)) if request.target == "totals" else SILENT


async def request_home(services: Services, principal: Principal, **shown: Any) -> None:
    """Request that a person's Home tab be published. ``shown`` are arguments for ``publish_home``."""
    await services.store.carry_out(lambda tx: homes.request_home(tx, principal, **shown))


async def show_answer(
    services: Services, principal: Principal, answer: Answer, *, links: Links, is_page: bool = False
) -> None:
    """Request a Home tab that shows the answer to a click in it.

    If ``is_page`` is true, the answer replaces the list. Otherwise, it appears above the list. ``links`` are
    the user's links at the time of the answer. If they change before the tab is drawn, the answer isn't
    shown.
    """
    if not answer.text:
        await request_home(services, principal)
    else:
        await request_home(services, principal, blocks=list(answer.blocks), links=links, is_page=is_page)


async def read_links(services: Services, principal: Principal) -> Links:
    """Return the ids and states of a person's links."""
    found = await services.store.read(accounts.list_accounts, principal)
    return [[account.id, account.state] for account in found]


async def publish_home(
    services: Services, slack: AnySlack, principal: Principal, shown: Mapping[str, Any]
) -> None:
    """Draw and publish a person's Home tab. This may raise SlackFailed and StoreError.

    ``shown`` contains either the answer to a click, or the ``deferred`` command whose list has now been read.
    An answer consists of its ``blocks``, ``is_page`` (whether these replace the list), and the ``links`` that
    the person had at the time. If the links have changed since, the answer isn't shown.
    """
    blocks = list(shown.get("blocks") or ())
    if blocks and shown.get("links") != await read_links(services, principal):
        blocks = []
    if blocks and shown.get("is_page"):
        rows, blocks = blocks, []
    else:
        deferred = DeferredCommand.parse(shown.get("deferred") or {})
        # Once an outdated list has been read, draw Home again only if nothing has been pressed in it by then.
        deferred = replace(deferred, response_until=await services.store.now() + RESPONSE_SECONDS)
        surface = Surface("home", Where.HOME, is_question=bool(blocks))
        listed = await run_unasked(services, principal, surface, HOME_COMMAND, deferred)
        rows = list(listed.blocks)
    view = services.slash_prefixes.adapt_view(drawn.render_home(rows, blocks, await services.store.now()))
    call, body = slack.find_client(principal).call, {"user_id": principal.user_id}
    try:
        await call(VIEWS_PUBLISH, body | {"view": view})
    except SlackPermanent as error:
        if not is_content_refused(error):
            raise
        log.warning("slack refused a home", principal=principal.key, problem=error.code)
        await call(VIEWS_PUBLISH, body | {"view": plain.make_plain_view(view)})
