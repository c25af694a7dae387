"""Sixty tasks for a model that sees only schemas and results. Whatever it concludes must be true."""

import json
from datetime import datetime

import pytest

from bot.domain.observations import Observed
from bot.domain.preferences import Preferences
from bot.domain.workspaces import State
from bot.store import operations
from bot.store.preferences import save_preferences
from handlers.assistant.tools import TOOLS, run_tool
from tests.handlers.rig import rig
from tests.rigs.store import ALICE, observe

WHO = {"user_id": ALICE.user_id, "team_id": ALICE.team_id, "enterprise_id": ALICE.enterprise_id}
#: Ways to write an end that is two hours away when it is 08:00 UTC on 15 January 2027.
IN_TWO_HOURS = [
    "for 2h",
    "2h",
    "2 hours",
    "PT2H",
    "until 10:00",
    "10:00 UTC",
    "10:00Z",
    "11:00 Europe/Berlin",
]
IN_TWO_HOURS += ["2027-01-15T10:00:00+00:00", "2027-01-15T10:00:00Z", "2027-01-15T10:00", "18:00+08:00"]
IN_TWO_HOURS += ["120 min", "2am PT", "7pm Tokyo time", "20270115T100000Z"]
NO_TIMES = ["whenever", "for 100 days", "yesterday 9:00", "10:00 IST", "10:00 XYZ", "--yes", "tomorrow"]
NOT_GIVEN = ["", None, " "]
#: The request, the workspace's state, the call, and the outcome: the operation begun, and its end in hours.
TASKS = [
    *(
        ("Start it for two hours", State.STOPPED, "start", {"until": one}, ("start", 2))
        for one in IN_TWO_HOURS
    ),
    *(("Stop it in two hours", State.RUNNING, "stop", {"at": one}, ("", 2)) for one in IN_TWO_HOURS[1:]),
    *(("Start it", State.STOPPED, "start", {"until": one}, ("start", None)) for one in [*NOT_GIVEN, "none"]),
    *(("Stop it", State.RUNNING, "stop", {"at": one}, ("stop", None)) for one in [*NOT_GIVEN, "now"]),
    *(("Start it until then", State.STOPPED, "start", {"until": one}, ("", None)) for one in NO_TIMES),
    *(("Stop it then", State.RUNNING, "stop", {"at": one}, ("", None)) for one in NO_TIMES),
    ("Stop it for a while", State.RUNNING, "stop", {"at": "for 2 hours"}, ("", None)),
    ("Start it though it runs", State.RUNNING, "start", {}, ("", None)),
    ("Stop it though it is down", State.STOPPED, "stop", {}, ("", None)),
    ("Stop it later though it is down", State.STOPPED, "stop", {"at": "in 2 hours"}, ("", None)),
    ("Start it with a field too many", State.STOPPED, "start", {"when": "now"}, ("", None)),
    ("Stop what isn't there", State.RUNNING, "stop", {"name": "nothing"}, ("", None)),
    ("Is it running?", State.RUNNING, "status", {}, ("", None)),
]


def test_there_are_sixty_tasks():
    assert len(TASKS) >= 60


def believe(told):
    """Return what a model would conclude from a result: the action done, its end, and the whole result."""
    result = json.loads(told)
    done = [one for one in result.get("done", []) if one["did"] in {"start", "stop"}]
    timers = [one["until"] for one in result.get("done", []) if one.get("until")]
    assert result.get("done") or result.get("says") or result.get("asked"), "nobody knows why"
    return (done[0]["did"] if done else ""), (timers[0] if timers else None), result


@pytest.mark.parametrize(("task", "state", "tool", "given", "so"), TASKS)
async def test_task_is_done_once_and_nothing_else_is_believed(task, state, tool, given, so):
    async with rig() as bot:
        row = (await bot.link()).workspaces[0]
        await observe(bot.store, bot.clock, row, Observed(state))
        await bot.store.carry_out(lambda tx: save_preferences(tx, ALICE, Preferences(assistant="stop")))
        begun, told = bot.clock.now(), ""
        for _ in range(2):
            # A client may send the same call again.
            told = await run_tool(bot.services, WHO, TOOLS[tool], {"name": "notebook", **given}, "signed")
        verb, until, result = believe(told)
        going = await bot.store.read(operations.open_operations, ALICE)
        at = (await bot.workspace()).stop_at
    is_done = [one.verb for one in going if not _is_so(one.verb, state)]
    assert (verb, [verb] if verb else []) == (so[0], is_done), task
    assert (until is None) == (at is None) == (so[1] is None), task
    if until is not None:
        assert datetime.fromisoformat(until).timestamp() == at
        assert abs(at - begun - so[1] * 3600) < 60
    for one in result.get("workspaces", []):
        assert one["as_of"]


def _is_so(verb, state):
    """Return whether a workspace is already in the state that the operation would bring it to."""
    return (verb, state) in {("start", State.RUNNING), ("stop", State.STOPPED)}
