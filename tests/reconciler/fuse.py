"""A kill, or an error, at the N-th way out of the process: before the request leaves, or after its effect."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any


class Killed(BaseException):
    """Stand for kill -9: nothing that handles errors gets to see it."""


class Fuse:
    """Let ``at - 1`` calls through and end the next.

    As a kill nothing gets through after it: who is dead does nothing more. As an error it is the only one.
    """

    def __init__(self, at: int, *, after: bool, is_kill: bool = True) -> None:
        self._at = at
        self._after = after
        self._is_kill = is_kill
        self.count = 0
        self.is_blown = False

    async def through(self, call: Callable[[], Awaitable[Any]], error: Exception) -> Any:
        self.count += 1
        if self.is_blown and self._is_kill:
            raise Killed
        if self.count == self._at:
            if self._after:
                await call()
            self.is_blown = True
            raise Killed if self._is_kill else error
        result = await call()
        if self.is_blown and self._is_kill:
            raise Killed
        return result


class Proxy:
    """Stand for a part, and be taken for one of its kind; a facet of it is reached through this, too."""

    def __init__(self, part: Any) -> None:
        self._part = part

    @property
    def __class__(self) -> Any:
        return type(self._part)

    def need(self, facet: type) -> Any:
        assert isinstance(self, facet)
        return self


class Fused(Proxy):
    """Lead every asynchronous method of a part through a fuse; ``error`` is the part's kind of trouble."""

    def __init__(self, part: Any, fuse: Fuse, error: Exception) -> None:
        super().__init__(part)
        self._fuse = fuse
        self._error = error

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def fused(*arguments: Any, **keys: Any) -> Any:
            return await self._fuse.through(lambda: value(*arguments, **keys), self._error)

        return fused


class Meanwhile(Proxy):
    """Have something happen once, right after a method of a part has answered, or ``before`` it begins."""

    def __init__(
        self, part: Any, method: str, act: Callable[[], Awaitable[Any]], *, before: bool = False
    ) -> None:
        super().__init__(part)
        self._method = method
        self._is_before = before
        self._act: Callable[[], Awaitable[Any]] | None = act

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if name != self._method:
            return value

        async def then(*arguments: Any, **keys: Any) -> Any:
            answer = self._is_before or await value(*arguments, **keys)
            if answer and (act := self._act) is not None:
                self._act = None
                await act()
            return await value(*arguments, **keys) if self._is_before else answer

        return then
