"""Finds connections by name or title, and shows administrators an overview of a connection's server."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.domain.forms import Purpose
from bot.domain.notices import Answer
from bot.messages.blocks import lists, replies
from bot.messages.blocks.kit import Element, Markup, fill, line
from bot.messages.texts import problems, verbs
from bot.providers import facets
from bot.services import naming, snapshots
from bot.support.errors import Refused
from handlers.requests.request import Answered, Request
from handlers.requests.services import Services

_FACETS: Mapping[Purpose, type[facets.Facet]] = {"workspace": facets.Creation, "job": facets.Runs}


def require_connection(request: Request, name: str, more: str = "", offers: Iterable[Element] = ()) -> str:
    """Return the connection with this name, title or unique prefix.

    If there isn't one, raise Answered or Refused. ``more`` (a whole sentence) and the buttons in ``offers``
    are then added to the answer.
    """
    found = naming.find_connection(name, request.services.connections)
    if found is not None:
        return found
    context = request.services.context
    coming = {one: context.title(one) for one in context.owners.lacking_connections}
    if (lacking := naming.find_title(name, coming, is_whole=True)) is not None:
        context.need(lacking)
    sentence = fill(
        "I don't have a connection called *{name}*. I have: {known}.",
        name=name,
        known=format_titles(request.services, request.services.connections),
    )
    raise Answered(replies.hint(sentence, offers, more=more))


def find_linked_connection(request: Request, name: str, linked: Iterable[str]) -> str:
    """Return the linked connection with this name or title, even if it isn't set up any more.

    If none of the ``linked`` connections matches, this works like ``require_connection``.
    """
    titles = {connection: request.services.title(connection) for connection in linked}
    return naming.find_title(name, titles, is_whole=True) or require_connection(request, name)


def require_leading_connection(
    request: Request, given: Sequence[str], more: str = "", offers: Iterable[Element] = ()
) -> tuple[str, tuple[str, ...]]:
    """Return the connection named at the beginning of some words, and the remaining words.

    If they don't begin with a connection, raise the same errors as ``require_connection``.
    """
    found, rest = naming.split_leading_connection(given, request.services.connections)
    if found is not None:
        return found, rest
    return require_connection(request, given[0], more, offers), tuple(given[1:])


def list_making_connections(services: Services, purpose: Purpose) -> list[str]:
    """Return the connections that can create workspaces or that can run jobs, depending on ``purpose``."""
    needed = _FACETS[purpose]
    return sorted([name for name, provider in services.connections.items() if isinstance(provider, needed)])


def list_commanding_connections(services: Services) -> list[str]:
    """Return the connections that can run commands."""
    return sorted(
        name
        for name, provider in services.connections.items()
        if isinstance(provider, facets.Runs) and provider.can_run_commands()
    )


def list_overview_connections(services: Services) -> list[str]:
    """Return the connections that offer an overview of their server."""
    return sorted(
        name
        for name, provider in services.connections.items()
        if isinstance(provider, facets.Overview) and provider.has_overview()
    )


def choose_making_connection(
    request: Request,
    purpose: Purpose,
    given: Sequence[str],
    *,
    nowhere: str,
    which: Callable[[list[str]], Answer],
    more: str = "",
) -> str:
    """Return the connection on which to create something: the one named first or, if none is, the only one.

    If no connection is able to create it, raise Answered with ``nowhere``. If several are and none is named,
    raise Answered with ``which``. ``more`` is added to an answer, as in ``require_connection``.
    """
    services = request.services
    connections = list_making_connections(services, purpose)
    if not connections:
        raise Answered(replies.hint(request.fill(nowhere)))
    if not given:
        if len(connections) == 1:
            return connections[0]
        raise Answered(which(connections))
    chosen, _ = require_leading_connection(request, given, more)
    if chosen not in connections:
        raise Answered(replies.hint(request.fill(verbs.NOT_THERE[purpose], title=services.title(chosen))))
    return chosen


def format_titles(services: Services, connections: Iterable[str]) -> Markup:
    """Return the titles of connections as users type them."""
    return Markup(", ".join(f"`{line(title)}`" for title in sorted(map(services.title, connections))))


async def show_overview(request: Request) -> Answer:
    """Answer with the stored overview of a connection's server. Unless it is recent, request a new one."""
    services = request.services
    await request.caller.authorise("overview")
    connection, page = _parse_connection_and_page(request)
    title = services.title(connection)
    if connection not in list_overview_connections(services):
        raise Refused("about.none", problems.explain_cause("no_about", title))
    snapshot = await snapshots.load_about(services.context, connection)
    if snapshot is None and not request.is_live:
        cause = request.deferred.problem or "unreachable"
        return replies.plain_problem(problems.explain_unread(cause, title), request.reference)
    if snapshot is None:
        waiting = request.defer(f"about {connection} {page}").as_body()
        await request.caller.run(snapshots.request_about, connection, waiting)
        return replies.answer(fill("Checking {title}…", title=title))
    if snapshots.is_stale(services.context, snapshot):
        await request.caller.run(snapshots.request_about, connection)
    return lists.answer_server_info(
        snapshot,
        title,
        now=services.clock.now(),
        zone=await request.find_zone(),
        page=page,
        replaces=request.surface.kind == "button",
    )


def _parse_connection_and_page(request: Request) -> tuple[str, int]:
    words = (request.target or request.name).split()
    page = 1
    if len(words) > 1 and words[-1].isdecimal() and len(words[-1]) < 6:
        page = max(int(words.pop()), 1)
    return require_connection(request, " ".join(words)), page
