"""What people take back: the last act, or that of a button, while the rows are as it left them."""

from dataclasses import dataclass, replace
from typing import Final

from bot.domain.acts import TIMER_COLUMNS, Act, Inverse, Undone, inverse, way_back
from bot.domain.errands import Outcome
from bot.domain.operations import Operation, OperationVerb
from bot.domain.policy import Target
from bot.domain.preferences import Preferences
from bot.domain.runs import Run
from bot.domain.stops import Consent
from bot.domain.timers import LEAST_TIMER_WARNING_SECONDS, Timer
from bot.domain.workspaces import Workspace
from bot.messages.texts import problems
from bot.services import hours, workspaces
from bot.services.asked import Asked
from bot.store import acts as rows
from bot.store import cards, errands, inbox, operations, preferences, runs, timers
from bot.store import workspaces as stored
from bot.store.tables import ACTS, RUNS, WORKSPACES
from bot.store.transaction import Transaction
from bot.support.errors import Refused

#: What taking back changes something for.
CHANGES: Final = frozenset({Undone.CANCELLED, Undone.RESTORED})
#: What a person wants of a workspace, and nothing else follows from.
_OWN: Final = ("alias", "tells_ready", "tells_stopped")


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Hold what became of an act, with its rows as they are then; without one, what else is under way."""

    act: Act | None
    inverse: Inverse
    workspace: Workspace | None = None
    errand: Operation | Run | None = None


def undo(tx: Transaction, asked: Asked, act_id: str = "") -> TakenBack:
    """Take an act back, or the last one of two minutes with an effect, where it was said first.

    Raises Refused: ``act.unknown``, and what an operation that begins again raises.
    """
    asked.check(tx, "undo")
    key, _, word = inbox.result_of(tx, asked.interaction).partition(" ")
    if word:
        done = rows.act(tx, key)
        return TakenBack(done, Inverse(Undone(word)), *((None, None) if done is None else _about(tx, done)))
    for act in _candidates(tx, asked, act_id):
        workspace, errand = _about(tx, act)
        effects = {} if workspace is None else workspaces.effects(asked.context, workspace)
        found = inverse(act, rows.by_now(tx, act), errand, effects)
        if found.undone is Undone.NOTHING and not act_id:
            continue
        if found.undone in CHANGES and asked.is_new(tx):
            ACTS.change(tx, {"id": act.id}, undone_at=tx.now())
            inbox.keep_result(tx, asked.interaction, f"{act.id} {found.undone}")
            asked.note(tx, "act.undo", f"{act.connection}/{act.name}", change=None, act=act.id, of=act.action)
            _apply(tx, asked, act, TakenBack(act, found, workspace, errand))
        return TakenBack(act, found, *_about(tx, act))
    return _under_way(tx, asked)


def _under_way(tx: Transaction, asked: Asked) -> TakenBack:
    """Return what is under way for a person although nothing was asked for lately."""
    running = [one for one in runs.runs(tx, asked.principal) if one.is_going]
    going: list[Operation | Run] = [*operations.open_operations(tx, asked.principal), *running]
    if not going:
        return TakenBack(None, Inverse(Undone.NOTHING))
    newest = max(going, key=lambda one: one.created_at)
    workspace = stored.workspace(tx, newest.workspace_id) if isinstance(newest, Operation) else None
    effects = {} if workspace is None else workspaces.effects(asked.context, workspace)
    return TakenBack(None, Inverse(Undone.UNDER_WAY, way_back(newest, effects)), workspace, newest)


def _candidates(tx: Transaction, asked: Asked, act_id: str) -> list[Act]:
    if not act_id:
        return rows.recent_acts(tx, asked.principal, asked.channel_id or "", asked.thread_ts or "")
    act = rows.act(tx, act_id)
    unknown = Refused("act.unknown", problems.sentence("no_act"))
    if act is None:
        raise unknown
    asked.check(tx, "undo", Target("act", act.id, act.principal), hidden_as=unknown)
    return [act]


def _about(tx: Transaction, act: Act) -> tuple[Workspace | None, Operation | Run | None]:
    errand = operations.operation(tx, act.errand) or runs.run(tx, act.errand) if act.errand else None
    key = errand.workspace_id if isinstance(errand, Operation) else act.subject
    return (stored.workspace(tx, key) if key else None), errand


def _apply(tx: Transaction, asked: Asked, act: Act, found: TakenBack) -> None:
    errand, then = found.errand, found.inverse.then
    if isinstance(errand, Operation):
        operations.end(tx, errand.id, Outcome.CANCELLED, "replaced")
        if rows.by_now(tx, act) == act.became:
            _put_back(tx, act, found.workspace)
        if then:
            once = asked.interaction and f"{asked.interaction}/again"
            again = replace(asked, interaction=once, is_answered=True)
            agreed = Consent(act.was["agreed"])
            workspaces.begin(tx, again, errand.workspace_id, OperationVerb(then), agreed=agreed)
        timers.settle_timer(tx, errand.workspace_id)
    elif isinstance(errand, Run) and act.action == "job.run":
        errands.end(tx, RUNS, errand.id, Outcome.CANCELLED, "cancelled")
    elif isinstance(errand, Run):
        # A step that holds it must not send what it read.
        RUNS.change(tx, {"id": errand.id}, stop_wanted=act.was["stop_wanted"], claim="", leased_until=0)
        cards.owe(tx, errand.id, changed=True)
    else:
        _put_back(tx, act, found.workspace)


def _put_back(tx: Transaction, act: Act, workspace: Workspace | None) -> None:
    """Let rows say again what they said before."""
    was = act.was
    if act.action == "settings.save":
        preferences.save_preferences(tx, act.principal, Preferences(**was))
    if "rules" in was:
        hours.put_back(tx, act)
    if workspace is None:
        return
    if was.get("hidden"):
        stored.hide(tx, workspace.id)
    elif "hidden" in was:
        stored.add(tx, replace(workspace, hidden=False))
    if own := {name: was[name] for name in _OWN if name in was}:
        WORKSPACES.change(tx, {"id": workspace.id}, **own)
        cards.owe_about(tx, workspace.id, changed=True)
    if was.keys() >= {*TIMER_COLUMNS}:
        at, mode, agreed, rule = (was[name] for name in TIMER_COLUMNS)
        if at is None:
            timers.clear(tx, workspace.id)
        else:
            # An end that comes back warns first.
            soonest = tx.now() + LEAST_TIMER_WARNING_SECONDS
            timer = Timer(max(at, soonest), mode, bool(agreed), warns=True, rule=rule or "")
            timers.put(tx, workspace.id, timer)
