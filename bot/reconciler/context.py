"""What a reconciler's parts share: the application's context, connections, provider calls and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.transcript import Board
from bot.reconciler.provider_calls import ProviderCaller
from bot.reconciler.runtimes import Numbers, Runtime
from bot.services.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext(Context):
    """The application's context, extended with the reconciler's own parts.

    ``runtimes`` maps names to this process's connections. Outputs of runs are written to the ``board``.
    """

    runtimes: Mapping[str, Runtime]
    provider_caller: ProviderCaller
    numbers: Numbers
    board: Board


class EnginePart:
    """Base class of the reconciler's parts, with the members of the context that most of them use."""

    def __init__(self, engine: EngineContext) -> None:
        self._context = engine
        self._store = engine.store
        self._clock = engine.clock
        self._ids = engine.ids
        self._owners = engine.owners
        self._installation = engine.installation
        self._runtimes = engine.runtimes
        self._provider_caller = engine.provider_caller
        self._numbers = engine.numbers
