"""Read what people write about working hours; pure. It becomes the words that follow a name after ``hours``.

That is ``DAYS TIMES``, ``restart DAYS TIME``, ``off``, ``on``, ``skip DAY`` or ``pause until DAY``.
"""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Final

from bot.domain import hours, moments
from bot.domain.hours import Wanted
from handlers.language import vocabulary
from handlers.language.words import plain, repeats

#: A restart is a stop, which is warned of, and a start this many minutes later.
_DOWN_MINUTES: Final = 10
_PARTS_OF_DAYS: Final = vocabulary.LATE | {"morning", "mornings"}
#: What joins hours to the words around them, before and after.
_BEFORE: Final = frozenset({"and", "the", "to", "in"})
_AFTER: Final = _BEFORE | {"at", "from", "on"}


def wanted_of(text: str) -> tuple[Wanted, ...]:
    """Return the hours that a text names; none if it names no hours."""
    verb, _, rest = text.partition(" ")
    is_restart = verb.casefold() == "restart"
    found = hours.read(rest if is_restart else text)
    if found is None or not is_restart:
        return () if found is None else (found,)
    if found.starts is None or found.stops is not None:
        return ()
    again = found.starts + _DOWN_MINUTES
    return Wanted(found.days, stops=found.starts), Wanted(found.days, starts=again)


def is_order(text: str) -> bool:
    """Return whether words after a name say what becomes of its hours."""
    verb, _, rest = text.casefold().partition(" ")
    said = (not rest and verb in vocabulary.ABOUT_HOURS) or (verb in {"skip", "pause"} and bool(rest))
    return said or bool(wanted_of(text))


def about(words: Sequence[str], named: AbstractSet[int]) -> str | None:
    """Return what a whole sentence says about hours, "" for a question about them; None for any other.

    ``named`` are the places of names.
    """
    said = [plain(word) for at, word in enumerate(words) if at not in named]
    rest = [word for word in said if word not in vocabulary.BESIDES_HOURS and word not in {"hours", "next"}]
    match rest:
        case ["skip", day] if moments.is_day(day):
            return f"skip {day}"
        case ["pause", "until" | "till", day] if moments.is_day(day) or day == "week":
            return f"pause until {day}"
    if "hours" not in said:
        return None
    for order, (meaning, besides) in vocabulary.ABOUT_HOURS.items():
        if meaning & set(rest) and set(rest) <= meaning | besides:
            return order
    return "" if set(rest) <= vocabulary.ASKING_HOURS else None


def split(verb: str, words: tuple[str, ...], named: AbstractSet[int]) -> tuple[tuple[str, ...], str]:
    """Split hours that come again and again off a request; "" if it has none.

    What repeats but can't be read, or isn't what the verb can do, is returned so that it can't be read.
    """
    folded = [plain(word) for word in words]
    places = [at for at in _places(folded, named) if at not in named]
    parts = [folded[at] for at in places]
    wanted = _read(parts)
    is_plural = any(
        part != "days" and part.endswith(("days", "mornings", "evenings", "nights")) for part in parts
    )
    comes_again = wanted is not None and (
        is_plural or len(wanted.days) > 1 or bool(vocabulary.EVERY.intersection(parts))
    )
    if not (comes_again or repeats(parts)):
        return words, ""
    rest = tuple(word for at, word in enumerate(words) if at not in places)
    return rest, order(verb, wanted) or f"{verb} {' '.join(parts)}"


def order(verb: str, wanted: Wanted | None) -> str:
    """Return how hours are asked for by a verb; what is said of a stop is when it comes."""
    if wanted is None:
        return ""
    is_start, is_whole = wanted.starts is not None, None not in (wanted.starts, wanted.stops)
    if verb in {"start", "resume"} or (verb == "keep" and is_whole):
        return hours.written(wanted) if is_start else ""
    if verb == "restart" and not is_whole and is_start:
        return f"restart {hours.written(wanted)}"
    if verb == "stop" and not is_whole:
        stops = wanted.stops if wanted.starts is None else wanted.starts or hours.DAY_MINUTES
        return hours.written(replace(wanted, starts=None, stops=stops))
    return ""


def _places(folded: Sequence[str], named: AbstractSet[int]) -> Collection[int]:
    """Return where words belong to hours: runs of such words that name a day or a time."""
    found: list[int] = []
    for is_part, run_ in groupby(range(len(folded)), lambda at: at not in named and _is_part(folded[at])):
        run = list(run_)
        while run and folded[run[0]] in _BEFORE:
            run = run[1:]
        while run and folded[run[-1]] in _AFTER:
            run = run[:-1]
        if is_part and any(folded[at] not in vocabulary.JOINING_HOURS for at in run):
            found += run
    return found


def _is_part(word: str) -> bool:
    is_day = bool(hours.days_of(word)) or word in vocabulary.DAILY | vocabulary.OF_DAYS | _PARTS_OF_DAYS
    return (
        is_day
        or word in vocabulary.OF_HOURS
        or word[:1].isdigit()
        or (word[:1] == "-" and word[1:2].isdigit())
    )


def _read(parts: Sequence[str]) -> Wanted | None:
    """Read hours whose time may come first: ``at 9 every weekday``, ``every evening at 8``."""
    words = [part for part in parts if part not in _PARTS_OF_DAYS | {"in"}]
    if not any(map(hours.days_of, words)) and len(words) < len(parts):
        words = ["daily", *words]
    if vocabulary.LATE.intersection(parts) and words and words[-1].isdecimal() and int(words[-1]) < 12:
        words.append("pm")
    if any(first[:1].isdigit() and then in {"day", "days"} for first, then in pairwise(words)):
        return None  # A length: ``every 2 days``.
    turned = (hours.read(" ".join([*words[at:], *words[:at]])) for at in range(len(words)))
    return next((found for found in turned if found is not None), None)
