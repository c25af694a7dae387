"""Asks people to confirm the choice of a menu option.

Slack's own dialog isn't used, because it would be the same for every option.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.domain.notices import Answer
from bot.domain.surfaces import Where
from bot.messages.blocks import buttons, kit, replies, runs
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.links import unlink_button
from bot.services.runs import require_run as run_of
from bot.services.workspaces import require_workspace
from handlers.dispatch import answer_old_button, run_button
from handlers.requests import routes
from handlers.requests.request import Request
from handlers.workspace.class_cards import draw_stop_button

_RUN_BUTTONS: Final[Mapping[str, Callable[[Any], kit.Element]]] = {
    "job_stop": runs.stop_run_button,
    "job_force": runs.force_button,
    "job_again": runs.again_button,
}


@routes.action(kit.ASK_ACTION)
async def ask_question(request: Request) -> Answer:
    """Ask for confirmation of the chosen option, as the current state of its row requires.

    If the action needs no confirmation, carry it out. If the option is outdated, answer like a click on an
    outdated button.
    """
    press = ButtonValue.from_text(request.target or "")
    button = await _find_button(request, press.name, press.key)
    if button is None:
        return await answer_old_button(request)
    now = ButtonValue.from_button(button)
    if "confirm" in button and now.value == press.value:
        return replies.question(button)
    press = now._replace(key=press.key, seen=press.seen)
    return await run_button(request.services, request.principal, request.surface, press)


async def _find_button(request: Request, action: str, key: str) -> kit.Element | None:
    """Return the button for an action on a row, or None if there is none.

    Raise Refused if it isn't allowed.
    """
    services = request.services
    if action in _RUN_BUTTONS:
        return _RUN_BUTTONS[action](await request.caller.read(run_of, action[4:], key.partition(" ")[0]))
    match action:
        case "stop" | "suspend" | "force":
            workspace = await request.caller.read(require_workspace, action, key)
            facts = await services.gatherer.describe_workspace(workspace)
            if action == "suspend":
                return buttons.suspend_button(workspace)
            drawn = buttons.stop_button if action == "stop" else buttons.force_button
            return drawn(workspace, facts.effects)
        case "unlink":
            return unlink_button(key, services.title(key))
        case "class_stop":
            return await draw_stop_button(request, key)
        case _:
            return None


@routes.view("agree")
async def confirm(request: Request) -> Answer:
    """Carry out the confirmed action.

    Its card shows the progress, and any other answer appears in the form.
    """
    surface = request.surface._replace(kind="button", where=Where.DIRECT)
    return await run_button(
        request.services, request.principal, surface, ButtonValue.from_text(request.form_payload)
    )
