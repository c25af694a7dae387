"""Rows to models and back: each field is the column of its name, converted by its type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from typing import Any, TypeVar, cast

from bot.domain.models import (
    Account,
    Approval,
    BrowserSession,
    Call,
    Card,
    ClassCard,
    Doubt,
    Home,
    Installed,
    Link,
    Notice,
    NoticeKind,
    NoticeState,
    Operation,
    OperationVerb,
    Outcome,
    Participant,
    Person,
    Preferences,
    Principal,
    Run,
    RunState,
    Snapshot,
    Spec,
    State,
    Task,
    TaskKind,
    Workspace,
)
from bot.store.text import as_json, as_words, from_json
from bot.store.transaction import Row

Model = TypeVar("Model")


def time(value: float | None) -> float | None:
    """Read a nullable time column."""
    # SQLite's RETURNING gives whole numbers of a float column as int.
    return None if value is None else float(value)


#: Cached, since the same principals are parsed over and over.
principal_of = lru_cache(maxsize=4096)(Principal.from_key)


def doubt(row: Row) -> Doubt | None:
    """Read the doubt columns of a row of ``workspaces`` or ``runs``."""
    if row["doubt"] is None:
        return None
    return Doubt(row["doubt"], row["doubt_times"], float(row["doubt_since"]))


@lru_cache(maxsize=256)
def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _spec(text: str | None) -> Spec | None:
    """Read a spec; None if it was created elsewhere."""
    given = from_json(text)
    return Spec.from_json(given) if given else None


_WORDS = (Call, RunState, NoticeKind, NoticeState, OperationVerb, State, TaskKind)
#: How a column is converted, by the field's type; values of a Literal stay as they are.
_READS: dict[str, Callable[[Any], Any] | None] = {
    **dict.fromkeys(("str", "int", "str | None", "int | None"), None),
    **dict.fromkeys(("Ending | None", "RunOutcome | None", "StopKind", "Waiting", "StopMode | None"), None),
    "float": float,
    "float | None": time,
    "bool": bool,
    "bool | None": lambda value: None if value is None else bool(value),
    "Principal": principal_of,
    "dict[str, Any]": from_json,
    "dict[str, Any] | None": from_json,
    "Payload": from_json,
    "Spec | None": _spec,
    **dict.fromkeys(
        ("frozenset[Action] | None", "frozenset[AtStake] | None"),
        lambda words: None if words is None else _set(words),
    ),
    "State | None": lambda word: None if word is None else State(word),
    "Outcome | None": lambda word: None if word is None else Outcome(word),
    **{word.__name__: word for word in _WORDS},
}


def _reader(model: Callable[..., Model], **own: Callable[[Row], Any]) -> Callable[[Row], Model]:
    """Return a function from row to model; ``own`` reads fields that aren't just one column."""
    named = {field.name: str(field.type) for field in fields(cast("Any", model)) if field.name not in own}
    columns = [(name, None if kind.startswith("Literal[") else _READS[kind]) for name, kind in named.items()]

    def read(row: Row) -> Model:
        given = {name: row[name] if way is None else way(row[name]) for name, way in columns}
        for name, of_row in own.items():
            given[name] = of_row(row)
        return model(**given)

    return read


#: How a value is written, by its type; all others are written as they are.
_WRITES: dict[type, Callable[[Any], Any]] = {
    Principal: lambda principal: principal.key,
    Spec: lambda spec: as_json(spec.as_json()),
    dict: as_json,
    frozenset: as_words,
}


def columns(model: Any) -> Row:
    """Return a model's fields by column, as parameters of a query; what a row keeps otherwise isn't bound."""
    values = ((field.name, getattr(model, field.name)) for field in fields(model))
    return {name: _WRITES[type(value)](value) if type(value) in _WRITES else value for name, value in values}


account = _reader(Account)
approval = _reader(Approval)
browser_session = _reader(BrowserSession)
card = _reader(Card)
class_card = _reader(ClassCard)
run = _reader(Run, doubt=doubt)
home = _reader(Home)
installed = _reader(Installed)
link = _reader(Link)
notice = _reader(Notice)
#: A step's hold takes precedence over a read's.
operation = _reader(Operation, hold=lambda row: row["hold"] or row["read_hold"] or None)
participant = _reader(Participant)
person = _reader(Person)
preferences = _reader(Preferences)
snapshot: Callable[[Row], Snapshot[Any]] = _reader(Snapshot)
task = _reader(Task)
workspace = _reader(Workspace)
