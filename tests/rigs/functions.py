"""Helpers that recognise, replace or break the functions that a store is asked to run."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

#: Methods of a store that take a function to run.
VERBS: Final = ("read", "write", "claim", "perform")
#: Either the name of a method, or a function that a store is asked to run.
Target = str | Callable[..., Any]


def is_call_of(target: Target, method: str, arguments: tuple[Any, ...]) -> bool:
    """Return whether a call is of the given method, or asks the store to run the given function."""
    return target == (arguments[0] if method in VERBS else method)


def replace_function(
    store: Any, function: Callable[..., Any], substitute: Callable[..., Awaitable[Any]]
) -> None:
    """Make a store await a substitute, with the same arguments, instead of running a function."""

    async def run(real: Any, work: Any, *arguments: Any, **named: Any) -> Any:
        if work is function:
            return await substitute(*arguments, **named)
        return await real(work, *arguments, **named)

    for verb in VERBS:
        setattr(store, verb, partial(run, getattr(store, verb)))


def fail_function(store: Any, function: Callable[..., Any], *errors: Exception) -> None:
    """Make a function raise these errors, one each time that the store runs it."""
    left = list(errors)

    async def run(real: Any, work: Any, *arguments: Any, **named: Any) -> Any:
        if work is function and left:
            raise left.pop(0)
        return await real(work, *arguments, **named)

    for verb in VERBS:
        setattr(store, verb, partial(run, getattr(store, verb)))
