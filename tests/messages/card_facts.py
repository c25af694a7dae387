"""Rows that cards and notices are drawn from in tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.facts import Facts
from bot.domain.models import Call, Operation, OperationVerb, Principal, State, StopEffect, Workspace

NOW = 1_800_000_000.0
ALICE = Principal(None, "T1", "UALICE")

WORKSPACE = Workspace(
    id="workspace_1",
    principal=ALICE,
    connection="saturn",
    remote_id="0f" * 16,
    gate_key="https://app.example.org|0f",
    name="notebook",
    state=State.STOPPED,
    observed_at=NOW - 5,
    verified_at=NOW - 5,
)
OPERATION = Operation(
    id="operation_1",
    principal=ALICE,
    workspace_id="workspace_1",
    connection="saturn",
    verb=OperationVerb.START,
    created_at=NOW - 30,
    deadline_at=NOW + 1770,
    reference="K7QX-2MPA",
)
CALLED = {"start_call": Call.ACCEPTED, "called_at": NOW - 25}
IDE_URL = "https://ide.example.org/user/alice/?a=1&b=2"


def facts(
    operation: dict[str, Any] | None = None,
    workspace: dict[str, Any] | None = None,
    **keys: Any,
) -> Facts:
    """Return facts with these changes to the rows of operation and workspace; None leaves a row as it is."""
    given = {
        "now": NOW,
        "connection": "saturn",
        "connection_title": "Saturn Cloud",
        "username": "alice",
        "operation": replace(OPERATION, **(operation or {})),
        "workspace": replace(WORKSPACE, **(workspace or {})),
        "page_url": "https://app.example.org/dash/1",
        "effects": {"stop": StopEffect.RETURNS},
    }
    return Facts(**given | keys)
