"""Event requests: events from Slack, which no person has asked Usher to handle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.installations import Installation
from bot.services.caller import is_stale
from handlers.requests.payload import parse_installation_ids, parse_time
from handlers.requests.services import Services


@dataclass(frozen=True, slots=True)
class EventRequest:
    """A Slack event. Handlers raise StoreError if nothing was written; Slack then sends it again.

    They raise Refused if Slack doesn't name the event's person.
    """

    payload: Mapping[str, Any]
    services: Services
    interaction: str

    @property
    def event(self) -> Mapping[str, Any]:
        """Return the inner event."""
        event = self.payload.get("event")
        return event if isinstance(event, dict) else {}

    @property
    def happened_at(self) -> float | None:
        """Return the time of the event (epoch seconds) if it is long ago: things may have changed since."""
        at = parse_time(self.payload)
        return at if is_stale(at, self.services.clock.now()) else None

    @property
    def enterprise_id(self) -> str | None:
        """Return the enterprise of the event's installation."""
        return parse_installation_ids(self.payload)[1]

    @property
    def installation(self) -> Installation | None:
        """Return the event's installation."""
        team, enterprise = parse_installation_ids(self.payload)
        return self.services.context.installation.find_for_team(enterprise, team)
