"""Where Usher is installed by OAuth, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Installed:
    """Hold one installation as it is stored; ``secret`` is ciphertext (``bot.support.vault``)."""

    id: str
    enterprise_id: str | None
    team_id: str | None
    team_name: str
    bot_user_id: str | None
    bot_id: str | None
    bot_name: str
    scopes: str
    secret: str
    expires_at: float | None
    installed_by: str
    installed_at: float = 0.0

    @property
    def row_key(self) -> str:
        """Return the key under which its secret is sealed; no person's looks like it."""
        return f"installation/{self.id}"
