"""Read what a verb is about: which words after it name something, and which only say what kind it is."""

from __future__ import annotations

from handlers.language import vocabulary as known
from handlers.language.words import begins, plain, without


def without_nouns(words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what a new workspace is called in general: ``new notebook on saturn``."""
    nouns = known.BEFORE_A_NAME | known.GENERIC | known.WHERE | {"new", "another", "notebook", "fresh", "me"}
    while words and plain(words[0]) in nouns:
        words = words[1:]
    return words


def without_running(words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what only says again what ``keep`` does: ``keep notebook running until 20:00``."""
    at = 0 if len(words) == 1 else 1
    return (*words[:at], *without(words[at:], {"running", "alive", "going"}))


def mean_jobs(words: tuple[str, ...]) -> bool:
    """Return whether words name job runs in general: ``my jobs``, ``all runs``, ``the job``."""
    folded = [plain(word) for word in words]
    is_of_jobs = bool(folded) and folded[-1] in known.OF_JOBS
    is_general = len(folded) > 1 or (is_of_jobs and folded[0].endswith("s"))
    return is_of_jobs and is_general and set(folded[:-1]) <= known.BEFORE_A_NAME | {"all", "running", "of"}


def are_of_jobs(words: tuple[str, ...]) -> bool:
    """Return whether nothing but jobs is named."""
    return all(plain(word) in known.OF_JOBS | known.BEFORE_A_NAME for word in words)


def without_account(verb: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what only says that an account is meant: ``unlink my saturn account``."""
    if words and begins(words, known.ALL) == len(words):
        return ("all",) if verb == "unlink" else ()
    nouns = known.BEFORE_A_NAME | {"account", "accounts", "me", "access", "link"}
    return without(words, nouns)
