"""A person's Home, opened and turned, and their settings: shown, changed in a form, saved."""

from collections.abc import Iterable
from typing import Any

from bot.domain.forms import Choice
from bot.domain.notices import Answer, minutes
from bot.domain.people import HomeUse, Preferences, Principal
from bot.domain.workspaces import Workspace
from bot.messages.blocks import home
from bot.messages.blocks.kit import line
from bot.messages.texts import home as home_words
from bot.services import naming, snapshots
from bot.services.accounts import own
from bot.services.home import read_lists, save_preferences, use
from bot.services.making import TEMPLATE, PersonalOffer
from handlers import routes
from handlers.connections import makers
from handlers.payload import sent_by_block
from handlers.request import SILENT, AtFields, Occurrence, Request, Services


@routes.event("app_home_opened")
async def opened(occurrence: Occurrence) -> None:
    """Have the Home that somebody opened drawn; meanwhile Slack shows the last version."""
    event, services = occurrence.event, occurrence.services
    if (event.get("tab") or "home") != "home":
        return
    principal = services.actor(occurrence.payload)
    shown = event.get("view")
    seen = str(shown.get("hash") or "") if isinstance(shown, dict) else ""
    asked = services.asked(principal)
    await asked.to(use, HomeUse(seen=seen))
    if (await asked.decide("home")).allowed:
        # As long as there is nothing else to show, a Home itself says what Usher is.
        await services.contacts.meet(principal)
        await asked.to(read_lists)


@routes.action("home")
async def turned(request: Request) -> Answer:
    """Turn to another page, to the totals or back; the next view shows it, and asks the policy again."""
    part, _, page = (request.target or "").partition(" ")
    number = int(page) if page.isdecimal() and len(page) < 6 else 1
    if part == "refresh":
        await request.asked.to(read_lists)
    else:
        await request.asked.to(use, HomeUse(page=number, is_totals=part == "totals"))
    return SILENT


@routes.verb("workspace", "settings", does=routes.Does.SHOWS)
@routes.action("settings_form")
async def settings(request: Request) -> Answer:
    """Show what applies now, and open the form where one can be opened."""
    services = request.services
    rows = await services.store.workspaces(request.principal)
    facts = await services.gatherer.of_preferences(request.principal, rows)
    workspaces = _workspaces(rows, facts.wanted.workspace_id)
    sources = await _sources(services, request.principal)
    view = home.form(facts, workspaces, sources, f"{services.slash('workspace')} ")
    return home.answer(facts, view)


@routes.view(home.CALLBACK)
async def saved(request: Request) -> Answer:
    """Save what was chosen; times and choices are checked again."""
    services, principal = request.services, request.principal
    values = sent_by_block(request.view)
    chosen = {name: _chosen(values.get(name)) for name in _FIELDS}
    problems: dict[str, str] = {}
    before = await services.store.preferences(principal)
    begin, end = _quiet(chosen, problems)
    connection, template = await _source(services, principal, _one(chosen[home.NEW]), before, problems)
    wanted = Preferences(
        ready="ready" in chosen[home.TELL],
        stopped="stopped" in chosen[home.TELL],
        run_ended="run_ended" in chosen[home.TELL],
        quiet_from=begin,
        quiet_to=end,
        workspace_id=await _workspace(services, principal, _one(chosen[home.WORKSPACE]), problems),
        connection=connection,
        template=template,
        asks_after=next((one for one in home.HOURS if str(one) == _one(chosen[home.ASKING])), None),
    )
    if problems:
        raise AtFields(problems)
    await request.asked.to(save_preferences, wanted)
    rows = await services.store.workspaces(principal)
    facts = await services.gatherer.of_preferences(principal, rows)
    return Answer(text="", view=home.saved(facts))


_FIELDS = (home.TELL, home.HOLD, home.BEGIN, home.END, home.ASKING, home.WORKSPACE, home.NEW)


def _chosen(elements: Any) -> tuple[str, ...]:
    """Return what is chosen in a block: values of options, or a time."""
    element: dict[str, Any] = next(iter(elements.values()), {}) if isinstance(elements, dict) else {}
    several = element.get("selected_options")
    if isinstance(several, list):
        return tuple(str(one.get("value")) for one in several if isinstance(one, dict))
    one = element.get("selected_option")
    found = one.get("value") if isinstance(one, dict) else element.get("selected_time")
    return (str(found),) if found else ()


def _one(chosen: tuple[str, ...]) -> str:
    return chosen[0] if chosen and chosen[0] != home.ASK else ""


def _quiet(chosen: dict[str, tuple[str, ...]], problems: dict[str, str]) -> tuple[int | None, int | None]:
    if not chosen[home.HOLD]:
        return None, None
    begin, end = (minutes(_one(chosen[name])) for name in (home.BEGIN, home.END))
    for name, found in ((home.BEGIN, begin), (home.END, end)):
        if found is None:
            problems[name] = home_words.NO_TIME
    if begin is not None and begin == end:
        problems[home.END] = home_words.SAME_TIME
    return begin, end


def _workspaces(rows: Iterable[Workspace], chosen: str) -> list[Choice]:
    """Return the workspaces to choose from: the chosen one, then those used last."""
    found = sorted(rows, key=lambda one: (one.id != chosen, -(one.used_at or 0.0), one.title.casefold()))
    kept = sorted(found[: home.OPTIONS], key=lambda one: one.title.casefold())
    return [Choice(one.id, naming.address(one, found)) for one in kept]


async def _workspace(services: Services, principal: Principal, chosen: str, problems: dict[str, str]) -> str:
    """Return the workspace if it is on the person's own list; what a form sends is only a key."""
    if chosen and chosen not in {one.id for one in await services.store.workspaces(principal)}:
        problems[home.WORKSPACE] = home_words.NOT_YOURS
        return ""
    return chosen


async def _sources(services: Services, principal: Principal) -> list[Choice]:
    """Return what new workspaces can come from: connections, and the templates known to be offered there."""
    found: list[Choice] = []
    for connection in makers(services, "workspace"):
        title = services.title(connection)
        found.append(Choice(connection, title))
        for template in await _templates(services, principal, connection):
            label = home_words.SOURCE.format(template=line(template.label), title=line(title))
            found.append(Choice(f"{connection} {template.value}", label))
    return [one for one in found if len(one.value) <= _VALUE]


#: Slack's limit of an option's value.
_VALUE = 150


async def _templates(services: Services, principal: Principal, connection: str) -> list[Choice]:
    account = await own(services.asked(principal), connection)
    if account is None or account.state != "active":
        return []
    snapshot = await snapshots.templates(services.context, account)
    if snapshot is None:
        return []
    form = PersonalOffer(services.connections[connection], snapshot, "workspace", principal).form({})
    field = form.field(TEMPLATE)
    return list(field.choices) if field is not None else []


async def _source(
    services: Services,
    principal: Principal,
    chosen: str,
    before: Preferences,
    problems: dict[str, str],
) -> tuple[str, str]:
    """Return connection and template if they are offered; an unchanged choice may have been before."""
    connection, _, template = chosen.partition(" ")
    offered = {one.value for one in await _sources(services, principal)} if chosen else {""}
    if chosen not in offered and (connection, template) != (before.connection, before.template):
        problems[home.NEW] = home_words.NOT_THERE
    return connection, template
