"""Refuses schedules typed after a job's name, because Usher only runs jobs immediately.

The reply links to the providers' own pages for scheduling jobs.
"""

from collections.abc import Sequence

from bot.domain import time_parsing
from bot.domain.runs import Run
from bot.messages.blocks import kit, replies
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import runs as run_words
from bot.messages.texts import times
from bot.providers import facets
from bot.services import naming
from bot.store import runs as run_rows
from bot.support.cleaning import fold
from handlers.connections import list_making_connections
from handlers.forms import find_offering
from handlers.requests.request import Answered, Request


async def refuse_schedule(request: Request, words: Sequence[str]) -> None:
    """If a schedule follows a name, raise Answered with links to pages where jobs can be scheduled."""
    connection, rest = naming.split_leading_connection(list(words), request.services.connections)
    begin = next((at for at in range(1, len(rest)) if time_parsing.is_schedule(" ".join(rest[at:]))), None)
    if begin is None or await find_offering(request, "job", " ".join(rest)):
        return
    name, stated_connection = naming.split_connection(" ".join(rest[:begin]), request.services.connections)
    runs = [
        run
        for run in await request.services.store.read(run_rows.list_runs, request.principal)
        if fold(run.name) == fold(name)
    ]
    chosen = connection or stated_connection
    able = list_making_connections(request.services, "job")
    places = [chosen] if chosen else [*dict.fromkeys(run.connection for run in runs)] or able
    newest = {place: next((run for run in runs if run.connection == place), None) for place in places}
    pages = Markup(times.join_names(_link_page(request, place, newest[place]) for place in places))
    raise Answered(replies.hint(fill(run_words.NO_SCHEDULE, name=name, pages=pages)))


def _link_page(request: Request, connection: str, run: Run | None) -> Markup:
    provider = request.services.connections.get(connection)
    if provider is None:
        return Markup(kit.line(connection))
    page = provider.run_page_url(run) if run is not None and isinstance(provider, facets.Runs) else ""
    url = provider.allowed_url(page or provider.settings.base_url)
    title = provider.settings.title
    return Markup(kit.line(title)) if url is None else kit.link(url, title)
