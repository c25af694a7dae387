"""Modals and inputs for tests of the local Slack's forms."""

from typing import Any

from tests.playground.slack_help import GENERAL, OLIVIA


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(word: str) -> dict[str, Any]:
    return {"text": plain(word.title()), "value": word}


def field(element: dict[str, Any], block_id: str = "b", **more: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": block_id, "label": plain("Label"), "element": element, **more}


def typed(action_id: str = "typed", **more: Any) -> dict[str, Any]:
    return {"type": "plain_text_input", "action_id": action_id, **more}


def select(action_id: str, *words: str, **more: Any) -> dict[str, Any]:
    options = [option(word) for word in words]
    return {"type": "static_select", "action_id": action_id, "options": options, **more}


def external(action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "external_select", "action_id": action_id, "min_query_length": 0, **more}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    words = {"title": plain("New session"), "submit": plain("Start"), "callback_id": "new"}
    return {"type": "modal", **words, "blocks": list(blocks), **more}


async def opened(server, client, app, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Open a modal for Olivia, with the trigger of a command."""
    await server.say(OLIVIA, GENERAL, "/workspace new")
    told = await client.views_open(trigger_id=app.seen[-1]["trigger_id"], view=modal(*blocks, **more))
    view: dict[str, Any] = told["view"]
    return view
