"""What the trades of the store share: the engine that each method's transaction runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.store.transaction import Engine


class Trade:
    """Hold the engine for the methods of one trade; the trades together are the store."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
