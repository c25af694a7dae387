"""Requests triggered by a Slack event rather than made by a user."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.domain.installations import Installation
from bot.services.caller import is_stale
from handlers.requests.payload import as_mapping, parse_installation_ids, parse_time
from handlers.requests.services import Services


class EventRequest(NamedTuple):
    """An event from Slack.

    If nothing could be written, its handler raises StoreError, so that Slack sends it again. If Slack doesn't
    say whom the event is about, the handler raises Refused.
    """

    payload: Mapping[str, Any]
    services: Services
    interaction: str

    @property
    def event(self) -> Mapping[str, Any]:
        """Return the event inside Slack's envelope."""
        return as_mapping(self.payload.get("event"))

    @property
    def happened_at(self) -> float | None:
        """Return when the event happened, in epoch seconds, or None if it is recent.

        If it isn't recent, things may have changed since.
        """
        at = parse_time(self.payload)
        return at if is_stale(at, self.services.clock.now()) else None

    @property
    def enterprise_id(self) -> str | None:
        """Return the id of the enterprise whose installation the event is for."""
        return parse_installation_ids(self.payload)[1]

    @property
    def installation(self) -> Installation | None:
        """Return the installation of Usher to which the event was sent."""
        team, enterprise = parse_installation_ids(self.payload)
        return self.services.context.installation.find_for_team(enterprise, team)
