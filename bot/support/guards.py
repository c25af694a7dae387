"""A decorator for a guard that runs behind another guard, so it usually finds nothing to refuse.

In a test of the whole path the first guard refuses, so a missing second guard would go unnoticed. A marked
guard is therefore tested alone, with requests that an earlier guard would have refused. In SQL files of
``bot/store`` the mark is a line ``-- guards: RULE`` above a condition.
"""

from collections.abc import Callable
from typing import TypeVar

Guard = TypeVar("Guard", bound=Callable[..., object])


def guards(rule: str) -> Callable[[Guard], Guard]:  # noqa: ARG001 - it is read where it is written
    """Mark a function as the one that enforces a rule, given by its title in ``docs/internals/rules.md``."""
    return lambda guard: guard
