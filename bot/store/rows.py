"""Rows to models: the one place that knows which column is which field."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from bot.domain.models import (
    Account,
    Action,
    Approval,
    BrowserSession,
    Call,
    Card,
    ClassCard,
    Doubt,
    Link,
    Notice,
    NoticeKind,
    NoticeState,
    Operation,
    OperationVerb,
    Outcome,
    Participant,
    Person,
    Principal,
    Snapshot,
    Spec,
    State,
    Task,
    TaskKind,
    Workspace,
)
from bot.store.text import from_json

if TYPE_CHECKING:
    from bot.store.transaction import Row


def time(value: float | None) -> float | None:
    """Read a column that holds a time or nothing."""
    # SQLite's RETURNING hands whole numbers of a float column out as int.
    return None if value is None else float(value)


def spec_of(row: Row) -> Spec | None:
    """Read what something is made from; None where it was made elsewhere."""
    told = from_json(row["spec"])
    return Spec.from_json(told) if told else None


#: Principals are read back from their keys over and over.
principal_of = lru_cache(maxsize=4096)(Principal.from_key)


def person(row: Row) -> Person:
    """Read a row of ``people``."""
    return Person(
        principal=principal_of(row["principal"]),
        name=row["name"],
        is_guest=bool(row["is_guest"]),
        is_bot=bool(row["is_bot"]),
        is_deleted=bool(row["is_deleted"]),
        is_stranger=bool(row["is_stranger"]),
        time_zone=row["time_zone"],
        seen_at=float(row["seen_at"]),
    )


def browser_session(row: Row) -> BrowserSession:
    """Read a row of ``browser_sessions``."""
    return BrowserSession(
        id_hash=row["id_hash"],
        principal=principal_of(row["principal"]),
        created_at=float(row["created_at"]),
        seen_at=float(row["seen_at"]),
        expires_at=float(row["expires_at"]),
    )


def account(row: Row) -> Account:
    """Read a row of ``accounts``."""
    return Account(
        id=row["id"],
        principal=principal_of(row["principal"]),
        connection=row["connection"],
        username=row["username"],
        secret=row["secret"],
        state=row["state"],
        linked_at=float(row["linked_at"]),
        discovered_at=time(row["discovered_at"]),
        unlinked_at=time(row["unlinked_at"]),
        refused_since=time(row["refused_since"]),
        looked_at=time(row["looked_at"]),
    )


def link(row: Row) -> Link:
    """Read a row of ``links``."""
    return Link(
        nonce_hash=row["nonce_hash"],
        principal=principal_of(row["principal"]),
        connection=row["connection"],
        waiting=from_json(row["waiting"]),
        created_at=float(row["created_at"]),
        expires_at=float(row["expires_at"]),
        stage=row["stage"],
        tries_left=row["tries_left"],
        secret=row["secret"],
        username=row["username"],
        code_hash=row["code_hash"],
        code_tries_left=row["code_tries_left"],
        browser_hash=row["browser_hash"],
        proven=bool(row["proven"]),
    )


def workspace(row: Row) -> Workspace:
    """Read a row of ``workspaces``."""
    return Workspace(
        id=row["id"],
        principal=principal_of(row["principal"]),
        connection=row["connection"],
        remote_id=row["remote_id"],
        gate_key=row["gate_key"],
        name=row["name"],
        alias=row["alias"],
        state=State(row["state"]),
        url=row["url"],
        detail=row["detail"],
        progress=row["progress"],
        observed_at=time(row["observed_at"]),
        verified_at=time(row["verified_at"]),
        used_at=time(row["used_at"]),
        origin=row["origin"],
        hidden=bool(row["hidden"]),
        spec=spec_of(row),
        actions=None if row["actions"] is None else _actions(row["actions"]),
        ends_at=time(row["ends_at"]),
        ends_how=row["ends_how"],
        entry=row["entry"],
        remark=row["remark"],
        tells_stop=bool(row["tells_stop"]),
        is_kept=None if row["is_kept"] is None else bool(row["is_kept"]),
        up_at=time(row["up_at"]),
    )


def doubt(row: Row) -> Doubt | None:
    """Read what a row of ``workspaces`` or ``jobs`` counts of its reads."""
    if row["doubt"] is None:
        return None
    return Doubt(row["doubt"], row["doubt_times"], float(row["doubt_since"]))


@lru_cache(maxsize=256)
def _actions(words: str) -> frozenset[Action]:
    return frozenset(cast("list[Action]", words.split()))


def operation(row: Row) -> Operation:
    """Read a row of ``operations``; what a step says of a hold-up goes before what a read says."""
    return Operation(
        id=row["id"],
        principal=principal_of(row["principal"]),
        workspace_id=row["workspace_id"],
        connection=row["connection"],
        verb=OperationVerb(row["verb"]),
        created_at=float(row["created_at"]),
        deadline_at=time(row["deadline_at"]),
        deadline_number=row["deadline_number"],
        start_call=Call(row["start_call"]),
        stop_call=Call(row["stop_call"]),
        called_at=time(row["called_at"]),
        unknown_since=time(row["unknown_since"]),
        called_from=None if row["called_from"] is None else State(row["called_from"]),
        prior_call=Call(row["prior_call"]),
        prior_at=time(row["prior_at"]),
        asked_at=time(row["asked_at"]),
        held_since=time(row["held_since"]),
        read_since=time(row["read_since"]),
        attempts=row["attempts"],
        next_step_at=float(row["next_step_at"]),
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        cause=row["cause"],
        ended_at=time(row["ended_at"]),
        progress_floor=row["progress_floor"],
        hold=row["hold"] or row["read_hold"] or None,
        reference=row["reference"],
        agreed=bool(row["agreed"]),
        channel_id=row["channel_id"],
    )


def notice(row: Row) -> Notice:
    """Read a row of ``notices``."""
    return Notice(
        id=row["id"],
        subject=row["subject"],
        kind=NoticeKind(row["kind"]),
        occasion=row["occasion"],
        principal=principal_of(row["principal"]),
        body=from_json(row["body"]),
        state=NoticeState(row["state"]),
        attempts=row["attempts"],
        created_at=float(row["created_at"]),
        due_at=float(row["due_at"]),
        unknown_since=time(row["unknown_since"]),
        channel_id=row["channel_id"],
        message_ts=row["message_ts"],
        error=row["error"],
    )


def card(row: Row) -> Card:
    """Read a row of ``cards``."""
    return Card(
        operation_id=row["operation_id"],
        principal=principal_of(row["principal"]),
        channel_id=row["channel_id"],
        message_ts=row["message_ts"],
        is_dirty=bool(row["is_dirty"]),
        changed_at=time(row["changed_at"]),
        updated_at=float(row["updated_at"]),
    )


def task(row: Row) -> Task:
    """Read a row of ``tasks``."""
    return Task(
        id=row["id"],
        kind=TaskKind(row["kind"]),
        subject=row["subject"],
        payload=from_json(row["payload"]),
        created_at=float(row["created_at"]),
        due_at=float(row["due_at"]),
        attempts=row["attempts"],
    )


def snapshot(row: Row) -> Snapshot[Any]:
    """Read a row of ``snapshots``."""
    return Snapshot(
        connection=row["connection"],
        owner=row["owner"],
        kind=row["kind"],
        payload=from_json(row["payload"]),
        read_at=float(row["read_at"]),
    )


def approval(row: Row) -> Approval:
    """Read a row of ``approvals``."""
    return Approval(
        id=row["id"],
        principal=principal_of(row["principal"]),
        connection=row["connection"],
        username=row["username"],
        state=row["state"],
        asked_at=float(row["asked_at"]),
        decided_by=row["decided_by"],
        decided_at=time(row["decided_at"]),
        detail=row["detail"],
        waiting=from_json(row["waiting"]),
    )


def class_card(row: Row) -> ClassCard:
    """Read a row of ``class_cards``."""
    return ClassCard(
        id=row["id"],
        principal=principal_of(row["principal"]),
        channel_id=row["channel_id"],
        connection=row["connection"],
        title=row["title"],
        reference=row["reference"],
        created_at=float(row["created_at"]),
        pattern=row["pattern"],
        recipe=row["recipe"],
        spec=spec_of(row),
        maximum=row["maximum"],
        time_zone=row["time_zone"],
        stops_at=time(row["stops_at"]),
        closed_at=time(row["closed_at"]),
        stopped_by=row["stopped_by"],
        done_at=time(row["done_at"]),
        posts=row["posts"],
    )


def participant(row: Row) -> Participant:
    """Read a row of ``participants``."""
    return Participant(
        card_id=row["card_id"],
        principal=principal_of(row["principal"]),
        joined_at=float(row["joined_at"]),
        waits_for=row["waits_for"],
        workspace_id=row["workspace_id"],
        operation_id=row["operation_id"],
        consented_at=time(row["consented_at"]),
        withdrawn_at=time(row["withdrawn_at"]),
        warned_at=time(row["warned_at"]),
        ended_at=time(row["ended_at"]),
        stop_operation_id=row["stop_operation_id"],
    )
