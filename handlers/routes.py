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
    """Say what a verb does, which decides what is asked before it is done (``reading``)."""

    #: Only answers, or asks by itself.
    SHOWS = "shows"
    #: Starts something that is there; it can be stopped again.
    STARTS = "starts"
    #: Makes or changes something.
    MAKES = "makes"
    #: Takes something away: ends, interrupts, hides or deletes it.
    ENDS = "ends"


#: What a verb can be about (``handlers.names``), when, and ``words`` that it reads by itself.
Taken = Literal["workspace", "run", "job", "template", "connection", "course", "time", "words"]


@dataclass(frozen=True, slots=True)
class Nature:
    """Hold what a verb does, its flags, None if it parses flags of its own, and what it takes."""

    effect: Effect
    flags: frozenset[str] | None
    takes: frozenset[Taken] = frozenset()


_verbs: dict[str, Registry[Verb]] = {}
_natures: dict[tuple[str, str], Nature] = {}
#: Buttons that aren't verbs, by the action id before its first colon.
action: Registry[Verb] = Registry()
#: What is no verb.
_ONLY_ANSWERS: Final = Nature(Effect.SHOWS, None)
#: What answers the words that people type: there is one.
text: Registry[Verb] = Registry()
#: What answers a refusal with more than its text, by its rule.
refusal: Registry[Callable[[Request, Refused], Answer]] = Registry()
#: What shows what came of a press in a Home or of a form, by where that was: Slack shows it nowhere else.
shown: Registry[Callable[[Caller, Answer | None], Coroutine[Any, Any, None]]] = Registry()
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
    takes: Iterable[Taken] = (),
) -> Callable[[Verb], Verb]:
    """Return the decorator of a verb; ``flags`` are the words that it accepts as ``--WORD``.

    ``flags`` is None for a verb that parses its own. What it ``does`` is assumed to be worth a question.
    """
    known = None if flags is None else frozenset(flags)
    _natures[command, name] = Nature(effect, known, frozenset(takes))
    return _verbs.setdefault(command, Registry())(name)


def verbs(command: str) -> Registry[Verb]:
    """Return the verbs of a command."""
    require_complete()
    return _verbs[command]


def pressed(request: Request, name: str) -> Verb | None:
    """Return the handler of a button: its own, or else the verb's."""
    return action.get(name) or verbs(request.folder).get(request.verb)


async def run(request: Request) -> Answer:
    """Run a request's verb."""
    handler = verbs(request.folder).get(request.verb)
    assert handler is not None, "only verbs that exist are read"
    return await handler(request)


def nature(command: str, name: str) -> Nature:
    """Return what a verb does; an unknown one only answers."""
    require_complete()
    return _natures.get((command, name), _ONLY_ANSWERS)


def takes(command: str, name: str) -> frozenset[Taken]:
    """Return what a verb can be about."""
    return nature(command, name).takes


@cache
def taking(kind: Taken) -> frozenset[tuple[str, str]]:
    """Return the verbs that can be about something of a kind, each after its command."""
    require_complete()
    return frozenset(verb for verb, one in _natures.items() if kind in one.takes)


def parses_itself(command: str, name: str) -> bool:
    """Return whether a verb reads its whole text itself, such as a program's own words."""
    return (command, name) in _natures and _natures[command, name].flags is None


@cache
def verbs_of_folders() -> Mapping[str, frozenset[str]]:
    """Return the names of all verbs by their folder, that of workspaces first."""
    return {folder: frozenset(verbs(folder).get_all()) for folder in reversed(commands())}


def commands() -> list[str]:
    """Return the commands that have verbs."""
    require_complete()
    return sorted(_verbs)


@cache
def flags() -> frozenset[str]:
    """Return the flags of all verbs: none of them can be part of a name."""
    require_complete()
    return frozenset().union(*(one.flags or () for one in _natures.values()))


def names() -> dict[str, list[str]]:
    """Return everything that was found, for ``usher routes``."""
    tables: dict[str, Registry[Any]] = {f"command {command}": verbs(command) for command in commands()}
    tables |= {"action": action, "shortcut": shortcut, "view": view, "options": options, "event": event}
    return {kind: list(table.get_all()) for kind, table in tables.items()}
