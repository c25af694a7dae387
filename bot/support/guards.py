"""A decorator for guards behind guards.

What protects people by itself, though something before it usually has already.

A test of a whole way meets the first guard, so that the second never decides anything in it and could go
missing unnoticed. What is marked is therefore tested alone, with what an earlier guard would have refused. In
a SQL file of ``bot/store`` the same mark is a line ``-- guards: RULE`` above a condition.
"""

from collections.abc import Callable
from typing import TypeVar

Guard = TypeVar("Guard", bound=Callable[..., object])


def guards(rule: str) -> Callable[[Guard], Guard]:  # noqa: ARG001 - it is read where it is written
    """Mark a function that keeps a rule of ``docs/internals/rules.md``, named by its title."""
    return lambda guard: guard
