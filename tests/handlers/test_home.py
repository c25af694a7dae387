"""Events and buttons of the Home tab, as Slack sends them, and the Home that is published."""

import pytest
from structlog.testing import capture_logs

from bot.domain.people import Principal
from bot.domain.surfaces import Surface, Where
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.store import accounts, homes, tasks
from bot.store.accounts import refuse
from bot.store.tables import ACCOUNTS, TASKS
from bot.support.errors import SlackPermanent
from handlers.home import publish_home
from handlers.replaying import replay
from handlers.requests.deferred_command import DeferredCommand
from handlers.requests.payload import parse_button_surface
from tests.handlers.rig import COLLEAGUE
from tests.handlers.slack import LittleSlack, bolt_for, event, paced, send
from tests.rigs.golden import check_golden, check_limits
from tests.rigs.store import ALICE

IN_HOME = Surface("replay", Where.HOME)


@pytest.fixture
def slack():
    return LittleSlack()


@pytest.fixture
def app(bot, slack):
    return bolt_for(bot.services, slack)


def opened(event_id="Ev1", tab="home"):
    return event("app_home_opened", event_id, user=ALICE.user_id, channel="D1", tab=tab)


def pressed(action_id, value=""):
    return {
        "type": "block_actions",
        "user": {"id": ALICE.user_id, "team_id": ALICE.team_id},
        "team": {"id": ALICE.team_id},
        "container": {"type": "view", "view_id": "V1"},
        "view": {"id": "V1", "type": "home", "hash": "h"},
        "trigger_id": "1.1",
        "actions": [{"action_id": action_id, "value": value, "action_ts": "1.1", "type": "button"}],
    }


async def wanted(bot):
    claimed = await bot.store.claim(tasks.claim_tasks, 10, 60.0, "", [TaskKind.HOME])
    return [(task.subject, task.payload["shown"]) for task in claimed]


async def publish(bot, slack, principal=ALICE, shown=None):
    await publish_home(bot.services, paced(bot.services, slack), principal, shown or {})
    method, body = slack.posts[-1]
    assert (method, body["user_id"], body["view"]["type"]) == ("views.publish", principal.user_id, "home")
    check_limits(body["view"])
    return str(body["view"]["blocks"])


async def test_opening_the_home_tab_is_written_and_other_tabs_are_not(bot, app):
    await send(app, opened(tab="messages", event_id="Ev1"))
    assert await wanted(bot) == []
    assert (await send(app, opened(event_id="Ev2"))).status == 200
    assert await wanted(bot) == [(ALICE.key, {})]


async def test_home_is_the_list_with_refresh(bot, slack):
    await bot.link(names=("notebook", "report"))
    await bot.sees(State.RUNNING, "report")
    await publish(bot, slack)
    check_golden("home/two-workspaces", slack.posts[-1][1]["view"])


@pytest.mark.parametrize(
    ("view", "taken"),
    [({"type": "home", "team_id": "T1"}, "event.view.team_id"), (None, "team_id")],
    ids=["by its view", "by the event"],
)
async def test_home_opens_without_word_on_a_shared_channel(bot, app, view, taken):
    payload = opened()
    del payload["is_ext_shared_channel"]
    payload["event"]["view"] = view
    with capture_logs() as logged:
        assert (await send(app, payload)).status == 200
    assert await wanted(bot) == [(ALICE.key, {})]
    (line,) = [one for one in logged if one["event"] == "field missing"]
    assert (line["field"], line["taken"]) == ("is_ext_shared_channel", taken)


@pytest.mark.parametrize("view", [None, {"type": "home", "team_id": "T9"}], ids=["no team", "another"])
async def test_home_of_another_team_is_ignored(bot, app, view):
    payload = opened() | {"is_ext_shared_channel": True}
    payload["event"]["view"] = view
    assert (await send(app, payload)).status == 200
    assert await wanted(bot) == []


async def test_foreign_key_in_a_home_is_refused_like_anywhere(bot, app):
    await send(app, pressed("start", "workspace_of_bob"))
    ((_, shown),) = await wanted(bot)
    assert "I can't find that workspace on your list." in str(shown["blocks"])


@pytest.mark.parametrize("value", ["refresh", "own", "page 3", "page x", ""])
async def test_button_of_an_earlier_home_publishes_it_again(bot, app, value):
    await send(app, pressed("home:next", value))
    assert await wanted(bot) == [(ALICE.key, {})]


async def test_button_of_earlier_totals_says_where_they_are(bot, app):
    await send(app, pressed("home:totals", "totals"))
    ((_, shown),) = await wanted(bot)
    assert "`/workspace approvals`" in str(shown["blocks"])


def test_a_home_has_no_way_back_but_the_next_view():
    payload = pressed("start", "x")
    surface = parse_button_surface(payload, payload["actions"][0])
    assert (surface.kind, surface.where, surface.view_id) == ("button", Where.HOME, None)
    assert (surface.channel_id, surface.response_url) == (None, None)


async def test_newest_press_counts_while_a_home_waits(bot, app):
    await send(app, pressed("home:totals", "totals"))
    await send(app, pressed("home:refresh", "refresh"))
    assert await wanted(bot) == [(ALICE.key, {})]


async def test_opening_keeps_an_answer_that_waits(bot, app):
    await bot.link()
    await send(app, pressed("hours:0", (await bot.workspace()).id))
    await send(app, opened())
    ((_, shown),) = await wanted(bot)
    assert shown["blocks"]


async def test_home_is_published_again_for_a_press_meanwhile(bot):
    await bot.store.carry_out(lambda tx: homes.request_home(tx, ALICE, blocks=[{"type": "divider"}]))
    (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0, "", [TaskKind.HOME])
    await bot.store.carry_out(lambda tx: homes.request_home(tx, ALICE))
    await bot.store.write(tasks.retry_task, task, 0.0)
    assert await wanted(bot) == [(ALICE.key, {})]


async def test_home_shows_rows_with_links_and_slash_commands(bot, slack):
    await bot.link(state=State.RUNNING)
    blocks = await publish(bot, slack)
    assert "notebook" in blocks
    assert "Page updated at" in blocks
    assert blocks.count("'Refresh'") == 1


async def test_home_of_a_resting_link_shows_nothing_of_it(bot, slack, app):
    await bot.link()
    await send(app, opened())
    assert "notebook" in await publish(bot, slack)
    await wanted(bot)
    (account,) = await bot.store.read(accounts.list_accounts, ALICE)
    await bot.store.carry_out(lambda tx: rest(tx, account))
    assert "notebook" not in await publish(bot, slack)


def rest(tx, account):
    refuse(tx, account, None)
    ACCOUNTS.change(tx, {"id": account.id}, resting_since=tx.now())


async def test_change_of_a_link_publishes_only_opened_homes(bot, app):
    await bot.link()
    await bot.link(COLLEAGUE, ("training",), username="chen")
    await send(app, opened())
    await wanted(bot)
    for principal in (ALICE, COLLEAGUE):
        (account,) = await bot.store.read(accounts.list_accounts, principal)
        await bot.store.write(accounts.end, account, can_revoke=False, notify=True)
    found = [
        await bot.store.carry_out(lambda tx, key=one.key: TASKS.row(tx, kind=TaskKind.HOME, subject=key))
        for one in (ALICE, COLLEAGUE)
    ]
    assert [row is not None and row["joined"] is not None for row in found] == [True, False]


async def test_answer_is_not_shown_once_its_link_has_ended(bot, slack):
    await bot.link()
    links = [[one.id, one.state] for one in await bot.store.read(accounts.list_accounts, ALICE)]
    said = {"type": "section", "text": {"type": "mrkdwn", "text": "Starting *notebook*."}}
    shown = {"blocks": [said], "links": links, "is_page": False}
    assert "Starting *notebook*." in await publish(bot, slack, shown=shown)
    (account,) = await bot.store.read(accounts.list_accounts, ALICE)
    await bot.store.write(accounts.end, account, can_revoke=False, notify=True)
    assert "notebook" not in await publish(bot, slack, shown=shown | {"is_page": True})


async def test_home_that_slack_refuses_is_published_as_words(bot, slack):
    await bot.link()
    slack.fails = [SlackPermanent("views.publish", "invalid_blocks")]
    blocks = await publish(bot, slack)
    assert "notebook" in blocks
    assert "accessory" not in blocks


async def test_home_is_drawn_however_late_its_list_was_read(bot, slack):
    await bot.link()
    late = DeferredCommand(text="list all", surface=IN_HOME, updates=True, task="task_1").as_body()
    bot.clock.advance(3600)
    assert "notebook" in await publish(bot, slack, shown={"deferred": late})


async def test_unread_list_in_home_says_what_to_press_there(bot, slack):
    await bot.link()
    unread = DeferredCommand(
        text="list all", surface=IN_HOME, updates=True, task="task_1", problem="unreachable"
    )
    blocks = await publish(bot, slack, shown={"deferred": unread.as_body()})
    assert "I couldn't read your list on" in blocks
    assert "Press *Refresh*" in blocks
    assert "To try again" not in blocks


async def test_home_asks_once_who_somebody_is(bot, slack):
    bot.people.silent = True
    nobody = Principal(None, "T1", "UNOBODY")
    await publish(bot, slack, nobody)
    asked = await bot.store.claim(tasks.claim_tasks, 10, 60.0, "", [TaskKind.LOOK_UP_PERSON])
    assert [task.subject for task in asked] == [nobody.key]
    (again,) = asked[0].payload["then"]
    await bot.store.write(tasks.finish_task, asked[0])
    await replay(bot.services, nobody, {**again, "task": "task_1"})
    ((_, shown),) = await wanted(bot)
    await publish(bot, slack, nobody, shown)
    assert await bot.store.claim(tasks.claim_tasks, 10, 60.0, "", [TaskKind.LOOK_UP_PERSON]) == []


async def list_read(bot):
    """Run the command that waits for the list."""
    (read,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0, "", [TaskKind.DISCOVER])
    await bot.store.write(tasks.finish_task, read)
    for waiting in read.payload.get("then", ()):
        await replay(bot.services, ALICE, {**waiting, "task": read.id})


async def publish_next(bot, slack):
    (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0, "", [TaskKind.HOME])
    await bot.store.write(tasks.finish_task, task)
    return await publish(bot, slack, shown=task.payload["shown"])


@pytest.mark.parametrize("is_pressed_first", [True, False], ids=["drawn with it", "pressed meanwhile"])
async def test_question_stays_when_an_old_list_has_been_read(bot, slack, app, is_pressed_first):
    await bot.link(names=("notebook", "report"))
    bot.clock.advance(3600)
    if not is_pressed_first:
        await send(app, opened())
        assert "Checking" in await publish_next(bot, slack)
        bot.clock.advance(1)
    await send(app, pressed("home:totals", "totals"))
    assert "`/workspace approvals`" in await publish_next(bot, slack)
    await list_read(bot)
    assert await wanted(bot) == []


async def test_old_list_is_drawn_again_once_it_has_been_read(bot, slack, app):
    await bot.link()
    bot.clock.advance(3600)
    await send(app, opened())
    await publish_next(bot, slack)
    bot.clock.advance(1)
    await list_read(bot)
    assert "Checking" not in await publish_next(bot, slack)
