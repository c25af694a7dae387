"""Tell what a list should show by the words after it, and say so: ``running``, a connection, a name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bot.domain.notices import Answer
from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit, replies
from bot.messages.texts import answers, cards
from bot.providers.base import Provider
from bot.services import naming
from bot.support.cleaning import fold
from handlers import vocabulary
from handlers.command_line import NO_COMMANDS, is_slip, parse, plain, without, written
from handlers.names import Names
from handlers.request import Request

_Row = TypeVar("_Row")
#: Longer than this, words aren't kept by the buttons of a list.
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Narrowed(Generic[_Row]):
    """Hold some of a person's rows, and what they have in common: a state, a connection, a name."""

    rows: tuple[_Row, ...]
    state: str = ""
    connection: str | None = None
    name: str = ""


def workspaces_like(
    words: Sequence[str], rows: Sequence[Workspace], connections: Mapping[str, Provider]
) -> Narrowed[Workspace] | None:
    """Return what words narrow a list to; None if they mean all of it."""
    spans = Names(rows, (), connections).spans(tuple(words))
    named = {at for span in spans if span.workspaces for at in range(span.begin, span.end)}
    is_short = len(" ".join(words)) <= _LONGEST
    if (
        is_short
        and named
        and not without(tuple(w for at, w in enumerate(words) if at not in named), vocabulary.LIST_WORDS)
    ):
        chosen = {one.id: one for span in spans for one in span.workspaces}
        return Narrowed(tuple(chosen.values()), name=" ".join(words))
    state, connection, name = _parts(words, connections, vocabulary.STATE_WORDS)
    kept = [(one, one.connection, str(one.state), (one.title, one.name)) for one in rows]
    return _narrowed(kept, state, connection, name)


def runs_like(
    words: Sequence[str], runs: Sequence[Run], connections: Mapping[str, Provider]
) -> Narrowed[Run] | None:
    """Return the same for runs."""
    state, connection, name = _parts(words, connections, vocabulary.RUN_STATES)
    kept = [(run, run.connection, str(run.state), (run.name,)) for run in runs]
    return _narrowed(kept, state, connection, name)


def _parts(
    words: Sequence[str], connections: Mapping[str, Provider], states: Mapping[str, str]
) -> tuple[str, str | None, str]:
    """Return the state and the connection that words name, and what is left of them."""
    state, connection, left = "", None, list[str]()
    while words:
        found, rest = naming.leading_connection(words, connections)
        if found is not None:
            connection, words = found, rest
            continue
        state = states.get(plain(words[0]), state)
        left += without((words[0],), vocabulary.LIST_WORDS | states.keys())
        words = words[1:]
    return state, connection, " ".join(left)


def _narrowed(
    rows: Sequence[tuple[_Row, str, str, tuple[str, ...]]], state: str, connection: str | None, name: str
) -> Narrowed[_Row] | None:
    if not (state or connection or name):
        return None
    needle = fold(name)
    named = [row for row in rows if any(needle in fold(one) for one in row[3])]
    named = named or [row for row in rows if any(is_slip(needle, fold(one)) for one in row[3])]
    found = [row[0] for row in named if connection in {None, row[1]} and state in {"", row[2]}]
    return Narrowed(tuple(found), state, connection, name)


def asked(request: Request) -> tuple[int, tuple[str, ...]]:
    """Return the page of a list and the words that narrow it: ``list running 2``, or one of its buttons."""
    words = request.arguments if request.target is None else parse(request.target, NO_COMMANDS).words
    for at in (0, -1):
        if words and words[at].isdecimal() and len(words[at]) < 6:
            return int(words[at]), (words[1:] if at == 0 else words[:-1])
    return 1, words


def is_whole(words: tuple[str, ...]) -> bool:
    """Return whether words name nothing, also where something is called like one of them."""
    return not without(words, vocabulary.LIST_WORDS)


def what(request: Request, narrowed: Narrowed[Any], noun: str) -> str:
    """Say what is listed: ``running workspaces on Saturn Cloud``."""
    state = answers.LISTED_AS.get(narrowed.state, narrowed.state)
    said = kit.fill(answers.IN_STATE, state=state, what=noun) if state else noun
    if narrowed.name:
        said = kit.fill(answers.MATCHING, what=kit.Markup(said), name=narrowed.name)
    if narrowed.connection is not None:
        said = kit.fill(answers.ON, what=kit.Markup(said), title=request.services.title(narrowed.connection))
    return said


def only(request: Request, narrowed: Narrowed[Any] | None, noun: str) -> dict[str, Any] | None:
    """Return what is listed, how it is asked for and found again; None for a list of everything."""
    if narrowed is None:
        return None
    return {
        "what": what(request, narrowed, noun),
        "words": written(asked(request)[1]),
        "state": narrowed.state,
        "connection": narrowed.connection,
        "rows": [one.id for one in narrowed.rows] if narrowed.name else None,
    }


def none_of_these(
    request: Request, narrowed: Narrowed[Any], noun: str, verb: str, buttons: Sequence[kit.Element], more: str
) -> Answer:
    """Say that there is nothing of the kind; ``more`` is a remark, for which the list can be read again."""
    sentence = kit.fill(answers.NONE_OF_THESE, what=kit.Markup(what(request, narrowed, noun)))
    typed = written(asked(request)[1])
    again = [kit.button(cards.REFRESH, kit.ButtonValue(verb, f"1 {typed}", mark="refresh"))] if more else []
    said = replies.answer(sentence, [*again, *buttons], replaces=request.target is not None)
    return replies.with_remarks(said, [more] if more else [])


def remark(request: Request, narrowed: Narrowed[Any] | None, count: int) -> str:
    """Say how many of all are shown, unless it is all of them."""
    if narrowed is None or len(narrowed.rows) == count:
        return ""
    return request.fill(answers.NARROWED, count=len(narrowed.rows), all=count)
