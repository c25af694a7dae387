"""A kill or an error at the N-th call out of the process: before the request is sent, or after its effect."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from tests.rigs.functions import Target, is_call_of


class Killed(BaseException):
    """Simulates kill -9: no error handling sees it."""


class Fuse:
    """A switch that lets ``at - 1`` calls through and makes the next one fail.

    After a kill, no further call gets through, because a dead process does nothing. An error happens only
    once. ``done`` reports the progress made so far. With it, a repeated call counts only once until there is
    progress: idle loops repeat the same calls, and failing at the second is the same as failing at the first.
    """

    def __init__(
        self, at: int, *, after: bool, is_kill: bool = True, done: Callable[[], Any] | None = None
    ) -> None:
        self._at = at
        self._after = after
        self._is_kill = is_kill
        self._done = done
        self._was_done: Any = None
        self._made: set[str] = set()
        self.count = 0
        self.is_blown = False

    def _counts(self, what: str) -> bool:
        if self._done is None:
            return True
        if (done := self._done()) != self._was_done:
            self._was_done = done
            self._made.clear()
        if what in self._made:
            return False
        self._made.add(what)
        return True

    async def through(self, what: str, call: Callable[[], Awaitable[Any]], error: Exception) -> Any:
        counts = self._counts(what)
        self.count += counts
        if self.is_blown and self._is_kill:
            raise Killed
        if counts and self.count == self._at:
            if self._after:
                await call()
            self.is_blown = True
            raise Killed if self._is_kill else error
        result = await call()
        if self.is_blown and self._is_kill:
            raise Killed
        return result


class Proxy:
    """A stand-in that counts as an instance of the part's own class, and also gives access to its facets."""

    def __init__(self, part: Any) -> None:
        self._part = part

    @property  # a part's class can be told, and not set
    def __class__(self) -> Any:
        return type(self._part)

    def require_facet(self, facet: type) -> Any:
        assert isinstance(self, facet)
        return self


class Fused(Proxy):
    """A part whose asynchronous calls go through a fuse. ``error`` is the error that such a part raises."""

    def __init__(self, part: Any, fuse: Fuse, error: Exception) -> None:
        super().__init__(part)
        self._fuse = fuse
        self._error = error

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def fused(*arguments: Any, **keys: Any) -> Any:
            what = f"{name}{arguments}{keys}"
            return await self._fuse.through(what, lambda: value(*arguments, **keys), self._error)

        return fused


class Meanwhile(Proxy):
    """A part where something happens once, right after a call has been answered, or ``before`` it begins.

    Only calls whose arguments are ``counted`` trigger it.
    """

    def __init__(
        self,
        part: Any,
        target: Target,
        act: Callable[[], Awaitable[Any]],
        *,
        before: bool = False,
        counted: Callable[..., bool] = lambda *_arguments: True,
    ) -> None:
        super().__init__(part)
        self._target = target
        self._is_before = before
        self._counted = counted
        self._act: Callable[[], Awaitable[Any]] | None = act

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def then(*arguments: Any, **keys: Any) -> Any:
            if not is_call_of(self._target, name, arguments) or not self._counted(*arguments):
                return await value(*arguments, **keys)
            answer = self._is_before or await value(*arguments, **keys)
            if answer and (act := self._act) is not None:
                self._act = None
                await act()
            return await value(*arguments, **keys) if self._is_before else answer

        return then
