"""Which connection is meant, by its name or title, and what administrators see of its server."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.domain.forms import Choice, Purpose
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.messages.blocks import lists, replies
from bot.messages.blocks.kit import Element, Markup, fill, line
from bot.messages.texts import answers, problems, verbs
from bot.providers import base
from bot.services import naming, snapshots
from bot.services.accounts import own
from bot.services.creation import TEMPLATE, PersonalOffer
from bot.support.errors import Refused
from handlers import routes
from handlers.request import Answered, Request
from handlers.services import Services

_FACETS: Mapping[Purpose, type[base.Facet]] = {"workspace": base.Making, "job": base.Runs}


def connection_of(request: Request, name: str, more: str = "", offers: Iterable[Element] = ()) -> str:
    """Return the connection with this name, title or unique prefix; raises Answered for any other.

    ``more`` and ``offers`` are a sentence of ours and buttons for that answer.
    """
    found = naming.find_connection(name, request.services.connections)
    if found is not None:
        return found
    sentence = fill(
        answers.UNKNOWN_CONNECTION, name=name, known=named(request.services, request.services.connections)
    )
    raise Answered(replies.hint(sentence, offers, more=more))


def find_linked_connection(request: Request, name: str, linked: Iterable[str]) -> str:
    """Return a connection as ``connection_of``, of those linked also one that was removed."""
    titles = {one: request.services.title(one) for one in linked}
    return naming.find_title(name, titles, is_whole=True) or connection_of(request, name)


def leading(
    request: Request, given: Sequence[str], more: str = "", offers: Iterable[Element] = ()
) -> tuple[str, tuple[str, ...]]:
    """Return the connection that words begin with, and the rest; raises Answered as ``connection_of``."""
    found, rest = naming.leading_connection(given, request.services.connections)
    if found is not None:
        return found, rest
    return connection_of(request, given[0], more, offers), tuple(given[1:])


def makers(services: Services, purpose: Purpose) -> list[str]:
    """Return the names of the connections where something for this purpose can be made."""
    needed = _FACETS[purpose]
    return sorted([name for name, one in services.connections.items() if isinstance(one, needed)])


def commanding(services: Services) -> list[str]:
    """Return the names of the connections that run commands."""
    return sorted(
        name
        for name, provider in services.connections.items()
        if isinstance(provider, base.Runs) and provider.runs_commands()
    )


def telling(services: Services) -> list[str]:
    """Return the names of the connections that have something to say about their server."""
    return sorted(
        name
        for name, provider in services.connections.items()
        if isinstance(provider, base.Overview) and provider.can_tell()
    )


def maker_of(
    request: Request,
    purpose: Purpose,
    given: Sequence[str],
    *,
    nowhere: str,
    which: Callable[[list[str]], Answer],
    more: str = "",
) -> str:
    """Return where to make something new: the connection named first, or the only one that can.

    Raises Answered: with ``nowhere`` if none can, with ``which`` if several can and none is named.
    ``more`` as for ``connection_of``.
    """
    services = request.services
    able = makers(services, purpose)
    if not able:
        raise Answered(replies.hint(request.fill(nowhere)))
    if not given:
        if len(able) == 1:
            return able[0]
        raise Answered(which(able))
    chosen, _ = leading(request, given, more)
    if chosen not in able:
        raise Answered(replies.hint(request.fill(verbs.NOT_THERE[purpose], title=services.title(chosen))))
    return chosen


def named(services: Services, connections: Iterable[str]) -> Markup:
    """Return the titles of connections, which people may write like their names."""
    return Markup(", ".join(f"`{line(title)}`" for title in sorted(map(services.title, connections))))


@routes.verb("workspace", "about", effect=routes.Effect.SHOWS, accepts=("connection",))
async def about(request: Request) -> Answer:
    """Answer with what the server last said; if that is outdated or missing, ask the server."""
    services = request.services
    connection, page = _asked(request)
    title = services.title(connection)
    if connection not in telling(services):
        raise Refused("about.none", problems.sentence("no_about", title))
    snapshot = await snapshots.about(services.context, connection)
    if snapshot is None and not request.is_live:
        cause = request.deferred.problem or "unreachable"
        return replies.plain_problem(problems.sentence(cause, title), request.reference)
    if snapshot is None:
        waiting = request.defer(f"about {connection} {page}").as_body()
        await request.caller.run(snapshots.read_about, connection, waiting)
        return replies.answer(fill(answers.ABOUT_ASKING, title=title))
    if snapshots.is_stale(services.context, snapshot):
        await request.caller.run(snapshots.read_about, connection)
    return lists.about(
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
    sentence = answers.ABOUT_NONE
    if able:
        sentence = request.fill(answers.ABOUT_WHICH, known=named(request.services, able))
    raise Answered(replies.hint(sentence))


async def list_templates(services: Services, principal: Principal, connection: str) -> list[Choice]:
    """Return the templates of a connection that a person is known to be offered."""
    account = await own(services.create_caller(principal), connection)
    if account is None or account.state != "active":
        return []
    snapshot = await snapshots.templates(services.context, account)
    if snapshot is None:
        return []
    form = PersonalOffer(services.connections[connection], snapshot, "workspace", principal).form({})
    field = form.field(TEMPLATE)
    return list(field.choices) if field is not None else []
