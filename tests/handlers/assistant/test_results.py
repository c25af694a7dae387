"""A typed command's answer and a tool's result state the same facts, in two forms.

Each verb that a tool offers is both typed and called, in each state of a workspace and of its provider, at
two bots with the same rows. The answer is taken apart without the code that renders it: moments, durations,
names, states, and the words of causes and plans. Each of these must appear in the result.
"""

import json
import re
from datetime import UTC, datetime

import pytest

from bot.domain.hours import HoursRule
from bot.domain.observations import Observed
from bot.domain.preferences import Preferences
from bot.domain.runs import RunState
from bot.domain.stops import PlannedStop, PlannedStops
from bot.domain.time_parsing import WEEKDAYS
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.messages.texts import answers
from bot.store import accounts, outages
from bot.store import hours as hours_store
from bot.store.preferences import save_preferences
from bot.store.tables import OPERATIONS, RUNS, WORKSPACES
from handlers.assistant.tools import TOOLS, run_tool
from handlers.dispatch import run_text
from tests.handlers.rig import rig
from tests.handlers.run_rig import going, run_rig
from tests.rigs.store import ALICE, observe, refuse
from tests.rigs.thorough import draw

WHO = {"user_id": ALICE.user_id, "team_id": ALICE.team_id, "enterprise_id": ALICE.enterprise_id}
MOMENT = re.compile(r"<!date\^([0-9]+)\^[^>]*>")
DURATION = re.compile(r"\b[0-9]+ (?:s|min|h|days?|hours?|minutes?)\b")
WORD = re.compile(r"[A-Za-z][A-Za-z']{3,}")
#: Circumstances of the workspace besides its state.
CONDITIONS = ("fine", "silent", "refused", "planned", "hours", "waiting", "used", "condition")
#: The arguments of each call, and the command that a person would type for it.
CALLS = {
    "my_workspaces": ({}, "list all"),
    "status": ({"name": "notebook"}, "status notebook"),
    "hours": ({}, "hours"),
    "start": ({"name": "notebook"}, "start notebook"),
    "start until": ({"name": "notebook", "until": "for 2h"}, "start notebook for 2h"),
    "start too long": ({"name": "notebook", "until": "for 100 days"}, "start notebook for 100 days"),
    "stop": ({"name": "notebook"}, "stop notebook"),
    "stop at": ({"name": "notebook", "at": "in 2 hours"}, "stop notebook in 2 hours"),
    "stop for": ({"name": "notebook", "at": "for 2 hours"}, "stop notebook for 2 hours"),
    "stop far": ({"name": "notebook", "at": "in 400 days"}, "stop notebook in 400 days"),
    "nobody": ({"name": "nothing"}, "status nothing"),
}
STATES = [one for one in State if one is not State.UNKNOWN]


async def found(bot, state, condition):
    """Put the workspace into this state and circumstance."""
    row = (await bot.link(names=("notebook", "lab"))).workspaces[0]
    await observe(bot.store, bot.clock, row, Observed(state))
    bot.clock.advance(1800)

    def write(tx):
        save_preferences(tx, ALICE, Preferences(assistant="stop"))
        now = tx.now()
        match condition:
            case "silent":
                outages.begin_outage(tx, row.connection, now - 900)
            case "planned":
                WORKSPACES.change(
                    tx,
                    {"id": row.id},
                    stop_at=now + 5400,
                    planned_stops=PlannedStops(counts=PlannedStop(now + 5400, "stop")),
                )
            case "condition":
                WORKSPACES.change(tx, {"id": row.id}, event_message="No node has room")
            case "used":
                WORKSPACES.change(tx, {"id": row.id}, last_used_at=now - 660)
            case "hours":
                times = {"days": WEEKDAYS, "starts": 540, "stops": 1080, "processed_until": now}
                hours_store.save_rule(
                    tx, HoursRule("own", ALICE, row.connection, row.id, zone="Europe/Berlin", **times)
                )

    await bot.store.carry_out(write)
    if condition == "waiting":
        await bot.say("start notebook" if state is State.STOPPED else "stop notebook")
        await bot.store.carry_out(lambda tx: held(tx, row))
        bot.clock.advance(120)
    if condition == "refused":
        (account,) = await bot.store.read(accounts.list_accounts, ALICE)
        await refuse(bot.store, account)


def held(tx, row):
    """Make the open operations wait because their provider is unavailable."""
    for one in OPERATIONS.rows(tx, workspace_id=row.id, outcome=None):
        reason = f"Saturn Cloud hasn't been available since \x02{tx.now():.0f}\x02."
        OPERATIONS.change(tx, {"id": one["id"]}, block_reason=reason, blocked_since=tx.now())


def take_apart(answer):
    """Return the facts in an answer, by kind.

    Hints to press a button are left out, since an assistant can't press one.
    """
    lines = [*kit.iterate_lines(answer.blocks)]
    text = "\n".join(lines).replace(answers.PRESS_REFRESH, "")
    plain = MOMENT.sub(" ", re.sub(r"<[^|>]*\|([^>]*)>", r" \1 ", MOMENT.sub(" ", text)))
    return {
        "moment": {
            datetime.fromtimestamp(int(at), UTC).isoformat(timespec="seconds") for at in MOMENT.findall(text)
        },
        "duration": set(DURATION.findall(plain)),
        "name": set(re.findall(r"\*([^*\n]+)\*", plain)),
        "word": set(WORD.findall(re.sub(r"`[^`]*`", " ", plain))),
    }


def list_missing(facts, told):
    """Return the facts that are missing from a result."""
    text = " ".join(str(one) for one in iterate(json.loads(told)))
    return {(kind, one) for kind, every in facts.items() for one in every if one not in text}


def iterate(value):
    """Yield all strings and numbers in a result."""
    if isinstance(value, dict):
        for one in value.values():
            yield from iterate(one)
    elif isinstance(value, list):
        for one in value:
            yield from iterate(one)
    else:
        yield value


async def typed_and_called(made, prepare, call, text, command="workspace"):
    """Return the facts in the answer to a typed command, and a tool's result at a bot with the same rows."""
    async with made() as bot:
        await prepare(bot)
        facts = take_apart(await run_text(bot.services, ALICE, bot.surface(), text, folder=command))
    async with made() as bot:
        await prepare(bot)
        tool, given = call
        told = await run_tool(bot.services, WHO, TOOLS[tool], given, "signed")
    return facts, told


def check(facts, told):
    """Compare a result with the facts.

    Then remove each fact from the result, and check that this is noticed.
    """
    result = json.loads(told)
    if "is called that" in result.get("says", "") or "asked" in result:
        # Either another name was offered or the person is asked, and only the person sees the question.
        assert not result.get("done")
        return 0
    assert list_missing(facts, told) == set(), told
    cuts = [(kind, one) for kind, every in facts.items() for one in every]
    for kind, one in cuts:
        assert (kind, one) in list_missing(facts, told.replace(one, "")), one
    return len(cuts)


CASES = [(state, condition, name) for state in STATES for condition in CONDITIONS for name in CALLS]


@pytest.mark.parametrize(("state", "condition", "name"), draw(CASES))
async def test_result_says_what_is_read_when_it_is_typed(state, condition, name, record_property):
    given, text = CALLS[name]
    tool = "status" if name == "nobody" else name.partition(" ")[0]
    facts, told = await typed_and_called(rig, lambda bot: found(bot, state, condition), (tool, given), text)
    record_property("cuts", check(facts, told))
    result = json.loads(told)
    # A tool that only shows something never asks a person who has linked an account.
    assert "asked" not in result or not TOOLS[tool].only_shows
    if not result.get("done") and not TOOLS[tool].only_shows:
        assert result.get("says")
        assert "asked" in result or "Nothing was done" in result["says"] or "already" in result["says"]


RUN_CALLS = {"my_runs": ({}, "list"), "output": ({"name": "train.R"}, "logs train.R")}


@pytest.mark.parametrize("state", [one for one in RunState if one is not RunState.UNKNOWN])
@pytest.mark.parametrize("name", RUN_CALLS)
async def test_result_of_runs_says_what_is_read(state, name, record_property):
    async def prepare(bot):
        run = await going(bot, state=RunState.RUNNING)
        await bot.store.carry_out(lambda tx: save_preferences(tx, ALICE, Preferences(assistant="stop")))
        now = bot.clock.now()
        over = {"finished_at": now - 60, "exit_code": 3} if state.is_over else {}
        change = {"state": state, "started_at": now - 200, **over}
        await bot.store.carry_out(lambda tx: RUNS.change(tx, {"id": run.id}, **change))

    given, text = RUN_CALLS[name]
    facts, told = await typed_and_called(run_rig, prepare, (name, given), text, "job")
    record_property("cuts", check(facts, told))
