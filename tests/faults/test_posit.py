"""The whole bot against all that a Workbench may answer: one call that counts, one end, and it goes on."""

import pytest

from bot.domain.forms import Spec
from bot.messages.texts import problems
from bot.services.workspaces import create
from tests.rigs.scenario.stage import spoil
from tests.rigs.scenario.workbench import workbench_world

#: What is wrong with an answer: a fault of the way, or an error that the API itself tells. One of each:
#: the provider's contract proves that each call makes the right error of every answer.
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
async def world(tmp_path):
    async with workbench_world(tmp_path) as ready:
        ready.switch(starting_seconds=10.0)
        await ready.alice.has_linked("alice", "wb")
        yield ready


def meets(world, method, fault):
    match fault:
        case int():
            world.answers(method, fault)
        case (code, is_after):
            world.answers(method, code, after=is_after)
        case _:
            spoil(world.posit.harness, rf"/api/{method}$", **fault)


@pytest.mark.parametrize(("call", "name"), CASES)
async def test_one_call_that_goes_wrong(world, call, name):
    text, target, method, end = CALLS[call]
    alice = world.alice
    await world.pass_time(5)
    before = world.asked(method)
    meets(world, method, FAULTS[name])
    await alice.types(text)
    await world.pass_time(90, step=3)
    world.heal()
    await world.pass_time(60, step=3)

    ends = {shown.key for shown in alice.told(end)}
    told = [one for one in alice.sees() if one.kind not in {"card", "linked", ""} or one.key in ends]
    assert len(told) == 1, [shown.text for shown in told]
    assert problems.CAUSES["internal"] not in "".join(shown.text for shown in alice.sees())
    state = getattr(world.session(target), "state", "gone")
    if told[0].kind in {"failed", "link_again"}:
        assert "Reference" in told[0].text or told[0].kind == "link_again"
    elif end == "ready":
        assert state == "running"
        assert "/s/" in str(told[0].json)
    else:
        assert state in {"finished", "gone", "suspended"}
    if method != "get_session":
        # Once, and at most once again, when what became of the first was looked at.
        assert 1 <= world.asked(method) - before <= 2


@pytest.mark.parametrize("after", [False, True], ids=["never arrived", "accepted"])
async def test_a_resume_of_unknown_outcome_is_looked_at_before_a_second_one(world, after):
    world.answers("resume_session", 200, after=after)
    await world.alice.types("start thesis")
    await world.pass_time(90, step=3)
    assert world.alice.only("ready")
    assert world.asked("resume_session") == (1 if after else 2)


@pytest.mark.parametrize("name", FAULTS)
async def test_a_launch_that_goes_wrong_makes_one_session_or_none(world, name):
    alice = world.alice
    meets(world, "launch_session", FAULTS[name])
    await world.bot.services.asked(world.principal(), "once").to(create, "wb", SPEC)
    # A launch of unknown outcome has two minutes to show.
    await world.pass_time(200, step=4)
    told = [shown for shown in alice.sees() if shown.kind not in {"card", "linked", ""}]
    assert len(told) == 1, [shown.text for shown in told]
    made = [one for one in world.posit.state.sessions.values() if one.name == "paper"]
    assert len(made) == (told[0].kind == "ready")
    assert 1 <= world.asked("launch_session") <= 2
    assert problems.CAUSES["internal"] not in told[0].text


async def test_an_hour_without_the_server_costs_few_requests_and_loses_nothing(world):
    alice = world.alice
    spoil(world.posit.harness, r"/api/\w+$", times=100_000, status=503)
    await alice.types("start thesis")
    await world.pass_time(900, step=10)
    assert "Nothing is lost" in alice.card.text
    assert sum(world.posit.harness.requests.values()) < 150
    world.heal()
    await world.pass_time(120, step=3)
    assert len(alice.told("ready")) + len(alice.told("failed")) == 1
    assert world.asked("resume_session") <= 2


async def test_many_watched_sessions_of_one_account_are_read_together(world):
    alice = world.alice
    await alice.types("start thesis")
    await alice.types("stop analysis --yes")
    await alice.types("stop lab --yes")
    await world.pass_time(20)
    before = world.asked("get_session")
    await world.pass_time(60)
    # Running sessions are read each minute, in one request.
    assert world.asked("get_session") - before <= 3
    assert alice.only("ready")
    assert len(alice.told("stopped")) == 2
