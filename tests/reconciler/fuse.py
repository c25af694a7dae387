"""A kill, or an error, at the N-th way out of the process: before the request leaves, or after its effect."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from tests.rigs.functions import Target, is_call_of


class Killed(BaseException):
    """Stand for kill -9: nothing that handles errors gets to see it."""


class Fuse:
    """Let ``at - 1`` calls through and end the next.

    As a kill nothing gets through after it: who is dead does nothing more. As an error it is the only one.
    With ``done``, which tells what has been done by now, a call counts only once until something is: idle
    loops make the same ones over and over, and to fail at the second of them is to fail at the first.
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
    """Stand for a part, and be taken for one of its kind; a facet of it is reached through this, too."""

    def __init__(self, part: Any) -> None:
        self._part = part

    @property  # a part's class can be told, and not set
    def __class__(self) -> Any:
        return type(self._part)

    def require_facet(self, facet: type) -> Any:
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
            what = f"{name}{arguments}{keys}"
            return await self._fuse.through(what, lambda: value(*arguments, **keys), self._error)

        return fused


class Meanwhile(Proxy):
    """Have something happen once, right after a call of a part has been answered, or ``before`` it begins.

    Calls don't count that aren't ``counted`` by their arguments.
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
