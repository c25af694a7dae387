"""Filters for lists, read from the words after a verb: a state (``running``), a connection, or a name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bot.domain.notices import Answer
from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.texts import answers, cards
from bot.providers.base import Provider
from bot.services import naming
from handlers.requests import vocabulary
from handlers.requests.command_line import drop_words, fold_word, join_words, parse
from handlers.requests.request import Request

_Row = TypeVar("_Row", bound=Workspace | Run)
#: Maximum length, in characters, of a filter carried by a list's buttons.
_MAX_FILTER_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class FilteredRows(Generic[_Row]):
    """Rows selected from a person's rows, with the state, connection and name that selected them."""

    rows: tuple[_Row, ...]
    state: str = ""
    connection: str | None = None
    name: str = ""


def filter_workspaces(
    words: Sequence[str], rows: Sequence[Workspace], connections: Mapping[str, Provider]
) -> FilteredRows[Workspace] | None:
    """Return the workspaces that the words select, or None if they select all."""
    is_short = len(" ".join(words)) <= _MAX_FILTER_LENGTH
    named = naming.split_names(words, rows, connections) or naming.split_names(
        drop_words(tuple(words), vocabulary.LIST_WORDS), rows, connections
    )
    if is_short and named:
        chosen = {one.id: one for match in named.values() for one in match}
        return FilteredRows(tuple(chosen.values()), name=" ".join(words))
    return _filter_rows(words, rows, connections, vocabulary.STATE_WORDS)


def filter_runs(
    words: Sequence[str], runs: Sequence[Run], connections: Mapping[str, Provider]
) -> FilteredRows[Run] | None:
    """Return the runs that the words select, or None if they select all."""
    return _filter_rows(words, runs, connections, vocabulary.RUN_STATES)


def _filter_rows(
    words: Sequence[str],
    rows: Sequence[_Row],
    connections: Mapping[str, Provider],
    states: Mapping[str, str],
) -> FilteredRows[_Row] | None:
    """Filter rows by the state, connection and name in the words. Return None if there are none."""
    state, connection, remaining = "", None, list[str]()
    while words:
        leading, rest = naming.split_leading_connection(words, connections)
        if leading is not None:
            connection, words = leading, rest
            continue
        state = states.get(fold_word(words[0]), state)
        remaining += drop_words((words[0],), vocabulary.LIST_WORDS | states.keys())
        words = words[1:]
    name = " ".join(remaining)
    if not (state or connection or name):
        return None
    selected = [
        row
        for row in naming.narrow(name, rows)
        if connection in {None, row.connection} and state in {"", row.state}
    ]
    return FilteredRows(tuple(selected), state, connection, name)


def parse_page(request: Request) -> tuple[int, tuple[str, ...]]:
    """Return a list's page number and filter words, either typed (``list running 2``) or from a button."""
    words = request.arguments if request.target is None else parse(request.target, {}).words
    for at in (0, -1):
        if words and words[at].isdecimal() and len(words[at]) < 6:
            return int(words[at]), (words[1:] if at == 0 else words[:-1])
    return 1, words


def is_unfiltered(words: tuple[str, ...]) -> bool:
    """Return whether words ask for the whole list, even if something has one of them as its name."""
    return not drop_words(words, vocabulary.LIST_WORDS)


def describe_filter(request: Request, filtered: FilteredRows[Any], noun: str) -> str:
    """Describe the rows that the filter selects, such as ``running workspaces on Saturn Cloud``."""
    state = answers.LISTED_AS.get(filtered.state, filtered.state)
    text = kit.fill("{state} {what}", state=state, what=noun) if state else noun
    if filtered.name:
        text = kit.fill("{what} matching “{name}”", what=kit.Markup(text), name=filtered.name)
    if filtered.connection is not None:
        text = kit.fill(answers.ON, what=kit.Markup(text), title=request.services.title(filtered.connection))
    return text


def describe_selection(request: Request, filtered: FilteredRows[Any] | None, noun: str) -> tuple[str, str]:
    """Return a description of the listed rows, and the filter words for the list's buttons ("" for none)."""
    if filtered is None:
        return noun, ""
    return describe_filter(request, filtered, noun), join_words(parse_page(request)[1])


def answer_no_matches(
    request: Request,
    filtered: FilteredRows[Any],
    noun: str,
    verb: str,
    buttons: Sequence[kit.Element],
    more: str,
) -> Answer:
    """Answer that no row matches. ``more`` is a hint that the list is being read again."""
    sentence = kit.fill(answers.NONE_OF_THESE, what=kit.Markup(describe_filter(request, filtered, noun)))
    typed = join_words(parse_page(request)[1])
    refresh_buttons = (
        [kit.button(cards.REFRESH, ButtonValue(verb, f"1 {typed}", mark="refresh"))] if more else []
    )
    answer = replies.answer(sentence, [*refresh_buttons, *buttons], replaces=request.target is not None)
    return replies.with_remarks(answer, [more] if more else [])


def describe_count(request: Request, filtered: FilteredRows[Any] | None, count: int) -> str:
    """Say how many of all rows are listed. If all of them are, return ""."""
    if filtered is None or len(filtered.rows) == count:
        return ""
    return request.fill(answers.NARROWED, count=len(filtered.rows), all=count)
