"""What messages show, as far as this process knows: the same isn't sent twice."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: How many messages are remembered with their last content.
REMEMBERED: Final = 5_000


class Drawn:
    """Remember the last content of messages, by their card's id."""

    def __init__(self) -> None:
        self._drawn: dict[str, str] = {}

    def shows(self, card_id: str, message: Mapping[str, Any]) -> bool:
        """Return whether a message is known to show this already."""
        return self._drawn.get(card_id) == _digest(message)

    def remember(self, card_id: str, message: Mapping[str, Any]) -> None:
        """Note what a message shows now."""
        self.forget(card_id)
        self._drawn[card_id] = _digest(message)
        if len(self._drawn) > REMEMBERED:
            del self._drawn[next(iter(self._drawn))]

    def forget(self, card_id: str) -> None:
        """Note that nobody knows what a message shows."""
        self._drawn.pop(card_id, None)


def _digest(message: Mapping[str, Any]) -> str:
    shown = {"text": message["text"], "blocks": message["blocks"]}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
