"""Help: four lines and the first steps, everything that a person may do by group, or more about one verb."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from typing import Any

from bot.domain.notices import Answer
from bot.messages.blocks import kit, replies
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import home, runs, talk
from bot.messages.texts.verbs import FIRST, GROUPS, VERBS, VerbWords
from bot.providers import base
from bot.providers.base import Provider
from bot.support.errors import StoreError
from handlers import routes
from handlers.command_line import written
from handlers.language.reading import Manner
from handlers.linking.connections import telling
from handlers.request import Request
from handlers.talking import help_on_unknown
from handlers.welcome import steps_with, what

_EVERYTHING = "all"


@routes.verb("job", "help", does=routes.Does.SHOWS)
@routes.verb("workspace", "help", does=routes.Does.SHOWS)
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
        return kit.answer(head, [kit.section(head), *blocks, *kit.actions(steps)], replaces=is_pressed)
    lines = _first(request.folder, request.command)
    jobs = [kit.context(line) for line in _of_jobs(request, usable)]
    buttons = kit.actions([*steps, replies.help_button(request.folder)])
    return kit.answer(head, [kit.section(head), kit.section(lines), *jobs, *buttons])


@routes.verb("workspace", "version", does=routes.Does.SHOWS)
async def version(request: Request) -> Answer:  # noqa: ARG001 - all handlers have this signature
    """Say which version this is."""
    return replies.answer(fill(talk.VERSION, version=metadata.version("usher-bot")))


async def _accounts(request: Request) -> Mapping[str, str] | None:
    """Return the state of what the person has linked, by connection; None if it can't be read now."""
    try:
        return await request.services.store.account_states(request.principal)
    except StoreError:
        return None


def _usable(request: Request, accounts: Mapping[str, str]) -> list[Provider]:
    """Return what a person has linked or needn't link; all that is here for somebody who has nothing."""
    connections = request.services.connections
    used = [one for name, one in connections.items() if name in accounts or one.links_by("none")]
    return used if used or accounts else list(connections.values())


def _abilities(request: Request, accounts: Mapping[str, str], usable: Iterable[Provider]) -> set[str]:
    """Return what a person may do here: facets and ways of stopping of what they use, their own roles."""
    services = request.services
    able: set[str] = set()
    for provider in usable:
        able |= provider.facets() | provider.stop_modes
    if accounts.keys() - {name for name, _ in services.linkless()}:
        able.add("linked")
    if services.linkable() or services.approvable():
        able.add("linking")
    if services.authority.installation.is_administrator(request.principal):
        able |= {"administrator", "about"} if telling(services) else {"administrator"}
    return able


def _of_jobs(request: Request, usable: Iterable[Provider]) -> list[str]:
    """Return where the other command is explained; jobs are named only where there are any."""
    if request.folder == "job":
        return [fill(runs.HELP_WORKSPACES, command=request.command_of("workspace"))]
    if not any(isinstance(one, base.Runs) for one in usable):
        return []
    return [fill(runs.HELP_JOBS, command=request.command_of("job"))]


def _ways(request: Request) -> list[str]:
    """Return how else a command may be given, where that isn't how it was given just now."""
    if request.is_read_directly:
        return []
    if request.folder == "job":
        return [runs.HELP_DIRECT]
    return [home.HELP_SHARE, fill(home.HELP_DIRECT, command=Markup(request.command.strip()))]


@lru_cache(maxsize=64)
def _first(folder: str, command: Markup) -> str:
    """Return the first lines of help, which are the same for everybody who types a command like that."""
    return "\n".join(_line(command, VERBS[folder][verb]) for verb in FIRST[folder])


def _everything(folder: str, command: Markup, entries: Sequence[VerbWords]) -> list[dict[str, Any]]:
    """Draw every entry by group."""
    blocks = []
    for group, title in GROUPS[folder].items():
        lines = [_line(command, entry) for entry in entries if entry.group == group]
        if lines:
            blocks.append(kit.section("\n".join([f"*{title}*", *lines])))
    return blocks


def _line(command: Markup, entry: VerbWords) -> str:
    return f"`{command + entry.usage}` – {entry.summary}"


def _some(request: Request, verb: str) -> Answer:
    """Explain a verb, and others that were named with it, for the workspace that was named with them."""
    known = VERBS[request.folder]
    if verb not in known:
        return help_on_unknown(request, verb)
    verbs = dict.fromkeys([verb, *(one for one in request.arguments if one in known)])
    names = [one for one in request.arguments if one not in known and request.manner is not Manner.TYPED]
    blocks = []
    for entry in map(known.__getitem__, verbs):
        said = [f"{_line(request.command, entry)}.", *entry.more]
        if names:
            said = [one.replace("NAME", line(written(names[:1]))) for one in said]
        blocks += [kit.section("\n".join(one)) for one in (said[:1], said[1:]) if one]
    return kit.answer(kit.bare(f"{_line(request.command, known[verb])}."), blocks)
