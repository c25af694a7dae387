"""Turn what a person wrote into a verb and what it is about, by rules; pure.

The first word decides where it is a verb. Other words and plain sentences are read by the tables of
``vocabulary``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bot.domain.moments import LEADS, longer
from handlers.command_line import Quoted
from handlers.language import vocabulary
from handlers.language.verbs import (
    ONE_AT_A_TIME,
    Manner,
    Reading,
    Verbs,
    are_list,
    are_run_list,
    without_nouns,
)
from handlers.language.words import ENDS, begins, ends, is_emoji, is_sign, is_struck, plain, without

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

#: Longer texts are no requests; a name of a provider has at most 255 characters.
MOST_WORDS: Final = 150
#: More sentences than this aren't read one by one.
_MOST_SENTENCES: Final = 6


def read(written: Sequence[str], folder: str, verbs: Mapping[str, AbstractSet[str]]) -> Reading:
    """Return what the words mean, for somebody who wrote them in a folder; never raises."""
    if not written:
        return Reading("list", folder=folder)
    words = tuple(written[:MOST_WORDS])
    while len(words) > 1 and is_sign(words[0]):
        words = words[1:]
    return _Sentence(words, folder, verbs).read()


class _Sentence(Verbs):
    """Read one sentence: each method is a rule, which returns None where it doesn't apply."""

    def __init__(self, written: tuple[str, ...], folder: str, verbs: Mapping[str, AbstractSet[str]]) -> None:
        super().__init__(written, folder, verbs)
        self._is_question = not isinstance(written[-1], Quoted) and written[-1].endswith("?")

    def read(self) -> Reading:
        verb = plain(self.written[0])
        is_talk = verb == "forget" and tuple(map(plain, self.written)) in vocabulary.TALK
        if verb in self.verbs[self.folder] and not is_talk:
            return self._typed(verb, self.written[1:])
        whole = self._whole(self.written)
        if whole is not None:
            return whole
        words, is_polite = self._without_courtesy(self.written)
        if not words:
            is_thanks = any(vocabulary.TALK.get((plain(word),)) == "thanks" for word in self.written)
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
        if self.folder == "job" and verb in {"run", "schedule"}:
            return Reading(verb, words, folder="job")
        if verb == "start" and words and begins(self.written, _NEW):
            rest = self.written[begins(self.written, _NEW) :]
            if not without_nouns(rest):
                return self.made("new", (), Manner.SAID)
        manner = Manner.ASKED if self._is_question or is_struck(self.written[0]) else Manner.TYPED
        return self.of(self.folder, verb, words, manner)

    # -- sentences -----------------------------------------------------------------------------------------

    def _without_courtesy(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Return the words without courtesy around them, and whether somebody was asked to do it."""
        is_polite = False
        while words and (count := begins(words, vocabulary.COURTESY)):
            if begins(words, vocabulary.HOW_TO) or begins(words, vocabulary.WHETHER):
                break
            is_polite = is_polite or count > 1 or plain(words[0]) in _PLEASE
            words = words[count:]
        while words and (count := ends(words, vocabulary.AFTERTHOUGHTS)):
            is_polite = is_polite or plain(words[-1]) in _PLEASE
            words = words[:-count]
        return words, is_polite

    def _whole(self, words: tuple[str, ...]) -> Reading | None:
        """Read sentences that mean one thing as a whole."""
        sentence = tuple(plain(word) for word in words if plain(word).strip(ENDS) and not is_emoji(word))
        talk = vocabulary.TALK.get(sentence)
        if talk is not None:
            return Reading(talk=talk)
        if not sentence:
            return Reading(talk="hello") if not any(isinstance(word, Quoted) for word in words) else None
        verb = vocabulary.SENTENCES.get(sentence, "")
        if not verb:
            return None
        folder, _, of_jobs = verb.rpartition(" ")
        return self.made(of_jobs, (), Manner.SAID, folder or "workspace")

    def _how_to(self, words: tuple[str, ...]) -> Reading | None:
        count = begins(words, vocabulary.HOW_TO)
        is_meaning = len(words) > 2 and plain(words[0]) == "what" and plain(words[-1]) in {"do", "mean"}
        if not count and not is_meaning:
            return None
        rest = words[count:] if count else words[2:-1]
        explained = self.named_verb(rest)
        if explained in {"new", "start"} and any(plain(word) in vocabulary.OF_JOBS for word in rest[1:]):
            return Reading("help", ("run",), folder="job")
        return self.made("help", (explained,) if explained else (), Manner.SAID)

    def _whether(self, words: tuple[str, ...]) -> Reading | None:
        count = begins(words, vocabulary.WHETHER)
        if not count:
            return None
        return self._command(self._without_courtesy(words[count:])[0], Manner.ASKED)

    def _question(self, words: tuple[str, ...]) -> Reading | None:
        """Read a question about how something is: it is answered, whatever it mentions."""
        first = plain(words[0])
        if first not in vocabulary.ASKING:
            return None
        folded = [plain(word) for word in words]
        is_which = folded[0] in vocabulary.WHICH or "anything" in folded[:2] or folded[:2] == ["how", "many"]
        if any(word in vocabulary.OF_JOBS for word in folded) and "job" in self.verbs:
            rest = without(
                words, vocabulary.OF_QUESTIONS | vocabulary.OF_JOBS | {"many", "i", "can", "we", "you"}
            )
            states = tuple(word for word in folded if word in vocabulary.RUN_STATES) if is_which else ()
            if not rest:
                return self.made("list", states, Manner.SAID, "job")
            return self.made("status", rest, Manner.MENTIONED, "job")
        states = tuple(word for word in folded if word in vocabulary.STATES) if is_which else ()
        rest = without(words, vocabulary.OF_QUESTIONS)
        if any(word in vocabulary.GENERICS for word in folded):
            asked = without(rest, vocabulary.GENERICS | vocabulary.OF_LISTS | {"i", "we", "you", "many"})
            if is_which or not asked:
                return self.made("list", states, Manner.SAID)
        if states and not without(rest, vocabulary.OF_LISTS | vocabulary.STATES.keys()):
            return self.made("list", states, Manner.SAID)
        if without(rest, vocabulary.GENERIC | {"everything", "all"}):
            return self.made("status", rest, Manner.MENTIONED)
        is_about_state = bool(rest) or (len(words) > 1 and folded[-1] in _STATES | {"up"})
        return self.made("status", (), Manner.SAID) if is_about_state else None

    def _forbidden(self, words: tuple[str, ...]) -> Reading | None:
        """Read *do not …*: nothing is done."""
        folded = [plain(word) for word in words[:2]]
        is_not = folded[0] in vocabulary.NEGATIONS - vocabulary.INABILITY or folded == ["do", "not"]
        return Reading(talk="left_alone") if is_not else None

    def _trouble(self, words: tuple[str, ...]) -> Reading | None:
        """Read what doesn't work: the state of what is named is the answer."""
        if not any(plain(word) in vocabulary.INABILITY for word in words):
            return None
        rest = without(words, vocabulary.OF_QUESTIONS | vocabulary.INABILITY | {"i", "we", "you"})
        return self.made("status", rest, Manner.MENTIONED if rest else Manner.SAID)

    def _negation(self, words: tuple[str, ...]) -> Reading | None:
        remark = next(
            (at for at, word in enumerate(words) if at > 1 and plain(word) in vocabulary.REMARKS), None
        )
        if not any(plain(word) in vocabulary.NEGATIONS for word in words[:remark]):
            return None
        return Reading(talk="left_alone")

    def _command(self, words: tuple[str, ...], manner: Manner) -> Reading | None:
        """Read a request: a verb or another word for one, and what follows."""
        if not words:
            return None
        for phrase, verb in vocabulary.PHRASAL.items():
            if begins(words, (phrase,)):
                return self.made(verb, words[len(phrase) :], manner)
            is_split = len(phrase) == 2 and phrase[1] in vocabulary.PARTICLES and len(words) > 1
            if is_split and (plain(words[0]), plain(words[-1])) == phrase:
                return self.made(verb, words[1:-1], manner)
        first, rest = plain(words[0]), words[1:]
        if first in vocabulary.SHOWING:
            return self._shown(rest, manner)
        for folder in (self.folder, *(other for other in self.verbs if other != self.folder)):
            verb = first if first in self.verbs[folder] else vocabulary.SYNONYMS[folder].get(first, "")
            if verb:
                return self.made(verb, rest, manner, folder)
        return None

    def _longer(self, words: tuple[str, ...], manner: Manner) -> Reading | None:
        """Read ``extend notebook by 1h`` and ``give notebook another hour``."""
        if count := begins(words, vocabulary.LONGER):
            return self.made("keep", (*words[count:], "longer"), manner, "workspace")
        if longer(words) is None or self.verb_of(plain(words[0])) not in {"", "keep"}:
            return None
        return self.made("keep", without(words, vocabulary.GIVING), manner, "workspace")

    def _shown(self, words: tuple[str, ...], manner: Manner) -> Reading:
        """Read what to show: everything, what another verb shows, or one thing."""
        while words and plain(words[0]) in {"me", "us", "my", "the", "a", "all", "mir", "meine", "out"}:
            words = words[1:]
        folded = [plain(word) for word in words]
        if not words or folded[0] in vocabulary.GENERICS:
            return self.made("list", words[1:], manner)
        if are_run_list(words):
            return self.made("list", words, manner, "job")
        if set(folded) <= vocabulary.OF_LISTS | vocabulary.STATES.keys():
            return self.made("list", words, manner)
        verb = self.verb_of(folded[0])
        if verb in _SHOWABLE:
            return self._command(words, manner) or Reading(words=words)
        if folded[0] in {"link", "url", "address"} and len(words) > 1:
            return self.made("open", words[1:], manner)
        return self.made("status", words, Manner.MENTIONED)

    def _caused(self, words: tuple[str, ...]) -> Reading | None:
        """Read ``make notebook stop``, ``let notebook run`` and ``leave it on until 8pm``; it is offered."""
        if plain(words[0]) in {"make", "set", "use"} and plain(words[-1]) == "default":
            return self.made("settings", (), Manner.SAID)
        if len(words) < 3 or plain(words[0]) not in {"make", "let", "leave"}:
            return None
        on = next((at for at, word in enumerate(words) if at > 1 and plain(word) in _STAYING), 0)
        if on and (plain(words[0]) == "leave" or any(plain(word) in LEADS for word in words[on + 1 :])):
            return self.made("keep", (*words[1:on], *words[on + 1 :]), Manner.ASKED, "workspace")
        if plain(words[1]) == "sure":
            return Reading(words=words[2:])
        last = plain(words[-1])
        verb = last if last in ONE_AT_A_TIME else ""
        if (plain(words[0]), last) == ("let", "run"):
            verb = "start"
        return self.made(verb, words[1:-1], Manner.ASKED, "workspace") if verb else None

    def _turned(self, words: tuple[str, ...]) -> Reading | None:
        """Read a name with its verb behind it; it is a guess."""
        verb = self.verb_of(plain(words[-1])) if len(words) > 1 else ""
        return Reading(words=words, guess=verb) if verb else None

    def _listed(self, words: tuple[str, ...]) -> Reading | None:
        """Read ``my running workspaces`` and ``failed jobs``."""
        if are_run_list(words):
            return self.made("list", words, Manner.SAID, "job")
        if are_list(words):
            return self.made("list", words, Manner.SAID, "workspace")
        return None

    def _one_by_one(self) -> Reading | None:
        """Read several sentences, if what they ask for only shows something: ``I'm new. Who am I?``."""
        ends = [at + 1 for at, word in enumerate(self.written) if word.endswith((".", "!", "?"))]
        if len(ends) > _MOST_SENTENCES:
            return None
        found = None
        for begin, end in pairwise((0, *ends, len(self.written))):
            if not 0 < end - begin < len(self.written):
                continue
            one = _Sentence(self.written[begin:end], self.folder, self.verbs).read()
            if one.verb and one.verb not in _SHOWABLE:
                return None
            found = one if one.verb else found
        return found


_PLEASE: Final = frozenset({"please", "pls", "plz", "bitte", "kindly"})
_NEW: Final = tuple(phrase for phrase, verb in vocabulary.PHRASAL.items() if verb == "new")
_SHOWABLE: Final = frozenset({"status", "list", "logs", "settings", "help", "version", "whoami", "about"})
_STAYING: Final = frozenset({"run", "running", "on", "up", "alive"})
_STATES: Final = vocabulary.OF_QUESTIONS - vocabulary.ASKING - vocabulary.BEFORE_A_NAME
