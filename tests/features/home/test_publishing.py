"""Homes on their way to Slack: wanted ones at once, others after every message, all within the limits."""

import pytest
from structlog.testing import capture_logs

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.snapshots import Snapshot
from bot.domain.workspaces import State
from bot.features.home.model import HomeUse
from bot.store import audit, notices, snapshots
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent
from tests.reconciler.classroom import person
from tests.rigs.homes import use_home
from tests.rigs.maker import Maker
from tests.rigs.providers import FakeProvider
from tests.rigs.store import ALICE, link_account, observe

PUBLISH = "views.publish"


class Broken(FakeProvider):
    """Be a provider with a mistake in it."""

    def page_url(self, remote_id):
        raise LookupError(remote_id)


class BrokenMaker(Maker):
    """Be a provider whose forms can't be made from what it once said."""

    kind = "broken_maker"

    def form(self, snapshot, purpose, values, principal):
        raise LookupError(purpose)


async def opened(world, principal=ALICE):
    await use_home(world.store, principal, HomeUse())
    await world.notifier.step_homes()


def shown(world, principal=ALICE):
    return str(world.slack.homes[principal.user_id][1])


async def crowd(world, size):
    """Let so many people link an account with a workspace each, and open their Home."""
    rows = [await world.own(person(number), f"r{number}") for number in range(size)]
    for row in rows:
        await use_home(world.store, row.principal, HomeUse())
    return rows


async def test_home_that_slack_does_not_draw_is_shown_as_text(world):
    """At once; what it would say is all there."""
    await world.own(state=State.RUNNING)
    world.slack.fail(PUBLISH, SlackPermanent(PUBLISH, "invalid_arguments"))
    await opened(world)
    _, view = world.slack.homes["UALICE"]
    assert {block["type"] for block in view["blocks"]} == {"section"}
    assert "Running" in shown(world)
    assert world.slack.count(PUBLISH) == 2


async def test_a_crowd_of_openings_keeps_the_limit_and_everybody_gets_a_view(world):
    await crowd(world, 120)
    await world.notifier.step_homes()
    while await world.notifier.step_homes():
        pass
    assert len(world.slack.homes) == 90
    await world.pass_time(70)
    assert len(world.slack.homes) == 120
    assert world.slack.over_budget == 0


async def test_redraws_leave_presses_their_share(world):
    rows = await crowd(world, 80)
    await world.pass_time(70)
    before = world.slack.count(PUBLISH)
    for row in rows:
        world.provider.put(row.remote_id, State.RUNNING)
        await observe(world.store, world.clock, row, Observed(State.RUNNING))
    await world.pass_time(15, step=0.5)
    redrawn = world.slack.count(PUBLISH) - before
    assert 55 <= redrawn <= 63
    await opened(world, person(200))
    assert person(200).user_id in world.slack.homes
    await world.pass_time(70)
    assert world.slack.over_budget == 0
    assert all("Running" in shown(world, row.principal) for row in rows)


async def test_a_redraw_waits_for_what_somebody_waits_for_and_a_press_does_not(world):
    row = await world.own()
    await opened(world)
    await observe(world.store, world.clock, row, Observed(State.RUNNING))
    world.clock.advance(10)
    await world.store.write(notices.add_notices, [NewNotice("one", NoticeKind.READY, "1", ALICE)])
    assert await world.notifier.step_homes() == 0
    await opened(world, person(7))
    assert person(7).user_id in world.slack.homes
    await world.notifier.step_notices()
    world.clock.advance(1)
    assert await world.notifier.step_homes() == 1
    assert "Running" in shown(world)


async def test_what_slack_would_not_take_now_holds_no_home_up(world):
    row = await world.own()
    await opened(world)
    await observe(world.store, world.clock, row, Observed(State.RUNNING))
    world.clock.advance(10)
    await world.store.write(notices.add_notices, [NewNotice("one", NoticeKind.READY, "1", ALICE)])
    await world.line.budget.pause("chat.postMessage", 60)
    assert await world.notifier.step_homes() == 1


async def test_a_view_that_nobody_asked_for_never_overwrites_a_newer_one(world):
    row = await world.own()
    await opened(world)
    world.slack.homes["UALICE"] = ("published by another process", {"type": "home", "blocks": []})
    await observe(world.store, world.clock, row, Observed(State.RUNNING))
    await world.pass_time(11)
    assert shown(world) == str({"type": "home", "blocks": []})
    await world.pass_time(10)
    assert "Running" in shown(world)


async def test_what_was_said_goes_once_something_changes(world):
    row = await world.own()
    await use_home(world.store, ALICE, HomeUse(answer={"text": "Starting it.", "blocks": []}))
    await world.work()
    assert "Starting it." in shown(world)
    published = world.slack.count(PUBLISH)
    await world.pass_time(300, step=10)
    assert world.slack.count(PUBLISH) == published, "nothing else changed"
    await observe(world.store, world.clock, row, Observed(State.RUNNING))
    await world.pass_time(11)
    assert "Starting it." not in shown(world)
    await world.pass_time(30)
    assert world.slack.count(PUBLISH) == published + 1


async def test_what_can_be_pressed_stays_for_two_minutes(world):
    row = await world.own()
    button = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "End it"}}
    answer = {"text": "Sure?", "blocks": [{"type": "actions", "elements": [button]}]}
    await use_home(world.store, ALICE, HomeUse(answer=answer))
    await world.work()
    await observe(world.store, world.clock, row, Observed(State.RUNNING))
    await world.pass_time(100, step=10)
    assert "End it" in shown(world)
    await world.pass_time(40, step=10)
    assert "End it" not in shown(world)


@pytest.mark.parametrize(
    ("error", "tries", "is_shown"),
    [
        (None, 0, True),
        (SlackPermanent(PUBLISH, "invalid_arguments"), 1, False),
        (SlackFailed(PUBLISH, "fatal_error"), 6, True),
        (SlackLimited(PUBLISH, 20.0), 2, True),
    ],
)
async def test_a_home_that_cannot_be_drawn_is_logged_once_whatever_slack_says_to_that(
    world, error, tries, is_shown
):
    await world.own()
    world.reborn(connections={"cloud": Broken(world.clock)})
    for _ in range(tries):
        world.slack.fail(PUBLISH, error)
    with capture_logs() as logs:
        await opened(world)
        await world.pass_time(700, step=10)
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["home failed"]
    assert world.slack.count(PUBLISH) == tries + is_shown
    assert ("UALICE" in world.slack.homes) == is_shown
    if is_shown:
        assert "Something went wrong" in shown(world)
    world.reborn()
    await opened(world)
    assert "name-r1" in shown(world)


async def test_templates_that_cannot_be_read_cost_their_line_and_not_the_home(world):
    world.reborn(connections={"cloud": world.provider, "maker": BrokenMaker(world.clock)})
    await world.own()
    account = await link_account(world.store, connection="maker")
    await world.store.write(
        snapshots.save_snapshot, Snapshot("maker", account.id, "templates", {}, world.clock.now())
    )
    with capture_logs() as logs:
        await opened(world)
        await world.pass_time(100)
    assert "name-r1" in shown(world)
    assert "I couldn't read its templates." in shown(world)
    assert [one["event"] for one in logs if one["log_level"] == "error"] == ["templates not read"]


async def test_templates_are_first_choices_without_a_template_field(world):
    world.reborn(connections={"cloud": world.provider, "maker": Maker(world.clock)})
    await world.own()
    account = await link_account(world.store, connection="maker")
    offer = {"clusters": {"Local": [], "Kubernetes": []}, "maximum": 8}
    await world.store.write(
        snapshots.save_snapshot, Snapshot("maker", account.id, "templates", offer, world.clock.now())
    )
    await opened(world)
    await world.pass_time(100)
    assert "Kubernetes" in shown(world)


async def test_somebody_whom_slack_does_not_know_yet_gets_their_rows_once_it_does(world):
    await world.own(is_known=False)
    await opened(world)
    assert "name-r1" not in shown(world)
    assert "who you are" in shown(world)
    await world.know()
    await world.pass_time(11)
    assert "name-r1" in shown(world)


async def test_somebody_who_became_a_guest_loses_their_rows_and_is_audited_once(world):
    await world.own()
    await opened(world)
    await world.know(is_guest=True)
    await world.pass_time(60)
    assert "name-r1" not in shown(world)
    assert "Guests can't use me." in shown(world)
    assert not [row for row in await world.store.read(audit.read_audit) if row["result"] == "refused"]
    await opened(world)
    refused = [row for row in await world.store.read(audit.read_audit) if row["result"] == "refused"]
    assert [row["action"] for row in refused] == ["home"]


async def test_hints_in_a_home_are_slash_commands(world):
    await world.own()
    await opened(world)
    assert "`/workspace start` without a name means" in shown(world)
    assert "`start`" not in shown(world)
