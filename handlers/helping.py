"""Help and introductions: what Usher is, what to do first, which verbs a user can use, and how."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Where
from bot.messages.blocks import kit, replies
from bot.messages.texts import answers, runs
from bot.messages.texts.verbs import FIRST, GROUPS
from bot.messages.verb import Effect, Verb, list_synonyms, list_verbs, to_present_name
from bot.providers import base, facets
from bot.store import accounts as account_rows
from bot.support.errors import StoreError
from handlers.connections import list_making_connections
from handlers.requests import routes
from handlers.requests.command_line import find_folder
from handlers.requests.request import Request
from handlers.requests.services import Services
from handlers.requests.suggestions import answer_unknown_topic
from handlers.requests.vocabulary import EVERYTHING


@routes.verb(
    Verb(
        command="job",
        usage="help [VERB]",
        summary="show this list, or more about one verb",
        more=("`help all` lists everything that you can do with jobs here.",),
        order=90,
        effect=Effect.SHOWS,
        accepts=("verb",),
        also="commands usage man manual hilfe aide ayuda ajuda ? -h --help",
    )
)
@routes.verb(
    Verb(
        usage="help [VERB]",
        summary="show this list, or more about one verb",
        more=("`help all` lists everything that you can do here.",),
        group="accounts",
        order=310,
        effect=Effect.SHOWS,
        accepts=("verb",),
        also="commands usage man manual hilfe aide ayuda ajuda ? -h --help",
        alone="Help",
        does="Help with {rest}",
    )
)
async def show_help(request: Request) -> Answer:
    """Show the short help, the complete help (``help all``), or the help on one verb."""
    topic = (request.target or "".join(request.arguments[:1])).casefold()
    if folder := find_folder(topic, request.services.commands):
        # *Help job* asks about the verbs that follow that word.
        return await show_help(replace(request, folder=folder, target=None, arguments=()))
    if topic and topic not in EVERYTHING:
        return _explain_verb(request, topic)
    accounts = await _read_account_states(request)
    usable = _list_usable_providers(request, accounts or {})
    abilities = _find_abilities(request, accounts or {}, usable)
    entries, is_about_jobs = list_verbs(request.folder), request.folder == "job"
    possible = [entries[name] for name in (entries if topic else FIRST[request.folder])]
    possible = [entry for entry in possible if entry.is_for(abilities)]
    head = kit.section(runs.HELP if is_about_jobs else describe_usher(request.services))
    steps = [] if accounts is None or is_about_jobs else make_first_steps(request.services, accounts)
    small = _describe_other_command(request, usable)
    if topic:
        blocks = _format_all_entries(request.folder, request.command, possible)
        small += _describe_other_surfaces(request)
    else:
        blocks = [kit.section("\n".join(_format_entry(request.command, entry) for entry in possible))]
        steps = [*steps, replies.help_button(request.folder)]
    blocks += [kit.context(*small)] if small else []
    is_pressed = bool(topic) and request.surface.kind == "button"
    return kit.answer([head, *blocks, *kit.actions(steps)], replaces=is_pressed)


async def _read_account_states(request: Request) -> Mapping[str, str] | None:
    try:
        return await request.services.store.read(account_rows.list_account_states, request.principal)
    except StoreError:
        return None


def _list_usable_providers(request: Request, accounts: Mapping[str, str]) -> list[base.Provider]:
    connections = request.services.connections
    linked = [
        provider
        for name, provider in connections.items()
        if name in accounts or provider.has_link_method("none")
    ]
    return linked if linked or accounts else list(connections.values())


def _find_abilities(
    request: Request, accounts: Mapping[str, str], usable: Iterable[base.Provider]
) -> set[str]:
    services = request.services
    abilities: set[str] = set()
    for provider in usable:
        abilities |= provider.facets() | provider.stop_modes
    if accounts.keys() - services.linked_by("none").keys():
        abilities.add("linked")
    if services.linked_by("token") or services.linked_by("admin"):
        abilities.add("linking")
    if services.context.installation.is_administrator(request.principal):
        abilities.add("administrator")
    return abilities


def _describe_other_command(request: Request, usable: Iterable[base.Provider]) -> list[str]:
    """Point to the other slash command's help. Jobs are mentioned only if a connection can run them."""
    if request.folder == "job":
        return [kit.fill("For workspaces, type `{command}help`.", command=request.prefixes.of("workspace"))]
    if not any(isinstance(provider, facets.Runs) for provider in usable):
        return []
    return [kit.fill("For jobs, type `{command}help`.", command=request.prefixes.of("job"))]


def _describe_other_surfaces(request: Request) -> list[str]:
    if request.surface.where is Where.DIRECT:
        return []
    if request.folder == "job":
        return ["In a direct message to me, leave out the slash, as in *job list*."]
    return [kit.fill(answers.HELP_DIRECT, command=kit.Markup(request.command.strip()))]


def _format_all_entries(folder: str, command: kit.Markup, entries: Sequence[Verb]) -> list[dict[str, Any]]:
    blocks = []
    for group, title in GROUPS[folder].items():
        lines = [_format_entry(command, entry) for entry in entries if entry.group == group]
        if lines:
            blocks.append(kit.section("\n".join([f"*{title}*", *lines])))
    return blocks


def _format_entry(command: kit.Markup, entry: Verb) -> str:
    return f"`{command + entry.usage}` – {entry.summary}"


def _explain_verb(request: Request, verb: str) -> Answer:
    entries = list_verbs(request.folder)
    if verb not in entries:
        verb = to_present_name(request.folder, list_synonyms(request.folder).get(verb, verb))
    if verb not in entries:
        return answer_unknown_topic(request, verb)
    verbs = dict.fromkeys([verb, *(word for word in request.arguments if word in entries)])
    blocks = []
    for entry in map(entries.__getitem__, verbs):
        more = [request.prefixes.adapt(line, request.folder) for line in entry.more]
        lines = [f"{_format_entry(request.command, entry)}.", *more]
        blocks += [kit.section("\n".join(word)) for word in (lines[:1], lines[1:]) if word]
    return kit.answer(blocks)


def describe_usher(services: Services) -> str:
    """Describe in one sentence what Usher does in this installation."""
    return replies.describe_usher(
        needs_accounts=len(services.linked_by("none")) < len(services.connections),
        runs_jobs=any(isinstance(provider, facets.Runs) for provider in services.connections.values()),
    )


async def list_first_steps(
    services: Services, principal: Principal, *, has_list: bool = True
) -> list[dict[str, Any]]:
    """Return buttons for a person's first steps: linking an account, showing workspaces, creating one."""
    accounts = await services.store.read(account_rows.list_account_states, principal)
    return make_first_steps(services, accounts, has_list=has_list)


def make_first_steps(
    services: Services, accounts: Mapping[str, str], *, has_list: bool = True
) -> list[dict[str, Any]]:
    """Return the buttons for the first steps of a person whose accounts have these states.

    If no account is linked, there is a button for each connection. If ``has_list`` is false, the list is
    empty, so there is no button for it.
    """
    linked = _list_linked(services, accounts)
    has_linked = not linked <= services.linked_by("none").keys()
    if has_list and has_linked:
        # The list itself offers a new workspace, and linking another account is hardly the next step.
        return [replies.list_button()]
    unlinked = [name for name, *_ in services.list_link_methods() if name not in linked]
    steps = services.make_link_buttons(unlinked)
    if unlinked and not has_linked:
        return [*steps, *replies.new_buttons(services.linked_by("none"), first=len(steps))]
    return [*map(kit.without_colour, steps), *_make_new_workspace_button(services, linked)]


async def list_new_workspace_step(services: Services, principal: Principal) -> list[dict[str, Any]]:
    """Return the *New workspace* button if the person can create a workspace."""
    return _make_new_workspace_button(
        services,
        _list_linked(services, await services.store.read(account_rows.list_account_states, principal)),
    )


def _list_linked(services: Services, accounts: Mapping[str, str]) -> set[str]:
    active = {connection for connection, state in accounts.items() if state == "active"}
    return active | services.linked_by("none").keys()


def _make_new_workspace_button(services: Services, linked: Collection[str]) -> list[dict[str, Any]]:
    connections = list_making_connections(services, "workspace")
    usable = [name for name in connections if name in linked]
    return [replies.new_button(usable[0] if len(usable) == 1 else None)] if usable else []


async def start_introduction(services: Services, principal: Principal) -> list[dict[str, Any]] | None:
    """Introduce Usher to a person and return their first steps.

    Return None if the person isn't new or may not use Usher.
    """
    if await services.store.person(principal) is None:
        # Slack would have to identify the person first, so leave the introduction to the next answer.
        return None
    if not (await services.create_caller(principal).decide("help")).allowed:
        return None
    accounts = await services.greeted.greet(principal)
    return None if accounts is None else make_first_steps(services.limit_to(principal), accounts)
