"""The form of preferences: filling it in and saving it."""

from typing import Any

from tests.handlers.rig import submit
from tests.rigs.store import ALICE

FIELDS = {"tell": ["ready", "run_ended"]}


def form(view: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return a form as Slack sends it, with these values and otherwise those that the form showed."""
    state: dict[str, Any] = {}
    for block in view["blocks"]:
        name, element = block["block_id"], block["element"]
        match element["type"]:
            case "checkboxes":
                shown = [one["value"] for one in element.get("initial_options", ())]
                held = {"selected_options": [{"value": one} for one in values.get(name, shown)]}
            case _:
                shown = element["initial_option"]["value"]
                held = {"selected_option": {"value": values.get(name, shown)}}
        state[name] = {element["action_id"]: {"type": element["type"], **held}}
    return {**view, "id": "V1", "state": {"values": state}}


async def save(bot, principal=ALICE, name: str = "", **values: Any) -> dict[str, Any]:
    """Open the form for all workspaces or for one, and submit it with these values."""
    view = (await bot.say(f"settings {name}".rstrip(), principal)).view
    bot.count += 1
    return await submit(bot.services, principal, form(view, **values), f"view:{bot.count}")
