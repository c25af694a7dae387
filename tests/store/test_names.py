"""One search for a function's name finds its definition and its callers."""

import inspect

from bot.store import store


def test_a_method_has_the_name_of_the_function_that_implements_it():
    """A method is made of a function of another module, and carries its name (``functools.wraps``)."""
    made = {
        name: method.__name__
        for name, method in vars(store.Store).items()
        if inspect.isfunction(method) and method.__module__ != store.__name__
    }
    assert len(made) > 100
    assert {name: called for name, called in made.items() if name != called} == {}
