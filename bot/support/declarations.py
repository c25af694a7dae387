"""Registries of functions that modules declare by name.

When a process starts, ``handlers.loading.load`` imports every module that declares a function. Reading a
registry before that raises an error, because missing functions would otherwise go unnoticed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

Declared = TypeVar("Declared", bound=Callable[..., Any])


class Registry(Generic[Declared]):
    """A registry that maps names to functions of one kind. Calling it with names returns a decorator."""

    def __init__(self) -> None:
        self._functions: dict[str, Declared] = {}

    def __call__(self, *names: str) -> Callable[[Declared], Declared]:
        """Return a decorator that registers a function under these names.

        Raise ValueError if one is taken.
        """

        def add(function: Declared) -> Declared:
            for name in names:
                if self._functions.setdefault(name, function) is not function:
                    raise ValueError(f"{name} has two functions")
            return function

        return add

    def get_all(self) -> Mapping[str, Declared]:
        """Return all registered functions, sorted by name."""
        require_complete()
        return dict(sorted(self._functions.items()))

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __getitem__(self, name: str) -> Declared:
        require_complete()
        return self._functions[name]

    def get(self, name: str) -> Declared | None:
        """Return the function registered under a name, or None."""
        require_complete()
        return self._functions.get(name)


_complete: list[bool] = []


def complete() -> None:
    """Record that every module has been imported."""
    _complete[:] = [True]


def require_complete() -> None:
    """Raise RuntimeError unless all modules with declarations have been imported."""
    if not _complete:
        raise RuntimeError("nothing is loaded: call handlers.loading.load() first")
