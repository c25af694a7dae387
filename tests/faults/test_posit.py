"""Tests with a failure at each step on Workbench: one effect, one final message, others not affected."""

import pytest

from bot.domain.forms import Spec
from bot.messages.texts import problems
from bot.services.operation_requests import create_workspace
from tests.rigs.scenario.stage import inject_fault
from tests.rigs.scenario.workbench import workbench_world
from tests.rigs.thorough import draw

#: What is wrong with an answer: a fault on the way, or an error from the API itself. There is one example of
#: each, because the provider's contract tests check which error every answer causes.
FAULTS = {
    "nothing, but done": {"drop": True, "after": True},
    "a page": {"body": "<html><body>Sign in</body></html>", "headers": {"Content-Type": "text/html"}},
    "429": {"status": 429, "headers": {"Retry-After": "4"}},
    "503": {"status": 503},
    "error 3": 3,
    "error 14": 14,
    "error 200, but done": (200, True),
}
CALLS = {
    "start": ("start thesis", "thesis", "resume_session", "ready"),
    "read of a start": ("start thesis", "thesis", "get_session", "ready"),
    "stop": ("stop analysis --yes", "analysis", "stop_session", "stopped"),
    "suspend": ("suspend analysis", "analysis", "stop_session", "suspended"),
}
CASES = [
    (call, name)
    for call in CALLS
    for name in FAULTS
    if "start" in call or name in ("nothing, but done", "503", "error 14")
]
SPEC = Spec("paper", {"workbench": "RStudio", "cluster": "Local"})


@pytest.fixture
async def workbench(tmp_path):
    async with workbench_world(tmp_path) as ready:
        ready.switch(starting_seconds=10.0)
        await ready.alice.has_linked("alice", "wb")
        yield ready


def meets(workbench, method, fault):
    match fault:
        case int():
            workbench.answers(method, fault)
        case (code, is_after):
            workbench.answers(method, code, after=is_after)
        case _:
            inject_fault(workbench.posit.harness, rf"/api/{method}$", **fault)


@pytest.mark.parametrize(("call", "name"), draw(CASES))
async def test_one_call_that_goes_wrong(workbench, call, name):
    text, target, method, end = CALLS[call]
    alice = workbench.alice
    await workbench.pass_time(5)
    before = workbench.asked(method)
    meets(workbench, method, FAULTS[name])
    await alice.types(text)
    await workbench.pass_time(90, step=3)
    workbench.heal()
    await workbench.pass_time(60, step=3)

    ends = {shown.key for shown in alice.told(end)}
    told = [one for one in alice.sees() if one.kind not in {"card", "linked", ""} or one.key in ends]
    assert len(told) == 1, [shown.text for shown in told]
    assert problems.CAUSES["internal"] not in "".join(shown.text for shown in alice.sees())
    state = getattr(workbench.session(target), "state", "gone")
    if told[0].kind in {"failed", "relink_prompt"}:
        assert "Reference" in told[0].text or told[0].kind == "relink_prompt"
    elif end == "ready":
        assert state == "running"
        assert "/s/" in str(told[0].json)
    else:
        assert state in {"finished", "gone", "suspended"}
    if method != "get_session":
        # The call is made once, and perhaps a second time after checking what became of the first.
        assert 1 <= workbench.asked(method) - before <= 2


@pytest.mark.parametrize("after", [False, True], ids=["never arrived", "accepted"])
async def test_a_resume_of_unknown_outcome_is_looked_at_before_a_second_one(workbench, after):
    workbench.answers("resume_session", 200, after=after)
    await workbench.alice.types("start thesis")
    await workbench.pass_time(90, step=3)
    assert workbench.alice.only("ready")
    assert workbench.asked("resume_session") == (1 if after else 2)


@pytest.mark.parametrize("name", FAULTS)
async def test_a_launch_that_goes_wrong_makes_one_session_or_none(workbench, name):
    alice = workbench.alice
    meets(workbench, "launch_session", FAULTS[name])
    await workbench.bot.services.create_caller(workbench.principal(), "once").run(
        create_workspace, "wb", SPEC
    )
    # A launch of unknown outcome has two minutes to appear.
    await workbench.pass_time(200, step=4)
    told = [shown for shown in alice.sees() if shown.kind not in {"card", "linked", ""}]
    assert len(told) == 1, [shown.text for shown in told]
    made = [one for one in workbench.posit.state.sessions.values() if one.name == "paper"]
    assert len(made) == (told[0].kind == "ready")
    assert 1 <= workbench.asked("launch_session") <= 2
    assert problems.CAUSES["internal"] not in told[0].text


async def test_a_quarter_of_an_hour_without_a_server_loses_nothing(workbench):
    alice = workbench.alice
    inject_fault(workbench.posit.harness, r"/api/\w+$", times=100_000, status=503)
    await alice.types("start thesis")
    await workbench.pass_time(900, step=10)
    assert "I'll keep trying" in alice.card.text
    assert sum(workbench.posit.harness.requests.values()) < 150
    workbench.heal()
    await workbench.pass_time(120, step=3)
    assert len(alice.told("ready")) + len(alice.told("failed")) == 1
    assert workbench.asked("resume_session") <= 2


async def test_many_watched_sessions_of_one_account_are_read_together(workbench):
    alice = workbench.alice
    await alice.types("start thesis")
    await alice.types("stop analysis --yes")
    await alice.types("stop lab --yes")
    await workbench.pass_time(20)
    before = workbench.asked("get_session")
    await workbench.pass_time(60)
    # Running sessions are read once a minute, in one request for all.
    assert workbench.asked("get_session") - before <= 3
    assert alice.only("ready")
    assert len(alice.told("stopped")) == 2
