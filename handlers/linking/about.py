"""Tell administrators what a connection's server is, and who is on it."""

from __future__ import annotations

from bot.domain.notices import Answer
from bot.messages.blocks import replies, totals
from bot.messages.blocks.limits import fill
from bot.messages.texts import answers as words
from bot.messages.texts import problems
from bot.support.errors import Refused
from handlers import routes
from handlers.linking.connections import connection_of, named, telling
from handlers.request import Answered, Request


@routes.verb("workspace", "about", does=routes.Does.SHOWS)
async def about(request: Request) -> Answer:
    """Answer with what the server last said; if that is outdated or missing, ask the server."""
    services = request.services
    connection, page = _asked(request)
    title = services.title(connection)
    if connection not in telling(services):
        raise Refused("about.none", problems.sentence("no_about", title))
    snapshot = await services.snapshots.about(connection)
    if snapshot is None and request.surface.kind == "replay":
        cause = request.waited.problem or "unreachable"
        return replies.plain_problem(problems.sentence(cause, title), request.reference)
    if snapshot is None:
        waiting = request.waiting(f"about {connection} {page}").as_body()
        await services.snapshots.refresh_about(
            connection, then=waiting, interaction=request.surface.interaction
        )
        return replies.answer(fill(words.ABOUT_ASKING, title=title))
    if services.snapshots.is_stale(snapshot):
        await services.snapshots.refresh_about(connection)
    return totals.about(
        snapshot,
        title,
        now=services.clock.now(),
        page=page,
        replaces=request.surface.kind == "button",
    )


def _asked(request: Request) -> tuple[str, int]:
    """Return the requested connection and page; raises Answered if there is no such connection."""
    given = (request.target or request.name).split()
    page = 1
    if len(given) > 1 and given[-1].isdecimal() and len(given[-1]) < 6:
        page = max(int(given.pop()), 1)
    if given:
        return connection_of(request, " ".join(given)), page
    able = telling(request.services)
    if len(able) == 1:
        return able[0], page
    sentence = words.ABOUT_NONE
    if able:
        sentence = fill(words.ABOUT_WHICH, command=request.command, known=named(request.services, able))
    raise Answered(replies.hint(sentence))
