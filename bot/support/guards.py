"""A decorator that marks guards behind other guards: checks that usually find nothing left to refuse.

In a test of the whole path the first guard refuses, so nobody would notice if the second were missing. A
marked guard is therefore tested alone, with requests that an earlier guard would have refused. In SQL files
of ``bot/store`` the mark is a line ``-- guards: RULE`` above a condition.
"""

from collections.abc import Callable
from typing import TypeVar

Guard = TypeVar("Guard", bound=Callable[..., object])


def guards(rule: str) -> Callable[[Guard], Guard]:  # noqa: ARG001 - it is read where it is written
    """Mark a function that keeps a rule of ``docs/internals/rules.md``, named by its title."""
    return lambda guard: guard
