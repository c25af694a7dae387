"""Sentences about waiting for room: to end the wait, to ask for one's place, or for how long."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, Literal

from handlers import vocabulary
from handlers.command_line import Quoted, fold_word, is_clause_end
from handlers.synonyms import split_words as words_of

About = Literal["unqueue", "waiting", "eta"]
#: Say nothing of their own, wherever they stand; and what is waited for, whatever that is called.
_FILLING_WORDS: Final = words_of(
    """a an the my our for with of in on at to from that this it please pls still now already currently yet
    just any more anymore longer again then really there ok okay room gpu gpus free capacity machine memory
    cpu"""
)
#: Why somebody doesn't need it any more, in any order.
_REASON_WORDS: Final = words_of(
    """i i'm im i've we do don't dont not no need needed want have got found another other one changed mind
    never nevermind thanks thank you sorry hi hello hey after all isn't isnt is it's its too late home going
    done so as because anything else something and actually usher"""
)
#: Each of these sentences has one of these words: most others have none, and their names needn't be found.
_TOPIC_WORDS: Final = words_of(
    """wait waiting waits waitlist warten warte dran try trying line queue queued queueing queuing unqueue
    dequeue list place spot position turn number next first ahead before front"""
)
_END_RE: Final = "(?:stop|cancel|end|quit|abort|drop|forget|give up|call off|leave|withdraw)"
_WAIT_RE: Final = "(?:wait|waiting|waits|trying|queueing|queuing|waitlist|waiting list|wait list)"
_PLACE_RE: Final = "(?:line|queue|place|spot|position)"
_OUT_RE: Final = "(?:get me|take me|remove me|drop me|get|i want|put me)(?: off| out)?"
_ENDS_PATTERN: Final = re.compile(
    r"(?:so )?(?:(?:can|could|would|will) you |you can |i want |let's |lets |i'd like )?"
    rf"(?:{_END_RE} {_WAIT_RE}"
    rf"|(?:leave|cancel|drop out|give up) {_PLACE_RE}|{_OUT_RE} (?:{_WAIT_RE}|{_PLACE_RE}|list)"
    r"|(?:(?:i|you|we) )?(?:do not|don't|dont|needn't|no need|no longer)(?: have| need| want)? (?:keep )?"
    r"(?:wait|waiting|try|trying)|(?:i'm|im|i am) (?:not|done|tired) waiting|unqueue|dequeue"
    r"|nicht mehr warten|warte nicht mehr|hör auf zu warten|warten abbrechen)"
)
_ASKS_PATTERN: Final = re.compile(
    rf"(?:am i|are we)(?: not)? (?:next|first|queued|{_WAIT_RE}|{_PLACE_RE})"
    r"|(?:do|must) (?:i|we)(?: have| need)? wait"
    rf"|(?:what's|whats|what is|where's) (?:{_PLACE_RE}|turn|number)(?: {_PLACE_RE})?|where am i {_PLACE_RE}"
    r"|(?:when's|when is|when will|is)(?: be)? (?:turn|wait over)|has wait ended"
    r"|how many(?: people)?(?: are)? (?:ahead|before|in front)(?: me)?|who(?: is|'s) (?:ahead|before)(?: me)?"
    rf"|did i lose {_PLACE_RE}|have i lost {_PLACE_RE}|(?:is|does) (?:waiting|wait)"
    r"|warte ich noch|bin ich dran"
)
_HOW_LONG: Final = re.compile(
    r"how (?:long|much)(?: time)? (?:(?:do|must|will|should) (?:i|we)(?: have| need)? (?:be )?wait(?:ing)?"
    r"|is wait|will wait be|wait)|wie lange muss ich warten"
)


def read_waiting(
    words: Sequence[str], find_names: Callable[[], Collection[int]]
) -> tuple[About, tuple[str, ...]] | None:
    """Return the act or question about a wait in a text, and the name in it; None for any other text.

    ``find_names`` finds the places of names among its words. Nothing but what is known may stand there.
    """
    is_other = _TOPIC_WORDS.isdisjoint(map(fold_word, words))
    if is_other or any(isinstance(word, Quoted) for word in words):
        return None
    named = find_names()
    name = tuple(fold_word(word) for at, word in enumerate(words) if at in named)
    spoken = [(word, at in named) for at, word in enumerate(words)]
    if name and names_wait(" ".join(map(fold_word, words))):
        return "unqueue", name  # A workspace whose name is a word for a wait: which is meant is asked.
    whole = _strip(spoken)
    if _HOW_LONG.fullmatch(whole):
        return "eta", name
    if _ASKS_PATTERN.fullmatch(whole):
        return "waiting", name
    has_order = False
    for clause in _split_clauses(spoken):
        said = _strip(clause)
        if _ENDS_PATTERN.fullmatch(said):
            has_order = True
        elif not _REASON_WORDS.issuperset(said.split()):
            return None
    return ("unqueue", name) if has_order else None


def names_wait(text: str) -> bool:
    """Return whether a text without names is an order to end a wait."""
    return _ENDS_PATTERN.fullmatch(_strip([(word, False) for word in text.split()])) is not None


def _strip(words: Sequence[tuple[str, bool]]) -> str:
    """Return words without names, and without those that say nothing of their own."""
    said = (fold_word(word) for word, is_name in words if not is_name)
    return " ".join(word for word in said if word and word not in _FILLING_WORDS)


def _split_clauses(words: Sequence[tuple[str, bool]]) -> Iterator[list[tuple[str, bool]]]:
    clause: list[tuple[str, bool]] = []
    for word, is_name in words:
        if fold_word(word) in vocabulary.THEN_WORDS and clause:
            yield clause
            clause = []
            continue
        clause.append((word, is_name))
        if is_clause_end(word):
            yield clause
            clause = []
    yield clause
