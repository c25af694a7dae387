"""People's settings: shown, changed in a form, saved, and those of one workspace."""

import json
from collections.abc import Iterable

from bot.domain.forms import Choice
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.preferences import ASKS_AFTER, LEVELS, NEVER_HOURS, Preferences
from bot.domain.workspaces import Workspace
from bot.messages.blocks import limits, replies
from bot.messages.blocks import preferences as drawn
from bot.messages.blocks.buttons import list_opposite_button
from bot.messages.blocks.kit import line
from bot.messages.texts import preferences as words
from bot.messages.texts.cards import CHANGE_BACK
from bot.messages.verb import Effect, Opposite, Verb
from bot.services import naming
from bot.services.preferences import load_preferences, save
from bot.services.workspace_list import set_notifications
from bot.services.workspaces import require_workspace
from bot.store import preferences as store
from bot.store import workspaces as workspace_rows
from handlers.connections import list_making_connections, list_templates
from handlers.requests import routes
from handlers.requests.payload import parse_values
from handlers.requests.request import InvalidFields, Request
from handlers.requests.services import Services
from handlers.workspace.opposites import read_carried
from handlers.workspace.targets import require_by_name


@routes.verb(
    Verb(
        usage="settings",
        summary="choose what I message you about and your defaults",
        more=("For one workspace, type `notify NAME on` or `notify NAME off`.",),
        group="accounts",
        order=230,
        effect=Effect.SHOWS,
        also="preferences prefs config configure configuration options setting",
        alone="Show my settings",
    )
)
@routes.action("settings_form")
async def show_settings(request: Request) -> Answer:
    """Show the present preferences, and open the form if one can be opened."""
    services = request.services
    rows = await services.store.perform(workspace_rows.read_workspaces, request.principal)
    facts = await load_preferences(services.context, request.principal, rows)
    workspaces = _list_workspaces(services, rows, facts.wanted.workspace_id)
    sources = await _list_sources(services, request.principal)
    return drawn.answer_preferences(
        facts, drawn.build_form(facts, workspaces, sources, f"{services.find_slash_command('workspace')} ")
    )


@routes.view(drawn.SETTINGS_CALLBACK)
async def save_form(request: Request) -> Answer:
    """Save the choices of the form; they are checked again."""
    services, principal = request.services, request.principal
    before, rows = (
        await services.store.read(store.preferences, principal),
        await services.store.perform(workspace_rows.read_workspaces, principal),
    )
    sent, problems = parse_values(request.view), dict[str, str]()
    chosen = {
        name: value for name, value in sent.items() if isinstance(value, str) and value != drawn.ASK_OPTION
    }
    topics, workspace_id = sent.get(drawn.TELL, ()), chosen.get(drawn.WORKSPACE, "")
    if workspace_id and workspace_id not in {one.id for one in rows}:
        # What a form sends is only a key.
        problems[drawn.WORKSPACE] = words.NOT_YOURS
    source, level = chosen.get(drawn.NEW, ""), chosen.get(drawn.ASSISTANT)
    connection, _, template = source.partition(" ")
    offered = {one.value for one in await _list_sources(services, principal)} if source else {""}
    # What is left unchanged may have been offered before.
    if source not in offered and (connection, template) != (before.connection, before.template):
        problems[drawn.NEW] = words.NOT_THERE
    wanted = Preferences(
        ready="ready" in topics,
        stopped="stopped" in topics,
        run_ended="run_ended" in topics,
        workspace_id=workspace_id,
        connection=connection,
        template=template,
        idle_prompt_after=_asks_after(chosen.get(drawn.ASKING), before),
        assistant=level if level in LEVELS else before.assistant,
    )
    if problems:
        raise InvalidFields(problems)
    await request.caller.run(save, wanted)
    return Answer(
        text="", view=drawn.build_saved_view(await load_preferences(services.context, principal, rows))
    )


def _asks_after(chosen: str | None, before: Preferences) -> int | None:
    """Return the hours chosen; an unchanged proposal isn't a choice."""
    hours = next((one for one in drawn.ASKING_HOURS if str(one) == chosen), NEVER_HOURS)
    return None if before.idle_prompt_after is None and hours == ASKS_AFTER else hours


def _list_workspaces(services: Services, rows: Iterable[Workspace], chosen: str) -> list[Choice]:
    """Return the workspaces to choose from: the chosen one, then those used last."""
    found = sorted(rows, key=lambda one: (one.id != chosen, -(one.used_at or 0.0), one.title.casefold()))
    kept = sorted(found[: drawn.MAX_OPTIONS], key=lambda one: one.title.casefold())
    addresses = naming.make_labels(kept, found, services.title, are_addresses=True)
    return [Choice(one.id, address) for one, address in zip(kept, addresses, strict=True)]


async def _list_sources(services: Services, principal: Principal) -> list[Choice]:
    """Return the sources of new workspaces: connections, and their offered templates."""
    found: list[Choice] = []
    for connection in list_making_connections(services, "workspace"):
        title = services.title(connection)
        found.append(Choice(connection, title))
        for template in await list_templates(services, principal, connection):
            label = words.SOURCE.format(template=line(template.label), title=line(title))
            found.append(Choice(f"{connection} {template.value}", label))
    return [one for one in found if len(one.value) <= limits.MAX_OPTION_VALUE_LENGTH]


#: What is typed after a name, with what it chooses.
_ON_OFF = {"on": True, "off": False, "usual": None}


@routes.verb(
    Verb(
        usage="notify NAME on|off|usual",
        summary="choose whether I message you when a workspace is ready or stops by itself",
        more=(
            "Add `--ready` or `--stopped` to change only one of the two.",
            "`usual` goes back to your general `settings`.",
        ),
        group="list",
        order=220,
        flags=("ready", "stopped"),
        accepts=("workspace", "words"),
        opposite=Opposite(CHANGE_BACK, "notify_back"),
    )
)
async def notify(request: Request) -> Answer:
    """Choose the messages about one workspace; ``--ready`` and ``--stopped`` change one of the two."""
    wanted = request.arguments[-1].casefold() if len(request.arguments) > 1 else ""
    if wanted not in _ON_OFF:
        return replies.hint(request.fill(words.NOTIFY_USAGE))
    workspace = await require_by_name(request, " ".join(request.arguments[:-1]))
    only, chosen = request.flags & {"ready", "stopped"}, _ON_OFF[wanted]
    changed = await request.caller.run(
        set_notifications,
        workspace.id,
        ready=chosen if only != {"stopped"} else workspace.notify_ready,
        stopped=chosen if only != {"ready"} else workspace.notify_stopped,
    )
    before, after = ((one.notify_ready, one.notify_stopped) for one in (workspace, changed))
    back = list_opposite_button("notify", changed, json.dumps([before, after])) if before != after else []
    return replies.answer(await _describe_notices(request, changed), back)


def _read_chosen(carried: list[bool | None]) -> tuple[bool | None, bool | None]:
    ready, stopped = (None if one is None else bool(one) for one in carried)
    return ready, stopped


@routes.action("notify_back")
async def restore_notices(request: Request) -> Answer:
    """Choose the messages about a workspace that came before, unless others were chosen since."""
    key, (before, after) = read_carried(request, lambda carried: [*map(_read_chosen, carried)])
    workspace = await request.caller.read(require_workspace, "notify", key)
    if (workspace.notify_ready, workspace.notify_stopped) == after:
        ready, stopped = before
        workspace = await request.caller.run(set_notifications, workspace.id, ready=ready, stopped=stopped)
    return replies.answer(await _describe_notices(request, workspace), replaces=True)


async def _describe_notices(request: Request, changed: Workspace) -> str:
    usual = await request.services.store.read(store.preferences, request.principal)
    ready = usual.ready if changed.notify_ready is None else changed.notify_ready
    stopped = usual.stopped if changed.notify_stopped is None else changed.notify_stopped
    is_usual = (changed.notify_ready, changed.notify_stopped) == (None, None)
    template = words.NOTIFY_USUAL if is_usual else words.NOTIFY[ready, stopped]
    return request.fill(template, changed)
