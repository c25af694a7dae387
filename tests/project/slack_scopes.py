"""A helper that returns the scopes that Slack's methods need according to its documentation."""

from bot.slack.methods import METHODS


def scopes_of(caller):
    """Return all scopes that the methods called with this kind of token need."""
    return set().union(*(method.scopes for method in METHODS.values() if method.caller == caller))
