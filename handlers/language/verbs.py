"""A verb with the words that follow it: which of them name something, whatever way it was said; pure.

How it was written goes along as ``Manner``, because only a verb of Usher that was typed may end something
without a question (ADR 24).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot.domain.moments import LEADS
from handlers.command_line import Quoted
from handlers.language import vocabulary
from handlers.language.words import ENDS, begins, ends, plain, without

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

#: Verbs for one thing: a second one in the same sentence is about something else.
ONE_AT_A_TIME: Final = frozenset(
    {"start", "stop", "restart", "suspend", "resume", "remove", "forget", "open"}
)
_OF_HELP: Final = vocabulary.BEFORE_A_NAME | {"me", "please", "with", "about"}
#: Verbs that take a time.
_TIMED: Final = frozenset({"start", "stop", "restart", "suspend", "resume", "keep"})


class Manner(StrEnum):
    """Say how a request was put, which decides whether it is done at once or offered."""

    #: A verb of Usher came first, and what follows it was typed as it is.
    TYPED = "typed"
    #: In other words, or as a sentence.
    SAID = "said"
    #: As a question whether to do it, or in an order that is a guess.
    ASKED = "asked"
    #: Only a name in a question: no answer is better than one about another name.
    MENTIONED = "mentioned"


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold what was understood: a verb with its words, something to answer (``talk``), or neither.

    ``guess`` is a verb that the words may mean in another order, such as ``notebook stop``.
    """

    verb: str = ""
    words: tuple[str, ...] = ()
    manner: Manner = Manner.TYPED
    folder: str = ""
    talk: str = ""
    guess: str = ""


class Verbs:
    """Read verbs of Usher and other words for them, in what somebody wrote in a folder."""

    def __init__(self, written: tuple[str, ...], folder: str, verbs: Mapping[str, AbstractSet[str]]) -> None:
        self.written = written
        self.folder = folder
        self.verbs = verbs

    def verb_of(self, word: str) -> str:
        """Return the verb that a word means: of the folder, or of another one."""
        if not word:
            return ""
        for folder in (self.folder, *self.verbs):
            if word in self.verbs[folder]:
                return word
            if word in vocabulary.SYNONYMS[folder]:
                return vocabulary.SYNONYMS[folder][word]
        return ""

    def made(self, verb: str, words: tuple[str, ...], manner: Manner, folder: str = "") -> Reading:
        """Return a verb, in the first folder that has it; nothing for one that doesn't exist."""
        places = (folder,) if folder else (self.folder, *self.verbs)
        for place in places:
            if verb in self.verbs.get(place, ()):
                return self.of(place, verb, words, manner)
        return Reading(words=self.written)

    def named_verb(self, words: tuple[str, ...]) -> str:
        """Return the first verb that words name anywhere; "" if none."""
        phrasal = next((verb for phrase, verb in vocabulary.PHRASAL.items() if begins(words, (phrase,))), "")
        verb = phrasal or next((found for word in words if (found := self.verb_of(plain(word)))), "")
        return verb if verb in self.verbs["workspace"] or verb in self.verbs[self.folder] else ""

    def of(self, folder: str, verb: str, words: tuple[str, ...], manner: Manner) -> Reading:
        """Return a verb with its words, as far as they belong to it."""
        if verb in ONE_AT_A_TIME and self._has_second_verb(words):
            return Reading(talk="one_at_a_time")
        if [plain(word) for word in words] in (["nothing"], ["none"]):
            return Reading(talk="left_alone")
        if verb == "remove" and (count := ends(words, vocabulary.OFF_THE_LIST)):
            return Reading("forget", words[:-count], Manner.SAID, folder)
        if verb == "help":
            topics = {plain(word) for word in words} - _OF_HELP
            if topics and topics <= vocabulary.OF_JOBS - {"run"}:
                return Reading("help", folder="job")
            return Reading("help", self._explained(words), folder=folder)
        if folder == "job":
            is_typed = manner is Manner.TYPED
            return Reading(verb, words_of_job(verb, words, is_typed=is_typed), manner, "job")
        if verb in {"link", "unlink"}:
            return Reading(verb, without_account(verb, words), manner, folder)
        about = [word for word in words if plain(word) not in vocabulary.BEFORE_A_NAME]
        is_of_job = bool(about) and plain(about[0]) in vocabulary.OF_JOBS
        if is_of_job and (verb == "new" or (verb == "start" and plain(about[0]) in {"job", "jobs"})):
            return self.of("job", "run", tuple(about[1:]), Manner.SAID)
        if is_of_job and verb in {"stop", "status", "cancel"} and len(about) > 1:
            is_asked = manner is Manner.ASKED
            of_job = "status" if verb == "status" else "stop"
            return self.of("job", of_job, tuple(about[1:]), manner if is_asked else Manner.SAID)
        if verb in {"stop", "cancel"} and mean_jobs(words):
            return Reading("stop", (), Manner.SAID, "job")
        if verb == "list" and are_run_list(words):
            return self.of("job", "list", words, manner)
        return Reading(verb, objects_of(verb, words), manner, folder)

    def _explained(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the verb that somebody wants help with: the first word that means one."""
        if not words or plain(words[0]) in self.verbs[self.folder]:
            return words[:1]
        if plain(words[0]) in {"all", "everything"}:
            return ("all",)
        found = [verb for word in words if (verb := self.verb_of(plain(word))) and verb != "help"]
        if found:
            return (found[0],)
        return tuple(word for word in words if plain(word) not in _OF_HELP)

    def _has_second_verb(self, words: tuple[str, ...]) -> bool:
        """Return whether a verb follows that is about something else: ``start a and stop b``."""
        while words and (count := ends(words, vocabulary.AFTERTHOUGHTS)):
            words = words[:-count]
        found = False
        for number, word in enumerate(words[1:], 1):
            joins = plain(words[number - 1]) in {"and", "then", "&", "und", "or"} or words[
                number - 1
            ].endswith(",")
            found = found or (joins and self.verb_of(plain(word)) in ONE_AT_A_TIME)
        return found or (bool(words) and plain(words[0]) in {"and", "or"})


def without_nouns(words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what a new workspace is called in general: ``new notebook on saturn``."""
    nouns = (
        vocabulary.BEFORE_A_NAME
        | vocabulary.GENERIC
        | vocabulary.WHERE
        | {"new", "another", "notebook", "fresh", "me"}
    )
    while words and plain(words[0]) in nouns:
        words = words[1:]
    return words


def objects_of(verb: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what belongs to a verb of workspaces among the words after it, with times as words."""
    if verb == "new":
        return without_nouns(words)
    if verb == "settings":
        return ()
    while verb in {"status", "list"} and words and (count := ends(words, vocabulary.AFTERTHOUGHTS)):
        words = words[:-count]
    if verb in _TIMED:
        words = _with_times(words)
    return _without_running(words) if verb == "keep" else words


def _without_running(words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what only says again what ``keep`` does: ``keep notebook running until 20:00``."""
    at = 0 if len(words) == 1 else 1
    return (*words[:at], *without(words[at:], {"running", "alive", "going"}))


def _with_times(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words with a time that was given as a flag: ``--until=18:00`` means ``until 18:00``."""
    found: list[str] = []
    for word in words:
        lead, is_joined, value = plain(word).removeprefix("--").partition("=")
        if word.startswith("--") and not isinstance(word, Quoted) and lead in LEADS:
            found += [lead, *([word.partition("=")[2]] if is_joined and value else [])]
        else:
            found.append(word)
    return tuple(found)


def mean_jobs(words: tuple[str, ...]) -> bool:
    """Return whether words name job runs in general: ``my jobs``, ``all runs``, ``the job``."""
    folded = [plain(word) for word in words]
    is_of_jobs = bool(folded) and folded[-1] in vocabulary.OF_JOBS
    is_general = len(folded) > 1 or (is_of_jobs and folded[0].endswith("s"))
    return (
        is_of_jobs and is_general and set(folded[:-1]) <= vocabulary.BEFORE_A_NAME | {"all", "running", "of"}
    )


def are_of_jobs(words: tuple[str, ...]) -> bool:
    """Return whether nothing but jobs is named."""
    return all(plain(word) in vocabulary.OF_JOBS | vocabulary.BEFORE_A_NAME for word in words)


def are_list(words: tuple[str, ...]) -> bool:
    """Return whether words are only what a list of workspaces shows: ``my stopped servers``."""
    folded = {plain(word) for word in words}
    return bool(folded & vocabulary.GENERICS) and folded <= vocabulary.OF_LISTS | vocabulary.STATES.keys()


def are_run_list(words: tuple[str, ...]) -> bool:
    """Return the same for runs: ``my failed jobs``."""
    folded = {plain(word) for word in words}
    return bool(folded & vocabulary.OF_JOBS) and folded <= vocabulary.OF_LISTS | vocabulary.RUN_STATES.keys()


def words_of_job(verb: str, words: tuple[str, ...], *, is_typed: bool) -> tuple[str, ...]:
    """Return the words of a verb of runs, without what ends a sentence; a run is never called *all*."""
    if verb not in {"stop", "status", "logs", "list"}:
        return words
    if begins(words, vocabulary.ALL) == len(words) or (verb == "list" and are_of_jobs(words)):
        return ()
    if not is_typed and not isinstance(words[-1], Quoted):
        return (*words[:-1], words[-1].rstrip(ENDS) or words[-1])
    return words


def without_account(verb: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what only says that an account is meant: ``unlink my saturn account``."""
    if words and begins(words, vocabulary.ALL) == len(words):
        return ("all",) if verb == "unlink" else ()
    while words and (count := ends(words, vocabulary.AFTERTHOUGHTS)):
        words = words[:-count]
    nouns = vocabulary.BEFORE_A_NAME | {"account", "accounts", "me", "access", "link"}
    named = without(words, nouns)
    if named and not isinstance(named[-1], Quoted):
        return (*named[:-1], named[-1].rstrip(ENDS) or named[-1])
    return named
