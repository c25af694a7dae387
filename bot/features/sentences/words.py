"""Words as people write them: comparison, and removal of fillers around objects; pure.

Small letters, no signs or marks around, nothing inside quotes.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Final, NamedTuple

from bot.domain.time_parsing import LEADS
from bot.features.sentences import phrasebook
from bot.messages.verb import list_synonyms
from handlers import vocabulary
from handlers.command_line import END_SIGNS, MARKUP_SIGNS, Quoted, drop_words, fold_word


def is_struck_out(word: str) -> bool:
    """Return whether a word is struck out, or begins or ends such words, which may be meant as undone."""
    return not isinstance(word, Quoted) and word.strip(END_SIGNS + MARKUP_SIGNS) != word.strip(
        END_SIGNS + MARKUP_SIGNS.replace("~", "")
    )


def count_leading(words: Sequence[str], phrases: tuple[tuple[str, ...], ...]) -> int:
    """Return the number of words in the first phrase at their beginning; 0 for none."""
    # Asked at each place of a text, and few words begin any phrase.
    fitting = _group_by_first_word(phrases).get(fold_word(words[0])) if words else None
    if fitting is None:
        return 0
    folded = tuple(map(fold_word, words[: max(map(len, fitting))]))
    return next((len(phrase) for phrase in fitting if folded[: len(phrase)] == phrase), 0)


@cache
def _group_by_first_word(
    phrases: tuple[tuple[str, ...], ...],
) -> Mapping[str, Sequence[tuple[str, ...]]]:
    groups: dict[str, list[tuple[str, ...]]] = {}
    for phrase in phrases:
        groups.setdefault(phrase[0], []).append(phrase)
    return groups


def count_trailing(words: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> int:
    """Return the number of words in the first phrase at their end; 0 for none."""
    folded = tuple(map(fold_word, words[-max(map(len, phrases)) :]))
    return next((len(phrase) for phrase in phrases if folded[-len(phrase) :] == phrase), 0)


def is_line_end(word: str) -> bool:
    """Return whether a line or an item of a list ends with a word (``bot.features.sentences.cleaning``)."""
    return not isinstance(word, Quoted) and word[-1] == ";"


def is_dash(word: str) -> bool:
    """Return whether a word is a dash, which may part clauses, or the two ends of a range."""
    return not isinstance(word, Quoted) and not word.strip("-–—…")


def drop_line_ends(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words that are read as one line."""
    bare = (word.rstrip(";") if is_line_end(word) else word for word in words)
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
    """The verb at the beginning of words, its folder, and the other words."""

    verb: str = ""
    folder: str = ""
    rest: tuple[str, ...] = ()


def match_verb(words: tuple[str, ...], folder: str, verbs: Mapping[str, AbstractSet[str]]) -> VerbMatch:
    """Return the verb at the beginning of words, "" for none."""
    word = fold_word(words[0])
    for phrase, verb in phrasebook.OPENINGS.get(word, ()):
        head = phrase[: phrase.index("…")] if "…" in phrase else phrase
        tail = phrase[len(head) + 1 :]
        if not count_leading(words, (head,)):
            continue
        places = range(len(head) + 1, len(words)) if tail else (len(head),)
        at = next((at for at in places if not tail or fold_word(words[at]) == tail[0]), 0)
        # `bring it back down` isn't `bring it back`.
        is_other = bool(tail) and fold_word("".join(words[at + 1 : at + 2])) in phrasebook.DOWN_PARTICLES
        if at and not is_other:
            return VerbMatch(verb, "workspace", (*words[len(head) : at], *words[at + len(tail) :]))
    for folder_ in (folder, *(other for other in verbs if other != folder)):
        verb = word if word in verbs[folder_] else list_synonyms(folder_).get(word, "")
        if verb:
            return VerbMatch(verb, folder_, words[1:])
    return VerbMatch()


def drop_trailing_courtesy(words: tuple[str, ...]) -> tuple[str, ...]:
    """Drop courtesy after words; a text of courtesy alone stays."""
    while len(words) > (count := count_trailing(words, phrasebook.AFTERTHOUGHTS)) > 0:
        words = words[:-count]
        while len(words) > 1 and fold_word(words[-1]) in vocabulary.THEN_WORDS:
            words = words[:-1]
    return words


def replace_after_that(
    words: tuple[str, ...], folder: str, verbs: Mapping[str, AbstractSet[str]]
) -> tuple[str, ...]:
    """Return words with *then* for ``after that`` before a verb: no condition, but what comes next."""
    for at, word in enumerate(words[:-1]):
        count = 2 if (fold_word(word), fold_word(words[at + 1])) == ("after", "that") else 1
        is_next = count == 2 or fold_word(word) in {"afterwards", "danach"}
        rest = words[at + count :]
        if at and is_next and rest and match_verb(rest, folder, verbs).verb:
            return (*words[:at], "then", *rest)
    return words


def split_at_commas(word: str) -> list[str]:
    """Split a word at its commas, which stay: ``a,b``."""
    if isinstance(word, Quoted) or "," not in word.rstrip(",") or "://" in word:
        return [word]
    return [f"{part}," for part in word.split(",") if part]


# -- objects ---------------------------------------------------------------------------------------------

_NEW_WORKSPACE_FILLERS: Final = (
    vocabulary.BEFORE_A_NAME
    | vocabulary.GENERIC_SINGULARS
    | phrasebook.PLACE_PREPOSITIONS
    | vocabulary.PLEASE_WORDS
    | {"new", "another", "notebook", "fresh", "me"}
)


def drop_nouns(words: tuple[str, ...]) -> tuple[str, ...]:
    """Drop general words for a new workspace: ``notebook on saturn``, ``one from the course template``."""
    while words and fold_word(words[0]) in _NEW_WORKSPACE_FILLERS:
        words = words[1:]
    return words[:-1] if len(words) > 1 and fold_word(words[-1]) == "template" else words


def drop_running(words: tuple[str, ...]) -> tuple[str, ...]:
    """Drop words that repeat the meaning of ``keep``: ``keep notebook running until 20:00``."""
    at = 0 if len(words) == 1 else 1
    return (*words[:at], *drop_words(words[at:], {"running", "alive", "going"}))


def drop_wait(words: tuple[str, ...]) -> tuple[str, ...]:
    """Drop a wait for capacity at the end of a start: ``start gpu and wait``."""
    folded = tuple(map(fold_word, words))
    phrases = (phrase for phrase in phrasebook.AND_WAIT if folded[-len(phrase) :] == phrase)
    return words[: len(words) - len(next(phrases, ()))]


def split_time_flags(words: tuple[str, ...]) -> tuple[str, ...]:
    """Split the flags of times into words: ``--until=18:00`` means ``until 18:00``."""
    words_: list[str] = []
    for word in words:
        preposition, is_joined, value = fold_word(word).removeprefix("--").partition("=")
        if word.startswith("--") and not isinstance(word, Quoted) and preposition in LEADS:
            words_ += [preposition, *([word.partition("=")[2]] if is_joined and value else [])]
        else:
            words_.append(word)
    return tuple(words_)


def are_run_list(words: tuple[str, ...]) -> bool:
    """Return whether words only describe a list of runs: ``my failed jobs``."""
    folded = {fold_word(word) for word in words}
    return (
        bool(folded & vocabulary.JOB_WORDS) and folded <= vocabulary.LIST_WORDS | vocabulary.RUN_STATES.keys()
    )


def drop_job_fillers(verb: str, words: tuple[str, ...], *, is_typed: bool) -> tuple[str, ...]:
    """Drop fillers of a verb of runs, and the signs at its end; a run is never called *all*."""
    if verb not in {"stop", "status", "logs", "list"}:
        return words
    while len(words) > 1 and fold_word(words[0]) in {"of", "for", "from", "the", "my"}:
        words = words[1:]
    are_jobs = all(fold_word(word) in vocabulary.JOB_WORDS | vocabulary.BEFORE_A_NAME for word in words)
    if count_leading(words, phrasebook.ALL_PHRASES) == len(words) or (
        verb in {"list", "status"} and are_jobs
    ):
        return ()
    if not is_typed and not isinstance(words[-1], Quoted):
        return (*words[:-1], words[-1].rstrip(END_SIGNS) or words[-1])
    return words


_ACCOUNT_WORDS: Final = frozenset({"account", "accounts", "me", "access", "link"})


def drop_account_words(verb: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Drop words for an account: ``unlink my saturn account``."""
    if words and count_leading(words, phrasebook.ALL_PHRASES) == len(words):
        return ("all",) if verb == "unlink" else ()
    names = drop_words(words, vocabulary.BEFORE_A_NAME | vocabulary.PLEASE_WORDS | _ACCOUNT_WORDS)
    if names and not isinstance(names[-1], Quoted):
        return (*names[:-1], names[-1].rstrip(END_SIGNS) or names[-1])
    return names


_ARTICLES: Final = frozenset({"the", "that", "this", "my"})


def drop_plan_words(words: tuple[str, ...], name_places: AbstractSet[int]) -> tuple[str, ...] | None:
    """Drop the words for the planned stop of a verb.

    ``the planned stop of lesson``, ``lesson's timer``; None for any other object: ``lesson as planned``.
    ``name_places`` are the places of names.
    """
    folded = [fold_word(word) for word in words]
    begin = next((at for at, word in enumerate(folded) if word not in vocabulary.BEFORE_A_NAME), 0)
    end = begin
    while (
        end < len(folded)
        and end not in name_places
        and folded[end] in vocabulary.PLAN_WORDS | {"stop", "end"}
    ):
        end += 1
    # `the stop of lesson`: with an article, it is a thing.
    is_thing = 0 < begin < end and folded[begin - 1] in _ARTICLES
    if is_thing or vocabulary.PLAN_WORDS.intersection(folded[begin:end]):
        return words[:begin] + words[end:]
    last = len(folded) - 1
    is_last = last > 0 and last not in name_places and folded[last] in vocabulary.PLAN_WORDS
    return words[:last] if is_last and last - 1 in name_places else None
