"""A decorator for a guard that runs behind another guard, and therefore usually finds nothing to refuse.

If a test follows the whole path, the first guard refuses the request. The test then passes even if the second
guard is missing. So a marked guard is tested alone, with requests that an earlier guard would have refused.
In SQL files of ``bot/store``, guards are marked by a line ``-- guards: RULE`` above a condition.
"""

from collections.abc import Callable
from typing import TypeVar

Guard = TypeVar("Guard", bound=Callable[..., object])


def guards(rule: str) -> Callable[[Guard], Guard]:  # noqa: ARG001 - tests read it in the source code
    """Mark a function as the guard that enforces the rule with this title in ``docs/internals/rules.md``."""
    return lambda guard: guard
