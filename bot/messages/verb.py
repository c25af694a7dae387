"""Verbs, each declared whole beside its function: what it takes and does, and all its words.

A *verb* is what people type, press or say. Help, buttons, offers and the reading of sentences ask these
declarations, and nothing else is kept by the name of a verb: to add one, or to take one away, is to add or
take its declaration.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, Literal

from bot.domain.markup import Template
from bot.support.declarations import require_complete

Command = Literal["workspace", "job"]
#: The kinds of a verb's arguments, a time, and ``words`` that it parses by itself.
ArgumentKind = Literal["workspace", "run", "job", "template", "connection", "course", "verb", "time", "words"]


class Effect(StrEnum):
    """The effect of a verb, which decides whether it is done at once (``handlers.commands``)."""

    #: Only answers, or asks by itself.
    SHOWS = "shows"
    #: Starts something that is there; it can be stopped again.
    STARTS = "starts"
    #: Makes or changes something.
    MAKES = "makes"
    #: Takes something away: ends, interrupts, hides or deletes it.
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Offer:
    """The words of an offer: what one press will do, the button that does it, and the answer to the press."""

    text: str = ""
    button: str = ""
    done: Template = ""


_NOTHING: Final = Offer()


@dataclass(frozen=True, slots=True)
class Opposite:
    """The button of an answer that brings back what its verb changed: label and action.

    It carries the row and whatever else it needs, as nothing remembers what was done: pressed late, it
    answers with how things are. With others beside it, its label is ``named``.
    """

    label: str
    action: str
    named: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A verb of a command."""

    command: Command = "workspace"
    #: What is typed after the command; none for a variant, which is a verb with a flag.
    usage: str = ""
    #: The one line of help, its further sentences, its group there, and its order among the others.
    summary: str = ""
    more: tuple[str, ...] = ()
    group: str = ""
    order: int = 0
    #: For what goes on by itself later; nobody need know the word.
    is_hidden: bool = False
    #: What a person must be able to do here for help to list it: a facet or a way of stopping of a connection
    #: that they have linked, ``linking``, ``linked``, ``administrator``.
    needs: tuple[str, ...] = ()
    #: Its effect; its arguments; the flags that it accepts as ``--WORD``, None if it parses its own.
    effect: Effect = Effect.MAKES
    flags: tuple[str, ...] | None = ()
    accepts: tuple[ArgumentKind, ...] = ()
    #: Other words for it, those that mean another verb where they follow it, and the verb of a run's.
    also: str = ""
    #: The usage of verbs of releases before 0.5 that it replaces, each with what is typed now. They are read
    #: until 0.6; buttons of old messages for good.
    former: Mapping[str, str] | None = None
    #: Words that make it likely in a sentence, though no command begins with them.
    heard: str = ""
    otherwise: Mapping[str, str] | None = None
    of_run: str = ""
    #: Its button beside a workspace's name, whether that is red; what its command does, alone and with words.
    label: str = ""
    is_red: bool = False
    alone: str = ""
    does: str = ""
    #: Offers to do it: to one, with a time, to several, and these with a time.
    offer: Offer = _NOTHING
    offer_at: Offer = _NOTHING
    bulk: Offer = _NOTHING
    bulk_at: Offer = _NOTHING
    #: The button that brings back what it took away, or cancels what it planned for a time; None for none.
    opposite: Opposite | None = None
    opposite_at: Opposite | None = None
    #: The use case that does it to one of several; None for what begins an operation.
    each: Callable[..., Any] | None = None
    #: The name of a variant.
    variant: str = ""

    @property
    def name(self) -> str:
        """Return the word that is typed."""
        return self.variant or self.usage.partition(" ")[0]

    @property
    def is_operation(self) -> bool:
        """Return whether its objects are workspaces and nothing else, besides a time."""
        return "workspace" in self.accepts and "words" not in self.accepts and self.command == "workspace"

    @property
    def takes_time(self) -> bool:
        """Return whether it can be given a time."""
        return "time" in self.accepts

    @property
    def takes_words(self) -> bool:
        """Return whether anything can follow it."""
        return bool(self.accepts) or " " in self.usage

    @property
    def runs_until(self) -> bool:
        """Return whether its time is the end of what it starts, not the beginning of what it does."""
        return self.offer_at.button.endswith("until {then}")

    def is_for(self, able: Iterable[str]) -> bool:
        """Return whether help lists it for somebody who is able to do this."""
        return not self.is_hidden and {*self.needs}.issubset(able)


@dataclass(frozen=True, slots=True)
class FormerVerb:
    """A verb of an earlier release: whether words followed it, and what is typed in its place.

    ``typed`` is the present verb, with the words and flags that come before those of the former one.
    """

    takes_words: bool
    typed: str

    @property
    def name(self) -> str:
        """Return the verb that replaces it."""
        return self.typed.partition(" ")[0]

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words between the verb that replaces it and those of the former one."""
        return tuple(word for word in self.typed.split()[1:] if not word.startswith("--"))

    @property
    def flags(self) -> frozenset[str]:
        """Return the flags that it means."""
        return frozenset(word[2:] for word in self.typed.split()[1:] if word.startswith("--"))


#: What isn't a verb only answers.
_NO_VERB: Final = Verb(effect=Effect.SHOWS, flags=None)
_verbs: dict[tuple[str, str], Verb] = {}


def declare_verb(verb: Verb) -> Verb:
    """Add a verb; raises ValueError if another one has its name."""
    if _verbs.setdefault((verb.command, verb.name), verb) is not verb:
        raise ValueError(f"{verb.command} {verb.name} has two declarations")
    return verb


def find_verb(command: str, name: str) -> Verb:
    """Return a verb or a variant; for any other word one that only answers, and has no words."""
    require_complete()
    return _verbs.get((command, name), _NO_VERB)


def is_operation(name: str) -> bool:
    """Return whether a word is a verb whose objects are workspaces and nothing else, besides a time."""
    return find_verb("workspace", name).is_operation


@cache
def list_verbs(command: str) -> Mapping[str, Verb]:
    """Return the typed verbs of a command by name, in the order of help."""
    require_complete()
    own = [verb for (of, _), verb in _verbs.items() if of == command and verb.usage]
    return {verb.name: verb for verb in sorted(own, key=lambda verb: verb.order)}


@cache
def list_synonyms(command: str) -> Mapping[str, str]:
    """Return the other words for the verbs of a command, each with its verb."""
    return {word: name for name, verb in list_verbs(command).items() for word in verb.also.split()}


@cache
def list_former_verbs(command: str) -> Mapping[str, FormerVerb]:
    """Return the verbs of earlier releases by name, each with what replaces it."""
    every = [pair for verb in list_verbs(command).values() for pair in (verb.former or {}).items()]
    return {usage.partition(" ")[0]: FormerVerb(" " in usage, typed) for usage, typed in every}


def to_present_name(command: str, name: str) -> str:
    """Return the name of a verb, given that of one which it has replaced or its own."""
    former = list_former_verbs(command).get(name)
    return name if former is None else former.name
