"""Verbs. Each is declared once, next to its function, with its arguments, its effect and all its wording.

A *verb* is what people type, press or say. Help, buttons, offers and the parsing of sentences all use these
declarations. To add or remove a verb, add or remove its declaration.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from bot.domain.markup import Template
from bot.support.declarations import require_complete

Command = Literal["workspace", "job"]
#: The kinds of arguments that verbs take. ``words`` are arguments that the verb parses itself.
ArgumentKind = Literal["workspace", "run", "job", "template", "connection", "course", "verb", "time", "words"]


class Effect(StrEnum):
    """Kinds of effects of verbs. They decide whether a verb runs immediately (``handlers.commands``)."""

    #: Verbs that only answer, or that ask before they do anything.
    SHOWS = "shows"
    #: Verbs that start an existing workspace or keep it running. The workspace can be stopped again.
    STARTS = "starts"
    #: Verbs that create or change something.
    MAKES = "makes"
    #: Verbs that end, interrupt, hide or delete something.
    ENDS = "ends"


class Offer(NamedTuple):
    """The wording of an offer: what its button does, the button's label, and the answer to pressing it."""

    text: str = ""
    button: str = ""
    done: Template = ""


_NOTHING: Final = Offer()


class Opposite(NamedTuple):
    """The button in a verb's answer that undoes what the verb did.

    All data that it needs is in the button, because nothing about the change is stored. If it is pressed too
    late, the answer shows the current state. ``named`` is the label used if there are several such buttons.
    """

    label: str
    action: str
    named: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A verb of the slash command or of the job commands."""

    command: Command = "workspace"
    #: What to type after the command. Empty for a variant, which is shorthand for another verb plus a flag
    #: and isn't listed separately.
    usage: str = ""
    #: The verb's line in help, followed by the sentences in ``more``. ``group`` and ``order`` determine the
    #: verb's place in help.
    summary: str = ""
    more: tuple[str, ...] = ()
    group: str = ""
    order: int = 0
    #: Whether to leave the verb out of help and suggestions. Usher itself uses hidden verbs to continue an
    #: action, so nobody needs to type them.
    is_hidden: bool = False
    #: Conditions that must all be met for help to list the verb. ``linked`` means that the person has linked
    #: an account, ``linking`` that accounts can be linked, and ``administrator`` that the person administers
    #: Usher. Any other condition is a capability or a stop mode (such as "suspend") of at least one provider
    #: that the person can use.
    needs: tuple[str, ...] = ()
    #: The verb's effect. ``flags`` lists the words it accepts as ``--WORD`` (None if it parses its own
    #: flags), and ``accepts`` lists the kinds of arguments it takes.
    effect: Effect = Effect.MAKES
    flags: tuple[str, ...] | None = ()
    accepts: tuple[ArgumentKind, ...] = ()
    also: str = ""
    #: Maps the old usage of each verb that this one replaced in release 0.5 to what people should type now.
    #: The old form can still be typed until 0.6, and buttons in old messages keep working.
    former: Mapping[str, str] | None = None
    #: Words that suggest this verb when they occur in a sentence. A command can't begin with them.
    #: ``otherwise`` maps other verbs to words: if the sentence also contains one of these, the other verb is
    #: meant.
    heard: str = ""
    otherwise: Mapping[str, str] | None = None
    #: Whether people can choose the workspace for the verb by pressing a button.
    has_choice_buttons: bool = False
    #: Whether the buttons that offer the verb are red.
    is_red: bool = False
    #: Phrases that describe a command with this verb, for example on a button that runs the command.
    #: ``alone`` describes the verb without arguments, ``does`` with them.
    alone: str = ""
    does: str = ""
    #: Phrases that offer the verb for one workspace. ``button_at`` is the button's label if a time is given.
    #: ``bulk`` and ``bulk_at`` offer the verb for several workspaces, without and with a time.
    offer: Offer = _NOTHING
    button_at: str = ""
    bulk: Offer = _NOTHING
    bulk_at: Offer = _NOTHING
    #: The button that undoes what the verb did, or None if it can't be undone.
    opposite: Opposite | None = None
    #: The use case to run for each workspace in a command that names several. None if the verb begins an
    #: operation.
    each: Callable[..., Any] | None = None
    #: The verb's name if it is a variant of another verb, otherwise empty.
    variant: str = ""

    @property
    def name(self) -> str:
        """Return the word that people type for the verb. A variant has no such word, so return its name."""
        return self.variant or self.usage.partition(" ")[0]

    @property
    def is_operation(self) -> bool:
        """Return whether the verb takes nothing but workspaces and, optionally, a time."""
        return "workspace" in self.accepts and "words" not in self.accepts and self.command == "workspace"

    @property
    def takes_words(self) -> bool:
        """Return whether anything can follow the verb."""
        return bool(self.accepts) or " " in self.usage

    @property
    def runs_until(self) -> bool:
        """Return whether a time after the verb is an end time, rather than a start time."""
        return self.button_at.endswith("until {then}")

    def is_for(self, able: Iterable[str]) -> bool:
        """Return whether help should list the verb for a person with these abilities (see ``needs``)."""
        return not self.is_hidden and {*self.needs}.issubset(able)


class FormerVerb(NamedTuple):
    """A verb from an earlier release, and what to type instead.

    ``takes_words`` is whether words could follow the old verb. ``typed`` is the new verb, together with any
    words and flags that go before the old verb's arguments.
    """

    takes_words: bool
    typed: str

    @property
    def name(self) -> str:
        """Return the name of the verb that replaces the old one."""
        return self.typed.partition(" ")[0]

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words to insert between the new verb and the old verb's arguments."""
        return tuple(word for word in self.typed.split()[1:] if not word.startswith("--"))

    @property
    def flags(self) -> frozenset[str]:
        """Return the flags that the old verb implies."""
        return frozenset(word[2:] for word in self.typed.split()[1:] if word.startswith("--"))


#: Returned by ``find_verb`` for an unknown word. A command with such a word gets an answer, but has no
#: effect.
_NO_VERB: Final = Verb(effect=Effect.SHOWS, flags=None)
_verbs: dict[tuple[str, str], Verb] = {}


def declare_verb(verb: Verb) -> Verb:
    """Add a verb. Raise ValueError if another verb has the same name."""
    if _verbs.setdefault((verb.command, verb.name), verb) is not verb:
        raise ValueError(f"{verb.command} {verb.name} has two declarations")
    return verb


def find_verb(command: str, name: str) -> Verb:
    """Return a verb or a variant. An unknown word gives a verb that only answers and takes no arguments."""
    require_complete()
    return _verbs.get((command, name), _NO_VERB)


def is_operation(name: str) -> bool:
    """Return whether a word is a verb that takes nothing but workspaces and, optionally, a time."""
    return find_verb("workspace", name).is_operation


@cache
def list_verbs(command: str) -> Mapping[str, Verb]:
    """Return the verbs that can be typed after a command, keyed by name, in the order of help."""
    require_complete()
    own = [verb for (of, _), verb in _verbs.items() if of == command and verb.usage]
    return {verb.name: verb for verb in sorted(own, key=lambda verb: verb.order)}


@cache
def list_synonyms(command: str) -> Mapping[str, str]:
    """Return the synonyms of a command's verbs, each mapped to its verb."""
    return {word: name for name, verb in list_verbs(command).items() for word in verb.also.split()}


@cache
def list_former_verbs(command: str) -> Mapping[str, FormerVerb]:
    """Return the names of verbs from earlier releases, each with its replacement."""
    every = [pair for verb in list_verbs(command).values() for pair in (verb.former or {}).items()]
    return {usage.partition(" ")[0]: FormerVerb(" " in usage, typed) for usage, typed in every}


def to_present_name(command: str, name: str) -> str:
    """Return a verb's current name, given its current or its old name."""
    former = list_former_verbs(command).get(name)
    return name if former is None else former.name
