"""Verbs, each declared completely beside its function: what it takes, what it does, and all its words.

A *verb* is what people type, press or say. Help, buttons, offers and the reading of sentences all use these
declarations, and nothing else is stored under a verb's name. To add or remove a verb, add or remove its
declaration.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, Literal

from bot.domain.markup import Template
from bot.support.declarations import require_complete

Command = Literal["workspace", "job"]
#: The kinds of a verb's arguments; ``words`` are those that the verb parses itself.
ArgumentKind = Literal["workspace", "run", "job", "template", "connection", "course", "verb", "time", "words"]


class Effect(StrEnum):
    """The effect of a verb, which decides whether it is done at once (``handlers.commands``)."""

    #: Only answers, or asks before it does anything.
    SHOWS = "shows"
    #: Starts something that exists; it can be stopped again.
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
    """The button in an answer that undoes what its verb changed: label and action.

    It carries the row and all else that it needs, as nothing is stored about the change. Pressed late, it
    answers how things are. If there are several such buttons, its label is ``named``.
    """

    label: str
    action: str
    named: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A verb of a command."""

    command: Command = "workspace"
    #: The text typed after the command; empty for a variant, which is a verb with a flag.
    usage: str = ""
    #: Its line in help, the sentences after it, its group in help, and its place there.
    summary: str = ""
    more: tuple[str, ...] = ()
    group: str = ""
    order: int = 0
    #: For actions that continue by themselves later, whose word nobody needs to know.
    is_hidden: bool = False
    #: What help requires before it lists the verb: a facet or stop mode of a connection that the person has
    #: linked, or ``linking``, ``linked``, ``administrator``.
    needs: tuple[str, ...] = ()
    #: Its effect, the flags that it accepts as ``--WORD`` (None if it parses its own), and its arguments.
    effect: Effect = Effect.MAKES
    flags: tuple[str, ...] | None = ()
    accepts: tuple[ArgumentKind, ...] = ()
    #: Its synonyms.
    also: str = ""
    #: The usage of verbs before release 0.5 that it replaces, with what to type now. These are understood
    #: until 0.6; buttons of old messages keep working.
    former: Mapping[str, str] | None = None
    #: Words that suggest the verb in a sentence, though no command begins with them, and words after it that
    #: mean another verb.
    heard: str = ""
    otherwise: Mapping[str, str] | None = None
    #: Its button beside a workspace's name, and whether it is red; the label of its command alone, and with
    #: words.
    label: str = ""
    is_red: bool = False
    alone: str = ""
    does: str = ""
    #: The offers to do it: to one workspace, to one at a time, to several, and to several at a time.
    offer: Offer = _NOTHING
    offer_at: Offer = _NOTHING
    bulk: Offer = _NOTHING
    bulk_at: Offer = _NOTHING
    #: The button that undoes what it took away, or cancels what it planned (``_at``); None if there is none.
    opposite: Opposite | None = None
    opposite_at: Opposite | None = None
    #: The use case for one of several workspaces; None if the verb begins an operation.
    each: Callable[..., Any] | None = None
    #: The name of a variant.
    variant: str = ""

    @property
    def name(self) -> str:
        """Return the word that people type."""
        return self.variant or self.usage.partition(" ")[0]

    @property
    def is_operation(self) -> bool:
        """Return whether it applies to workspaces alone, perhaps at a given time."""
        return "workspace" in self.accepts and "words" not in self.accepts and self.command == "workspace"

    @property
    def takes_time(self) -> bool:
        """Return whether it can be given a time."""
        return "time" in self.accepts

    @property
    def takes_words(self) -> bool:
        """Return whether anything can follow the verb."""
        return bool(self.accepts) or " " in self.usage

    @property
    def runs_until(self) -> bool:
        """Return whether its time says when a start ends, rather than when the verb is done."""
        return self.offer_at.button.endswith("until {then}")

    def is_for(self, able: Iterable[str]) -> bool:
        """Return whether help lists it for a person with these abilities."""
        return not self.is_hidden and {*self.needs}.issubset(able)


@dataclass(frozen=True, slots=True)
class FormerVerb:
    """A verb of an earlier release: whether words followed it, and what to type instead.

    ``typed`` is the present verb, with the words and flags that come before the old verb's words.
    """

    takes_words: bool
    typed: str

    @property
    def name(self) -> str:
        """Return the verb that replaces it."""
        return self.typed.partition(" ")[0]

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words between the present verb and the old verb's words."""
        return tuple(word for word in self.typed.split()[1:] if not word.startswith("--"))

    @property
    def flags(self) -> frozenset[str]:
        """Return the flags that the former verb implies."""
        return frozenset(word[2:] for word in self.typed.split()[1:] if word.startswith("--"))


#: For a word that isn't a verb, which only answers.
_NO_VERB: Final = Verb(effect=Effect.SHOWS, flags=None)
_verbs: dict[tuple[str, str], Verb] = {}


def declare_verb(verb: Verb) -> Verb:
    """Add a verb; raises ValueError if another one has its name."""
    if _verbs.setdefault((verb.command, verb.name), verb) is not verb:
        raise ValueError(f"{verb.command} {verb.name} has two declarations")
    return verb


def find_verb(command: str, name: str) -> Verb:
    """Return a verb or a variant; for any other word, one that only answers and takes no words."""
    require_complete()
    return _verbs.get((command, name), _NO_VERB)


def is_operation(name: str) -> bool:
    """Return whether a word is a verb that applies to workspaces alone, perhaps at a given time."""
    return find_verb("workspace", name).is_operation


@cache
def list_verbs(command: str) -> Mapping[str, Verb]:
    """Return the typed verbs of a command by name, in the order of help."""
    require_complete()
    own = [verb for (of, _), verb in _verbs.items() if of == command and verb.usage]
    return {verb.name: verb for verb in sorted(own, key=lambda verb: verb.order)}


@cache
def list_synonyms(command: str) -> Mapping[str, str]:
    """Return the synonyms of a command's verbs, each with its verb."""
    return {word: name for name, verb in list_verbs(command).items() for word in verb.also.split()}


@cache
def list_former_verbs(command: str) -> Mapping[str, FormerVerb]:
    """Return the verbs of earlier releases by name, each with what replaces it."""
    every = [pair for verb in list_verbs(command).values() for pair in (verb.former or {}).items()]
    return {usage.partition(" ")[0]: FormerVerb(" " in usage, typed) for usage, typed in every}


def to_present_name(command: str, name: str) -> str:
    """Return the present name of a verb, given that or the name of one that it replaced."""
    former = list_former_verbs(command).get(name)
    return name if former is None else former.name
