"""Failures of a Workbench: a session is created only once, and the person is told what happened."""

import pytest

from bot.messages.texts import problems
from tests.rigs.scenario.workbench import inject_fault


async def sends_form(world, **values):
    """Create a session called paper with the form."""
    await world.opens_form(world.alice, "new wb")
    await world.fills(world.alice, ide="RStudio", **{"name": "paper", **values})
    return await world.sends(world.alice)


def made(world):
    return [one for one in world.posit.state.sessions.values() if one.name == "paper"]


async def test_the_same_form_that_is_handed_in_twice_makes_one(linked):
    """If an answer is lost on its way, Slack shows an error, and people press again."""
    alice = linked.alice
    await linked.opens_form(alice, "new wb")
    await linked.fills(alice, ide="RStudio", name="paper")
    state = linked.slack.state
    view = state.top_view(alice.id)
    assert (await linked.sends(alice))["response_action"] == "clear"
    state.views[view.id] = view
    state.stacks[alice.id] = [view.id]
    assert (await linked.sends(alice))["response_action"] == "clear"
    await linked.pass_time(20)
    assert len(made(linked)) == linked.asked("launch_session") == 1
    assert alice.only("ready")


LIMITS = {
    "sessions of the licence": ({"license_sessions": 1}, "maximum of concurrent sessions for this license"),
    "users of the licence": ({"license_users": 0}, "maximum of concurrent users for this license"),
    "sessions of the person": ({"session_limit": 1}, "concurrent sessions for this user profile"),
}


#: Exceeded quotas: the person's own, and the total of all people.
SAYS = (
    ("It needed more than a quota on Workbench allows.", "Stop something you don't need, or ask"),
    ("There's no room on Workbench right now.", "Try again later."),
)


@pytest.mark.parametrize("name", LIMITS)
async def test_a_limit_is_one_sentence_with_what_to_do(linked, name):
    switches, said = LIMITS[name]
    linked.switch(**switches)
    assert (await sends_form(linked))["ok"]
    await linked.pass_time(20)
    failed = linked.alice.only("failed")
    because, then = SAYS[name.endswith("licence")]
    assert f"I couldn't create *paper* on Workbench. {because}" in failed.text
    assert said in failed.text
    assert then in failed.text
    assert "Try again" in failed.labels
    assert made(linked) == []
    assert linked.asked("launch_session") == 1
    linked.switch(license_sessions=None, license_users=None, session_limit=None)
    await linked.alice.presses(failed, "Try again")
    await linked.pass_time(20)
    assert "*paper* is ready." in linked.alice.only("ready").text
    assert len(made(linked)) == 1


async def test_a_limit_holds_for_resuming_too(linked):
    linked.switch(session_limit=1)
    await linked.alice.types("start thesis")
    await linked.pass_time(20)
    assert SAYS[0][0] in linked.alice.only("failed").text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"longest_name": 4}, "The name is longer than 4 characters"),
        ({"unique_names": True}, "A session with the name paper exists already"),
        ({}, "Kubernetes"),
    ],
)
async def test_what_the_server_refuses_since_the_form_was_opened_is_told_in_its_words(linked, changes, says):
    await linked.opens_form(linked.alice, "new wb")
    await linked.fills(linked.alice, ide="RStudio", name="paper", **{} if changes else {"cluster": says})
    linked.switch(**changes)
    if changes.get("unique_names"):
        linked.session("lab").name = "paper"
    if not changes:
        del linked.posit.state.environments.clusters[says]
    assert (await linked.sends(linked.alice))["ok"]
    await linked.pass_time(20)
    failed = linked.alice.only("failed")
    assert "Workbench refused the request. Workbench says: “" in failed.text
    assert says in failed.text
    assert "Change what you asked for, then try again." in failed.text


async def test_missing_launch_parameters_are_told_in_the_servers_words(linked):
    linked.answers("launch_session", 17, "Launch parameters are missing: queues")
    await sends_form(linked)
    await linked.pass_time(20)
    failed = linked.alice.only("failed")
    assert "Launch parameters are missing: queues.” Ask your Workbench admin." in failed.text
    assert "Change what you asked for" not in failed.text
    assert linked.asked("launch_session") == 1


async def test_a_session_that_fails_to_come_up_says_why(linked):
    linked.switch(fail_sessions=1)
    await sends_form(linked)
    await linked.pass_time(30)
    failed = linked.alice.only("failed")
    assert "Workbench" in failed.text
    assert "The session exited before it was ready" in failed.text
    assert len(made(linked)) == 1


async def test_a_page_in_place_of_an_answer_is_waited_out(linked):
    inject_fault(
        linked.posit.harness,
        "/api/get_session$",
        times=4,
        body="<html><body>Sign in</body></html>",
        headers={"Content-Type": "text/html"},
    )
    await linked.alice.types("start thesis")
    await linked.pass_time(150, step=5)
    assert "*thesis* is ready." in linked.alice.only("ready").text
    assert problems.CAUSES["internal"] not in "".join(linked.told_all())


async def test_a_token_that_is_refused_asks_for_a_new_link_and_then_goes_on(linked):
    alice = linked.alice
    linked.posit.state.accounts.revoke("alice")
    await alice.types("start thesis")
    await linked.pass_time(60, step=5)
    again = alice.only("sign_in_refused")
    assert "Workbench has refused your sign-in" in again.text
    people = linked.posit.state.accounts.people
    fresh = linked.posit.state.accounts.mint("alice", "user", "read-write", people["alice"])
    linked.watch.secrets.add(fresh.value)
    linked._options = {**linked._options, "tokens": {"wb": {"alice": fresh.value}}}
    await alice.links("alice", "wb", asked=again)
    await linked.pass_time(30)
    assert "*thesis* is ready." in alice.only("ready").text
