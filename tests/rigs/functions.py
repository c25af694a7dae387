"""Functions that a store is asked to run: tells which one a call is for, and can replace one."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

#: The methods of a store that are handed a function.
VERBS: Final = ("read", "write", "claim", "perform")
#: A method by its name, or a function that a store is handed.
Target = str | Callable[..., Any]


def is_call_of(target: Target, method: str, arguments: tuple[Any, ...]) -> bool:
    """Return whether a call is of a method, or has a store run a function."""
    return target == (arguments[0] if method in VERBS else method)


def replace_function(
    store: Any, function: Callable[..., Any], substitute: Callable[..., Awaitable[Any]]
) -> None:
    """Have a store await something else, with the same arguments, instead of running a function."""

    async def run(real: Any, work: Any, *arguments: Any, **named: Any) -> Any:
        if work is function:
            return await substitute(*arguments, **named)
        return await real(work, *arguments, **named)

    for verb in VERBS:
        setattr(store, verb, partial(run, getattr(store, verb)))


def fail_function(store: Any, function: Callable[..., Any], *errors: Exception) -> None:
    """Have a function raise errors, one in each of its next runs."""
    left = list(errors)

    async def run(real: Any, work: Any, *arguments: Any, **named: Any) -> Any:
        if work is function and left:
            raise left.pop(0)
        return await real(work, *arguments, **named)

    for verb in VERBS:
        setattr(store, verb, partial(run, getattr(store, verb)))
