"""Roles of the words of follow-ups: the phrases that join them to the last request, and their times; pure."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from bot.features.sentences import times
from handlers.command_line import fold_word, is_clause_end
from handlers.names import Names

#: The phrases before what takes the place of something: ``change that to 6``.
_CHANGES: Final = ", ".join(
    f"{verb} {what} to"
    for verb in ("change", "move", "set", "shift", "switch", "push")
    for what in ("it", "that", "this", "the time")
)
#: The phrases that join words to the last request, by their role; words by blanks, phrases by commas.
_PHRASES: Final[Mapping[str, str]] = {
    "instead": f"""{_CHANGES},
        no, nope, wait, no wait, hold on, sorry, oops, i meant, i mean, i was meaning, wrong one,
        not that one, actually, rather, instead, on second thought, forget it, never mind, my mistake, better,
        make it, make that, let's make it, should be, nein, nee, doch, lieber, stattdessen, doch lieber,
        ach nee, ach nein, no make it, no make that, only meant, i only meant, i just meant, or rather,
        scratch that""",
    "also": """also, too, as well, and, same, the same, same for, same with, the same for, the same with,
        likewise, ditto, plus, do the same, neither, auch, und, ebenso, gleich mit, auch gleich""",
    "out": """not, don't, dont, do not, and not, but not, also not, except, except for, besides, without,
        leave, and leave, leave out, apart from, other than, excluding, all but, everything but, nicht,
        bring it back, i need it back, i want it back, bring that back, get it back, put it back,
        turn it back on, cancel that start, cancel that stop, cancel the start, cancel the stop""",
    "all": "both, both of them, all, all of them, everything, all three",
    "now": "now, right now, immediately, jetzt",
    "later": "later, after that",
    "earlier": "earlier, before that",
    "am": "am, in the morning, morning, morgens",
    "pm": "pm, in the afternoon, in the evening, at night, afternoon, evening, abends, nachmittags",
    "": """but, yes, yeah, yep, ok, okay, sure, fine, then, is, are, will, would, do, be, enough, just,
        please, pls, plz, bitte, thanks, thx, danke, only, erst, oh, ah, ach, hm, hmm, well, it's, that's,
        i want, i need, i, let's, plan one, plan one for, tho, though, meant, of course, obviously,
        natürlich, klar, dann, can you, could you, can we, could we""",
}
CORRECTIONS: Final = frozenset(tuple(phrase.split()) for phrase in _PHRASES["instead"].split(",")) - {
    ("instead",)
}
ROLES: Final = {tuple(phrase.split()): role for role, text in _PHRASES.items() for phrase in text.split(",")}
_MAX_PHRASE_WORDS: Final = max(map(len, ROLES))
NUMBER_PATTERN: Final = re.compile(r"[0-9]+(?:\.5)?")
NUMBER_WORDS: Final = {
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
}


def match_phrase(given: Sequence[str], begin: int) -> tuple[str, ...]:
    """Return the longest phrase with a role that begins at a place; none if none does."""
    folded = tuple(map(fold_word, given[begin : begin + _MAX_PHRASE_WORDS]))
    return next((folded[:count] for count in range(len(folded), 0, -1) if folded[:count] in ROLES), ())


def _find_times(words: tuple[str, ...], names: Names) -> tuple[times.Times, AbstractSet[int]]:
    """Return the times among words that are no names, and the places of names."""
    name_places = {at for span in names.find_spans(words) for at in range(span.begin, span.end)}
    return times.find(words, name_places), name_places


def read_roles(given: tuple[str, ...], names: Names) -> tuple[list[str], times.Times]:
    """Return the role of each word, and the times that are wanted.

    Of words in no phrase that is *time*, *out of* and *out time* after *not*, and otherwise *-*.
    """
    (word_times, name_places), roles = _find_times(given, names), list[str]()
    while (at := len(roles)) < len(given):
        free = next(
            (end for end in range(at, len(given)) if end in name_places | word_times.places), len(given)
        )
        phrase, word = match_phrase(given[:free], at), fold_word(given[at])
        # What is left out is so up to the end of its clause, or up to another time.
        is_next_time = at in word_times.kinds and at - 1 in word_times.places
        is_out = bool(roles) and "out" in roles[-1] and not (is_clause_end(given[at - 1]) or is_next_time)
        is_number = NUMBER_PATTERN.fullmatch(NUMBER_WORDS.get(word, word)) is not None
        is_time = at in word_times.places or (is_out and is_number)
        other = ("out time" if is_time else "out of") if is_out else "time" if is_time else "-"
        roles += [ROLES[phrase]] * len(phrase) if phrase else [other]
    places = [at for at, role in enumerate(roles) if "out" not in role]
    word_times, _ = _find_times(tuple(given[at] for at in places), names)
    used = {places[at] for at in word_times.places}
    return ["-" if role == "time" and at not in used else role for at, role in enumerate(roles)], word_times


def join_halves(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return words with ``2.5`` for ``two and a half``."""
    folded = [NUMBER_WORDS.get(fold_word(word), fold_word(word)) for word in given]
    at = next((at for at in range(len(given)) if folded[at + 1 : at + 4] == ["and", "a", "half"]), -1)
    return (
        given if at < 0 or not folded[at].isdecimal() else (*given[:at], f"{folded[at]}.5", *given[at + 4 :])
    )
