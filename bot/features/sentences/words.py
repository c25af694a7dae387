"""Compare words as people write them, and take objects; pure.

Small letters, no signs or marks around, nothing inside quotes.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from bot.domain.time_parsing import LEADS
from bot.features.sentences import phrasebook
from handlers import vocabulary
from handlers.command_line import END_SIGNS, MARKUP_SIGNS, Quoted, drop_words, fold_word
from handlers.synonyms import SYNONYMS


def is_struck(word: str) -> bool:
    """Return whether a word is struck out, or where that begins or ends: it may be meant as taken back."""
    return not isinstance(word, Quoted) and word.strip(END_SIGNS + MARKUP_SIGNS) != word.strip(
        END_SIGNS + MARKUP_SIGNS.replace("~", "")
    )


def begins(words: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> int:
    """Return how many words the first phrase has that they begin with; 0 for none."""
    folded = tuple(map(fold_word, words[: max(map(len, phrases))]))
    return next((len(one) for one in phrases if folded[: len(one)] == one), 0)


def ends(words: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> int:
    """Return the same for what they end with."""
    folded = tuple(map(fold_word, words[-max(map(len, phrases)) :]))
    return next((len(one) for one in phrases if folded[-len(one) :] == one), 0)


def ends_line(word: str) -> bool:
    """Return whether a line or an item of a list ends with a word (``bot.features.sentences.cleaning``)."""
    return not isinstance(word, Quoted) and word[-1] == ";"


def without_line_ends(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words that are read as one line."""
    bare = (word.rstrip(";") if ends_line(word) else word for word in words)
    return tuple(word for word in bare if word)


def is_emoji(word: str) -> bool:
    """Return whether a word is one of Slack's ``:wave:``, or a sign without letters or digits."""
    is_named = len(word) > 2 and word[0] == word[-1] == ":"
    return not isinstance(word, Quoted) and (is_named or not any(sign.isalnum() for sign in word))


def is_sign(word: str) -> bool:
    """Return whether a word is an emoji for sure, and no sign that means something before a text."""
    return is_emoji(word) and (word.startswith(":") or not word.isascii())


# -- how sentences begin and end -----------------------------------------------------------------------


class VerbMatch(NamedTuple):
    """Hold the verb that words begin with, its folder, and the other words."""

    verb: str = ""
    folder: str = ""
    rest: tuple[str, ...] = ()


def opening_of(words: tuple[str, ...], folder: str, verbs: Mapping[str, AbstractSet[str]]) -> VerbMatch:
    """Return how words begin a request; its verb is "" if they don't."""
    word = fold_word(words[0])
    for phrase, verb in phrasebook.OPENINGS.get(word, ()):
        head = phrase[: phrase.index("…")] if "…" in phrase else phrase
        tail = phrase[len(head) + 1 :]
        if not begins(words, (head,)):
            continue
        places = range(len(head) + 1, len(words)) if tail else (len(head),)
        at = next((at for at in places if not tail or fold_word(words[at]) == tail[0]), 0)
        if at:
            return VerbMatch(verb, "workspace", (*words[len(head) : at], *words[at + len(tail) :]))
    for place in (folder, *(other for other in verbs if other != folder)):
        verb = word if word in verbs[place] else SYNONYMS[place].get(word, "")
        if verb:
            return VerbMatch(verb, place, words[1:])
    return VerbMatch()


def without_end(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words without courtesy after them; what is all courtesy stays."""
    while len(words) > (count := ends(words, phrasebook.AFTERTHOUGHTS)) > 0:
        words = words[:-count]
        while len(words) > 1 and fold_word(words[-1]) in vocabulary.THEN_WORDS:
            words = words[:-1]
    return words


# -- objects ---------------------------------------------------------------------------------------------

_OF_NEW: Final = (
    vocabulary.BEFORE_A_NAME
    | vocabulary.GENERIC_SINGULARS
    | phrasebook.WHERE
    | {"new", "another", "notebook", "fresh", "me"}
)


def without_nouns(words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what a new workspace is called in general: ``new notebook on saturn``."""
    while words and fold_word(words[0]) in _OF_NEW:
        words = words[1:]
    return words


def without_running(words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what only says again what ``keep`` does: ``keep notebook running until 20:00``."""
    at = 0 if len(words) == 1 else 1
    return (*words[:at], *drop_words(words[at:], {"running", "alive", "going"}))


def without_wait(words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what says at the end of a start that it is to wait for room: ``start gpu and wait``."""
    said = tuple(map(fold_word, words))
    found = (one for one in phrasebook.AND_WAIT if said[-len(one) :] == one)
    return words[: len(words) - len(next(found, ()))]


def with_times(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words with a time that was given as a flag: ``--until=18:00`` means ``until 18:00``."""
    found: list[str] = []
    for word in words:
        lead, is_joined, value = fold_word(word).removeprefix("--").partition("=")
        if word.startswith("--") and not isinstance(word, Quoted) and lead in LEADS:
            found += [lead, *([word.partition("=")[2]] if is_joined and value else [])]
        else:
            found.append(word)
    return tuple(found)


def are_run_list(words: tuple[str, ...]) -> bool:
    """Return whether words are only what a list of runs shows: ``my failed jobs``."""
    folded = {fold_word(word) for word in words}
    return (
        bool(folded & vocabulary.JOB_WORDS) and folded <= vocabulary.LIST_WORDS | vocabulary.RUN_STATES.keys()
    )


def words_of_job(verb: str, words: tuple[str, ...], *, is_typed: bool) -> tuple[str, ...]:
    """Return the words of a verb of runs, without what ends a sentence; a run is never called *all*."""
    if verb not in {"stop", "status", "logs", "list"}:
        return words
    while len(words) > 1 and fold_word(words[0]) in {"of", "for", "from", "the", "my"}:
        words = words[1:]
    are_jobs = all(fold_word(word) in vocabulary.JOB_WORDS | vocabulary.BEFORE_A_NAME for word in words)
    if begins(words, phrasebook.ALL) == len(words) or (verb in {"list", "status"} and are_jobs):
        return ()
    if not is_typed and not isinstance(words[-1], Quoted):
        return (*words[:-1], words[-1].rstrip(END_SIGNS) or words[-1])
    return words


_OF_ACCOUNTS: Final = frozenset({"account", "accounts", "me", "access", "link"})


def without_account(verb: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what only says that an account is meant: ``unlink my saturn account``."""
    if words and begins(words, phrasebook.ALL) == len(words):
        return ("all",) if verb == "unlink" else ()
    named = drop_words(words, vocabulary.BEFORE_A_NAME | vocabulary.PLEASE_WORDS | _OF_ACCOUNTS)
    if named and not isinstance(named[-1], Quoted):
        return (*named[:-1], named[-1].rstrip(END_SIGNS) or named[-1])
    return named


_ARTICLES: Final = frozenset({"the", "that", "this", "my"})


def without_plan(words: tuple[str, ...], named: AbstractSet[int]) -> tuple[str, ...] | None:
    """Return what is left without the planned stop that a verb is about.

    ``the planned stop of lesson``, ``lesson's timer``; None for what isn't about one: ``lesson as planned``.
    ``named`` are the places of names.
    """
    folded = [fold_word(word) for word in words]
    begin = next((at for at, word in enumerate(folded) if word not in vocabulary.BEFORE_A_NAME), 0)
    end = begin
    while end < len(folded) and end not in named and folded[end] in vocabulary.PLAN_WORDS | {"stop", "end"}:
        end += 1
    # `the stop of lesson`: with an article, it is a thing.
    is_thing = 0 < begin < end and folded[begin - 1] in _ARTICLES
    if is_thing or vocabulary.PLAN_WORDS.intersection(folded[begin:end]):
        return words[:begin] + words[end:]
    last = len(folded) - 1
    is_last = last > 0 and last not in named and folded[last] in vocabulary.PLAN_WORDS
    return words[:last] if is_last and last - 1 in named else None
