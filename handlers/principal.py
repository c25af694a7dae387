"""Who is acting, read from the payload by our own function, which refuses if anything is missing.

Bolt's ``context.actor_team_id`` is wrong for external people in ``block_actions`` and ``view_submission``:
there ``user.team_id`` is the home team of the person, while ``team.id`` is where the app is installed. An
enterprise counts as a person's own only if the payload shows that they belong to it; otherwise it is null,
which is a value: then only membership of the team itself grants access.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bot.domain.models import Principal
from bot.messages.texts import problems
from bot.support.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_USER: Final = re.compile(r"[UW][A-Z0-9]{1,30}")
_TEAM: Final = re.compile(r"[TE][A-Z0-9]{1,30}")
_ENTERPRISE: Final = re.compile(r"E[A-Z0-9]{1,30}")


def principal(payload: Mapping[str, Any]) -> Principal:
    """Return who typed, pressed, submitted or wrote; raises Refused (``principal.missing``)."""
    if "event" in payload:
        return _of_event(payload)
    if "command" in payload:
        # Only members of the named team can type a command: they don't work through Slack Connect.
        return _checked(payload.get("enterprise_id"), payload.get("team_id"), payload.get("user_id"))
    return _of_interaction(payload)


def place_of(payload: Mapping[str, Any]) -> Principal:
    """Return nobody in particular where an interaction came from, to answer one that names nobody."""
    team = _mapping(payload.get("team"))
    enterprise = _id(_mapping(payload.get("enterprise")).get("id")) or _id(team.get("enterprise_id"))
    return Principal(enterprise, _id(team.get("id")) or "", "")


def _of_interaction(payload: Mapping[str, Any]) -> Principal:
    """Read ``block_actions``, ``block_suggestion`` and ``view_submission``."""
    user = _mapping(payload.get("user"))
    team = _mapping(payload.get("team"))
    # Form submissions name the enterprise next to the team.
    enterprise = _id(_mapping(payload.get("enterprise")).get("id")) or _id(team.get("enterprise_id"))
    home = _id(user.get("team_id"))
    installed = _id(team.get("id"))
    if home is None or (installed is None and enterprise is None):
        raise _missing()
    # Without a team, the whole enterprise has installed us, and Slack names only the person's own team.
    # People who belong to neither are detected by the lookup before the first call to a provider.
    is_own = home in {installed, enterprise} or installed is None
    if home == enterprise and installed is not None:
        home = installed
    return _checked(enterprise if is_own else None, home, user.get("id"))


def _of_event(payload: Mapping[str, Any]) -> Principal:
    event = _mapping(payload.get("event"))
    team, enterprise = installed_at(payload)
    home = event.get("user_team") or event.get("team") or event.get("source_team")
    if home is None and payload.get("is_ext_shared_channel") is False:
        home = team
    if home is None:
        raise _missing()
    if home == enterprise and team is not None:
        home = team
    return _checked(enterprise if home == team else None, home, event.get("user"))


def of_user(user: Mapping[str, Any], enterprise_id: str | None) -> Principal:
    """Return the principal of a Slack user object (``user_change``, ``team_join``); raises Refused."""
    own = _mapping(user.get("enterprise_user")).get("enterprise_id")
    return _checked(own or enterprise_id, user.get("team_id"), user.get("id"))


def installed_at(payload: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return team and enterprise of the installation that an event is for.

    In shared channels the outer ids may be another organisation's; the authorization names ours.
    """
    authorizations = payload.get("authorizations")
    if isinstance(authorizations, list) and authorizations:
        ours = _mapping(authorizations[0])
        return _id(ours.get("team_id")) or _id(payload.get("team_id")), _id(ours.get("enterprise_id"))
    return _id(payload.get("team_id")), _id(payload.get("enterprise_id"))


def _checked(enterprise: object, team: object, user: object) -> Principal:
    if not isinstance(team, str) or not isinstance(user, str):
        raise _missing()
    if not _TEAM.fullmatch(team) or not _USER.fullmatch(user):
        raise _missing()
    own = _id(enterprise)
    if own is not None and not _ENTERPRISE.fullmatch(own):
        raise _missing()
    return Principal(own, team, user)


def _id(value: object) -> str | None:
    """Return an id; an empty or missing one is null."""
    return value if isinstance(value, str) and value else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _missing() -> Refused:
    return Refused("principal.missing", problems.sentence("nobody"))
