"""Tests of how all cards and notices look to people, whatever the names in them contain."""

import json
import re
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.causes import StaleReason, make_missed_cause, make_stale_cause
from bot.domain.forms import Spec
from bot.domain.holds import HoldCode, hold_by_cause, make_hold
from bot.domain.notices import NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.stops import PlannedStop, PlannedStops, StopEffect
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.messages.blocks import stored
from bot.messages.blocks.cards import link_connection_button, render_operation_card
from bot.messages.blocks.notices import render
from bot.messages.blocks.renderers import RENDERERS, renders
from bot.messages.texts import cards
from bot.messages.texts.holds import explain_obstacle
from bot.messages.texts.notices import OUTAGES
from bot.services.revocations import RevocationOutcome
from tests.messages.card_facts import CALLED, IDE_URL, NAMES, NOW, OURS, facts, least_facts
from tests.rigs.drawn import as_shown
from tests.rigs.golden import check_golden, check_limits
from tests.rigs.providers import NO_GPU

PAGE = "https://usher.example.org/ide/workspace_1"
STARTING = {"state": State.STARTING}
RUNNING = {"state": State.RUNNING, "url": IDE_URL}
SUSPENDED = {"state": State.SUSPENDED}
WITHOUT_ADDRESS = {"state": State.RUNNING, "lacks": "address"}
LOST = RUNNING | {"lacks": "agent", "detail": "Its agent has lost its connection."}
TIMED = {"stop_at": NOW + 600, "planned_stops": PlannedStops(counts=PlannedStop(NOW + 600, "stop"))}
SUSPENDS = TIMED | {"planned_stops": PlannedStops(counts=PlannedStop(NOW + 600, "suspend"))}
TIMER = {"stop_at": NOW + 600}
BACKUP = {"cause": "restored", "mode": "stop", "backup_at": NOW - 8 * 86_400}
UNMADE = {"remote_id": "new:workspace_1", "spec": Spec("notebook"), "state": State.UNKNOWN}
MADE = {"spec": Spec("notebook")}
CREATE = {"verb": OperationVerb.CREATE}
#: The operation is past its deadline, but such starts usually take even longer.
OVERDUE_BUT_ON_TIME = CALLED | {"deadline_at": None, "usual_seconds": 600.0, "slow_seconds": 900.0}
COMES_BACK = {"stop": StopEffect.RETURNS, "suspend": StopEffect.KEEPS, "force": StopEffect.RETURNS}
ALL = {"capabilities": frozenset({"creation", "removal"}), "effects": COMES_BACK}
FINAL = {
    "capabilities": frozenset({"creation"}),
    "effects": {"stop": StopEffect.ENDS, "suspend": StopEffect.KEEPS, "force": StopEffect.ENDS},
}
ASKED = {"start_call": Call.UNKNOWN, "called_at": NOW - 200, "question_since": NOW - 50}
STOP = {"verb": OperationVerb.STOP}
STOPPING = STOP | {"stop_call": Call.ACCEPTED, "called_at": NOW - 5}
READY = CALLED | {"outcome": Outcome.FULFILLED, "ended_at": NOW}
STOPPED = STOPPING | {"outcome": Outcome.FULFILLED, "ended_at": NOW}


def down(verb, **keys):
    return {"verb": verb, "stop_call": Call.ACCEPTED, "called_at": NOW - 5} | keys


def is_down(verb, **keys):
    return down(verb, outcome=Outcome.FULFILLED, ended_at=NOW, **keys)


def in_our_page(workspace=None, **keys):
    """Return the facts of a running workspace that opens in one of Usher's own pages."""
    row = {"state": State.RUNNING, "actions": frozenset({"open", "stop", "remove", "start"})}
    ours = {"opens_in_page": True, "page_url": None, "username": "", "connection_title": "Courses"}
    able = {"capabilities": frozenset({"removal", "creation"}), "ide_url": PAGE}
    return facts(READY | {"ended_at": NOW - 5}, row | (workspace or {}), **ours | able | keys)


def failed(cause, outcome=Outcome.FAILED, **keys):
    return CALLED | {"outcome": outcome, "cause": cause, "ended_at": NOW} | keys


NOT_STARTED = failed("gave_up") | {"ended_at": NOW - 60}
NOT_STOPPED = STOP | failed("forbidden: no right") | {"ended_at": NOW - 60}
NOT_RENEWED = CREATE | failed("limit: 2 of 2", agreed=True)

LONG_AGO = {
    "outcome": Outcome.FAILED,
    "cause": make_stale_cause(StaleReason.ASKED, NOW - 3 * 86_400),
    "ended_at": NOW,
}

CARDS = {
    "queued": facts(),
    "queued-stop": facts(operation=STOP, workspace={"state": State.RUNNING}),
    "queued-restart": facts(operation={"verb": OperationVerb.RESTART}, workspace={"state": State.RUNNING}),
    "starting": facts(operation=CALLED, workspace=STARTING),
    "starting-by-itself": facts(workspace=STARTING),
    "starting-usual": facts(operation=CALLED | {"usual_seconds": 100.0}, workspace=STARTING),
    "starting-longer-than-usual": facts(
        operation=CALLED | {"usual_seconds": 10.0, "slow_seconds": 20.0}, workspace=STARTING
    ),
    "starting-usual-minutes": facts(
        operation=CALLED | {"usual_seconds": 290.0, "slow_seconds": 600.0}, workspace=STARTING
    ),
    "starting-without-address": facts(operation=CALLED, workspace=WITHOUT_ADDRESS),
    "starting-what-runs-without-page": facts(workspace=RUNNING | {"lacks": "page"}, ide_url=IDE_URL),
    "starting-without-page": facts(operation=CALLED, workspace=RUNNING | {"lacks": "page"}, ide_url=IDE_URL),
    "starting-told": facts(
        operation=CALLED, workspace=STARTING | {"progress": 50, "detail": "Pulling the image <big & slow>"}
    ),
    "starting-no-gpu": facts(operation=CALLED, workspace=STARTING | {"reason": NO_GPU}),
    "starting-warned-before": facts(
        operation=CALLED, workspace=STARTING | {"reason": NO_GPU, "detail": "Pulling the image"}
    ),
    "starting-no-image": facts(operation=CALLED, workspace=STARTING | {"reason": "ErrImagePull: <x>"}),
    "starting-held-up": facts(operation=CALLED | {"block_reason": make_hold(HoldCode.SILENT, NOW - 120)}),
    "starting-still-waiting": facts(operation=CALLED | {"deadline_at": None}, workspace=STARTING),
    "starting-overdue-but-on-time": facts(operation=OVERDUE_BUT_ON_TIME, workspace=STARTING),
    "restarting": facts(
        operation={"verb": OperationVerb.RESTART, "stop_call": Call.ACCEPTED, "called_at": NOW - 5}
    ),
    "starting-still-down": facts(
        operation=CALLED | {"block_reason": make_hold(HoldCode.STILL_DOWN, NOW - 70)}
    ),
    "starting-after-stop": facts(
        operation={
            "prior_call": Call.ACCEPTED,
            "prior_at": NOW - 60,
            "block_reason": make_hold(HoldCode.STOPPING_FIRST),
        },
        workspace={"state": State.STOPPING},
    ),
    "stopping-after-start": facts(operation=STOP | {"block_reason": make_hold(HoldCode.START_SENT)}),
    "starting-unseen": facts(
        operation=CALLED | {"block_reason": make_hold(HoldCode.UNSEEN)}, workspace=STARTING
    ),
    "creating-asked": facts(operation=CREATE | ASKED, workspace=UNMADE, page_url=None, **ALL),
    "unknown-create": facts(
        operation=CREATE | failed("unanswered", Outcome.UNKNOWN), workspace=UNMADE, page_url=None, **ALL
    ),
    "replaced-after-call": facts(operation=STOPPING | failed("sent", Outcome.REPLACED)),
    "stopping": facts(operation=STOPPING, workspace={"state": State.STOPPING}),
    "running-already": facts(operation=READY | {"start_call": Call.NONE}, workspace=RUNNING, ide_url=IDE_URL),
    "running": facts(operation=READY, workspace=RUNNING, ide_url=IDE_URL),
    "running-until": facts(operation=READY, workspace=RUNNING | TIMED, ide_url=IDE_URL),
    "running-until-suspended": facts(operation=READY, workspace=RUNNING | SUSPENDS, ide_url=IDE_URL, **ALL),
    "starting-until": facts(operation=CALLED, workspace=STARTING | TIMED),
    "running-without-username": facts(operation=READY, workspace=RUNNING, ide_url=IDE_URL, username=""),
    "running-without-address": facts(operation=READY, workspace={"state": State.RUNNING}),
    "running-stopped-elsewhere": facts(operation=READY),
    "running-stopping-elsewhere": facts(operation=READY, workspace={"state": State.STOPPING}),
    "running-failed-since": facts(operation=READY, workspace={"state": State.FAILED}),
    "running-failed-of-memory": facts(
        operation=READY, workspace={"state": State.FAILED, "reason": "OOMKilled"}
    ),
    "running-started-again": facts(operation=READY, workspace=STARTING),
    "running-gone": facts(operation=READY, workspace={"state": State.GONE}),
    "running-row-gone": replace(facts(operation=READY), workspace=None),
    "stopped": facts(operation=STOPPED),
    "stopped-already": facts(operation=STOPPED | {"stop_call": Call.NONE}),
    "stopped-started-elsewhere": facts(operation=STOPPED, workspace=RUNNING),
    "stopped-gone": facts(operation=STOPPED, workspace={"state": State.GONE}),
    "failed": facts(operation=failed("provider_failed"), workspace={"state": State.FAILED}),
    "failed-told": facts(
        operation=failed("provider_failed"),
        workspace={"state": State.FAILED, "reason": "Error <x>"},
    ),
    "failed-nothing-left": facts(
        operation=failed("provider_failed"),
        workspace={"state": State.FAILED, "actions": frozenset({"start", "remove"})},
    ),
    "stop-broke": facts(
        operation=failed("provider_failed: the disk is still attached") | {"verb": OperationVerb.STOP},
        workspace={"state": State.FAILED, "reason": "the disk is still attached"},
    ),
    "remove-broke": facts(
        operation=failed("provider_failed: the disk is in use") | {"verb": OperationVerb.REMOVE},
        workspace={"state": State.FAILED, "reason": "the disk is in use"},
    ),
    "failed-no-gpu": facts(
        operation=failed(f"provider_failed: {NO_GPU}"), workspace={"state": State.FAILED, "reason": NO_GPU}
    ),
    "failed-long-ago": facts(operation=LONG_AGO),
    "failed-gone": facts(operation=failed("gone"), workspace={"state": State.GONE}),
    "failed-limit": facts(operation=failed("limit: 2 servers are allowed")),
    "failed-stopped-elsewhere": facts(operation=failed("stopped_elsewhere")),
    "failed-credential": facts(operation=failed("credential_refused")),
    "failed-stop": facts(
        operation=failed("forbidden: no right", verb=OperationVerb.STOP), workspace={"state": State.RUNNING}
    ),
    "failed-stop-down-since": facts(operation=NOT_STOPPED),
    "running-after-a-failed-start": facts(operation=NOT_STARTED, workspace=RUNNING, ide_url=IDE_URL),
    "starting-after-a-failed-start": facts(operation=NOT_STARTED, workspace=STARTING),
    "gone-after-a-failed-stop": facts(operation=NOT_STOPPED, workspace={"state": State.GONE}),
    "refused-guest": facts(operation=failed("policy.guest", Outcome.REFUSED)),
    "cancelled-unlinked": facts(operation=failed("unlinked", Outcome.CANCELLED)),
    "cancelled-forgotten": facts(operation=failed("forgotten", Outcome.CANCELLED)),
    "queued-create": facts(operation=CREATE, workspace=UNMADE, page_url=None),
    "creating": facts(
        operation=CREATE | {"start_call": Call.CALLING, "called_at": NOW - 5}, workspace=UNMADE
    ),
    "created-starting": facts(operation=CREATE | CALLED, workspace=MADE | STARTING),
    "running-created": facts(operation=CREATE | READY, workspace=MADE | RUNNING, ide_url=IDE_URL, **ALL),
    "running-not-allowed-to-suspend": facts(
        operation=READY, workspace=RUNNING | {"actions": frozenset({"open", "stop"})}, ide_url=IDE_URL, **ALL
    ),
    "running-suspended-elsewhere": facts(operation=READY, workspace=SUSPENDED),
    "running-created-gone": facts(operation=READY, workspace=MADE | {"state": State.GONE}, **ALL),
    "create-called-off": facts(
        operation=is_down(OperationVerb.STOP, cause="not_made"), workspace=UNMADE, **ALL
    ),
    "failed-create": facts(
        operation=CREATE | failed("limit: 2 of 2"), workspace=UNMADE, page_url=None, **ALL
    ),
    "queued-suspend": facts(operation={"verb": OperationVerb.SUSPEND}, workspace={"state": State.RUNNING}),
    "suspending": facts(operation=down(OperationVerb.SUSPEND), workspace={"state": State.STOPPING}),
    "suspended": facts(operation=is_down(OperationVerb.SUSPEND), workspace=SUSPENDED),
    "failed-suspend": facts(
        operation=failed("not_suspended", verb=OperationVerb.SUSPEND), workspace={"state": State.RUNNING}
    ),
    "stopping-unanswered": facts(
        operation=down(OperationVerb.STOP, created_at=NOW - 61, block_reason=make_hold(HoldCode.UNANSWERED)),
        workspace=RUNNING,
        **ALL,
    ),
    "stopping-unanswered-without-force": facts(
        operation=down(OperationVerb.STOP, created_at=NOW - 61), workspace={"state": State.STOPPING}
    ),
    "queued-force": facts(operation={"verb": OperationVerb.FORCE}, workspace={"state": State.RUNNING}),
    "forcing": facts(operation=down(OperationVerb.FORCE), workspace={"state": State.STOPPING}),
    "forced": facts(operation=is_down(OperationVerb.FORCE)),
    "queued-remove": facts(operation={"verb": OperationVerb.REMOVE}),
    "removing": facts(operation=down(OperationVerb.REMOVE)),
    "removed": facts(
        operation=is_down(OperationVerb.REMOVE), workspace={"state": State.GONE, "hidden": True}
    ),
    "removed-made-here": facts(
        operation=is_down(OperationVerb.REMOVE), workspace=MADE | {"state": State.GONE, "hidden": True}, **ALL
    ),
    "failed-remove": facts(operation=failed("not_removed", verb=OperationVerb.REMOVE)),
    "replaced": facts(operation=failed("replaced", Outcome.REPLACED)),
    "cancelled": facts(operation=failed("cancelled", Outcome.CANCELLED)),
    "running-ends-for-good": facts(operation=READY, workspace=RUNNING, ide_url=IDE_URL, **FINAL),
    "stopping-unanswered-for-good": facts(
        operation=down(OperationVerb.STOP, created_at=NOW - 61, agreed=True), workspace=RUNNING, **FINAL
    ),
    "ended-for-good": facts(
        operation=is_down(OperationVerb.STOP, agreed=True), workspace=MADE | {"state": State.GONE}, **FINAL
    ),
    "restarting-anew": facts(operation=CREATE | {"agreed": True}, workspace=UNMADE, page_url=None, **FINAL),
    "failed-restart-anew": facts(operation=NOT_RENEWED, workspace=UNMADE, page_url=None, **FINAL),
    "failed-no-restart": facts(operation=failed("no_restart", verb=OperationVerb.RESTART), **FINAL),
    "own-page": in_our_page(),
    "own-page-warned": in_our_page({"detail": "Its set-up failed: <b>no such package</b>"}),
    "own-page-remark": in_our_page(
        {"event_message": "Scenario *x* <!channel> finished at {time:1799999000}: passed."}
    ),
    "own-page-without-address": in_our_page(ide_url=None, has_public_url=False),
    "own-page-closed": in_our_page(ide_url=None),
}
EXTENDS = frozenset({"extension"})
#: Workspaces that end on their own: in which way, and what is known about it.
ENDINGS = {
    "stops": in_our_page({"expires_at": NOW + 290, "expiry_mode": "stops"}),
    "anyhow": in_our_page({"expires_at": NOW + 45, "expiry_mode": "removed"}),
    "removed": in_our_page(
        {"state": State.STOPPED, "expires_at": NOW + 301, "expiry_mode": "removed"}, ide_url=None
    ),
    "not-permitted": in_our_page(
        {"expires_at": NOW + 120, "expiry_mode": "stops", "actions": frozenset({"open"})}
    ),
    "stops-anyway": facts(
        workspace=RUNNING | {"expires_at": NOW + 290, "expiry_mode": "stops_anyway"}, capabilities=EXTENDS
    ),
    "extendable": facts(
        workspace=RUNNING | {"expires_at": NOW + 290, "expiry_mode": "stops"}, capabilities=EXTENDS
    ),
    "over": in_our_page({"expires_at": None, "expiry_mode": None}),
}

LEFT = {"since": NOW - 93_600, "is_unused": False, "evening": NOW + 21_600, "stop_at": None}
HOURS = {"workspace": "workspace_1", "side": "start", "planned_at": NOW - 7200, "more": 0}
UNUSED = {"workspace": "workspace_1", "times": 3, "is_said": True}
NOTICES = {
    "timer-ending": (NoticeKind.STOP_WARNING, facts(workspace=RUNNING | TIMED, body=TIMER)),
    "timer-ending-suspends": (
        NoticeKind.STOP_WARNING,
        facts(workspace=RUNNING | SUSPENDS, body=TIMER, **ALL),
    ),
    "timer-ending-for-good": (
        NoticeKind.STOP_WARNING,
        facts(workspace=RUNNING | TIMED | {"stop_agreed": True}, body=TIMER, **FINAL),
    ),
    "timer-taken-back": (NoticeKind.STOP_WARNING, facts(workspace=RUNNING, body=TIMER)),
    "timer-failed": (
        NoticeKind.PLANNED_STOP_FAILED,
        facts(workspace=RUNNING, body=TIMER | {"cause": "policy.guest"}),
    ),
    "timer-of-a-backup": (NoticeKind.PLANNED_STOP_FAILED, facts(workspace=RUNNING, body=TIMER | BACKUP)),
    "timer-of-a-backup-passed": (
        NoticeKind.PLANNED_STOP_FAILED,
        facts(workspace=RUNNING, body=TIMER | BACKUP | {"stop_at": NOW - 60, "mode": "suspend"}),
    ),
    "hours-of-a-backup": (NoticeKind.HOURS_PAUSED, facts(workspace=RUNNING, body=BACKUP)),
    "timer-unlinked": (
        NoticeKind.PLANNED_STOP_FAILED,
        replace(facts(body=TIMER | {"cause": "unlinked", "name": "R & more"}), workspace=None),
    ),
    "needed": (NoticeKind.IDLE_PROMPT, facts(workspace=RUNNING, body=LEFT)),
    "needed-unused": (NoticeKind.IDLE_PROMPT, facts(workspace=RUNNING, body=LEFT | {"is_unused": True})),
    "needed-or-stopped": (
        NoticeKind.IDLE_PROMPT,
        facts(workspace=RUNNING | TIMED, body=LEFT | {"stop_at": TIMED["stop_at"]}),
    ),
    "needed-final": (
        NoticeKind.IDLE_PROMPT,
        facts(workspace=RUNNING, body=LEFT | {"evening": None}, **FINAL),
    ),
    "hours-missed": (NoticeKind.HOURS_MISSED, facts(body=HOURS)),
    "hours-missed-silent": (
        NoticeKind.HOURS_MISSED,
        facts(body=HOURS | {"missed": make_missed_cause(make_hold(HoldCode.SILENT, NOW - 7200))}),
    ),
    "hours-missed-silent-0.4.1": (
        NoticeKind.HOURS_MISSED,
        facts(
            body=HOURS | {"because": explain_obstacle(make_hold(HoldCode.SILENT, NOW - 7200), "Saturn Cloud")}
        ),
    ),
    "hours-missed-often": (NoticeKind.HOURS_MISSED, facts(workspace=RUNNING, body=HOURS | {"more": 3})),
    "hours-missed-stop": (NoticeKind.HOURS_MISSED, facts(workspace=RUNNING, body=HOURS | {"side": "stop"})),
    "hours-failed": (NoticeKind.HOURS_MISSED, facts(body=HOURS | {"cause": "not_allowed_now"})),
    "hours-paused": (NoticeKind.HOURS_PAUSED, facts(body={"workspace": "workspace_1", "cause": "gone"})),
    "hours-paused-left": (
        NoticeKind.HOURS_PAUSED,
        facts(body={"workspace": "workspace_1", "cause": "guest"}),
    ),
    "hours-paused-refused": (
        NoticeKind.HOURS_PAUSED,
        facts(body={"workspace": "workspace_1", "cause": "refused"}, linking=frozenset({"token"})),
    ),
    "hours-paused-unlinked": (
        NoticeKind.HOURS_PAUSED,
        replace(
            facts(body={"cause": "unlinked", "name": "R & more"}, linking=frozenset({"token"})),
            workspace=None,
        ),
    ),
    "hours-paused-unused": (
        NoticeKind.HOURS_PAUSED,
        facts(body={"workspace": "workspace_1", "cause": "unused"}),
    ),
    "stopped-as-planned": (NoticeKind.STOPPED, facts(operation=STOPPED | {"planned_for": NOW})),
    "ended-for-good": (
        NoticeKind.STOPPED,
        facts(
            operation=is_down(OperationVerb.STOP, agreed=True),
            workspace=MADE | {"state": State.GONE},
            **FINAL,
        ),
    ),
    "failed-restart-anew": (
        NoticeKind.FAILED,
        facts(operation=NOT_RENEWED, workspace=UNMADE, page_url=None, **FINAL),
    ),
    "ready": (NoticeKind.READY, facts(operation=READY, workspace=RUNNING, ide_url=IDE_URL)),
    "ready-without-address": (NoticeKind.READY, facts(operation=READY, workspace={"state": State.RUNNING})),
    "ready-unusable": (NoticeKind.READY, facts(operation=READY, workspace=LOST)),
    "ready-link": (NoticeKind.READY_LINK, facts(operation=READY, workspace=RUNNING, ide_url=IDE_URL)),
    "ready-already": (
        NoticeKind.READY,
        facts(operation=READY | {"called_at": None}, workspace=RUNNING, ide_url=IDE_URL),
    ),
    "failed": (
        NoticeKind.FAILED,
        facts(operation=failed("provider_failed"), workspace={"state": State.FAILED}),
    ),
    "failed-long-ago": (NoticeKind.FAILED, facts(operation=LONG_AGO)),
    "failed-remove-long-ago": (
        NoticeKind.FAILED,
        facts(operation=LONG_AGO | {"verb": OperationVerb.REMOVE}),
    ),
    "failed-invalid": (NoticeKind.FAILED, facts(operation=failed("invalid: <!channel> is too small"))),
    "failed-called-off": (NoticeKind.FAILED, facts(operation=failed("unlinked", Outcome.CANCELLED))),
    "refused": (NoticeKind.FAILED, facts(operation=failed("policy.left", Outcome.REFUSED))),
    "stopped": (NoticeKind.STOPPED, facts(operation=STOPPED)),
    "stopped-already": (NoticeKind.STOPPED, facts(operation=STOPPED | {"stop_call": Call.NONE})),
    "stopped-elsewhere": (NoticeKind.STOPPED_ELSEWHERE, facts(operation=READY)),
    "stopped-unused": (
        NoticeKind.STOPPED_ELSEWHERE,
        facts(operation=READY, body={"expired": "stops"}),
    ),
    "stopped-time-up": (
        NoticeKind.STOPPED_ELSEWHERE,
        facts(operation=READY, body={"expired": "stops_anyway"}),
    ),
    "stopped-by-another-person": (
        NoticeKind.STOPPED_ELSEWHERE,
        facts(operation=READY, body={"expired": "others"}),
    ),
    "turned-out-running": (
        NoticeKind.TURNED_OUT,
        facts(operation=None, workspace=RUNNING, ide_url=IDE_URL, body={"said": "not_started"}),
    ),
    "turned-out-there": (
        NoticeKind.TURNED_OUT,
        facts(operation=None, workspace={"state": State.STOPPED}, body={"said": "gone"}),
    ),
    "ready-created": (
        NoticeKind.READY,
        facts(operation=CREATE | READY, workspace=MADE | RUNNING, ide_url=IDE_URL, **ALL),
    ),
    "failed-create": (
        NoticeKind.FAILED,
        facts(operation=CREATE | failed("invalid: no such size"), workspace=UNMADE, page_url=None, **ALL),
    ),
    "suspended": (NoticeKind.STOPPED, facts(operation=is_down(OperationVerb.SUSPEND), workspace=SUSPENDED)),
    "suspended-stopped": (NoticeKind.STOPPED, facts(operation=is_down(OperationVerb.SUSPEND))),
    "removed": (
        NoticeKind.REMOVED,
        facts(operation=is_down(OperationVerb.REMOVE), workspace={"state": State.GONE}),
    ),
    "create-called-off": (
        NoticeKind.STOPPED,
        facts(operation=is_down(OperationVerb.STOP, cause="not_made"), workspace=UNMADE, **ALL),
    ),
    "waiting-create": (NoticeKind.WAITING, facts(operation=CREATE | {"deadline_at": None}, workspace=UNMADE)),
    "waiting-stop-unanswered": (
        NoticeKind.WAITING,
        facts(
            operation=down(OperationVerb.STOP, created_at=NOW - 1800, deadline_at=None),
            workspace={"state": State.STOPPING},
            **ALL,
        ),
    ),
    "asked": (NoticeKind.OUTCOME_QUESTION, facts(operation=CREATE | ASKED, workspace=UNMADE)),
    "asked-found": (NoticeKind.OUTCOME_QUESTION, facts(operation=CREATE | CALLED, workspace=MADE | STARTING)),
    "asked-another": (NoticeKind.OUTCOME_QUESTION, facts(operation=CREATE, workspace=UNMADE)),
    "asked-over": (
        NoticeKind.OUTCOME_QUESTION,
        facts(operation=CREATE | failed("unanswered", Outcome.UNKNOWN), workspace=UNMADE),
    ),
    "unknown-create": (
        NoticeKind.FAILED,
        facts(operation=CREATE | failed("unanswered", Outcome.UNKNOWN), workspace=UNMADE, page_url=None),
    ),
    "waiting-no-gpu": (
        NoticeKind.WAITING,
        facts(operation=CALLED | {"deadline_at": None}, workspace=STARTING | {"reason": NO_GPU}),
    ),
    "waiting": (NoticeKind.WAITING, facts(operation=CALLED | {"deadline_at": None}, workspace=STARTING)),
    "waiting-on-time": (NoticeKind.WAITING, facts(operation=OVERDUE_BUT_ON_TIME, workspace=STARTING)),
    "waiting-stop-held-up": (
        NoticeKind.WAITING,
        facts(operation=STOPPING | {"deadline_at": None, "block_reason": hold_by_cause("sent_too_late")}),
    ),
    "linked": (NoticeKind.LINKED, facts()),
    "linked-without-username": (NoticeKind.LINKED, facts(username="")),
    "unlinked": (NoticeKind.UNLINKED, facts(body={"cause": "person"}, linking=frozenset({"token"}))),
    "unlinked-and-owed": (NoticeKind.UNLINKED, facts(body={"cause": "guest", "left": "owed"})),
    "unlinked-with-a-token-of-theirs": (NoticeKind.UNLINKED, facts(body={"left": "theirs"})),
    **{
        f"revoked-{ended}": (NoticeKind.REVOKED, facts(body={"ended": ended}))
        for ended in get_args(RevocationOutcome)
    },
    "not-revoked": (NoticeKind.NOT_REVOKED, facts()),
    "unlinked-both-ways": (
        NoticeKind.UNLINKED,
        facts(body={"cause": "person"}, linking=frozenset({"token", "admin"})),
    ),
    "unlinked-by-slack": (
        NoticeKind.UNLINKED,
        facts(body={"cause": "revoked"}, linking=frozenset({"token"})),
    ),
    "unlinked-by-administrator": (
        NoticeKind.UNLINKED,
        facts(body={"cause": "administrator"}, linking=frozenset({"token"})),
    ),
    "linked-until": (NoticeKind.LINKED, facts(link_expires_at=NOW + 365 * 86_400)),
    "link-again": (NoticeKind.RELINK_PROMPT, facts()),
    "link-renamed": (NoticeKind.RELINK_PROMPT, facts(body={"username": "alice", "renamed": "alicia"})),
    "link-unreadable": (NoticeKind.RELINK_PROMPT, facts(body={"cause": "secret"})),
    "link-expired": (NoticeKind.RELINK_PROMPT, facts(link_expires_at=NOW - 60)),
    "link-ending-in-a-week": (NoticeKind.LINK_EXPIRY, facts(body={"expires_at": NOW + 7 * 86_400 - 19})),
    "link-ending-in-hours": (NoticeKind.LINK_EXPIRY, facts(body={"expires_at": NOW + 3 * 3600 + 9})),
    "sign-in-expired": (NoticeKind.SIGN_IN_REFUSED, facts(link_expires_at=NOW, body={"since": NOW - 90})),
    "card": (NoticeKind.CARD, facts()),
    "extended": (NoticeKind.WORKSPACE_EXTENDED, facts(body={"until": NOW + 7490, "cause": ""})),
    "not-extended": (
        NoticeKind.WORKSPACE_EXTENDED,
        facts(body={"until": None, "cause": "refused: Workspace must be started."}),
    ),
    **{f"ending-{how}": (NoticeKind.WORKSPACE_EXPIRY, given) for how, given in ENDINGS.items()},
}


@pytest.mark.parametrize("name", CARDS)
def test_the_card(name):
    check_golden(f"cards/{name}", render_operation_card(CARDS[name]))


@pytest.mark.parametrize("name", NOTICES)
def test_the_notice(name):
    kind, given = NOTICES[name]
    check_golden(f"notices/{name}", render(kind, given))


@pytest.mark.parametrize(
    ("operation", "took"),
    [
        pytest.param(
            {"created_at": NOW - 100, "called_at": NOW - 22, "ended_at": NOW}, "1 min 40 s", id="held"
        ),
        pytest.param({"created_at": NOW - 22, "called_at": None, "ended_at": NOW}, "", id="nothing_sent"),
        pytest.param({"created_at": NOW - 22, "planned_for": NOW - 30}, "", id="by_hours"),
        pytest.param({"created_at": NOW + 60, "called_at": NOW, "ended_at": NOW + 9}, "", id="clock_moved"),
    ],
)
def test_ready_message_says_the_time_since_the_request(operation, took):
    said = shown(render(NoticeKind.READY, facts(READY | operation, RUNNING, ide_url=IDE_URL)))
    assert re.findall(r"It took ([^.]*)\.", said) == [took] * bool(took)


@pytest.mark.parametrize("state", [RUNNING, RUNNING | {"stop_at": NOW + 600}], ids=["stop", "planned"])
def test_ready_that_comes_while_a_stop_is_under_way_offers_no_opening(state):
    """Slack held the message back. The last read, from before the stop, still says that it is running."""
    answer = render(NoticeKind.READY, facts(READY, state, ide_url=IDE_URL, is_superseded=True))
    assert "became ready" in shown(answer)
    assert "is ready" not in shown(answer)
    assert "button" not in str(answer.blocks)


@pytest.mark.parametrize(
    ("call", "was"),
    [(CALLED, "became ready"), ({"called_at": None, "start_call": Call.NONE}, "was already running")],
    ids=["sent", "not"],
)
@pytest.mark.parametrize("state", [State.RUNNING, State.STOPPED])
def test_ready_that_is_over_says_that_it_became_ready_only_if_it_was_started(state, call, was):
    given = facts(READY | call, {"state": state}, is_superseded=True)
    assert f"* {was} at " in shown(render(NoticeKind.READY, given))


def test_what_ready_says_of_a_set_up_that_failed():
    answer = render(NoticeKind.READY, CARDS["own-page-warned"])
    check_limits(answer)
    assert "no such package" in str(answer.blocks)
    assert cards.OPENS_HERE in str(answer.blocks)


def test_elsewhere_a_detail_is_not_repeated():
    assert "a detail" not in str(render_operation_card(facts(READY, RUNNING | {"detail": "a detail"})).blocks)


@pytest.mark.parametrize("what", OUTAGES)
def test_what_administrators_are_told_of_outages(what):
    at = 1_750_000_000.0
    body = {"what": what, "since": at - 600, "until": at + 5_400 if what == "token" else at}
    body |= {"place": "R&D", "page": "https://usher.example.org/slack/install"}
    check_golden(f"notices/outage-{what}", render(NoticeKind.OUTAGE, facts(now=at, body=body)))


@pytest.mark.parametrize("kind", [NoticeKind.REPLY, NoticeKind.MESSAGE])
def test_replies_and_messages_carry_their_answer(kind):
    body = {"text": "It is done.", "blocks": [{"type": "divider"}], "replaces": True}
    assert stored.to_body(render(kind, facts(body=body))) == body | {"moments": []}


def test_every_kind_of_notice_is_drawn_with_hardly_anything_known():
    for kind in set(NoticeKind) - {NoticeKind.CARD, NoticeKind.CARD_UPDATE}:
        check_limits(render(kind, least_facts(kind)))


def test_a_kind_of_message_is_declared_once_and_drawn_once():
    # An update is rendered like the card itself. A second function for the same kind is refused.
    assert set(RENDERERS) == set(NoticeKind) - {NoticeKind.CARD_UPDATE}
    with pytest.raises(ValueError, match="two functions render ready"):
        renders(NoticeKind.READY)(render_operation_card)


def shown(answer):
    return json.dumps(as_shown(answer), ensure_ascii=False)


def test_card_of_a_start_on_time_stays_the_same():
    """A start's card doesn't change, whatever its server says.

    If the start is late, the card says so, with the server's words.
    """
    usual = {"usual_seconds": 100.0, "slow_seconds": 150.0}

    def drawn(seconds):
        told = STARTING | {"detail": f"Step {seconds}", "progress": seconds // 3}
        given = facts(operation=CALLED | usual, workspace=told, now=NOW - 25 + seconds)
        return shown(render_operation_card(given))

    asked = shown(render_operation_card(facts(operation=usual, now=NOW - 30)))
    assert {drawn(0), drawn(60), drawn(149)} == {asked}
    assert "Slower than usual" in drawn(150)
    assert "Step 150 (50%)" in drawn(150)


@pytest.mark.parametrize("name", [name for name in CARDS if not name.startswith(("running", "own-page"))])
def test_only_a_running_workspace_shows_its_address(name):
    assert IDE_URL not in shown(render_operation_card(replace(CARDS[name], ide_url=IDE_URL)))


@given(NAMES, NAMES, NAMES, st.sampled_from(sorted(CARDS)), st.sampled_from(sorted(NOTICES)))
def test_no_name_mentions_links_or_breaks_a_limit(name, detail, username, card, notice):
    def told(given):
        workspace = given.workspace and replace(given.workspace, name=name, detail=detail, reason=detail)
        operation = given.operation and replace(
            given.operation, block_reason=detail or None, cause=f"invalid: {detail}"
        )
        return replace(
            given,
            workspace=workspace,
            operation=operation,
            username=username,
            connection_title=name or "Saturn",
        )

    kind, given = NOTICES[notice]
    for answer in (render_operation_card(told(CARDS[card])), render(kind, told(given))):
        check_limits(answer)
        rest = OURS.sub("", shown(answer))
        assert "<" not in rest
        assert ">" not in rest


def test_a_link_button_carries_the_waiting_command_only_when_it_fits():
    def value(waiting=""):
        return link_connection_button("Link", "saturn", {}, waiting)["value"]

    assert value() == "saturn"
    assert value("start my notebook") == "saturn start my notebook"
    assert value("x" * 2000) == "saturn"
