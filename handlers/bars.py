"""What bars an act, written once: a ban, the past, a condition, a quote, a question, or a time; pure.

A sentence that says completely what to do is done only if nothing bars that, and an act that is barred isn't
even offered (``handlers.deciding``, ``handlers.proposals``).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from bot.domain import moments
from handlers import routes
from handlers.command_line import plain
from handlers.language import vocabulary
from handlers.language.reading import Reading
from handlers.language.which import STAYING, Which
from handlers.language.words import ends_clause
from handlers.synonyms import SYNONYMS, words


class Bar(StrEnum):
    """The reason why an act isn't offered."""

    BAN = "ban"  #: *don't stop it*
    PAST = "past"  #: *I stopped it yesterday*
    CONDITION = "condition"
    QUOTE = "quote"
    QUESTION = "question"
    TIME = "time"  #: one that can't be read, or that the act can't take


#: Acts on workspaces that bring them up, and that take them down or away.
UP_VERBS: Final = words("start resume")
DOWN_VERBS: Final = words("stop suspend restart cancel remove forget")
_ACTS: Final = UP_VERBS | DOWN_VERBS | {"keep", "job-run", "job-stop", "open", "hours"}
#: Set a condition wherever they stand, or where no clause ends before them.
_CONDITIONS: Final = words("if unless once when whenever wenn falls sobald")
_ALSO_TIMES: Final = words("after before while until")
#: With whom a question asks for something to be done; what asks for none all the same.
_MODALS: Final = words("can could may should shall would will mind possible")
_PERSONS: Final = words("i we you u ya ye it that he she they")
#: Who speaks of the past, what may stand before its verb, and what makes a past of the verb that follows.
_TELLERS: Final = frozenset(
    {"i", "i've", "i'd", "we", "we've", "you", "he", "she", "they", "somebody", "someone"}
)
_ADVERBS: Final = frozenset(
    {"have", "had", "has", "already", "just", "also", "only", "never", "accidentally"}
)
_WAS: Final = words("was were")
_INTENTS: Final = words("going about planning supposed thinking")
_IRREGULAR_PASTS: Final = words("ran began shut put left made did")
#: Part clauses that say different things.
_JOINTS: Final = vocabulary.THEN | {"but", "so"}
#: Say, with *all*, that what is named is left alone.
SPARING: Final = vocabulary.NEGATIONS | frozenset(
    {"but", "except", "leave", "keep", "apart", "besides", "just"}
)
_SOON: Final = words("now yet today tonight")


@lru_cache(1_000)
def find_verbs(word: str) -> frozenset[str]:
    """Return the verbs that a word means, also in another form: ``stopped``, ``turning``."""
    known = [*SYNONYMS["workspace"].items(), *((verb, verb) for verb in UP_VERBS | DOWN_VERBS)]
    known += [(word, "start") for word, verb in SYNONYMS["job"].items() if verb == "run"]
    known += [
        (first, verb)
        for first, every in vocabulary.OPENINGS.items()
        for _, verb in every
        if first not in {"get", "go", "take"}
    ]
    return frozenset(
        verb
        for one, verb in known
        if word == one or (word.startswith(one) and len(one) >= 3 and len(word) - len(one) <= 4)
    )


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of one sentence: one against every act, against some, and the workspaces to leave alone."""

    every: Bar | None = None
    some: AbstractSet[str] = frozenset()
    #: Why some are barred.
    because: Bar = Bar.BAN
    spared: AbstractSet[str] = frozenset()
    #: It has a time, and one that can't be read.
    has_time: bool = False
    has_unread_time: bool = False

    def find(self, label: str) -> Bar | None:
        """Return what bars the act of a label, None where nothing does."""
        if self.every is not None:
            return self.every
        if label in self.some:
            return self.because
        is_untimed = self.has_time and label in _ACTS - {"hours"} and not takes_time(label)
        is_unread = self.has_unread_time and label in _ACTS - {"hours", "open"}
        return Bar.TIME if is_untimed or is_unread else None


def takes_time(label: str) -> bool:
    """Return whether the act of a label can be given a time."""
    folder, verb = ("job", label[4:]) if label.startswith("job-") else ("workspace", label)
    return not routes.takes(folder, verb).isdisjoint({"time", "words"})


def find_bars(reading: Reading, given: Sequence[str], which: Which) -> Bars:
    """Return what bars acts in a sentence; ``given`` are all its words, ``which`` is all that they name."""
    time = reading.time
    some, spared = _find_bans(reading, given, which)
    because = Bar.BAN
    if not some and (past := _find_past_acts(given)):
        some, because = past, Bar.PAST
    return Bars(
        _find_hold(reading, given),
        some,
        because,
        spared,
        has_time=bool(time.when or time.more or time.hours or time.is_unread),
        has_unread_time=has_unread_time(reading, given),
    )


def is_conditional(reading: Reading, given: Sequence[str]) -> bool:
    """Return whether a sentence says under which condition something is to be done."""
    said = tuple(map(plain, given))
    is_set = bool(_CONDITIONS.intersection(said))
    is_time = reading.when is not None or not _ALSO_TIMES.intersection(said[: _find_end(given)])
    return reading.how == "if" and (is_set or not is_time)


def only_asks(reading: Reading, given: Sequence[str]) -> bool:
    """Return whether a sentence is a question that asks for nothing to be done."""
    first, second, *_ = [*map(plain, given[:3]), "", ""]
    asks = second in _PERSONS if first in _MODALS else vocabulary.ASKING.isdisjoint(map(plain, given[:3]))
    return reading.is_question and not asks


def _find_hold(reading: Reading, given: Sequence[str]) -> Bar | None:
    if only_asks(reading, given):
        return Bar.QUESTION
    if reading.how == "quote":
        return Bar.QUOTE
    return Bar.CONDITION if is_conditional(reading, given) else None


def _find_end(given: Sequence[str], begin: int = 0) -> int:
    """Return where a clause ends."""
    return next((at for at in range(begin + 1, len(given)) if given[at - 1][-1] in ",.;:!"), len(given))


def _find_bans(
    reading: Reading, given: Sequence[str], which: Which
) -> tuple[AbstractSet[str], AbstractSet[str]]:
    """Return the labels that stand behind a negation, with their opposites; or whom that leaves alone."""
    said = tuple(map(plain, given))
    named, clause, found = {one.id for one in which.named}, tuple[str, ...](), set[str]()
    staying = {
        one.id
        for one in which.named
        for at, word in enumerate(said)
        if word in STAYING and one.title.casefold().startswith(said[at - 1])
    }
    if reading.how == "not":
        at = next((at for at, one in enumerate(said) if one in vocabulary.NEGATIONS), 0)
        clause = said[at : _find_end(given, at)]
        found = {verb for word in clause for verb in find_verbs(word)} & (UP_VERBS | DOWN_VERBS)
    inside = {one.id for one in which.named if one.title.casefold() in " ".join(clause)}
    is_all = which.is_all and not {"all", "everything"}.intersection(clause)
    if not found:
        # ``all off, but leave report on``
        return frozenset(), named if is_all and SPARING.intersection(said) else staying
    if inside and (named - inside or is_all):
        return frozenset(), inside
    return _ACTS - {"keep"} if found & DOWN_VERBS else _ACTS, frozenset()


def has_unread_time(reading: Reading, given: Sequence[str]) -> bool:
    """Return whether a sentence has a time that can't be read, or puts off what it asks for: ``not now``."""
    pairs = pairwise(map(plain, given))
    is_put_off = any(no in {"not", "nicht"} and (then in _SOON or moments.is_day(then)) for no, then in pairs)
    return reading.time.is_unread or is_put_off or any(word[:1].isdigit() for word in reading.left)


def _find_past_acts(given: Sequence[str]) -> AbstractSet[str]:
    """Return the labels of acts that are reported as past, and asked for in no other clause."""
    clauses: list[list[str]] = [[]]
    for word in given:
        if plain(word) in _JOINTS and clauses[-1]:
            clauses.append([])
            continue
        clauses[-1].append(plain(word))
        if ends_clause(word):
            clauses.append([])
    past = [clause for clause in clauses if is_past_clause(clause)]
    if not past:
        return frozenset()
    asked = {verb for clause in clauses if clause not in past for word in clause for verb in find_verbs(word)}
    return _ACTS - asked


def is_past_clause(clause: Sequence[str]) -> bool:
    """Return whether a clause is in the past: ``I stopped it``, ``I was going to start it``."""
    for at, word in enumerate(clause):
        rest = [one for one in clause[at + 1 : at + 5] if one not in _ADVERBS]
        if word in _TELLERS and rest and _is_past(rest[0]):
            return True
        if word in _WAS and rest and rest[0] in _INTENTS and "to" in rest[1:2]:
            return True
    return False


def _is_past(word: str) -> bool:
    is_regular = word.endswith("ed") and bool(find_verbs(word)) and word not in SYNONYMS["workspace"]
    return is_regular or word in _IRREGULAR_PASTS
