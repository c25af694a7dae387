"""list, status and open: answered from rows, with their age; addresses are shown only to the owner."""

import json
import re
from importlib import metadata

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.reconciler.tasks import build_replays
from bot.store import discovered, operations, tasks
from handlers.replaying import replay
from tests.handlers.rig import COLLEAGUE, activate, buttons, invited, words
from tests.rigs.counting import counting
from tests.rigs.drawn import as_shown
from tests.rigs.golden import check_golden
from tests.rigs.providers import NO_GPU
from tests.rigs.store import ALICE, found_workspace, observe

IDE = "https://app.example.test/ide/alice?a=1"


async def running(bot, name="notebook", url=IDE):
    row = await bot.workspace(name)
    await observe(bot.store, bot.clock, row, Observed(State.RUNNING, url))
    return await bot.workspace(name)


def shown(answer):
    return json.dumps(as_shown(answer))


async def test_the_list(bot):
    linked = await bot.link(names=("notebook", "trainer", "vision", "old", "brain"))
    left = [found_workspace(name) for name in ("notebook", "trainer", "vision", "brain")]
    for _ in range(2):
        await bot.store.perform(discovered.merge_discovered, linked.account.id, left)
    await bot.sees(State.STARTING, "trainer")
    await bot.sees(State.STOPPING, "vision")
    await running(bot)
    answer = await bot.say("")
    check_golden("answers/list", answer)
    assert shown(await bot.say("LIST")) == shown(answer)


async def test_a_long_list_comes_in_pages(bot):
    await bot.link(names=tuple(f"workspace-{number:02}" for number in range(45)))
    first = await bot.say("list all")
    assert "and 25 more" in words(first)
    assert len(first.blocks) <= 50
    assert words(await bot.push(first, "Refresh")) == words(first)
    second = await bot.push(first, "More")
    assert second.replaces
    assert "workspace-20" in words(second)
    assert "More" not in buttons(await bot.say("list 3"))
    assert "workspace-44" in words(await bot.say("list 99"))
    assert "workspace-00" in words(await bot.say("list of all"))


async def test_where_everything_is_gone_a_page_of_it_is_shown(bot):
    names = [f"workspace-{number:02}" for number in range(25)]
    linked = await bot.link(names=tuple(names))
    for _ in range(2):
        await bot.store.perform(discovered.merge_discovered, linked.account.id, [])
    answer = await bot.say("list")
    assert len(rows_of(answer)) == 20
    assert "and 5 more" in words(answer)


def rows_of(answer):
    return re.findall(r"^\S+ \*(?:<[^|]*\|)?(workspace-\d\d)>?\* · ", words(answer), re.MULTILINE)


async def known(bot, name, **times):
    assignments = ", ".join(f"{column} = :{column}" for column in times)
    row = await bot.workspace(name)
    query = f"UPDATE workspaces SET {assignments} WHERE id = :id"
    await bot.store.carry_out(lambda tx: tx.run(query, **times, id=row.id))


async def test_short_list_shows_running_and_five_recent_workspaces(bot):
    names = [f"workspace-{number:02}" for number in range(40)]
    linked = await bot.link(names=tuple(names))
    now = bot.clock.now()
    # Last used, by the owner's requests, the provider's report, or running times. A workspace that is gone
    # doesn't count.
    for name, times in {
        "workspace-31": {"last_request_at": now - 10},
        "workspace-07": {"last_used_at": now - 20},
        "workspace-22": {"up_at": now - 30},
        "workspace-12": {"down_at": now - 40},
        "workspace-38": {"last_request_at": now - 50, "last_used_at": now - 900},
        "workspace-03": {"last_used_at": now - 60},
        "workspace-00": {"last_used_at": now - 5},
    }.items():
        await known(bot, name, **times)
    for _ in range(2):
        await bot.store.perform(
            discovered.merge_discovered, linked.account.id, [found_workspace(one) for one in names[1:]]
        )
    await running(bot, "workspace-39")
    await bot.sees(State.STARTING, "workspace-15")
    last = ["workspace-31", "workspace-07", "workspace-22", "workspace-12", "workspace-38"]
    short = await bot.say("list")
    assert rows_of(short) == ["workspace-15", "workspace-39", *last]
    assert "and 33 more" in words(short)
    assert "More" not in buttons(short)
    assert len(rows_of(await bot.push(short, "Show all 40"))) == 20
    assert rows_of(await bot.push(short, "Refresh")) == rows_of(short)


async def test_ten_are_shown_as_they_are(bot):
    await bot.link(names=tuple(f"workspace-{number:02}" for number in range(10)))
    answer = await bot.say("list")
    assert len(rows_of(answer)) == 10
    assert "Home" not in words(answer)


async def test_where_more_runs_than_a_message_holds_the_list_has_pages(bot):
    await bot.link(names=tuple(f"workspace-{number:02}" for number in range(21)))
    for number in range(16):
        await running(bot, f"workspace-{number:02}")
    first = await bot.say("list")
    assert len(rows_of(first)) == 20
    assert rows_of(await bot.push(first, "More")) == ["workspace-20"]


async def test_the_buttons_of_a_list_of_only_some_keep_the_words(bot):
    await bot.link(names=[f"workspace-{number:02}" for number in range(45)])
    check_golden("answers/list-narrowed", await bot.say("list workspace-3 stopped"))
    await bot.say("list stopped")
    more = await bot.press("list:more", "2 stopped")
    assert more.replaces
    assert "workspace-20" in words(more)
    assert buttons(more)["More"]["value"] == "3 stopped"
    none = await bot.press("list:refresh", "1 running")
    assert none.replaces
    assert "You don't have any running workspaces." in words(none)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list-none", "list running"),
        ("not-understood", "fly me to the moon"),
        ("not-understood-job", "job fly me to the moon"),
        ("hours-without-a-time", "hours notebook evenings 25:00"),
    ],
)
async def test_what_can_only_be_said(bot, name, text):
    await bot.link()
    check_golden(f"answers/{name}", await bot.say(text))
    assert await bot.notices() == []


async def test_an_old_list_is_shown_and_read_anew_behind(bot):
    """A slash command's answer can't be edited (docs/internals/slack.md), so it needs a press."""
    await bot.link()
    bot.clock.advance(120)
    assert "I'm checking Saturn Cloud for changes" in words(await bot.say("list"))
    kinds = [task.kind for task in await bot.store.claim(tasks.claim_tasks, 9, 30.0)]
    assert kinds == [TaskKind.DISCOVER]


LATER = {"response_url": "https://hooks.example.org/1"}


@pytest.mark.parametrize("where", ["a button in it", "a direct message"])
async def test_a_list_that_can_be_edited_becomes_what_was_read(bot, where):
    """Nobody has to press anything: the list is updated in place, once, without the remark."""
    account = (await bot.link(names=("notebook", "training"))).account
    bot.clock.advance(120)
    if where == "a direct message":
        shown_first = await bot.direct("list")
    else:
        shown_first = await bot.press("list:refresh", "1 training", **LATER)
    assert "Checking Saturn Cloud…" in words(shown_first)
    (task,) = await bot.store.claim(tasks.claim_tasks, 9, 30.0)
    (then,) = build_replays(task, ALICE)
    await bot.store.perform(
        discovered.merge_discovered, account.id, [found_workspace(name) for name in ("training", "new one")]
    )
    await replay(bot.services, ALICE, then.payload["command"])
    (notice,) = await bot.notices()
    assert "Checking" not in str(notice.body["blocks"])
    if where == "a direct message":
        assert notice.kind is NoticeKind.MESSAGE
        assert notice.body["becomes"] == "command:1"
        assert "new one" in str(notice.body["blocks"])
    else:
        assert notice.kind is NoticeKind.REPLY
        assert notice.body["replaces"] is True
        assert "new one" not in str(notice.body["blocks"]), "it stays narrowed"
    assert await bot.store.claim(tasks.claim_tasks, 9, 30.0) == []


@pytest.mark.parametrize(
    ("seconds", "problem", "said"),
    [(180, "", []), (0, "unreachable", ["I couldn't read your list on Saturn Cloud"])],
)
async def test_late_list_changes_nothing_and_unread_list_says_so(bot, seconds, problem, said):
    await bot.link()
    bot.clock.advance(120)
    await bot.direct("list")
    (task,) = await bot.store.claim(tasks.claim_tasks, 9, 30.0)
    (then,) = build_replays(task, ALICE, *([problem] if problem else []))
    bot.clock.advance(seconds)
    await replay(bot.services, ALICE, then.payload["command"])
    notices = await bot.notices()
    assert len(notices) == len(said)
    assert all(one in str(notices[0].body["blocks"]) for one in said)


NAMED_AT = [
    "start training@hub",
    "stop notebook@hub",
    "stop notebook@hub at 6",
    "status training@Hub",
    "remove notebook@hub",
    "hours training@hub",
]


@pytest.mark.parametrize("say", ["say", "direct"])
@pytest.mark.parametrize("text", NAMED_AT, ids=str)
async def test_name_at_an_unlinked_connection_asks_for_that_link_alone(bot, text, say):
    """The state of another connection's list doesn't matter to the question."""
    await bot.link()
    bot.clock.advance(100)
    answer = await getattr(bot, say)(text)
    assert "ink your Hub account" in words(answer)
    assert list(buttons(answer)) == ["Link Hub", "Enter code"]
    assert [where for _, where, _ in await invited(bot)] == ["hub"]
    assert await bot.store.claim(tasks.claim_tasks, 10, 60.0) == []


@pytest.mark.parametrize("text", [*NAMED_AT, "list hub"], ids=str)
async def test_name_at_a_connection_checks_that_list_alone(bot, text):
    await bot.link()
    at_hub = await bot.link(names=("report",), connection="hub")
    bot.clock.advance(100)
    answer = await bot.direct(text)
    assert "Hub" in words(answer)
    assert "Saturn" not in words(answer)
    assert [task.subject for task in await bot.store.claim(tasks.claim_tasks, 10, 60.0)] == [
        at_hub.account.id
    ]


async def test_the_status_of_one(bot):
    await bot.link()
    await running(bot)
    bot.clock.advance(30)
    answer = await bot.say("status notebook")
    check_golden("answers/status", answer)
    assert bot.wakes
    assert shown(await bot.say("status")) == shown(answer)


async def test_a_status_tells_what_the_provider_says(bot):
    await bot.link()
    row = await bot.workspace()
    await observe(bot.store, bot.clock, row, Observed(State.FAILED, reason="<b>Odd</b>"))
    assert "Saturn Cloud says: “&lt;b&gt;Odd&lt;/b&gt;.”" in words(await bot.say("status"))


async def test_why_it_failed_is_answered_in_plain_words(bot):
    await bot.link()
    row = await bot.workspace()
    await observe(bot.store, bot.clock, row, Observed(State.STARTING, reason=NO_GPU))
    assert "There's no free GPU on Saturn Cloud right now. Saturn Cloud keeps trying" in words(
        await bot.say("why isn't notebook ready?")
    )
    await observe(bot.store, bot.clock, row, Observed(State.FAILED, reason="Timeout"))
    said = words(await bot.say("why did notebook fail?"))
    assert "There was no free GPU on Saturn Cloud. Try again later, or ask your Saturn Cloud admin" in said
    assert "Timeout" not in said
    assert "That's all I know" not in said


async def test_version_is_the_installed_packages(bot):
    assert f"This is Usher {metadata.version('usher-bot')}." in words(await bot.say("about"))


async def test_status_says_how_long_a_start_usually_takes(bot, monkeypatch):
    await bot.link()
    await bot.sees(State.STOPPED)
    assert "usually takes" not in words(await bot.say("status notebook"))
    monkeypatch.setattr(operations, "estimate_usual_seconds", lambda _tx, _workspace: 300.0)
    assert "A start usually takes about 5 minutes." in words(await bot.say("status notebook"))
    await bot.sees(State.RUNNING)
    assert "usually takes" not in words(await bot.say("status notebook"))


async def test_a_running_workspace_opens_for_its_owner(bot):
    await bot.link()
    await running(bot)
    answer = await bot.say("open notebook")
    check_golden("answers/open", answer)
    assert buttons(answer)["Open"]["url"] == IDE


async def test_open_in_a_shared_card_answers_its_owner_and_nobody_else(bot):
    await bot.link()
    row = await running(bot)
    assert buttons(await bot.press("open", row.id))["Open"]["url"] == IDE
    for action in ("open", "stop", "status", "start", "restart", "stop:yes"):
        stolen = await bot.press(action, row.id, COLLEAGUE)
        assert IDE not in shown(stolen)
        assert "I can't find that workspace on your list." in words(stolen)
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_an_address_elsewhere_is_not_passed_on(bot):
    await bot.link()
    await running(bot, url="https://evil.example/ide")
    answer = await bot.say("open")
    assert "evil" not in shown(answer)
    assert "didn't give me a link that I can pass on" in words(answer)
    assert list(buttons(answer)) == ["View on Saturn Cloud"]


async def test_what_is_not_running_is_not_opened(bot):
    await bot.link()
    check_golden("answers/open-stopped", await bot.say("open notebook"))
    await bot.say("start")
    assert "Starting" in words(await bot.say("open notebook"))


@pytest.mark.parametrize(("verb", "says"), [("stop", "Stopping"), ("restart", "Restarting")])
async def test_what_is_being_taken_down_is_not_opened(bot, verb, says):
    await bot.link()
    await running(bot)
    await bot.say(f"{verb} notebook")
    answer = await bot.say("open notebook")
    assert says in words(answer)
    assert "Open" not in buttons(answer)


async def test_what_is_gone_is_not_opened(bot):
    account = (await bot.link()).account
    for _ in range(2):
        await bot.store.perform(discovered.merge_discovered, account.id, [])
    assert "no longer exists" in words(await bot.say("open notebook"))


async def test_forget_is_offered_for_what_is_on_the_list(bot):
    account = (await bot.link(names=("R & D",))).account
    row = await bot.workspace("R & D")
    for _ in range(2):
        await bot.store.perform(discovered.merge_discovered, account.id, [])
    answer = await bot.press("remove", row.id)
    assert '`/workspace forget "R &amp; D"` takes it off your list.' in shown(answer).replace('\\"', '"')
    await bot.press("forget", row.id)
    answer = await bot.press("remove", row.id)
    assert words(answer) == "*R &amp; D* no longer exists on Saturn Cloud."
    assert not buttons(answer)


async def test_an_address_that_was_not_read_with_ones_own_credential_is_not_shown(bot):
    account = await activate(bot.store, ALICE, "saturn")
    await bot.say("add id-1 notebook")
    row = await bot.workspace("notebook")
    assert row.verified_at is None
    assert (await bot.services.gatherer.describe_workspace(row)).ide_url is None
    assert account.principal == row.principal


async def test_what_was_never_looked_at_is_said_so(bot):
    await activate(bot.store, ALICE, "saturn")
    await bot.say("add id-1 notebook")
    assert "Unknown · not checked yet" in words(await bot.say("status notebook"))


async def test_a_running_workspace_without_an_address_in_a_list_is_asked_for(bot):
    await bot.link()
    await running(bot, url=None)
    listed = await bot.say("list")
    assert buttons(listed)["Open"]["action_id"] == "open"
    assert "didn't give me a link" in words(await bot.push(listed, "Open"))


async def test_hostile_names_stay_names_everywhere(bot):
    names = ("<!channel>", '"><script>', "<@UALICE>", "*bold*_~`x`", "🚀" * 400, "x" * 5000, "a&lt;b")
    await bot.link(names=names)
    for text in (
        "list",
        "start",
        "status",
        "stop <",
        "forget",
        'start "<!channel>"',
        'list "<!channel>"',
        "list <x> & y",
    ):
        said = shown(await bot.say(text))
        assert "<!channel>" not in said
        assert "<script>" not in said
    kinds = {notice.kind for notice in await bot.notices()}
    assert kinds <= {NoticeKind.CARD}


@pytest.mark.parametrize("text", ["list all", "list all my workspaces", "list All"])
async def test_all_are_listed_where_one_is_called_all(bot, text):
    await bot.link(names=("all", "All", *(f"workspace-{number:02}" for number in range(28))))
    answer = await bot.say(text)
    assert (len(rows_of(answer)), "and 10 more" in words(answer)) == (18, True)
    second = await bot.push(answer, "More")
    assert len(rows_of(second)) == 10
    assert "*all*" in words(await bot.say("status all"))


async def test_waits_of_all_rows_are_read_in_one_statement(bot):
    names = ("notebook", "training", "report")
    await bot.link(names=names)
    for name in names:
        await bot.say(f"start {name} --wait")
    with counting(bot.store, "entries_of_person", 2) as count:
        listed = words(await bot.say("list"))
    assert listed.count("Waiting for room, until ") == len(names)
    assert count.statements["entries_of_person"] == 1
    for name in names:
        await bot.sees(State.RUNNING, name)
    with counting(bot.store, "entries_of_person", 2) as count:
        assert "Waiting for" not in words(await bot.say("list"))
    assert count.statements["entries_of_person"] + count.fruitless["entries_of_person"] == 0


@pytest.mark.parametrize("more", ["", " on hub", " Saturn Cloud", " now", " for the hub"])
async def test_list_waiting_shows_the_queue_also_with_a_connection(bot, more):
    await bot.link()
    assert words(await bot.say(f"list waiting{more}")).startswith("Nobody is waiting for room.")


@pytest.mark.parametrize("name", ["waiting room", '"waiting"'])
async def test_list_waiting_may_be_about_a_name(bot, name):
    await bot.link(names=("waiting room", "lab"))
    assert "*Your workspaces matching “waiting" in words(await bot.say(f"list {name}"))
