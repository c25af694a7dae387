"""A plan of each kind for 09:00 on a Monday in Berlin, and obstacles that may get in its way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.domain.operations import OperationVerb
from bot.domain.people import Principal
from bot.domain.stops import PlannedStop
from bot.domain.workspaces import State, Workspace
from bot.services import waitlist as waits
from bot.services.operation_requests import begin_operation
from bot.services.timers import set_timer
from bot.store import accounts, discovered, timers
from bot.store import workspaces as workspace_rows
from bot.support.errors import (
    Conflict,
    Forbidden,
    NoCapacity,
    NotFound,
    RateLimited,
    ServerFailed,
    UnknownOutcome,
    Unreachable,
)
from tests.reconciler.classroom import ask, people, post, press, seat, told
from tests.reconciler.courses import course
from tests.reconciler.hours import given, local
from tests.reconciler.slack_outages import cut_off, mend, unreachable
from tests.reconciler.world import World
from tests.rigs.store import ALICE, listed_workspace, want_read, within

MINUTE = 60.0
#: Kinds of messages that tell the owner that a plan wasn't carried out.
NEWS = {"planned_stop_failed", "failed", "waiting"}
NEWS |= {"hours_missed", "hours_paused", "waitlist_ended"}


@dataclass
class Plan:
    """A plan for a person's workspace, due in an hour."""

    world: World
    workspace: Workspace
    wanted: State
    principal: Principal = ALICE

    @property
    def call(self) -> str:
        return "start" if self.wanted is State.RUNNING else "stop"

    @property
    def machine(self):
        return self.world.provider._moved(self.workspace.remote_id)

    @property
    def token(self) -> str:
        return "token-1" if self.principal == ALICE else f"token-{self.principal.user_id}"

    async def row(self) -> Workspace:
        return await self.world.store.read(workspace_rows.find_workspace, self.workspace.id)

    async def look(self) -> None:
        """Read the plan's workspace, and wait for the result."""
        await want_read(self.world.store, self.workspace.id)
        await self.world.pass_time(12)

    async def at(self, time: str, step: float = 20.0) -> None:
        for one in (self.principal, *people(1)):
            await self.world.know(one, time_zone="Europe/Berlin")
        await self.world.pass_time(local(time) - self.world.clock.now(), step=step)

    def news(self) -> set[str]:
        """Return the messages about the plan.

        For a lesson, only those that say it couldn't be carried out count.
        """
        said = told(self.world, self.principal)
        missed = {one for one in said if one.startswith("I couldn't start") and "for Statistics." in one}
        return missed | (NEWS & set(self.world.slack.sent_kinds()))


async def _own(world: World, mode: str = "stop") -> Plan:
    workspace = await given(world, "sat 9:00-10:00", State.RUNNING)
    await world.pass_time(12)
    await world.ask("own").run(set_timer, workspace.id, PlannedStop(local("09:00"), mode))
    return Plan(world, workspace, State.STOPPED if mode == "stop" else State.SUSPENDED)


async def _suspension(world: World) -> Plan:
    return await _own(world, "suspend")


async def _stop_of_hours(world: World) -> Plan:
    return Plan(world, await given(world, "every day -9:00", State.RUNNING), State.STOPPED)


async def _start_of_hours(world: World) -> Plan:
    return Plan(world, await given(world, "mon 9:00-18:00"), State.RUNNING)


async def _unused(world: World) -> Plan:
    """Plan the stop of a workspace about which nobody has said that they still need it."""
    workspace = await given(world, "sat 9:00-10:00", State.RUNNING)
    end = PlannedStop(local("09:00"), "stop", warns=True, because="needed")
    await within(world.store, timers.plan_stop, workspace.id, end)
    return Plan(world, workspace, State.STOPPED)


async def _for_a_while(world: World) -> Plan:
    """Start a workspace for an hour, and wait until it is running."""
    workspace = await given(world, "sat 9:00-10:00")
    caller = ask(world, ALICE, "for an hour")
    timer = PlannedStop(local("09:00"), "stop")
    await caller.run(begin_operation, workspace.id, OperationVerb.START, timer=timer)
    await world.pass_time(90, step=5.0)
    return Plan(world, workspace, State.STOPPED)


async def _lesson(world: World, **hours: int) -> Plan:
    world.clock.advance(local("07:00") - world.clock.now())
    (student,) = people(1)
    await course(world, student, **hours)
    await world.know(student, time_zone="Europe/Berlin")
    (workspace,) = await world.store.perform(workspace_rows.read_workspaces, student)
    return Plan(world, workspace, State.RUNNING, student)


async def _lesson_start(world: World) -> Plan:
    return await _lesson(world)


async def _lesson_end(world: World) -> Plan:
    plan = await _lesson(world, starts=7 * 60 + 30, stops=9 * 60)
    plan.wanted = State.STOPPED
    await plan.at("08:00")
    return plan


async def _class_end(world: World) -> Plan:
    """Plan the end of a class, for a student who has pressed its card."""
    world.clock.advance(local("07:55") - world.clock.now())
    (student,) = people(1)
    card = await post(world)
    await seat(world, student)
    await world.know(student, time_zone="Europe/Berlin")
    await press(world, card, student)
    await world.pass_time(90, step=5.0)
    (workspace,) = await world.store.perform(workspace_rows.read_workspaces, student)
    end = PlannedStop(local("09:00"), "stop", warns=True, because="class", source=card.id)
    await within(world.store, timers.plan_stop, workspace.id, end)
    return Plan(world, workspace, State.STOPPED, student)


async def _wait(world: World) -> Plan:
    """Put Alice on the waitlist. Capacity becomes available at nine."""
    workspace = await given(world, "sat 9:00-10:00")
    world.provider.fail("start", NoCapacity("full", status=409), times=9_999)
    await world.ask("wait").run(waits.join, workspace.id, local("18:00"))
    return Plan(world, workspace, State.RUNNING)


STOPS: dict[str, Callable[[World], Awaitable[Plan]]] = {
    "own": _own,
    "suspension": _suspension,
    "hours stop": _stop_of_hours,
    "unused": _unused,
    "start for an hour": _for_a_while,
    "lesson end": _lesson_end,
    "class end": _class_end,
}
KINDS = STOPS | {"hours start": _start_of_hours, "lesson start": _lesson_start, "wait": _wait}


# -- obstacles -----------------------------------------------------------------------------------------------


def _answers(error: Exception, minutes: float, *, times: int = 9_999) -> Callable[[Plan], Awaitable[None]]:
    """Return an obstacle: the call gets this answer until some minutes after its time."""

    async def happen(plan: Plan) -> None:
        plan.world.provider.heal()
        plan.world.provider.fail(plan.call, error, times=times)
        await plan.at("09:00")
        await plan.world.pass_time(max(minutes, 2.0) * MINUTE, step=20.0)

    return happen


def _is_seen(state: State, at: str, *, for_: float = 12.0) -> Callable[[Plan], Awaitable[None]]:
    """Return an obstacle: reads find the workspace in this state, and later in its actual one."""

    async def happen(plan: Plan) -> None:
        await plan.at(at)
        machine = plan.machine
        actual, machine.state = machine.state, state
        await plan.look()
        await plan.world.pass_time(max(for_ - 12.0, 0.0), step=5.0)
        machine.state = actual
        await plan.look()

    return happen


async def _is_moving(plan: Plan) -> None:
    """Put the workspace in a transitional state, with no actions allowed, while the plan comes due."""
    await plan.at("08:45")
    machine = plan.machine
    actual = machine.state
    machine.state = State.STARTING if actual is State.RUNNING else State.STOPPING
    machine.actions = frozenset()
    await plan.look()
    await plan.at("09:10")
    machine.state, machine.actions = actual, None


async def _takes_no_calls(plan: Plan) -> None:
    """Make the provider allow neither a start nor a stop for a while."""
    await plan.at("08:45")
    plan.machine.actions = frozenset({"open"})
    await plan.look()
    await plan.at("09:10")
    plan.machine.actions = None


async def _is_away(plan: Plan) -> None:
    """Take the process down while the plan is due."""
    await plan.at("08:58")
    plan.world.clock.advance(12 * MINUTE)
    await plan.world.restart()


async def _moves_clocks(plan: Plan) -> None:
    await plan.at("08:50")
    plan.world.clock.jump(-30 * MINUTE)
    await plan.world.pass_time(5 * MINUTE, step=10.0)
    plan.world.clock.jump(30 * MINUTE)


async def _loses_slack(plan: Plan) -> None:
    await plan.at("08:40")
    cut_off(plan.world, unreachable)
    await plan.at("09:20")
    mend(plan.world)


async def _is_left_out(plan: Plan) -> None:
    """Leave the workspace out of a complete list once."""
    await plan.at("08:40")
    await plan.world.store.perform(discovered.merge_discovered, await _account(plan), [])
    await plan.at("08:41")
    await _list(plan)


async def _is_renamed(plan: Plan) -> None:
    await plan.at("08:40")
    await _list(plan, name="another")


async def _is_refused(plan: Plan) -> None:
    await plan.at("08:40")
    plan.world.provider.refused_tokens.add(plan.token)
    await plan.look()


async def _is_refused_for_a_while(plan: Plan) -> None:
    await _is_refused(plan)
    await plan.at("09:30")
    plan.world.provider.refused_tokens.clear()


async def _loses_connection(plan: Plan) -> None:
    await plan.at("08:40")
    plan.world.reborn(connections={})


async def _is_restarted(plan: Plan) -> None:
    """Let the owner restart the workspace just before the plan is due."""
    await plan.at("08:58")
    await plan.world.begin(await plan.row(), OperationVerb.RESTART)


async def _goes_down_and_up(plan: Plan) -> None:
    """Let somebody stop the workspace at the provider, and start it there again."""
    await plan.at("08:20")
    machine, actual = plan.machine, plan.machine.state
    machine.state = State.STOPPED if actual is State.RUNNING else State.RUNNING
    await plan.look()
    await plan.at("08:40")
    machine.state, machine.started_at = actual, plan.world.clock.now()
    await plan.at("08:50")


async def _account(plan: Plan) -> str:
    account = await plan.world.store.read(accounts.find_account, plan.principal, "cloud")
    assert account is not None
    return account.id


async def _list(plan: Plan, name: str = "") -> None:
    known = await plan.row()
    found = listed_workspace(known.remote_id, known.gate_key, name or known.name, plan.machine.state)
    await plan.world.store.perform(discovered.merge_discovered, await _account(plan), [found])


#: Obstacles that have passed an hour after the plan's time at the latest.
PASSING = {
    "409 for two minutes": _answers(Conflict("It is being updated.", status=409), 2),
    "409 for half an hour": _answers(Conflict("It is being updated.", status=409), 29),
    "423 for two minutes": _answers(Conflict("Locked by a backup.", status=423), 2),
    "404 once": _answers(NotFound("no such thing", status=404), 0, times=1),
    "503 for half an hour": _answers(ServerFailed("busy", status=503), 29),
    "429 for half an hour": _answers(RateLimited("slow down", status=429), 29),
    "unreachable for half an hour": _answers(Unreachable("no connection"), 29),
    "no answers for half an hour": _answers(UnknownOutcome("no answer"), 29),
    "seen stopped": _is_seen(State.STOPPED, "08:30"),
    "seen stopped at its time": _is_seen(State.STOPPED, "08:59", for_=90.0),
    "seen suspended": _is_seen(State.SUSPENDED, "08:30"),
    "seen running": _is_seen(State.RUNNING, "08:30"),
    "seen running at its time": _is_seen(State.RUNNING, "08:59", for_=50.0),
    "seen failed": _is_seen(State.FAILED, "08:30"),
    "seen stopping": _is_seen(State.STOPPING, "08:30"),
    "seen in no known state": _is_seen(State.UNKNOWN, "08:30"),
    "seen gone": _is_seen(State.GONE, "08:30", for_=25.0),
    "moving": _is_moving,
    "no calls offered": _takes_no_calls,
    "process away": _is_away,
    "Slack away": _loses_slack,
    "left out of a list": _is_left_out,
    "renamed": _is_renamed,
    "sign-in refused for a while": _is_refused_for_a_while,
    "clock moved": _moves_clocks,
    "restarted": _is_restarted,
    "down and up elsewhere": _goes_down_and_up,
}
#: Obstacles that don't pass. A place on the waitlist stays valid until its own end or a removed connection
#: ends it.
LASTING = {
    "403": _answers(Forbidden("not yours", status=403), 120),
    "404": _answers(NotFound("no such thing", status=404), 120),
    "sign-in refused": _is_refused,
    "connection gone": _loses_connection,
}
