"""The routes: a decorator makes a function a verb, a button, a form, a search or an event.

Nothing else lists them.
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, Literal, TypeAlias

from bot.domain.notices import Answer
from bot.messages.blocks.kit import Element
from bot.services.caller import Caller
from bot.support.declarations import Registry, require_complete
from bot.support.errors import Refused
from handlers.event_request import EventRequest
from handlers.request import Request

#: What a person types, presses or sends ends in an Answer.
Verb: TypeAlias = Callable[[Request], Coroutine[Any, Any, Answer]]
Search: TypeAlias = Callable[[Request], Coroutine[Any, Any, list[dict[str, Any]]]]
Event: TypeAlias = Callable[[EventRequest], Coroutine[Any, Any, None]]


class Effect(StrEnum):
    """The effect of a verb, which decides about questions before it is done (``reading``)."""

    #: Only answers, or asks by itself.
    SHOWS = "shows"
    #: Starts something that is there; it can be stopped again.
    STARTS = "starts"
    #: Makes or changes something.
    MAKES = "makes"
    #: Takes something away: ends, interrupts, hides or deletes it.
    ENDS = "ends"


#: The kinds of a verb's arguments (``handlers.names``), a time, and ``words`` that it parses by itself.
ArgumentKind = Literal["workspace", "run", "job", "template", "connection", "course", "time", "words"]


@dataclass(frozen=True, slots=True)
class VerbTraits:
    """The effect of a verb, its flags (None if it parses its own), and the arguments that it accepts."""

    effect: Effect
    flags: frozenset[str] | None
    accepts: frozenset[ArgumentKind] = frozenset()


_verbs: dict[str, Registry[Verb]] = {}
_traits: dict[tuple[str, str], VerbTraits] = {}
#: Buttons that aren't verbs, by the action id before its first colon.
action: Registry[Verb] = Registry()
#: The traits of a word that is no verb.
_ONLY_ANSWERS: Final = VerbTraits(Effect.SHOWS, None)
#: The one handler of the words that people type.
text: Registry[Verb] = Registry()
#: The handlers that answer a refusal with more than its text, by its rule.
refusal: Registry[Callable[[Request, Refused], Answer]] = Registry()
#: The displays of the outcome of a click in a Home, or of a form, by place: Slack shows it nowhere else.
outcome_displays: Registry[Callable[[Caller, Answer | None], Coroutine[Any, Any, None]]] = Registry()
#: Buttons of features as they are now, by action, from a row's key: an option of a menu asks what they would.
button: Registry[Callable[[Request, str], Coroutine[Any, Any, Element]]] = Registry()
#: Forms, by callback id.
view: Registry[Verb] = Registry()
#: Shortcuts, by callback id.
shortcut: Registry[Verb] = Registry()
#: Searches of select menus, by what they search.
options: Registry[Search] = Registry()
#: Events, by Slack's name; messages by the kind of their channel too (``message_im``).
event: Registry[Event] = Registry()


def verb(
    command: str,
    name: str,
    flags: Iterable[str] | None = (),
    effect: Effect = Effect.MAKES,
    accepts: Iterable[ArgumentKind] = (),
) -> Callable[[Verb], Verb]:
    """Return the decorator of a verb; ``flags`` are the words that it accepts as ``--WORD``.

    ``flags`` is None for a verb that parses its own. Its ``effect`` is assumed to be worth a question.
    """
    accepted_flags = None if flags is None else frozenset(flags)
    _traits[command, name] = VerbTraits(effect, accepted_flags, frozenset(accepts))
    return _verbs.setdefault(command, Registry())(name)


def get_verbs(command: str) -> Registry[Verb]:
    """Return the verbs of a command."""
    require_complete()
    return _verbs[command]


def find_button_handler(request: Request, name: str) -> Verb | None:
    """Return the handler of a button: its own, or else the verb's."""
    return action.get(name) or get_verbs(request.folder).get(request.verb)


async def run(request: Request) -> Answer:
    """Run a request's verb."""
    handler = get_verbs(request.folder).get(request.verb)
    assert handler is not None, "only verbs that exist are read"
    return await handler(request)


def find_traits(command: str, name: str) -> VerbTraits:
    """Return the traits of a verb; an unknown one only answers."""
    require_complete()
    return _traits.get((command, name), _ONLY_ANSWERS)


def list_accepted(command: str, name: str) -> frozenset[ArgumentKind]:
    """Return the kinds of arguments that a verb accepts."""
    return find_traits(command, name).accepts


@cache
def list_verbs_accepting(kind: ArgumentKind) -> frozenset[tuple[str, str]]:
    """Return the verbs that accept arguments of a kind, each after its command."""
    require_complete()
    return frozenset(verb for verb, one in _traits.items() if kind in one.accepts)


def has_own_parser(command: str, name: str) -> bool:
    """Return whether a verb parses its whole text itself, such as a program's own words."""
    return (command, name) in _traits and _traits[command, name].flags is None


@cache
def list_verbs_by_folder() -> Mapping[str, frozenset[str]]:
    """Return the names of all verbs by their folder, that of workspaces first."""
    return {folder: frozenset(get_verbs(folder).get_all()) for folder in reversed(list_commands())}


def list_commands() -> list[str]:
    """Return the commands that have verbs."""
    require_complete()
    return sorted(_verbs)


@cache
def list_flags() -> frozenset[str]:
    """Return the flags of all verbs: none of them can be part of a name."""
    require_complete()
    return frozenset().union(*(one.flags or () for one in _traits.values()))


def list_routes() -> dict[str, list[str]]:
    """Return the names of all routes by kind, for ``usher routes``."""
    tables: dict[str, Registry[Any]] = {
        f"command {command}": get_verbs(command) for command in list_commands()
    }
    tables |= {"action": action, "shortcut": shortcut, "view": view, "options": options, "event": event}
    return {kind: list(table.get_all()) for kind, table in tables.items()}
