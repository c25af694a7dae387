"""The table of methods, with the requirements of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playground.slack.calls import Call
from playground.slack.records import Json

Run = Callable[["Call"], Awaitable["Json"]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method: its function, the kinds of tokens it accepts (none: no token needed), its scope if any."""

    name: str
    run: Run
    kinds: tuple[str, ...]
    scope: str | None


METHODS: dict[str, Method] = {}


def method(name: str, *, kinds: tuple[str, ...] = ("bot",), scope: str | None = None) -> Callable[[Run], Run]:
    """Register a method."""

    def register(run: Run) -> Run:
        METHODS[name] = Method(name, run, kinds, scope)
        return run

    return register
