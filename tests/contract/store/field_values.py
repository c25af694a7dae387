"""Rows for every table, with a different value in each column."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.reads import Unconfirmed
from bot.domain.stops import PlannedStop, PlannedStops
from bot.domain.work_items import Outcome
from bot.store.tables import GATES, TABLES, Table
from bot.store.transaction import Transaction
from tests.rigs.store import ALICE

#: Columns that a row needs and that its model doesn't have.
BESIDE: Mapping[str, Mapping[str, Any]] = {
    "browser_sessions": {"user_id": "U1"},
    "class_cards": {"next_check_at": 1.0},
    "installations": {"renewing_until": 0.0},
    "notices": {"urgency": 1},
    "preferences": {"principal": ALICE},
    "upgrade_losses": {"due_at": 1.0},
    "waitlist_entries": {"next_at": 1.0},
    "workspaces": {"created_at": 1.0},
}


#: Values that the schema allows, if the field's type doesn't say.
ALLOWED = {
    ("approvals", "state"): ("requested", "approved", "denied"),
    ("runs", "outcome"): (Outcome.ENDED, Outcome.FAILED, Outcome.CANCELLED),
}


#: Maps each type to a function that returns a value for a number. Successive numbers give different values,
#: so at most one of the two is the field's default.
VALUES: Mapping[Any, Callable[[str, int], Any]] = {
    bool: lambda _, number: number % 2 == 1,
    int: lambda _, number: 2 + number,
    float: lambda _, number: 4_000_000_000.0 + number,
    str: lambda name, number: f"{name} {number}",
    dict: lambda name, number: {name: number},
    list: lambda name, number: [f"{name} {number}"],
    Mapping: lambda name, number: {name: number},
    TypeVar: lambda name, number: {name: number},
    Principal: lambda _, number: Principal("E1", "T1", f"U{number}"),
    Unconfirmed: lambda name, number: Unconfirmed(f"{name} {number}", number, 4_000_000_000.0 + number),
    PlannedStops: lambda _, number: PlannedStops((PlannedStop(4_000_000_000.0 + number, "stop"),)),
    Spec: lambda name, number: Spec(f"{name} {number}", {"template": f"{number}"}),
}


def of_type(hint: Any, name: str, number: int) -> Any:
    """Return a value for a field, according to its type."""
    of, parts = get_origin(hint), [part for part in get_args(hint) if part is not NoneType]
    if of in (Union, UnionType, Annotated):
        return of_type(parts[0], name, number)
    if of is Literal:
        return parts[number % len(parts)]
    if of is frozenset:
        return frozenset(get_args(parts[0])[: 1 + number % 2])
    if isinstance(hint, type) and issubclass(hint, Enum):
        words = list(hint)
        return words[number % len(words)]
    hint = getattr(hint, "__supertype__", hint)
    return VALUES[TypeVar if isinstance(hint, TypeVar) else of or hint](name, number)


def made(table: Table[Any], number: int) -> Any:
    hints = get_type_hints(table.model, include_extras=True)
    given = {name: of_type(hint, name, number) for name, hint in hints.items() if name in table.fields}
    for (name, field), words in ALLOWED.items():
        if name == table.name:
            given[field] = words[number % len(words)]
    return table.model(**given)


def stand_for(tx: Transaction, workspace_id: str) -> None:
    """Insert the workspace that rows of other tables refer to."""
    workspace = replace(made(TABLES["workspaces"], 10), id=workspace_id, remote_id=workspace_id)
    GATES.add_new(tx, gate_key=workspace.gate_key, connection="saturn", remote_id="r")
    TABLES["workspaces"].add_new(tx, workspace, **BESIDE["workspaces"])
