"""A kill at the N-th way out of the process: before the request leaves, or after it had its effect."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any


class Killed(BaseException):
    """Stand for kill -9: nothing that handles errors gets to see it."""


class Fuse:
    """Let ``at - 1`` calls through, end the next, and none after it: who is dead does nothing more."""

    def __init__(self, at: int, *, after: bool) -> None:
        self._at = at
        self._after = after
        self.count = 0
        self.is_blown = False

    async def through(self, call: Callable[[], Awaitable[Any]]) -> Any:
        self.count += 1
        if self.is_blown:
            raise Killed
        is_mine = self.count == self._at
        if is_mine and not self._after:
            self.is_blown = True
            raise Killed
        result = await call()
        if is_mine:
            self.is_blown = True
        if self.is_blown:
            raise Killed
        return result


class Fused:
    """Lead every asynchronous method of a part through a fuse."""

    def __init__(self, part: Any, fuse: Fuse) -> None:
        self._part = part
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def fused(*arguments: Any, **keys: Any) -> Any:
            return await self._fuse.through(lambda: value(*arguments, **keys))

        return fused
