"""A message as one person sees it: its words, its buttons, the addresses behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playground.demo.person import buttons, label, spoken


@dataclass(frozen=True)
class Shown:
    """Hold a message and the conversation that it stands in."""

    channel: str
    json: dict[str, Any]

    @property
    def ts(self) -> str:
        return str(self.json["ts"])

    @property
    def text(self) -> str:
        """Return everything that it says, as a person reads it, with its buttons in brackets."""
        return spoken(self.json)

    @property
    def short(self) -> str:
        """Return what a notification shows."""
        return str(self.json.get("text"))

    @property
    def is_private(self) -> bool:
        return bool(self.json.get("ephemeral"))

    @property
    def key(self) -> str:
        """Return the key of the notice that it carries, empty for what is no notice."""
        told = self.json.get("metadata") or {}
        return str(told.get("event_payload", {}).get("key", ""))

    @property
    def kind(self) -> str:
        """Return the kind of the notice: card, ready, failed …; empty for what is no notice."""
        return self.key.split("/")[1] if self.key else ""

    @property
    def labels(self) -> list[str]:
        return [label(one) for one in buttons(self.json)]

    def button(self, labelled: str) -> dict[str, Any]:
        for one in buttons(self.json):
            if label(one) == labelled:
                return one
        raise AssertionError(f"no button {labelled} on: {self.text}")

    def address(self, labelled: str) -> str:
        """Return where a button leads."""
        return str(self.button(labelled)["url"])
