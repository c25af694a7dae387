"""Rows from which the tests' cards and notices are rendered."""

import re
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bot.domain.courses import ClassCard
from bot.domain.message_context import ClassFacts, Facts, HeldFacts, RequestFacts, RunFacts, WorkspaceFacts
from bot.domain.notices import Mark, NoticeKind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.runs import Run
from bot.domain.stops import StopEffect
from bot.domain.time_parsing.days import find_week
from bot.domain.upgrades import UpgradeFacts
from bot.domain.usage import Usage, UsageFacts
from bot.domain.work_items import Call
from bot.domain.workspaces import State, Workspace

#: Friday 15 January 2027, 8:00 in London.
NOW = 1_800_000_000.0
LONDON = ZoneInfo("Europe/London")
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
) -> WorkspaceFacts:
    """Return message facts with changes to the operation and workspace. None leaves a row unchanged."""
    given = {
        "now": NOW,
        "zone": LONDON,
        "connection": "saturn",
        "connection_title": "Saturn Cloud",
        "username": "alice",
        "operation": replace(OPERATION, **(operation or {})),
        "workspace": replace(WORKSPACE, **(workspace or {})),
        "page_url": "https://app.example.org/dash/1",
        "effects": {"stop": StopEffect.RETURNS},
    }
    return WorkspaceFacts(**given | keys)


def run_facts(run: Run, **keys: Any) -> RunFacts:
    """Return facts about a run."""
    given = {
        "now": NOW,
        "zone": LONDON,
        "connection": run.connection,
        "connection_title": "Saturn Cloud",
        "username": "alice",
    }
    return RunFacts(**given | keys, run=run)


def class_facts(card: ClassCard, title: str, now: float, **keys: Any) -> ClassFacts:
    """Return facts about a class."""
    return ClassFacts(now=now, connection=card.connection, connection_title=title, card=card, **keys)


def least_facts(kind: NoticeKind, **keys: Any) -> Any:
    """Return the facts of a kind of message, of the right class, as if all its rows were gone."""
    given = {"now": NOW, "zone": LONDON, "connection": "saturn", "connection_title": "Saturn Cloud"} | keys
    if kind.offers == "workspace" or kind.subject == "operation":
        return WorkspaceFacts(**given)
    if kind in (NoticeKind.SUMMARY, NoticeKind.RESULTS):
        return HeldFacts(**given, held=())
    if kind is NoticeKind.UPGRADE_LOSSES:
        return UpgradeFacts(**given)
    if kind is NoticeKind.WEEK:
        return UsageFacts(**given, window=find_week(NOW, LONDON), usage=Usage())
    return RequestFacts(**given) if Mark.PEOPLE in kind.marks else Facts(**given)


NAMES = st.one_of(
    st.text(min_size=0, max_size=60),
    st.sampled_from(
        ["<!channel>", "<@U1>", "<https://evil.example|x>", "&lt;", '"', "🚀" * 3000, "*_~`", ""]
    ),
    st.text(alphabet="<>&!@|", min_size=1, max_size=5000),
)


#: Matches the only thing that may be in angle brackets: Usher's own times.
OURS = re.compile(r"<!date\^\d+\^[^<>|]*\|(?:\d+ \w{3} \d{4} at )?\d\d:\d\d UTC>")
