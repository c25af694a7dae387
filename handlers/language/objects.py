"""Take the words after a verb as its objects: without what only surrounds them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from bot.domain.moments import LEADS
from handlers.command_line import Quoted
from handlers.language import vocabulary
from handlers.language.words import ENDS, begins, ends, plain, without

_OF_NEW: Final = (
    vocabulary.BEFORE_A_NAME
    | vocabulary.GENERIC
    | vocabulary.WHERE
    | {"new", "another", "notebook", "fresh", "me"}
)


def repeats(given: Sequence[str]) -> bool:
    """Return whether words ask for something again and again: ``every day``, ``daily``."""
    folded = [plain(word) for word in given]
    return bool(vocabulary.DAILY.intersection(folded)) or any(
        first in vocabulary.EVERY and (then in vocabulary.OF_DAYS or then[:1].isdigit())
        for first, then in pairwise(folded)
    )


def without_nouns(words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what a new workspace is called in general: ``new notebook on saturn``."""
    while words and plain(words[0]) in _OF_NEW:
        words = words[1:]
    return words


def without_running(words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what only says again what ``keep`` does: ``keep notebook running until 20:00``."""
    at = 0 if len(words) == 1 else 1
    return (*words[:at], *without(words[at:], {"running", "alive", "going"}))


def with_times(words: tuple[str, ...]) -> tuple[str, ...]:
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
    while len(words) > 1 and plain(words[0]) in {"of", "for", "from", "the", "my"}:
        words = words[1:]
    are_jobs = all(plain(word) in vocabulary.OF_JOBS | vocabulary.BEFORE_A_NAME for word in words)
    if begins(words, vocabulary.ALL) == len(words) or (verb == "list" and are_jobs):
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
    named = without(words, vocabulary.BEFORE_A_NAME | {"account", "accounts", "me", "access", "link"})
    if named and not isinstance(named[-1], Quoted):
        return (*named[:-1], named[-1].rstrip(ENDS) or named[-1])
    return named
