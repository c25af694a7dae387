"""Turn what a person wrote into a verb and what it is about, by rules; pure.

The first word decides where it is a verb. Other words and plain sentences are read by the tables of
``vocabulary``. How it was written goes along as ``Manner``, because only a verb of Usher that was typed may
end something without a question (ADR 24).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bot.domain.moments import LEADS, longer
from handlers.command_line import Quoted
from handlers.language import vocabulary as known
from handlers.language.objects import (
    are_list,
    are_run_list,
    mean_jobs,
    objects_of,
    without_account,
    without_nouns,
    words_of_job,
)
from handlers.language.words import ENDS, begins, ends, is_emoji, is_sign, is_struck, plain, without

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

#: Longer texts are no requests; a name of a provider has at most 255 characters.
MOST_WORDS: Final = 150
#: Verbs for one thing: a second one in the same sentence is about something else.
_ONE_AT_A_TIME: Final = frozenset(
    {"start", "stop", "restart", "suspend", "resume", "remove", "forget", "open"}
)


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


def read(given: Sequence[str], folder: str, verbs: Mapping[str, AbstractSet[str]]) -> Reading:
    """Return what the words mean, for somebody who wrote them in a folder; never raises."""
    if not given:
        return Reading("list", folder=folder)
    words = tuple(given[:MOST_WORDS])
    while len(words) > 1 and is_sign(words[0]):
        words = words[1:]
    return _Sentence(words, folder, verbs).read()


class _Sentence:
    """Read one sentence: each method is a rule, which returns None where it doesn't apply."""

    def __init__(self, given: tuple[str, ...], folder: str, verbs: Mapping[str, AbstractSet[str]]) -> None:
        self._given = given
        self._folder = folder
        self._verbs = verbs
        self._is_question = not isinstance(given[-1], Quoted) and given[-1].endswith("?")

    def read(self) -> Reading:
        verb = plain(self._given[0])
        is_talk = verb == "forget" and tuple(map(plain, self._given)) in known.TALK
        if verb in self._verbs[self._folder] and not is_talk:
            return self._typed(verb, self._given[1:])
        whole = self._whole(self._given)
        if whole is not None:
            return whole
        words, is_polite = self._without_courtesy(self._given)
        if not words:
            is_thanks = any(known.TALK.get((plain(word),)) == "thanks" for word in self._given)
            return Reading(talk="thanks" if is_thanks else "hello")
        for rule in (
            self._whole,
            self._how_to,
            self._whether,
            self._forbidden,
            self._question,
            self._trouble,
            self._negation,
            self._caused,
        ):
            found = rule(words)
            if found is not None:
                return found
        manner = Manner.ASKED if self._is_question and not is_polite else Manner.SAID
        return (
            self._longer(words, manner)
            or self._command(words, manner)
            or self._listed(words)
            or self._one_by_one()
            or self._turned(words)
            or Reading(words=words)
        )

    # -- a verb comes first --------------------------------------------------------------------------------

    def _typed(self, verb: str, words: tuple[str, ...]) -> Reading:
        if self._folder == "job" and verb in {"run", "schedule"}:
            return Reading(verb, words, folder="job")
        if verb == "start" and words and begins(self._given, _NEW):
            rest = self._given[begins(self._given, _NEW) :]
            if not without_nouns(rest):
                return self._made("new", (), Manner.SAID)
        manner = Manner.ASKED if self._is_question or is_struck(self._given[0]) else Manner.TYPED
        return self._of(self._folder, verb, words, manner)

    def _of(self, folder: str, verb: str, words: tuple[str, ...], manner: Manner) -> Reading:
        """Return a verb with its words, as far as they belong to it."""
        if verb in _ONE_AT_A_TIME and self._has_second_verb(words):
            return Reading(talk="one_at_a_time")
        if [plain(word) for word in words] in (["nothing"], ["none"]):
            return Reading(talk="left_alone")
        if verb == "remove" and (count := ends(words, known.OFF_THE_LIST)):
            return Reading("forget", words[:-count], Manner.SAID, folder)
        if verb == "help":
            topics = {plain(word) for word in words} - _OF_HELP
            if topics and topics <= known.OF_JOBS - {"run"}:
                return Reading("help", folder="job")
            return Reading("help", self._explained(words), folder=folder)
        if folder == "job":
            is_typed = manner is Manner.TYPED
            return Reading(verb, words_of_job(verb, words, is_typed=is_typed), manner, "job")
        if verb in {"link", "unlink"}:
            return Reading(verb, without_account(verb, words), manner, folder)
        about = [word for word in words if plain(word) not in known.BEFORE_A_NAME]
        is_of_job = bool(about) and plain(about[0]) in known.OF_JOBS
        if is_of_job and (verb == "new" or (verb == "start" and plain(about[0]) in {"job", "jobs"})):
            return self._of("job", "run", tuple(about[1:]), Manner.SAID)
        if is_of_job and verb in {"stop", "status", "cancel"} and len(about) > 1:
            is_asked = manner is Manner.ASKED
            of_job = "status" if verb == "status" else "stop"
            return self._of("job", of_job, tuple(about[1:]), manner if is_asked else Manner.SAID)
        if verb in {"stop", "cancel"} and mean_jobs(words):
            return Reading("stop", (), Manner.SAID, "job")
        if verb == "list" and are_run_list(words):
            return self._of("job", "list", words, manner)
        return Reading(verb, objects_of(verb, words), manner, folder)

    def _explained(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return the verb that somebody wants help with: the first word that means one."""
        if not words or plain(words[0]) in self._verbs[self._folder]:
            return words[:1]
        if plain(words[0]) in {"all", "everything"}:
            return ("all",)
        found = [verb for word in words if (verb := self._verb_of(plain(word))) and verb != "help"]
        if found:
            return (found[0],)
        return tuple(word for word in words if plain(word) not in _OF_HELP)

    def _has_second_verb(self, words: tuple[str, ...]) -> bool:
        """Return whether a verb follows that is about something else: ``start a and stop b``."""
        while words and (count := ends(words, known.AFTERTHOUGHTS)):
            words = words[:-count]
        found = False
        for number, word in enumerate(words[1:], 1):
            joins = plain(words[number - 1]) in {"and", "then", "&", "und", "or"} or words[
                number - 1
            ].endswith(",")
            found = found or (joins and self._verb_of(plain(word)) in _ONE_AT_A_TIME)
        return found or (bool(words) and plain(words[0]) in {"and", "or"})

    # -- sentences -----------------------------------------------------------------------------------------

    def _without_courtesy(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Return the words without courtesy around them, and whether somebody was asked to do it."""
        is_polite = False
        while words and (count := begins(words, known.COURTESY)):
            if begins(words, known.HOW_TO) or begins(words, known.WHETHER):
                break
            is_polite = is_polite or count > 1 or plain(words[0]) in _PLEASE
            words = words[count:]
        while words and (count := ends(words, known.AFTERTHOUGHTS)):
            is_polite = is_polite or plain(words[-1]) in _PLEASE
            words = words[:-count]
        return words, is_polite

    def _whole(self, words: tuple[str, ...]) -> Reading | None:
        """Read sentences that mean one thing as a whole."""
        sentence = tuple(plain(word) for word in words if plain(word).strip(ENDS) and not is_emoji(word))
        talk = known.TALK.get(sentence)
        if talk is not None:
            return Reading(talk=talk)
        if not sentence:
            return Reading(talk="hello") if not any(isinstance(word, Quoted) for word in words) else None
        verb = known.SENTENCES.get(sentence, "")
        if not verb:
            return None
        folder, _, of_jobs = verb.rpartition(" ")
        return self._made(of_jobs, (), Manner.SAID, folder or "workspace")

    def _how_to(self, words: tuple[str, ...]) -> Reading | None:
        count = begins(words, known.HOW_TO)
        is_meaning = len(words) > 2 and plain(words[0]) == "what" and plain(words[-1]) in {"do", "mean"}
        if not count and not is_meaning:
            return None
        rest = words[count:] if count else words[2:-1]
        explained = self._named_verb(rest)
        if explained in {"new", "start"} and any(plain(word) in known.OF_JOBS for word in rest[1:]):
            return Reading("help", ("run",), folder="job")
        return self._made("help", (explained,) if explained else (), Manner.SAID)

    def _named_verb(self, words: tuple[str, ...]) -> str:
        phrasal = next((verb for phrase, verb in known.PHRASAL.items() if begins(words, (phrase,))), "")
        verb = phrasal or next((found for word in words if (found := self._verb_of(plain(word)))), "")
        return verb if verb in self._verbs["workspace"] or verb in self._verbs[self._folder] else ""

    def _whether(self, words: tuple[str, ...]) -> Reading | None:
        count = begins(words, known.WHETHER)
        if not count:
            return None
        return self._command(self._without_courtesy(words[count:])[0], Manner.ASKED)

    def _question(self, words: tuple[str, ...]) -> Reading | None:
        """Read a question about how something is: it is answered, whatever it mentions."""
        first = plain(words[0])
        if first not in known.ASKING:
            return None
        folded = [plain(word) for word in words]
        is_which = folded[0] in known.WHICH or "anything" in folded[:2] or folded[:2] == ["how", "many"]
        if any(word in known.OF_JOBS for word in folded) and "job" in self._verbs:
            rest = without(words, known.OF_QUESTIONS | known.OF_JOBS | {"many", "i", "can", "we", "you"})
            states = tuple(word for word in folded if word in known.RUN_STATES) if is_which else ()
            if not rest:
                return self._made("list", states, Manner.SAID, "job")
            return self._made("status", rest, Manner.MENTIONED, "job")
        states = tuple(word for word in folded if word in known.STATES) if is_which else ()
        rest = without(words, known.OF_QUESTIONS)
        if any(word in known.GENERICS for word in folded):
            asked = without(rest, known.GENERICS | known.OF_LISTS | {"i", "we", "you", "many"})
            if is_which or not asked:
                return self._made("list", states, Manner.SAID)
        if states and not without(rest, known.OF_LISTS | known.STATES.keys()):
            return self._made("list", states, Manner.SAID)
        if without(rest, known.GENERIC | {"everything", "all"}):
            return self._made("status", rest, Manner.MENTIONED)
        is_about_state = bool(rest) or (len(words) > 1 and folded[-1] in _STATES | {"up"})
        return self._made("status", (), Manner.SAID) if is_about_state else None

    def _forbidden(self, words: tuple[str, ...]) -> Reading | None:
        """Read *do not …*: nothing is done."""
        folded = [plain(word) for word in words[:2]]
        is_not = folded[0] in known.NEGATIONS - known.INABILITY or folded == ["do", "not"]
        return Reading(talk="left_alone") if is_not else None

    def _trouble(self, words: tuple[str, ...]) -> Reading | None:
        """Read what doesn't work: the state of what is named is the answer."""
        if not any(plain(word) in known.INABILITY for word in words):
            return None
        rest = without(words, known.OF_QUESTIONS | known.INABILITY | {"i", "we", "you"})
        return self._made("status", rest, Manner.MENTIONED if rest else Manner.SAID)

    def _negation(self, words: tuple[str, ...]) -> Reading | None:
        remark = next((at for at, word in enumerate(words) if at > 1 and plain(word) in known.REMARKS), None)
        if not any(plain(word) in known.NEGATIONS for word in words[:remark]):
            return None
        return Reading(talk="left_alone")

    def _command(self, words: tuple[str, ...], manner: Manner) -> Reading | None:
        """Read a request: a verb or another word for one, and what follows."""
        if not words:
            return None
        for phrase, verb in known.PHRASAL.items():
            if begins(words, (phrase,)):
                return self._made(verb, words[len(phrase) :], manner)
            is_split = len(phrase) == 2 and phrase[1] in known.PARTICLES and len(words) > 1
            if is_split and (plain(words[0]), plain(words[-1])) == phrase:
                return self._made(verb, words[1:-1], manner)
        first, rest = plain(words[0]), words[1:]
        if first in known.SHOWING:
            return self._shown(rest, manner)
        for folder in (self._folder, *(other for other in self._verbs if other != self._folder)):
            verb = first if first in self._verbs[folder] else known.SYNONYMS[folder].get(first, "")
            if verb:
                return self._made(verb, rest, manner, folder)
        return None

    def _longer(self, words: tuple[str, ...], manner: Manner) -> Reading | None:
        """Read ``extend notebook by 1h`` and ``give notebook another hour``."""
        if count := begins(words, known.LONGER):
            return self._made("keep", (*words[count:], "longer"), manner, "workspace")
        if longer(words) is None or self._verb_of(plain(words[0])) not in {"", "keep"}:
            return None
        return self._made("keep", without(words, known.GIVING), manner, "workspace")

    def _shown(self, words: tuple[str, ...], manner: Manner) -> Reading:
        """Read what to show: everything, what another verb shows, or one thing."""
        while words and plain(words[0]) in {"me", "us", "my", "the", "a", "all", "mir", "meine", "out"}:
            words = words[1:]
        folded = [plain(word) for word in words]
        if not words or folded[0] in known.GENERICS:
            return self._made("list", words[1:], manner)
        if are_run_list(words):
            return self._made("list", words, manner, "job")
        if set(folded) <= known.OF_LISTS | known.STATES.keys():
            return self._made("list", words, manner)
        verb = self._verb_of(folded[0])
        if verb in _SHOWABLE:
            return self._command(words, manner) or Reading(words=words)
        if folded[0] in {"link", "url", "address"} and len(words) > 1:
            return self._made("open", words[1:], manner)
        return self._made("status", words, Manner.MENTIONED)

    def _caused(self, words: tuple[str, ...]) -> Reading | None:
        """Read ``make notebook stop``, ``let notebook run`` and ``leave it on until 8pm``; it is offered."""
        if plain(words[0]) in {"make", "set", "use"} and plain(words[-1]) == "default":
            return self._made("settings", (), Manner.SAID)
        if len(words) < 3 or plain(words[0]) not in {"make", "let", "leave"}:
            return None
        on = next((at for at, word in enumerate(words) if at > 1 and plain(word) in _STAYING), 0)
        if on and (plain(words[0]) == "leave" or any(plain(word) in LEADS for word in words[on + 1 :])):
            return self._made("keep", (*words[1:on], *words[on + 1 :]), Manner.ASKED, "workspace")
        if plain(words[1]) == "sure":
            return Reading(words=words[2:])
        last = plain(words[-1])
        verb = last if last in _ONE_AT_A_TIME else ""
        if (plain(words[0]), last) == ("let", "run"):
            verb = "start"
        return self._made(verb, words[1:-1], Manner.ASKED, "workspace") if verb else None

    def _turned(self, words: tuple[str, ...]) -> Reading | None:
        """Read a name with its verb behind it; it is a guess."""
        verb = self._verb_of(plain(words[-1])) if len(words) > 1 else ""
        return Reading(words=words, guess=verb) if verb else None

    def _listed(self, words: tuple[str, ...]) -> Reading | None:
        """Read ``my running workspaces`` and ``failed jobs``."""
        if are_run_list(words):
            return self._made("list", words, Manner.SAID, "job")
        if are_list(words):
            return self._made("list", words, Manner.SAID, "workspace")
        return None

    def _one_by_one(self) -> Reading | None:
        """Read several sentences, if what they ask for only shows something: ``I'm new. Who am I?``."""
        ends = [at + 1 for at, word in enumerate(self._given) if word.endswith((".", "!", "?"))]
        found = None
        for begin, end in pairwise((0, *ends, len(self._given))):
            if not 0 < end - begin < len(self._given):
                continue
            one = _Sentence(self._given[begin:end], self._folder, self._verbs).read()
            if one.verb and one.verb not in _SHOWABLE:
                return None
            found = one if one.verb else found
        return found

    def _verb_of(self, word: str) -> str:
        """Return the verb that a word means: of the folder, or of another one."""
        if not word:
            return ""
        for folder in (self._folder, *self._verbs):
            if word in self._verbs[folder]:
                return word
            if word in known.SYNONYMS[folder]:
                return known.SYNONYMS[folder][word]
        return ""

    def _made(self, verb: str, words: tuple[str, ...], manner: Manner, folder: str = "") -> Reading:
        """Return a verb, in the first folder that has it; nothing for one that doesn't exist."""
        places = (folder,) if folder else (self._folder, *self._verbs)
        for place in places:
            if verb in self._verbs.get(place, ()):
                return self._of(place, verb, words, manner)
        return Reading(words=self._given)


_PLEASE: Final = frozenset({"please", "pls", "plz", "bitte", "kindly"})
_OF_HELP: Final = known.BEFORE_A_NAME | {"me", "please", "with", "about"}
_NEW: Final = tuple(phrase for phrase, verb in known.PHRASAL.items() if verb == "new")
_SHOWABLE: Final = frozenset({"status", "list", "logs", "settings", "help", "version", "whoami", "about"})
_STAYING: Final = frozenset({"run", "running", "on", "up", "alive"})
_STATES: Final = known.OF_QUESTIONS - known.ASKING - known.BEFORE_A_NAME
