"""The inbox key of an interaction: the same for every time that Slack delivers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.domain.models import Surface

if TYPE_CHECKING:
    from collections.abc import Mapping


def of_command(payload: Mapping[str, Any]) -> Surface:
    """Return where a command came from."""
    channel = payload.get("channel_id")
    return Surface(
        kind="command",
        channel_id=channel,
        response_url=payload.get("response_url"),
        trigger_id=payload.get("trigger_id"),
        is_direct=str(channel or "").startswith("D"),
        interaction=_key("command", payload.get("trigger_id")),
    )


def of_button(payload: Mapping[str, Any], action: Mapping[str, Any]) -> Surface:
    """Return where a button was pressed; a double click has two action_ts, but is one operation.

    In a Home, the only possible answer is its next view.
    """
    container = _mapping(payload.get("container"))
    message = _mapping(payload.get("message"))
    view = _mapping(payload.get("view"))
    channel = _mapping(payload.get("channel")).get("id") or container.get("channel_id")
    message_ts = container.get("message_ts") or message.get("ts")
    user = _user(payload)
    # An ephemeral message may be in anybody's direct messages: it answers a slash command there.
    is_direct = str(channel or "").startswith("D") and not container.get("is_ephemeral")
    is_home = view.get("type") == "home"
    return Surface(
        kind="home" if is_home else "button",
        channel_id=channel,
        thread_ts=container.get("thread_ts") or message.get("thread_ts"),
        message_ts=message_ts,
        response_url=payload.get("response_url"),
        trigger_id=payload.get("trigger_id"),
        is_direct=is_direct,
        interaction=_key(
            "button", action.get("action_ts"), action.get("action_id"), message_ts or view.get("id"), user
        ),
        view_id=None if is_home else view.get("id"),
        view_hash=None if is_home else view.get("hash"),
    )


def of_shortcut(payload: Mapping[str, Any]) -> Surface:
    """Return where a shortcut was chosen: on a message, or nowhere in particular."""
    user = _user(payload)
    message = _mapping(payload.get("message"))
    return Surface(
        kind="shortcut",
        channel_id=_mapping(payload.get("channel")).get("id"),
        message_ts=message.get("ts"),
        response_url=payload.get("response_url"),
        trigger_id=payload.get("trigger_id"),
        interaction=_key("shortcut", payload.get("action_ts"), payload.get("callback_id"), user),
    )


def of_message(payload: Mapping[str, Any], *, is_direct: bool) -> Surface:
    """Return where a message or a mention was written."""
    event = _mapping(payload.get("event"))
    return Surface(
        kind="message" if is_direct else "mention",
        channel_id=event.get("channel"),
        thread_ts=event.get("thread_ts"),
        message_ts=event.get("ts"),
        is_direct=is_direct,
        is_mention=not is_direct,
        interaction=of_event(payload),
    )


def of_view(payload: Mapping[str, Any]) -> str:
    """Return the key of a submitted form, the same when it is resubmitted after a lost response."""
    return _key("view", _mapping(payload.get("view")).get("id") or payload.get("trigger_id"))


def of_event(payload: Mapping[str, Any]) -> str:
    """Return the key of an event, the same at each redelivery."""
    return _key("event", payload.get("event_id"))


def _key(kind: str, *parts: object) -> str:
    """Join the parts of the key; empty (never deduplicated) if Slack named nothing."""
    return f"{kind}:{':'.join(str(part or '') for part in parts)}" if any(parts) else ""


def _user(payload: Mapping[str, Any]) -> str:
    """Return who it was, for a key: the same id may be somebody else in another Slack workspace."""
    user = _mapping(payload.get("user"))
    return f"{user.get('team_id') or ''}/{user.get('id') or ''}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
