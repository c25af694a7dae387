"""A message as one person sees it: its words, its buttons, and the addresses behind them."""

import re
from dataclasses import dataclass
from typing import Any

from playground.demo.person import buttons, label, spoken, where


@dataclass(frozen=True)
class Shown:
    """A message, and the conversation that it is in."""

    channel: str
    json: dict[str, Any]

    @property
    def ts(self) -> str:
        return str(self.json["ts"])

    @property
    def text(self) -> str:
        """Return the message's whole text as a person reads it, with its buttons in brackets."""
        return spoken(self.json)

    @property
    def read(self) -> str:
        """Return the same text, with times as somebody in UTC reads them."""
        return re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", self.text)

    @property
    def short(self) -> str:
        """Return the text that accompanies the blocks. A notification shows its beginning."""
        return str(self.json.get("text"))

    @property
    def is_private(self) -> bool:
        return bool(self.json.get("ephemeral"))

    @property
    def key(self) -> str:
        """Return the key of the notice in this message, or "" if it isn't a notice."""
        told = self.json.get("metadata") or {}
        return str(told.get("event_payload", {}).get("key", ""))

    @property
    def kind(self) -> str:
        """Return the kind of the notice, such as card or failed, or "" if the message isn't a notice."""
        return self.key.rsplit("/", 2)[1] if self.key else ""

    @property
    def labels(self) -> list[str]:
        return [label(one) for one in buttons(self.json)]

    def buttons(self, labelled: str) -> list[dict[str, Any]]:
        """Return all buttons with this label."""
        return [one for one in buttons(self.json) if label(one) == labelled]

    def button(self, labelled: str) -> dict[str, Any]:
        for one in self.buttons(labelled):
            return one
        raise AssertionError(f"no button {labelled} on: {self.text}")

    def place(self, labelled: str, among: str = "") -> dict[str, Any]:
        """Return the arguments for pressing a button: the first with this label at or below a text."""
        is_reached = not among
        for block in self.json["blocks"]:
            is_reached = is_reached or among in str(block.get("text", {}).get("text", ""))
            for one in buttons({"blocks": [block]}) if is_reached else ():
                if label(one) == labelled:
                    return {"block_id": block["block_id"], **where(one)}
        raise AssertionError(f"no button {labelled} on: {self.text}")

    def address(self, labelled: str) -> str:
        """Return where a button leads."""
        return str(self.button(labelled)["url"])
