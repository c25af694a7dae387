"""What an event's handler receives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handlers.principal import installed_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handlers.services import Services


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Hold a Slack event. Handlers raise StoreError if nothing was written; Slack then sends it again."""

    payload: Mapping[str, Any]
    services: Services
    interaction: str

    @property
    def event(self) -> Mapping[str, Any]:
        """Return the inner event."""
        event = self.payload.get("event")
        return event if isinstance(event, dict) else {}

    @property
    def enterprise_id(self) -> str | None:
        """Return the enterprise of the installation that it is for."""
        return installed_at(self.payload)[1]

    @property
    def is_ours(self) -> bool:
        """Return whether it is for the installation that this process serves."""
        team, enterprise = installed_at(self.payload)
        return self.services.authority.installation.includes(enterprise, team)
