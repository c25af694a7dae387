"""Declarations of modules: functions by their names.

``handlers.loading.load`` imports every module that declares something, once at the start of a process.
Reading before that raises an error: an incomplete answer would not be noticed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

Declared = TypeVar("Declared", bound=Callable[..., Any])


class Registry(Generic[Declared]):
    """The functions of one sort by name; calling it with a name returns the decorator that adds one."""

    def __init__(self) -> None:
        self._functions: dict[str, Declared] = {}

    def __call__(self, *names: str) -> Callable[[Declared], Declared]:
        """Return the decorator; raises ValueError if another function has a name already."""

        def add(function: Declared) -> Declared:
            for name in names:
                if self._functions.setdefault(name, function) is not function:
                    raise ValueError(f"{name} has two functions")
            return function

        return add

    def get_all(self) -> Mapping[str, Declared]:
        """Return all functions by name, in alphabetical order."""
        require_complete()
        return dict(sorted(self._functions.items()))

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __getitem__(self, name: str) -> Declared:
        require_complete()
        return self._functions[name]

    def get(self, name: str) -> Declared | None:
        """Return the function of a name, or None."""
        require_complete()
        return self._functions.get(name)


_complete: list[bool] = []


def complete() -> None:
    """Note that every module is imported."""
    _complete[:] = [True]


def require_complete() -> None:
    """Raise RuntimeError unless every module that declares something has been imported."""
    if not _complete:
        raise RuntimeError("nothing is loaded: call handlers.loading.load() first")
