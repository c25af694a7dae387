"""The scopes that a method of Slack's needs, as its documents say."""

from bot.slack.methods import METHODS


def scopes_of(caller):
    """Return all scopes that the methods called with this kind of token need."""
    return set().union(*(method.scopes for method in METHODS.values() if method.caller == caller))
