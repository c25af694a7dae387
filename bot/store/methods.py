"""Turn functions on a transaction into methods of the store, with the same arguments, types and promises."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from bot.store import transaction
from bot.store.transaction import Engine, Priority, Transaction, Work

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class OnEngine:
    """Hold the engine that the methods' transactions run on."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def carry_out(self, work: Work[Result]) -> Result:
        """Run what a person asks for (``bot.services.asked``) in one transaction, while they wait."""
        return await transaction.written(lambda whole: self.engine.write(whole, Priority.URGENT), work)


def read(
    work: Callable[Concatenate[Transaction, Arguments], Result], priority: Priority = Priority.URGENT
) -> Callable[Concatenate[OnEngine, Arguments], Coroutine[Any, Any, Result]]:
    """Return the method for read-only work, on one snapshot of the database."""

    @wraps(work)
    async def method(self: OnEngine, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await self.engine.read(lambda tx: work(tx, *arguments, **named), priority)

    return method


def write(
    work: Callable[Concatenate[Transaction, Arguments], Result], priority: Priority = Priority.STEADY
) -> Callable[Concatenate[OnEngine, Arguments], Coroutine[Any, Any, Result]]:
    """Return the method for work that writes; it is durable when the method returns."""

    @wraps(work)
    async def method(self: OnEngine, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await transaction.written(
            lambda whole: self.engine.write(whole, priority), lambda tx: work(tx, *arguments, **named)
        )

    return method


def several(
    work: Callable[Concatenate[Engine, Arguments], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[OnEngine, Arguments], Coroutine[Any, Any, Result]]:
    """Return the method for work in several transactions, or in one whose arguments the engine knows."""

    @wraps(work)
    async def method(self: OnEngine, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return await work(self.engine, *arguments, **named)

    return method
