"""Help, and the first minute: what Usher is, the first steps, what a person may do, more about one verb."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from typing import Any

from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Where
from bot.messages.blocks import kit, replies
from bot.messages.texts import answers, runs, talk
from bot.messages.texts.verbs import FIRST, GROUPS, VERBS, VerbWords
from bot.providers import base
from bot.store import accounts as account_rows
from bot.support.errors import StoreError
from handlers import routes
from handlers.command_line import written
from handlers.connections import makers, telling
from handlers.hooks import RequestHooks
from handlers.request import Manner, Request
from handlers.services import Services
from handlers.suggestions import help_on_unknown

_EVERYTHING = "all"


@routes.verb("job", "help", effect=routes.Effect.SHOWS)
@routes.verb("workspace", "help", effect=routes.Effect.SHOWS)
async def helped(request: Request) -> Answer:
    """Answer with the first lines, with everything (``help all``), or with one entry of the catalogue."""
    asked = (request.target or "".join(request.arguments[:1])).casefold()
    if asked and asked != _EVERYTHING:
        return _some(request, asked)
    accounts = await _accounts(request)
    usable = _usable(request, accounts or {})
    # Help comes without the first steps rather than not at all.
    has_steps = accounts is not None and request.folder == "workspace"
    steps = steps_with(request.services, accounts or {}) if has_steps else []
    head = what(request.services) if request.folder == "workspace" else runs.HELP
    if asked:
        able = _abilities(request, accounts or {}, usable)
        possible = [entry for entry in VERBS[request.folder].values() if entry.is_for(able)]
        blocks = _everything(request.folder, request.command, possible)
        small = [*_of_jobs(request, usable), *_ways(request)]
        blocks += [kit.context(*small)] if small else []
        is_pressed = request.surface.kind == "button"
        return kit.answer([kit.section(head), *blocks, *kit.actions(steps)], replaces=is_pressed)
    lines = _first(request.folder, request.command)
    jobs = [kit.context(line) for line in _of_jobs(request, usable)]
    buttons = kit.actions([*steps, replies.help_button(request.folder)])
    return kit.answer([kit.section(head), kit.section(lines), *jobs, *buttons])


@routes.verb("workspace", "version", effect=routes.Effect.SHOWS)
async def version(request: Request) -> Answer:  # noqa: ARG001 - all handlers have this signature
    """Say which version this is."""
    return replies.answer(kit.fill(talk.VERSION, version=metadata.version("usher-bot")))


async def _accounts(request: Request) -> Mapping[str, str] | None:
    """Return the state of what the person has linked, by connection; None if it can't be read now."""
    try:
        return await request.services.store.read(account_rows.account_states, request.principal)
    except StoreError:
        return None


def _usable(request: Request, accounts: Mapping[str, str]) -> list[base.Provider]:
    """Return what a person has linked or needn't link; all that is here for somebody who has nothing."""
    connections = request.services.connections
    used = [one for name, one in connections.items() if name in accounts or one.links_by("none")]
    return used if used or accounts else list(connections.values())


def _abilities(request: Request, accounts: Mapping[str, str], usable: Iterable[base.Provider]) -> set[str]:
    """Return what a person may do here: facets and ways of stopping of what they use, their own roles."""
    services = request.services
    able: set[str] = set()
    for provider in usable:
        able |= provider.facets() | provider.stop_modes
    if accounts.keys() - {name for name, _ in services.list_linkless()}:
        able.add("linked")
    if services.list_linkable() or services.list_approvable():
        able.add("linking")
    if services.context.installation.is_administrator(request.principal):
        able |= {"administrator", "about"} if telling(services) else {"administrator"}
    return able


def _of_jobs(request: Request, usable: Iterable[base.Provider]) -> list[str]:
    """Return where the other command is explained; jobs are named only where there are any."""
    if request.folder == "job":
        return [kit.fill(runs.HELP_WORKSPACES, command=request.format_command("workspace"))]
    if not any(isinstance(one, base.Runs) for one in usable):
        return []
    return [kit.fill(runs.HELP_JOBS, command=request.format_command("job"))]


def _ways(request: Request) -> list[str]:
    """Return how else a command may be given, where that isn't how it was given just now."""
    if request.surface.where is Where.DIRECT:
        return []
    if request.folder == "job":
        return [runs.HELP_DIRECT]
    return [answers.HELP_SHARE, kit.fill(answers.HELP_DIRECT, command=kit.Markup(request.command.strip()))]


@lru_cache(maxsize=64)
def _first(folder: str, command: kit.Markup) -> str:
    """Return the first lines of help, which are the same for everybody who types a command like that."""
    return "\n".join(_line(command, VERBS[folder][verb]) for verb in FIRST[folder])


def _everything(folder: str, command: kit.Markup, entries: Sequence[VerbWords]) -> list[dict[str, Any]]:
    """Draw every entry by group."""
    blocks = []
    for group, title in GROUPS[folder].items():
        lines = [_line(command, entry) for entry in entries if entry.group == group]
        if lines:
            blocks.append(kit.section("\n".join([f"*{title}*", *lines])))
    return blocks


def _line(command: kit.Markup, entry: VerbWords) -> str:
    return f"`{command + entry.usage}` – {entry.summary}"


def _some(request: Request, verb: str) -> Answer:
    """Explain a verb, and others that were named with it, for the workspace that was named with them."""
    known = VERBS[request.folder]
    for hooks in RequestHooks.list_subscribers():
        if sentence := hooks.describe_topic(request, verb):
            return replies.hint(sentence)
    if verb not in known:
        return help_on_unknown(request, verb)
    verbs = dict.fromkeys([verb, *(one for one in request.arguments if one in known)])
    names = [one for one in request.arguments if one not in known and request.manner is not Manner.TYPED]
    blocks = []
    for entry in map(known.__getitem__, verbs):
        said = [f"{_line(request.command, entry)}.", *entry.more]
        if names:
            said = [one.replace("NAME", kit.line(written(names[:1]))) for one in said]
        blocks += [kit.section("\n".join(one)) for one in (said[:1], said[1:]) if one]
    return kit.answer(blocks)


def what(services: Services) -> str:
    """Say in one sentence what Usher is, here."""
    return replies.what(
        needs_accounts=len(services.list_linkless()) < len(services.connections),
        runs_jobs=any(isinstance(one, base.Runs) for one in services.connections.values()),
    )


async def first_steps(services: Services, principal: Principal) -> list[dict[str, Any]]:
    """Return the first steps that work here and for this person: link, show my workspaces, make one."""
    return steps_with(services, await services.store.read(account_rows.account_states, principal))


def steps_with(services: Services, accounts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the first steps for a person with accounts in these states, by connection.

    For somebody who has nothing yet that is a button for each account.
    """
    linked = _linked(services, accounts)
    unlinked = [one for one in services.list_link_methods() if one[0] not in linked]
    steps = replies.ways(unlinked)
    if unlinked and not _active(accounts):
        return [*steps, *replies.new_buttons(services.list_linkless(), first=len(steps))]
    if len(steps) > 1:
        steps = [replies.link_button()]
    if linked:
        steps.append(replies.list_button())
    return [*steps, *_new(services, linked)]


async def new_step(services: Services, principal: Principal) -> list[dict[str, Any]]:
    """Return *New workspace* if the person can make one."""
    return _new(
        services, _linked(services, await services.store.read(account_rows.account_states, principal))
    )


def _linked(services: Services, accounts: Mapping[str, str]) -> set[str]:
    """Return the connections on which a person with accounts in these states can act now."""
    return _active(accounts) | {name for name, _ in services.list_linkless()}


def _active(accounts: Mapping[str, str]) -> set[str]:
    return {connection for connection, state in accounts.items() if state == "active"}


def _new(services: Services, linked: Collection[str]) -> list[dict[str, Any]]:
    able = makers(services, "workspace")
    # People who have linked nothing yet are asked to link on the way.
    usable = [name for name in able if name in linked] if linked else able
    return [replies.new_button(usable[0] if len(usable) == 1 else None)] if usable else []


async def met(services: Services, principal: Principal) -> tuple[list[dict[str, Any]], bool] | None:
    """Return the first steps for a new person, who is introduced now; None if they may not use Usher.

    And whether they have to link something before anything else.
    """
    if await services.store.person(principal) is None:
        # Nothing is known yet: it would take a request to Slack, and there will be another contact.
        return None
    if not (await services.create_caller(principal).decide("help")).allowed:
        return None
    own = services.limit_to(principal)
    accounts = await services.store.read(account_rows.account_states, principal)
    is_first = bool(own.list_link_methods()) and not _active(accounts)
    steps = steps_with(own, accounts)
    return (steps, is_first) if await services.greeted.mark_greeted(principal) else None
