"""Registries of functions that modules declare by name, such as the handlers of a slash command's verbs.

When a process starts, ``handlers.loading.load`` imports every module that declares a function. Until then,
functions are missing from the registries. To prevent that from going unnoticed, lookups of verbs and message
renderers call ``require_complete``, which raises an error until everything has been imported.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Declared = TypeVar("Declared", bound=Callable[..., Any])


class Registry(dict[str, Declared]):
    """A mapping from names to functions of one kind. Calling it with names returns a decorator."""

    def __call__(self, *names: str) -> Callable[[Declared], Declared]:
        """Return a decorator that registers a function under these names.

        Raise ValueError if one is taken.
        """

        def add(function: Declared) -> Declared:
            for name in names:
                if self.setdefault(name, function) is not function:
                    raise ValueError(f"{name} has two functions")
            return function

        return add


_complete: list[bool] = []


def complete() -> None:
    """Record that every module has been imported."""
    _complete[:] = [True]


def require_complete() -> None:
    """Raise RuntimeError unless all modules with declarations have been imported."""
    if not _complete:
        raise RuntimeError("nothing is loaded: call handlers.loading.load() first")
