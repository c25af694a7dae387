"""Bars of acts, written once: a ban, the past, a condition, a quote, a question, or a time; pure.

A sentence that says completely what to do is done only if nothing bars that, and an act that is barred isn't
even offered (``bot.features.sentences.decisions``, ``bot.features.sentences.proposals``).
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Final

from bot.domain import time_parsing
from bot.features.sentences import phrasebook, times
from bot.features.sentences.clauses import DOWN_VERBS, UP_VERBS, find_verbs, is_contrast
from bot.features.sentences.reading import Reading
from bot.features.sentences.selection import STAYING_WORDS, Which
from bot.features.sentences.words import count_leading, count_trailing, is_dash
from bot.messages.verb import list_synonyms
from handlers import routes, vocabulary
from handlers.command_line import fold_word, is_clause_end
from handlers.synonyms import split_words


class Bar(StrEnum):
    """The reason for not offering an act."""

    BAN = "ban"  #: *don't stop it*
    PAST = "past"  #: *I stopped it yesterday*
    CONDITION = "condition"
    QUOTE = "quote"
    QUESTION = "question"
    TIME = "time"  #: one that can't be read, or that the act can't take


#: What no *it* of a phrase is enough for.
_TAKING_AWAY: Final = split_words("remove forget")
COURSE_ACTS: Final = split_words("skip move pause-course end-course leave join")
_TIMELESS_ACTS: Final = COURSE_ACTS | split_words("open hours alias notify")
BARRED_ACTS: Final = UP_VERBS | DOWN_VERBS | split_words("keep job-run job-stop hours-off") | _TIMELESS_ACTS
#: Announce the end of something.
UNTIL_LEADS: Final = frozenset({"for", "until", "till", "til", "'til"})
#: Set a condition wherever they stand, or where no clause ends before them.
_CONDITIONS: Final = split_words("if unless once when whenever wenn falls sobald")
_ALSO_TIMES: Final = split_words("after before while until")
#: The same in several words.
_CONDITION_PHRASES: Final = (("as", "soon", "as"), ("as", "long", "as"), ("in", "case"), ("only", "when"))
#: What a request may begin or end with, though it looks like a condition: ``if you can``.
_POLITE_PHRASES: Final = {
    first: tuple(one for one in (*phrasebook.COURTESY, *phrasebook.AFTERTHOUGHTS) if one[0] == first)
    for first in {one[0] for one in (*phrasebook.COURTESY, *phrasebook.AFTERTHOUGHTS)}
}
#: With whom a question asks for something to be done; what asks for none all the same.
_MODALS: Final = split_words("can could may should shall would will mind possible")
_PERSONS: Final = split_words("i we you u ya ye it that he she they")
#: With *or*, they ask what to do.
_ADVICE_QUESTIONS: Final = {("should", "i"), ("should", "we"), ("shall", "i"), ("shall", "we")}
#: Who speaks of the past, what may stand before its verb, and what makes a past of the verb that follows.
_TELLERS: Final = frozenset(
    {"i", "i've", "i'd", "we", "we've", "you", "he", "she", "they", "somebody", "someone"}
)
_ADVERBS: Final = frozenset(
    {"have", "had", "has", "already", "just", "also", "only", "never", "accidentally"}
)
#: Make the past of an act that stands with them, and of anything.
_PAST_WORDS: Final = split_words("was were had did got been i've we've he's she's")
_AGO_WORDS: Final = split_words("yesterday ago had")
#: Name a day or a part of one, a week or a month; what is left of them belongs to no time that was read.
_TIME_WORDS: Final = split_words(
    """morning afternoon evening night overnight weekend weekends week weekday month lunch later soon sometime
    eventually someday noon midnight tonight"""
)
_OBJECTS: Final = split_words("it that this them the my")
_REFRAINING: Final = split_words("hold avoid refrain postpone delay wait")
#: Ask for what comes again, at times that are still to be said.
_BY_ITSELF: Final = split_words("automatically itself")
#: Announce a time of day, or a moment that something else decides.
_TIME_LEADS: Final = split_words("at by until till til before")
_DATE_LEADS: Final = split_words("on from next the")
#: Say of a plan that it isn't wanted any more.
_UNWANTED: Final = split_words("forget scrap drop cancel remove delete undo kill skip lose ditch no without")
_ARTICLES: Final = split_words("the my its that this planned")
#: Are the same as a base form.
_BASE_PASTS: Final = split_words("shut put")
_IRREGULAR_PASTS: Final = split_words("ran began shut put left made did")
#: Part clauses that say different things.
_JOINTS: Final = vocabulary.THEN_WORDS | {"but", "so"}
#: Say, with *all*, that what is named is left alone.
SPARING: Final = vocabulary.NEGATIONS | frozenset(
    {"but", "except", "leave", "keep", "apart", "besides", "just"}
)
_PUT_OFF_WORDS: Final = split_words("now yet today tonight")
#: May stand before or after what takes a request back.
_WITHDRAWAL_FILLERS: Final = split_words("lol haha wait oh ah hm hmm actually sorry please pls and but")
#: Say after *but* that something is in use.
_NEEDING: Final = split_words("need needs needed using use still")


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
    #: A number is left over, which may be a time: ``stop it 6``; ``start it with 2 GPUs`` has none.
    has_stray_number: bool = False
    #: It is to be so before a time.
    is_before: bool = False
    #: A *not* stands there; and its time is one until which nothing is wanted: ``don't wait until 6``.
    is_negated: bool = False
    is_until_negated: bool = False

    def is_time_excluded(self, label: str) -> bool:
        """Return whether a label's act is wanted, if at all, without the time of the sentence."""
        return self.is_until_negated or (label == "keep" and bool(self.some))

    def find(self, label: str) -> Bar | None:
        """Return the bar of a label's act, None if nothing bars it."""
        if self.every is not None:
            return self.every
        if label in self.some:
            return self.because
        if self.some and label == "keep":
            return None
        if self.is_negated and label == "hours":
            return Bar.BAN
        is_act = label in BARRED_ACTS - _TIMELESS_ACTS
        is_untimed = self.has_time and is_act and not accepts_time(label)
        if label in UP_VERBS and self.is_before:
            return Bar.TIME
        is_unreadable = self.has_unread_time or (self.has_stray_number and label not in UP_VERBS)
        is_unreadable = is_unreadable and is_act
        return Bar.TIME if is_untimed or is_unreadable else None


def accepts_time(label: str) -> bool:
    """Return whether the act of a label can be given a time."""
    folder, verb = ("job", label[4:]) if label.startswith("job-") else ("workspace", label)
    if verb == "hours-off":
        return False
    return not routes.list_accepted(folder, verb).isdisjoint({"time", "words"})


def find_bars(reading: Reading, given: Sequence[str], which: Which, *, is_unread: bool = False) -> Bars:
    """Return the bars of a sentence; ``given`` are all its words, ``which`` is all that they name.

    ``is_unread``: its time names no moment. An aside bars nothing.
    """
    time, is_negated = reading.time, reading.how == "not"
    some, spared = _find_bans(reading, given, which)
    given = reading.core or given
    because = Bar.BAN
    if not some and (past := _find_past_acts(given, which)):
        some, because = past, Bar.PAST
        # When something was is no time at which anything is to be done.
        clauses = (clause for clause in _split_clauses(given) if not is_past_clause(clause))
        time, is_unread = times.find([word for clause in clauses for word in clause]), False
        reading = replace(reading, time=time)
    return Bars(
        _find_general_bar(reading, given),
        some,
        because,
        spared,
        has_time=bool(time.when or time.more or time.hours or time.is_unread),
        has_unread_time=is_unread or has_unread_time(reading, given),
        has_stray_number=any(word[:1].isdigit() for phrase in reading.left for word in phrase.split()),
        is_negated=is_negated,
        is_until_negated=is_negated and bool(time.when and time.when.lead in UNTIL_LEADS),
        is_before=bool(time.when and time.when.text.casefold().startswith("before ")),
    )


def is_conditional(reading: Reading, given: Sequence[str]) -> bool:
    """Return whether a sentence sets a condition for its act."""
    said = _strip_courtesies(given)
    if any(count_leading(said[at:], _CONDITION_PHRASES) for at in range(len(said))):
        return True
    # `should it ever hang, restart it`
    is_inverted = said[:1] == ("should",) and said[1:2] and said[1] not in _PERSONS - {"it", "that"}
    is_set = bool(_CONDITIONS.intersection(said)) or (is_inverted and not reading.is_question)
    is_time = reading.when is not None or not _ALSO_TIMES.intersection(said[: _find_end(given)])
    return bool(is_set) or (reading.how == "if" and not is_time)


def _strip_courtesies(given: Sequence[str]) -> tuple[str, ...]:
    """Return words without the phrases that change nothing: ``if you can``, ``tell me when it's ready``."""
    said, words_left, at = tuple(map(fold_word, given)), list[str](), 0
    while at < len(said):
        phrases = _POLITE_PHRASES.get(said[at], ())
        count = next((len(phrase) for phrase in phrases if said[at : at + len(phrase)] == phrase), 0)
        words_left += [] if count > 1 else [said[at]]
        at += max(count, 1)
    return tuple(words_left)


def is_only_question(reading: Reading, given: Sequence[str]) -> bool:
    """Return whether a sentence is a question that asks for nothing to be done."""
    first, second, *_ = [*map(fold_word, given[:3]), "", ""]
    if reading.is_question and (first, second) in _ADVICE_QUESTIONS and "or" in map(fold_word, given):
        return True
    asks = (
        second in _PERSONS
        if first in _MODALS
        else vocabulary.QUESTION_WORDS.isdisjoint(map(fold_word, given[:3]))
    )
    return reading.is_question and not asks


def _find_general_bar(reading: Reading, given: Sequence[str]) -> Bar | None:
    if is_only_question(reading, given):
        return Bar.QUESTION
    if reading.how == "quote":
        return Bar.QUOTE
    return Bar.CONDITION if is_conditional(reading, given) else None


def _find_end(given: Sequence[str], begin: int = 0) -> int:
    """Return the place of the first word after a clause."""
    ends = (
        at for at in range(begin + 1, len(given)) if given[at - 1][-1] in ",.;:!" or is_contrast(given[at:])
    )
    return next(ends, len(given))


def _find_bans(
    reading: Reading, given: Sequence[str], which: Which
) -> tuple[AbstractSet[str], AbstractSet[str]]:
    """Return the labels that stand behind a negation, with their opposites; or whom that leaves alone."""
    said = tuple(map(fold_word, given))
    if labels := _find_unnegated_bans(reading, given, which):
        return labels, frozenset()
    if needed := _find_needed(given):
        in_use = {workspace.id for workspace in which.named if workspace.title.casefold() in needed}
        return frozenset() if in_use else DOWN_VERBS, in_use
    named_ids, clause = {workspace.id for workspace in which.named}, tuple[str, ...]()
    staying_ids = {
        workspace.id
        for workspace in which.named
        for at, word in enumerate(said)
        if word in STAYING_WORDS and workspace.title.casefold().startswith(said[at - 1])
    }
    if reading.how == "not":
        places = [at for at, word in enumerate(said) if word in vocabulary.NEGATIONS]
        clauses = [said[at : _find_end(given, at)] for at in places]
        # `no, don't stop it`
        clause = next(filter(_find_act_verbs, clauses), clauses[0] if clauses else ())
    verbs = _find_act_verbs(clause)
    if banned := {label for label in COURSE_ACTS if label.partition("-")[0] in clause}:
        return banned, frozenset()
    outside = " ".join(said).replace(" ".join(clause), "", 1) if clause else ""
    inside = {workspace.id for workspace in which.named if workspace.title.casefold() in " ".join(clause)}
    is_all = which.is_all and not {"all", "everything"}.intersection(clause)
    if not verbs:
        # ``all off, but leave report on``, ``don't touch report, stop notebook``
        sparing_ids = {
            workspace.id
            for workspace in which.named
            if workspace.id in inside and workspace.title.casefold() not in outside
        }
        is_spared = is_all and SPARING.intersection(said)
        return frozenset(), named_ids if is_spared else staying_ids | (
            sparing_ids if named_ids - inside else set()
        )
    if inside and (named_ids - inside or is_all):
        return frozenset(), inside
    if not verbs & DOWN_VERBS:
        return BARRED_ACTS, frozenset()
    # `start it, and don't stop it again`
    return DOWN_VERBS if reading.verb in UP_VERBS else BARRED_ACTS - {"keep"}, frozenset()


def _find_unnegated_bans(reading: Reading, given: Sequence[str], which: Which) -> AbstractSet[str]:
    """Return the labels that a sentence bars without a *not*, as it takes them back or has them cease."""
    said = tuple(map(fold_word, given))
    is_any = reading.verb or which.is_named or which.is_all or which.state or which.points
    # `wait not report!` asks for nothing to be done with the others.
    if is_withdrawn(given, which) or (which.besides and not is_any):
        return BARRED_ACTS
    titles = {word for workspace in which.named for word in workspace.title.casefold().split()}
    if any(word == "stop" and _is_other_act(then) and then not in titles for word, then in pairwise(said)):
        # `stop pinging me about report`
        return DOWN_VERBS
    refrained = [at for at, word in enumerate(said) if word in _REFRAINING]
    near = [word for at in refrained for word in said[at + 1 : at + 4]]
    # `hold off on stopping it`
    if is_unwanted_plan(said) or any(word.endswith("ing") and find_verbs(word) for word in near):
        return BARRED_ACTS - {"keep"}
    return _find_undone_verbs(given)


def is_withdrawn(given: Sequence[str], which: Which) -> bool:
    """Return whether a sentence's end takes back its request: ``stop it. No, don't``."""
    said, is_back = tuple(map(fold_word, given)), False
    titles = (tuple(map(fold_word, workspace.title.split())) for workspace in which.named)
    if any(said[-len(title) :] == title for title in titles):
        # What ends a name takes nothing back.
        return False
    while said:
        count = count_trailing(said, phrasebook.WITHDRAWING)
        if not count and not (said[-1] in _WITHDRAWAL_FILLERS or is_dash(said[-1])):
            break
        said, is_back = said[: -(count or 1)], is_back or bool(count)
    begin = max((at for at in range(len(said) + 1) if at and is_clause_end(given[at - 1])), default=0)
    # `start report, gpu don't` is only about the last one.
    return is_back and bool(said) and (begin == len(said) or any(map(find_verbs, said[begin:])))


def _find_needed(given: Sequence[str]) -> str:
    """Return the clause that says after *but* that something is in use; "" if none does."""
    said = tuple(map(fold_word, given))
    clauses = (said[at + 1 : _find_end(given, at + 1)] for at, word in enumerate(said) if word == "but")
    needing = (clause for clause in clauses if _NEEDING.intersection(clause))
    return " ".join(next((clause for clause in needing if not any(map(find_verbs, clause))), ()))


def _find_act_verbs(clause: Sequence[str]) -> AbstractSet[str]:
    """Return the verbs of a clause that bring workspaces up or down."""
    return {verb for word in clause for verb in find_verbs(word)} & (UP_VERBS | DOWN_VERBS)


def _find_undone_verbs(given: Sequence[str]) -> AbstractSet[str]:
    """Return the verbs that only stand in a clause that takes something back: ``forget it, 6 was fine``."""
    clauses = _split_clauses(given)
    back = [clause for clause in clauses if phrasebook.SMALL_TALK.get(tuple(clause)) == "undo"]
    verbs = {verb for clause in back for word in clause for verb in find_verbs(word)}
    others = [clause for clause in clauses if clause not in back]
    return (verbs & _TAKING_AWAY) - {
        verb for clause in others for word in clause for verb in find_verbs(word)
    }


def _is_other_act(word: str) -> bool:
    """Return whether a word after *stop* is another act that is to cease: ``stop pinging me``."""
    is_explained = word in vocabulary.list_dictionary() or word.endswith("thing") or bool(find_verbs(word))
    return word.endswith("ing") and not is_explained


def is_unwanted_plan(said: Sequence[str]) -> bool:
    """Return whether words say that a planned stop isn't wanted: ``forget the 8pm stop``."""
    places = [at for at, word in enumerate(said) if word in {"stop", "shutdown", "timer", "countdown"} and at]
    is_noun = any(
        said[at - 1] in _ARTICLES or said[at - 1].endswith("'s") or said[at - 1][:1].isdigit()
        for at in places
    )
    return is_noun and bool(_UNWANTED.intersection(said))


def has_unread_time(reading: Reading, given: Sequence[str]) -> bool:
    """Return whether a sentence has a time that can't be read, or puts off its act: ``not now``."""
    pairs = pairwise(map(fold_word, given))
    is_put_off = any(
        no in {"not", "nicht"} and (then in _PUT_OFF_WORDS or time_parsing.is_day(then)) for no, then in pairs
    )
    is_put_off |= not reading.hours and not _BY_ITSELF.isdisjoint(map(fold_word, given))
    # `make its hours 10 to 4`
    is_put_off |= "hours" in map(fold_word, given) and not (reading.hours or reading.when or reading.more)
    unread = (*reading.left, *reading.which.left_out, *reading.which.unknown)
    unread_words = {fold_word(word) for phrase in unread for word in phrase.split()}
    is_stray = any(_is_time_word(word) for word in unread_words & _find_act_words(given))
    # `start it, exam in 5 minutes`: a time of what isn't understood is none of the act.
    clauses = _split_clauses(given)
    acting = [clause for clause in clauses if any(map(find_verbs, clause))]
    others = [clause for clause in clauses if clause not in acting and unread_words.intersection(clause)]
    # Nor is the one of what isn't wanted: `i don't need lab today but start report`.
    others = [clause for clause in others if vocabulary.NEGATIONS.isdisjoint(clause)]
    is_stray |= bool(acting) and any(times.find(clause).when for clause in others)
    # `by the time they leave`
    firsts = [list(map(fold_word, phrase.split()))[:2] for phrase in unread if phrase.split()]
    is_led = any(
        first in _TIME_LEADS or (first in _DATE_LEADS and "".join(then)[:1].isdigit())
        for first, *then in firsts
    )
    return reading.time.is_unread or is_put_off or is_led or is_stray


def _is_time_word(word: str) -> bool:
    return word in _TIME_WORDS or (time_parsing.is_day(word) and word != "today")


def _find_act_words(given: Sequence[str]) -> set[str]:
    """Return the words of the clauses that ask for something, without those after *for*."""
    clauses = [clause for clause in _split_clauses(given) if not is_past_clause(clause)]
    clauses = [clause for clause in clauses if any(map(find_verbs, clause))] or clauses
    words_ = set[str]()
    for clause in clauses:
        # `done for this week`: that is no time at which anything could be done.
        text = re.sub(r"\bfor (?:the |this )?[a-z]+", "", " ".join(clause))
        words_.update(text.split())
    return words_


def _split_clauses(given: Sequence[str]) -> list[list[str]]:
    clauses: list[list[str]] = [[]]
    for word in given:
        if fold_word(word) in _JOINTS and clauses[-1]:
            clauses.append([])
            continue
        clauses[-1].append(fold_word(word))
        if is_clause_end(word):
            clauses.append([])
    return [clause for clause in clauses if clause]


def _find_past_acts(given: Sequence[str], which: Which) -> AbstractSet[str]:
    """Return the labels of acts that are reported as past, and asked for in no other clause."""
    clauses = _split_clauses(given)
    objects = _OBJECTS.union(*(clause_.title.casefold().split()[:1] for clause_ in which.named))
    past = [clause for clause in clauses if is_past_clause(clause, objects)]
    if not past:
        return frozenset()
    others = [clause for clause in clauses if clause not in past]
    # `I forgot to stop it, do that`
    others = (
        clauses
        if any(vocabulary.SINGULAR_PRONOUNS.intersection(clause_) and "do" in clause_ for clause_ in others)
        else others
    )
    verbs = {verb for clause in others for word in clause for verb in find_verbs(word)}
    if any(clause[0] in _MODALS and _PERSONS.intersection(clause[1:2]) for clause in others):
        # `can i get my gpu back? somebody stopped it`
        past_verbs = {verb for clause in past for word in clause for verb in find_verbs(word)}
        return past_verbs - verbs or BARRED_ACTS - verbs
    return BARRED_ACTS - verbs


def is_past_clause(clause: Sequence[str], objects: AbstractSet[str] = frozenset()) -> bool:
    """Return whether a clause is in the past: ``I stopped it``, ``it was to be stopped yesterday``.

    What begins with an order isn't: ``start what I used yesterday``. ``objects`` are words with which what
    an act is done to begins.
    """
    said = tuple(clause)
    while count := count_leading(said, phrasebook.COURTESY):
        said = said[count:]
    if not said or (find_verbs(said[0]) and not _is_past_form(said[0])):
        return False
    is_ago = bool(_AGO_WORDS.intersection(said)) or ("used", "to") in pairwise(said)
    is_ago |= any(
        first == "last" and (then in _TIME_WORDS or time_parsing.is_day(then))
        for first, then in pairwise(said)
    )
    has_act = any(map(find_verbs, said))
    if is_ago or (has_act and _PAST_WORDS.intersection(said)):
        return True
    pairs = [*pairwise(word for word in said if word not in _ADVERBS)]
    # `chen stopped report`, and not `get report started`
    are_past = (
        _is_past_form(first) and first not in _BASE_PASTS and then in objects for first, then in pairs
    )
    return any(are_past) or any(first in _TELLERS and _is_past_form(then) for first, then in pairs)


def _is_past_form(word: str) -> bool:
    is_regular = word.endswith("ed") and bool(find_verbs(word)) and word not in list_synonyms("workspace")
    return is_regular or word in _IRREGULAR_PASTS
