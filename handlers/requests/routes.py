"""Routes. Decorators register functions as verbs, buttons, forms, searches or event handlers.

There is no other list of routes.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import cache
from typing import Any, TypeAlias

from bot.domain.notices import Answer
from bot.messages.verb import Verb as VerbDeclaration
from bot.messages.verb import declare_verb, list_former_verbs, list_synonyms, list_verbs
from bot.support.declarations import Registry, require_complete
from handlers.requests.event_request import EventRequest
from handlers.requests.request import Request

#: A function that handles anything a person types, clicks or submits, and returns an Answer.
Verb: TypeAlias = Callable[[Request], Coroutine[Any, Any, Answer]]
Search: TypeAlias = Callable[[Request], Coroutine[Any, Any, list[dict[str, Any]]]]
Event: TypeAlias = Callable[[EventRequest], Coroutine[Any, Any, None]]


_verbs: dict[str, Registry[Verb]] = {}
#: Functions for buttons whose action isn't a verb, keyed by the part of the action id before the first colon.
action: Registry[Verb] = Registry()
#: Functions that read typed text: one for commands, one for free text.
text: Registry[Verb] = Registry()
#: Functions for forms, keyed by callback id.
view: Registry[Verb] = Registry()
#: Functions for shortcuts, keyed by callback id.
shortcut: Registry[Verb] = Registry()
#: Functions for the searches in select menus, keyed by what they search for.
options: Registry[Search] = Registry()
#: Functions for events, keyed by Slack's name for the event. For messages, the key also contains the type of
#: channel (``message_im``).
event: Registry[Event] = Registry()


def verb(declared: VerbDeclaration) -> Callable[[Verb], Verb]:
    """Return a decorator that registers a function as a verb."""
    declare_verb(declared)
    return _verbs.setdefault(declared.command, Registry())(declared.name)


def get_verbs(command: str) -> Registry[Verb]:
    """Return the verbs of a command."""
    require_complete()
    return _verbs[command]


def replace_former_verb(request: Request) -> Request:
    """If a button's verb has been replaced, return the button's request with the new verb."""
    former = list_former_verbs(request.folder).get(request.verb)
    if former is None:
        return request
    return replace(request, verb=former.name, arguments=former.words, flags=request.flags | former.flags)


async def run(request: Request) -> Answer:
    """Run the verb that a request names."""
    handler = get_verbs(request.folder).get(request.verb)
    assert handler is not None, "only verbs that exist are read"
    return await handler(request)


def has_own_parser(command: str, name: str) -> bool:
    """Return whether a verb parses its whole text itself, like the verbs that take a program's words."""
    verb = list_verbs(command).get(list_synonyms(command).get(name, name))
    return verb is not None and verb.flags is None


def list_commands() -> list[str]:
    """Return the commands that have verbs."""
    require_complete()
    return sorted(_verbs)


@cache
def list_flags() -> frozenset[str]:
    """Return all verbs' flags, which are never part of a name."""
    require_complete()
    every = (verb for command in list_commands() for verb in list_verbs(command).values())
    return frozenset().union(*(verb.flags or () for verb in every))


def list_routes() -> dict[str, list[str]]:
    """Return the names of all routes, grouped by kind, for ``usher routes``."""
    tables: dict[str, Registry[Any]] = {
        f"command {command}": get_verbs(command) for command in list_commands()
    }
    tables |= {"action": action, "shortcut": shortcut, "view": view, "options": options, "event": event}
    return {kind: sorted(table) for kind, table in tables.items()}
