"""A decorator for second guards: checks that refuse only what an earlier check should already have refused.

A test of the whole path passes even if the second guard is missing, because the first guard refuses the
request. So a marked guard is tested alone, with requests that the first one would have refused. In the SQL
files of ``bot/store``, guards are marked by a line ``-- guards: RULE`` above a condition.
"""

from collections.abc import Callable
from typing import TypeVar

Guard = TypeVar("Guard", bound=Callable[..., object])


def guards(rule: str) -> Callable[[Guard], Guard]:  # noqa: ARG001 - tests read it in the source code
    """Mark a function as the guard that enforces the rule with this title in ``docs/internals/rules.md``."""
    return lambda guard: guard
