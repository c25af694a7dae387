"""Clauses: the verbs of their words, and asides, which ask for nothing beside a request; pure.

An aside is a reason, a greeting or a state of the person: ``back on monday``, ``i am ill``. It bars nothing
and gives no time to the act of another clause: it is only named as left out.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import pairwise
from typing import Final

from bot.domain import time_parsing
from bot.features.sentences import phrasebook, times
from bot.features.sentences.words import is_dash, is_emoji, is_sign
from bot.messages.verb import list_synonyms
from handlers import vocabulary
from handlers.command_line import Quoted, fold_word, is_clause_end
from handlers.names import strip_end
from handlers.synonyms import split_words

#: Acts on workspaces that bring them up, and that take them down or away.
UP_VERBS: Final = split_words("start resume")
DOWN_VERBS: Final = split_words("stop suspend restart cancel remove forget")
#: Begin a clause about the person or their day, alone or with a form of *be* or *have* soon after.
_STATE_OPENINGS: Final = split_words(
    "i'm im i've ive i'll we're we've we'll he's he'll she's she'll they're they'll there's hope"
)
#: They do with a day in their clause; otherwise they speak of what was named.
_ABOUT_A_DAY: Final = split_words("it it's its that's")
_SUBJECTS: Final = split_words(
    "i we he she somebody someone people my our his her the there ich wir mein meine"
)
_FINITE_WORDS: Final = split_words(
    "am are is was were have has had got feel feels bin ist sind war habe haben hat"
)
_MAX_SUBJECT_WORDS: Final = 4
#: Alone, or with a day, they say so of the person, too: ``back on monday``.
_ABSENCES: Final = split_words("back away out sick ill ooo krank")
#: Announce a condition, a choice or a wish: such a clause says something about the request.
_ASKING: Final = (
    vocabulary.NEGATIONS
    | vocabulary.GENERIC_SINGULARS
    | vocabulary.GENERIC_PLURALS
    | vocabulary.PLURAL_PRONOUNS
    | vocabulary.STATE_OBJECTS
    | vocabulary.JOB_WORDS
    | vocabulary.PLEASE_WORDS
    | split_words(
        """if unless once when whenever while after before until till til instead rather only or oder wenn
        falls sobald need needs needed want wants wanted wanna like wish must should could would can let you
        your u usher bot other others same either idle actually mean meant said says think joking kidding
        moment minute second instant time case assuming provided supposing brauche möchte"""
    )
)
#: Time without an hour, which isn't read as a day.
_SPANS: Final = split_words("week weeks weekday weekdays weekend weekends month months")
#: Refer to a day or a time of another clause; verbs that may take theirs from there.
_REFERRING: Final = split_words("then day days week hours pause skip off")
_JOINTS: Final = vocabulary.THEN_WORDS | phrasebook.REASONS | {"but"}
#: The other words with which a clause may begin.
_FIRST_WORDS: Final = _STATE_OPENINGS.union(
    _SUBJECTS, _ABSENCES, _ABOUT_A_DAY, (phrase[0] for phrase in phrasebook.COURTESY)
)
#: Before a verb they make a noun of it: ``on leave``.
_BEFORE_A_NOUN: Final = split_words("on a an")
#: The words of a condition that is only courtesy: with a negation, one of these, and otherwise one of those.
_IMPOSITIONS: Final = split_words("trouble bother problem mind hassle")
_POSSIBILITIES: Final = split_words("possible kind chance convenient")
_COURTEOUS_WORDS: Final = (
    vocabulary.PLEASE_WORDS
    | _IMPOSITIONS
    | _POSSIBILITIES
    | split_words(
        """if it's its it that's that is isn't not no don't wouldn't you'd you would do be so too much any
        such a at all get have"""
    )
)


@lru_cache(1_000)
def find_verbs(word: str) -> frozenset[str]:
    """Return the verbs that a word means, also in another form: ``stopped``, ``turning``."""
    known_words = [*list_synonyms("workspace").items(), *((verb, verb) for verb in UP_VERBS | DOWN_VERBS)]
    known_words += [(word, "start") for word, verb in list_synonyms("job").items() if verb == "run"]
    known_words += [
        (first, verb)
        for first, every in phrasebook.OPENINGS.items()
        for _, verb in every
        if first not in {"get", "go", "take"}
    ]
    return frozenset(
        verb
        for stem, verb in known_words
        if word == stem or (word.startswith(stem) and len(stem) >= 3 and len(word) - len(stem) <= 4)
    )


def is_contrast(words: Sequence[str]) -> bool:
    """Return whether words begin with *but* and another request: ``but please start lab``."""
    first, second = [*map(fold_word, words[:2]), "", ""][:2]
    return first == "but" and (bool(find_verbs(second)) or second in vocabulary.PLEASE_WORDS)


def is_only_contrast(words: Sequence[str], name_places: AbstractSet[int]) -> bool:
    """Return whether a request after *but*, or *instead*, is all that looks like a condition."""
    places = times.find(words, name_places).places
    return all(
        fold_word(word) == "instead" or is_contrast(words[at:])
        for at, word in enumerate(words)
        if at not in places and fold_word(word) in vocabulary.CONDITIONS
    )


def split_asides(
    words: tuple[str, ...], name_places: AbstractSet[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words that may ask for something, and the asides beside them; signs are dropped.

    ``name_places`` are the places of names.
    """
    ranges = _split_clauses(words)
    polite = [clause for clause in ranges if _is_courtesy(words[clause.start : clause.stop])]
    asides = [clause for clause in ranges if name_places.isdisjoint(clause) and _is_aside(words, clause)]
    places = [at for at in range(len(words)) if not any(at in clause for clause in (*asides, *polite))]
    core = tuple(words[at] for at in places if not is_sign(words[at]) or is_dash(words[at]))
    is_referring = not _REFERRING.isdisjoint(map(fold_word, core))
    while core and asides and (fold_word(core[-1]) in _JOINTS or is_dash(core[-1])):
        core = core[:-1]
    while core and asides and (fold_word(core[0]) in _JOINTS or is_dash(core[0])):
        core = core[1:]
    if not any(map(fold_word, core)) or all(map(is_emoji, core)):
        return words, ()
    texts = list[str]()
    for clause in asides:
        aside = [word for at in clause if not is_emoji(word := words[at])]
        if _can_give_time(aside, core, is_referring=is_referring):
            return words, ()
        texts.append(_join(aside))
    return core, tuple(texts)


def _can_give_time(aside: Sequence[str], core: Sequence[str], *, is_referring: bool) -> bool:
    """Return whether the time of an aside may be the one of the act: ``we meet at 5, stop lab then``."""
    folded, aside_times = [*map(fold_word, aside)], times.find(aside)
    if not (aside_times.places or aside_times.is_unread):
        return False
    when, is_day = times.find(core).when, set(aside_times.kinds.values()) <= {"day"}
    if is_referring or not is_day or not (aside_times.kinds or not _SPANS.isdisjoint(folded)):
        return is_referring or when is None
    # `we have class on monday, start report at 9`, but not `i'm away from monday`
    days = [before for before, word in pairwise(folded) if time_parsing.is_day(word) and word != "today"]
    is_hour = when is not None and not any(map(time_parsing.is_day, when.text.casefold().split()))
    return is_hour and folded[0] not in _ABSENCES and bool({*days} - {"from", "since"})


def _split_clauses(words: Sequence[str]) -> list[range]:
    """Return the ranges of clauses, which end at signs, and begin at words that join them."""
    cuts, folded = [0], [*map(fold_word, words), ""]
    for at, before in enumerate(words[:-1], 1):
        # `so slow` joins nothing.
        is_joint = (folded[at] in _JOINTS and _can_begin_clause(folded[at + 1])) or folded[at] == "if"
        if is_clause_end(before) or is_emoji(before) or is_joint:
            cuts.append(at)
    return [range(begin, end) for begin, end in pairwise([*cuts, len(words)])]


def _can_begin_clause(word: str) -> bool:
    """Return whether a clause may begin with a word: with its subject, its verb, or courtesy."""
    is_verb = bool(find_verbs(word)) or word in phrasebook.OPENINGS
    return is_verb or word in _FIRST_WORDS


def _is_aside(words: Sequence[str], clause: range) -> bool:
    """Return whether a clause says something about the person, and asks for nothing."""
    if any(isinstance(words[at], Quoted) for at in clause) or words[clause[-1]].endswith("?"):
        return False
    folded = [fold_word(words[at]) for at in clause if not is_emoji(words[at])]
    while folded and folded[0] in _JOINTS:
        folded = folded[1:]
    if not folded or not _ASKING.isdisjoint([*folded[:1] * (folded[0] != "it"), *folded[1:]]):
        return False
    for before, word in pairwise(["", *folded]):
        if find_verbs(word) and before not in _BEFORE_A_NOUN:
            return False
    if folded[0] in _ABSENCES:
        return len(folded) == 1 or set(times.find(folded).kinds.values()) == {"day"}
    if folded[0] in _ABOUT_A_DAY:
        # `leave gpu alone, it's nearly there` is about gpu.
        return bool(times.find(folded).places) or not _SPANS.isdisjoint(folded)
    is_stated = folded[0] in _SUBJECTS and not _FINITE_WORDS.isdisjoint(folded[1:_MAX_SUBJECT_WORDS])
    return (folded[0] in _STATE_OPENINGS and len(folded) > 1) or is_stated


def _is_courtesy(words: Sequence[str]) -> bool:
    """Return whether a clause only sets a condition out of courtesy: ``if it isn't too much trouble``."""
    folded = [word for word in map(fold_word, words) if word]
    kind_words = _IMPOSITIONS if vocabulary.NEGATIONS.intersection(folded) else _POSSIBILITIES
    is_kind = folded[:1] == ["if"] and not kind_words.isdisjoint(folded)
    return is_kind and _COURTEOUS_WORDS.issuperset(folded)


def _join(words: Sequence[str]) -> str:
    """Return the text of an aside without the words that join it to the request."""
    while words and fold_word(words[0]) in _JOINTS:
        words = words[1:]
    return strip_end(" ".join(words))
