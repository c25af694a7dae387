"""Shows and changes users' settings, for all of their workspaces or for just one."""

import json
from typing import Final

from bot.domain.notices import Answer
from bot.domain.preferences import ASKS_AFTER, LEVELS, NEVER_HOURS, Preferences
from bot.domain.workspaces import Workspace
from bot.messages.blocks import preferences as drawn
from bot.messages.blocks import replies
from bot.messages.blocks.buttons import list_opposite_button
from bot.messages.texts.cards import CHANGE_BACK
from bot.messages.verb import Effect, Opposite, Verb
from bot.services.preferences import load_preferences, save
from bot.services.workspaces import require_workspace, set_notifications
from bot.store import preferences as store
from bot.store import workspaces as workspace_rows
from handlers.requests import routes
from handlers.requests.command_line import fold_word
from handlers.requests.payload import find_value, parse_values
from handlers.requests.request import Request
from handlers.workspace.opposites import read_carried
from handlers.workspace.targets import require_by_name

#: Maps each word that users can type to two choices: whether to tell them that a workspace is ready, and
#: whether to tell them that it has stopped by itself. None means that the user's general settings apply.
_MESSAGES: Final = {
    "on": (True, True),
    "ready": (True, False),
    "stopped": (False, True),
    "off": (False, False),
    "usual": (None, None),
}


@routes.verb(
    Verb(
        usage="settings [NAME [on|ready|stopped|off|usual]]",
        summary="choose what I message you about, for all of your workspaces or for one",
        more=(
            "`settings NAME` is for one workspace.",
            "`settings NAME on` tells you when it's ready and when it stops by itself.",
            "`ready` and `stopped` are for one of these, and `off` is for neither.",
            "`settings NAME usual` goes back to your general settings.",
        ),
        group="accounts",
        order=230,
        effect=Effect.SHOWS,
        accepts=("workspace", "words"),
        also="preferences prefs config configure configuration options setting",
        former={"notify NAME on|off|usual": "settings"},
        alone="Show my settings",
        does="Settings: {rest}",
        opposite=Opposite(CHANGE_BACK, "notify_back"),
    )
)
@routes.action("settings_form")
async def show_settings(request: Request) -> Answer:
    """Show the user's settings, in general or for one workspace. If possible, also open the form."""
    if request.target:
        workspace = await request.caller.read(require_workspace, "notify", request.target)
        return await _show_workspace(request, workspace)
    if request.arguments:
        return await _read_words(request)
    services = request.services
    rows = await services.store.perform(workspace_rows.read_workspaces, request.principal)
    facts = await load_preferences(services.context, request.principal, rows)
    return drawn.answer_preferences(facts, drawn.build_form(facts, services.slash_prefixes.workspace))


async def _read_words(request: Request) -> Answer:
    *name, last = request.arguments
    chosen = _MESSAGES.get(fold_word(last)) if name else None
    if chosen is None:
        return await _show_workspace(request, await require_by_name(request, request.name, can_guess=True))
    workspace = await require_by_name(request, " ".join(name))
    return await _save_workspace(request, workspace, *chosen)


async def _show_workspace(request: Request, workspace: Workspace) -> Answer:
    present = await _find_choice(request, workspace)
    return drawn.answer_workspace(workspace, await _describe(request, workspace), present)


async def _find_choice(request: Request, workspace: Workspace) -> str:
    if (workspace.notify_ready, workspace.notify_stopped) == (None, None):
        return "usual"
    present = await _find_messages(request, workspace)
    return next(word for word, messages in _MESSAGES.items() if messages == present)


async def _find_messages(request: Request, workspace: Workspace) -> tuple[bool, bool]:
    usual = await request.services.store.read(store.preferences, request.principal)
    ready = usual.ready if workspace.notify_ready is None else workspace.notify_ready
    return ready, usual.stopped if workspace.notify_stopped is None else workspace.notify_stopped


async def _save_workspace(
    request: Request, workspace: Workspace, ready: bool | None, stopped: bool | None
) -> Answer:
    changed = await request.caller.run(set_notifications, workspace.id, ready=ready, stopped=stopped)
    before, after = ((one.notify_ready, one.notify_stopped) for one in (workspace, changed))
    back = list_opposite_button("settings", changed, json.dumps([before, after])) if before != after else []
    return replies.answer(await _describe(request, changed), back)


def _read_chosen(carried: list[bool | None]) -> tuple[bool | None, bool | None]:
    ready, stopped = (None if one is None else bool(one) for one in carried)
    return ready, stopped


@routes.action("notify_back")
async def restore_messages(request: Request) -> Answer:
    """Restore the earlier choice of messages about a workspace, unless the user has changed it again."""
    key, (before, after) = read_carried(request, lambda carried: [*map(_read_chosen, carried)])
    workspace = await request.caller.read(require_workspace, "notify", key)
    if (workspace.notify_ready, workspace.notify_stopped) == after:
        ready, stopped = before
        workspace = await request.caller.run(set_notifications, workspace.id, ready=ready, stopped=stopped)
    return replies.answer(await _describe(request, workspace), replaces=True)


async def _describe(request: Request, workspace: Workspace) -> str:
    is_usual = (workspace.notify_ready, workspace.notify_stopped) == (None, None)
    template = drawn.NOTIFY_USUAL if is_usual else drawn.NOTIFY[await _find_messages(request, workspace)]
    return request.fill(template, workspace)


@routes.view(drawn.SETTINGS_CALLBACK)
async def save_form(request: Request) -> Answer:
    """Save the settings chosen in the form, either in general or for one workspace."""
    services, principal = request.services, request.principal
    if request.form_payload:
        return await _save_workspace_form(request)
    before, rows = (
        await services.store.read(store.preferences, principal),
        await services.store.perform(workspace_rows.read_workspaces, principal),
    )
    sent = parse_values(request.view)
    topics, level = sent.get(drawn.TELL, ()), find_value(request.view, drawn.ASSISTANT)
    wanted = Preferences(
        ready="ready" in topics,
        stopped="stopped" in topics,
        run_ended="run_ended" in topics,
        idle_prompt_after=_asks_after(find_value(request.view, drawn.ASKING), before),
        assistant=level if level in LEVELS else before.assistant,
    )
    await request.caller.run(save, wanted)
    facts = await load_preferences(services.context, principal, rows)
    return Answer(text="", view=drawn.build_saved_view(drawn.format_preferences(facts)))


async def _save_workspace_form(request: Request) -> Answer:
    workspace = await request.caller.read(require_workspace, "notify", request.form_payload)
    chosen = find_value(request.view, drawn.MESSAGES)
    if chosen in _MESSAGES and chosen != await _find_choice(request, workspace):
        await _save_workspace(request, workspace, *_MESSAGES[chosen])
        workspace = await request.caller.read(require_workspace, "notify", workspace.id)
    return Answer(text="", view=drawn.build_saved_view(await _describe(request, workspace)))


def _asks_after(chosen: str, before: Preferences) -> int | None:
    """Return the number of hours chosen, or None if the default was left as it is."""
    hours = next((one for one in drawn.ASKING_HOURS if str(one) == chosen), NEVER_HOURS)
    return None if before.idle_prompt_after is None and hours == ASKS_AFTER else hours
