"""Reads Slack's payloads, including the sender, the place and the inbox key.

The inbox key is the same each time Slack delivers a payload.

The sender is identified by a *principal*: team, user and possibly enterprise. Usher determines it from the
payload, and refuses the payload if anything is missing. It can't rely on Bolt's ``context.actor_team_id``,
which is wrong for external people in ``block_actions`` and ``view_submission``. In these payloads,
``user.team_id`` is the person's home team, and ``team.id`` is the team where the app is installed. The
principal has an enterprise only if the payload shows that the person belongs to it. Without an enterprise,
only membership of the team itself grants access.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import structlog

from bot.domain.forms import Value
from bot.domain.people import Principal
from bot.domain.surfaces import Surface, Where
from bot.messages.blocks import forms, kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.texts import problems
from bot.support.errors import Refused

log = structlog.get_logger(__name__)
_USER: Final = re.compile(r"[UW][A-Z0-9]{1,30}")
_TEAM: Final = re.compile(r"[TE][A-Z0-9]{1,30}")
_ENTERPRISE: Final = re.compile(r"E[A-Z0-9]{1,30}")


def parse_principal(payload: Mapping[str, Any]) -> Principal:
    """Return the person who sent a command, click, form or event.

    Raise Refused (``principal.missing``) if the payload doesn't identify one.
    """
    if "event" in payload:
        return _parse_event(payload)
    if "command" in payload:
        # Only a member of the named team can have typed the command, because Slack Connect doesn't offer
        # commands to other people.
        who = payload.get("enterprise_id"), payload.get("team_id"), payload.get("user_id")
        return _create_principal(payload, *who)
    return _parse_interaction(payload)


def parse_team(payload: Mapping[str, Any]) -> Principal:
    """Return an interaction's team, as a principal without a user.

    This is enough for a reply to an interaction that doesn't identify its user.
    """
    team = as_mapping(payload.get("team"))
    enterprise = _parse_id(as_mapping(payload.get("enterprise")).get("id")) or _parse_id(
        team.get("enterprise_id")
    )
    return Principal(enterprise, _parse_id(team.get("id")) or "", "")


def _parse_interaction(payload: Mapping[str, Any]) -> Principal:
    """Return the person behind ``block_actions``, ``block_suggestion``, ``view_submission`` or a shortcut."""
    user = as_mapping(payload.get("user"))
    team = as_mapping(payload.get("team"))
    # For a submitted form, Slack puts the enterprise next to the team.
    enterprise = _parse_id(as_mapping(payload.get("enterprise")).get("id")) or _parse_id(
        team.get("enterprise_id")
    )
    home = _parse_id(user.get("team_id"))
    installed = _parse_id(team.get("id"))
    if home is None and payload.get("type") == "message_action":
        # Message shortcuts can't be used by people from other organisations (docs/internals/slack.md, "Who
        # sent it").
        log.info("field missing", kind="message_action", field="user.team_id", taken="team.id")
        home = installed or enterprise
    if home is None:
        raise _refuse_incomplete(payload, "user.team_id")
    if installed is None and enterprise is None:
        raise _refuse_incomplete(payload, "team.id")
    # Without a team, the app is installed in the whole enterprise, and Slack names only the user's own team.
    # Outsiders are detected when the person is looked up, before the first call to a provider.
    is_own = home in {installed, enterprise} or installed is None
    if home == enterprise and installed is not None:
        home = installed
    return _create_principal(payload, enterprise if is_own else None, home, user.get("id"))


def _parse_event(payload: Mapping[str, Any]) -> Principal:
    event = as_mapping(payload.get("event"))
    team, enterprise = parse_installation_ids(payload)
    home = event.get("user_team") or event.get("team") or event.get("source_team")
    if home is None and payload.get("is_ext_shared_channel") is False:
        home = team
    if home is None and event.get("type") == "app_home_opened":
        home = _find_home_team(payload, event, team)
    if home is None:
        raise _refuse_incomplete(payload, "event.team")
    if home == enterprise and team is not None:
        home = team
    return _create_principal(payload, enterprise if home == team else None, home, event.get("user"))


def _find_home_team(payload: Mapping[str, Any], event: Mapping[str, Any], team: str | None) -> str | None:
    """Return the home team of a Home tab's user, according to the view.

    On a first visit, there is no view yet, so return Usher's own team. A Home tab isn't in a shared channel.
    Before it is first drawn, Usher looks the user up in its own workspace.
    """
    home = _parse_id(as_mapping(event.get("view")).get("team_id"))
    if payload.get("is_ext_shared_channel") is not None:
        return home
    source = "team_id" if home is None else "event.view.team_id"
    log.info("field missing", kind="app_home_opened", field="is_ext_shared_channel", taken=source)
    return home or team


def parse_installation_ids(payload: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the team and enterprise of the installation to which an event was sent.

    The ids in the authorization come first, because in shared channels the outer ids may be another
    organisation's.
    """
    authorizations = payload.get("authorizations")
    if isinstance(authorizations, list) and authorizations:
        own = as_mapping(authorizations[0])
        return _parse_id(own.get("team_id")) or _parse_id(payload.get("team_id")), _parse_id(
            own.get("enterprise_id")
        )
    return _parse_id(payload.get("team_id")), _parse_id(payload.get("enterprise_id"))


def _create_principal(
    payload: Mapping[str, Any], enterprise: object, team: object, user: object
) -> Principal:
    """Build a principal. Raise Refused if one of its parts is missing or isn't an id."""
    if not isinstance(team, str) or not _TEAM.fullmatch(team):
        raise _refuse_incomplete(payload, "team")
    if not isinstance(user, str) or not _USER.fullmatch(user):
        raise _refuse_incomplete(payload, "user")
    own = _parse_id(enterprise)
    if own is not None and not _ENTERPRISE.fullmatch(own):
        raise _refuse_incomplete(payload, "enterprise")
    return Principal(own, team, user)


def _parse_id(value: object) -> str | None:
    """Return a value if it is a non-empty string, or else None."""
    return value if isinstance(value, str) and value else None


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return a value if it is a mapping, or else an empty one."""
    return value if isinstance(value, dict) else {}


def _refuse_incomplete(payload: Mapping[str, Any], field: str) -> Refused:
    """Log which field Slack left out of a payload, and return the refusal to raise."""
    kind = as_mapping(payload.get("event")).get("type") or payload.get("type") or "command"
    log.info("field missing", kind=str(kind)[:40], field=field)
    return Refused("principal.missing", problems.explain_cause("nobody"))


def parse_command_surface(payload: Mapping[str, Any]) -> Surface:
    """Return a command's surface. It may be a direct message between two people without Usher."""
    return Surface(
        kind="command",
        channel_id=payload.get("channel_id"),
        response_url=payload.get("response_url"),
        trigger_id=payload.get("trigger_id"),
        interaction=_join_key("command", payload.get("trigger_id")),
    )


def parse_button(action: Mapping[str, Any]) -> ButtonValue:
    """Return the value of the clicked button or the chosen menu item."""
    chosen = str(as_mapping(action.get("selected_option")).get("value") or "")
    if action.get("type") == "overflow":
        return ButtonValue.from_text(chosen)
    return ButtonValue.read(str(action.get("action_id") or ""), str(action.get("value") or chosen))


def parse_button_surface(payload: Mapping[str, Any], action: Mapping[str, Any]) -> Surface:
    """Return a button's surface. A double click has two action_ts, but leads to only one operation.

    The only possible answer to a click in a Home tab is to redraw the tab.
    """
    container = as_mapping(payload.get("container"))
    message = as_mapping(payload.get("message"))
    view = as_mapping(payload.get("view"))
    channel = as_mapping(payload.get("channel")).get("id") or container.get("channel_id")
    message_ts = container.get("message_ts") or message.get("ts")
    user = _format_user(payload)
    where = Where.CHANNEL
    if view.get("type") == "home":
        where = Where.HOME
    elif view.get("id"):
        where = Where.FORM
    elif str(channel or "").startswith("D") and not container.get("is_ephemeral"):
        # An ephemeral message doesn't count. Like the answer to a slash command, it can appear in a
        # conversation between two other people.
        where = Where.DIRECT
    return Surface(
        kind="button",
        where=where,
        channel_id=channel,
        thread_ts=container.get("thread_ts") or message.get("thread_ts"),
        message_ts=message_ts,
        response_url=payload.get("response_url"),
        is_question=str(action.get("block_id") or "").startswith(kit.QUESTION),
        trigger_id=payload.get("trigger_id"),
        interaction=_join_key(
            "button",
            action.get("action_ts"),
            parse_button(action).action_id,
            message_ts or view.get("id"),
            user,
        ),
        view_id=view.get("id") if where is Where.FORM else None,
        view_hash=view.get("hash") if where is Where.FORM else None,
    )


def parse_shortcut_surface(payload: Mapping[str, Any]) -> Surface:
    """Return a shortcut's surface. It includes a message if the shortcut was used on one."""
    user = _format_user(payload)
    message = as_mapping(payload.get("message"))
    return Surface(
        kind="shortcut",
        channel_id=as_mapping(payload.get("channel")).get("id"),
        message_ts=message.get("ts"),
        response_url=payload.get("response_url"),
        trigger_id=payload.get("trigger_id"),
        interaction=_join_key("shortcut", payload.get("action_ts"), payload.get("callback_id"), user),
    )


def parse_message_surface(payload: Mapping[str, Any], where: Where) -> Surface:
    """Return the surface of a message or a mention."""
    event = as_mapping(payload.get("event"))
    return Surface(
        kind="message",
        where=where,
        channel_id=event.get("channel"),
        thread_ts=event.get("thread_ts"),
        message_ts=event.get("ts"),
        interaction=make_message_key(payload),
        sent_at=parse_time(payload),
    )


def parse_time(payload: Mapping[str, Any]) -> float | None:
    """Return when an event happened, in epoch seconds, or None if Slack doesn't say.

    For a message, that is when it was sent, even if the event was created later.
    """
    event = as_mapping(payload.get("event"))
    for given in (event.get("ts"), event.get("event_ts"), payload.get("event_time")):
        try:
            return float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
    return None


def make_view_key(payload: Mapping[str, Any]) -> str:
    """Return a submitted form's key. It stays the same if the form is resubmitted after a lost response.

    A window keeps its id when another form replaces the first one in it, but each form has its own ``hash``.
    """
    view = as_mapping(payload.get("view"))
    return _join_key("view", view.get("id") or payload.get("trigger_id"), view.get("hash"))


def make_message_key(payload: Mapping[str, Any]) -> str:
    """Return a message's key, which consists of its channel and its ``ts``.

    The key is the same whenever the message is delivered, and on both sides of a shared channel.
    """
    event = as_mapping(payload.get("event"))
    channel, ts = _parse_id(event.get("channel")), _parse_id(event.get("ts"))
    return _join_key("message", channel, ts) if channel and ts else make_event_key(payload)


def make_send_key(payload: Mapping[str, Any], author: Principal) -> str:
    """Return a key that two messages share if the user sent them as one, or "" if Slack gave no id."""
    sent = _parse_id(as_mapping(payload.get("event")).get("client_msg_id"))
    return _join_key("send", sent, author.key) if sent else ""


def make_event_key(payload: Mapping[str, Any]) -> str:
    """Return the key of an event that isn't a message. It is the same whenever the event is delivered."""
    return _join_key("event", payload.get("event_id"))


def _join_key(kind: str, *parts: object) -> str:
    """Join the parts of a key, or return "" if Slack sent none of them.

    A request without a key isn't deduplicated.
    """
    return f"{kind}:{':'.join(str(part or '') for part in parts)}" if any(parts) else ""


def _format_user(payload: Mapping[str, Any]) -> str:
    """Return the part of a key that identifies the user. It includes the team, as user ids aren't unique."""
    user = as_mapping(payload.get("user"))
    return f"{user.get('team_id') or ''}/{user.get('id') or ''}"


def parse_values(view: Mapping[str, Any]) -> dict[str, Value]:
    """Return a form's values by field name. Empty text fields are left out, but empty choices aren't."""
    found: dict[str, Value] = {}
    for block_id, elements in find_state_values(view).items():
        for element in as_mapping(elements).values():
            value = _parse_value(as_mapping(element))
            if value == forms.EMPTY_CHOICE:
                found[forms.get_field_name(block_id)] = ""
            elif value:
                found[forms.get_field_name(block_id)] = value
    return found


def find_state_values(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the submitted elements of all fields by block id, in Slack's own format."""
    return as_mapping(as_mapping(view.get("state")).get("values"))


def find_value(view: Mapping[str, Any], name: str) -> str:
    """Return the text typed, or the value chosen, in a field. Return "" if there is none."""
    value = parse_values(view).get(name, "")
    return value if isinstance(value, str) else ""


def list_fields(view: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the name and block id of each visible field, in order."""
    blocks = view.get("blocks")
    shown = [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    ids = [str(block.get("block_id") or "") for block in shown if block.get("type") == "input"]
    return [(forms.get_field_name(block_id), block_id) for block_id in ids]


#: The keys that Slack may use for an element's value.
_VALUE_KEYS: Final = ("value", "selected_time", "selected_date", "selected_conversation")


def _parse_value(element: Mapping[str, Any]) -> Value:
    several = element.get("selected_options")
    if isinstance(several, list):
        return tuple(
            forms.read_option_value(str(option["value"]))
            for option in several
            if isinstance(option, dict) and option.get("value")
        )
    if isinstance(users := element.get("selected_users"), list):
        return tuple(option for option in users if isinstance(option, str) and _USER.fullmatch(option))
    chosen = element.get("selected_option")
    typed = next((element[name] for name in _VALUE_KEYS if element.get(name)), None)
    given = chosen.get("value") if isinstance(chosen, dict) else typed
    return given if isinstance(given, str) else ""
