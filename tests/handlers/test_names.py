"""Names that are incomplete, ambiguous or unknown: Usher asks, offers and searches, but never guesses."""

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.store import accounts, discovered, operations, workspaces
from bot.store import tasks as task_rows
from handlers.replaying import replay
from handlers.requests.deferred_command import RESPONSE_SECONDS
from tests.handlers.rig import activate, buttons, invited, rig, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, found_workspace
from tests.rigs.verbs import OPERATIONS


async def tasks(bot, kind=TaskKind.DISCOVER):
    return [task for task in await bot.store.claim(task_rows.claim_tasks, 50, 30.0) if task.kind is kind]


async def own_accounts(bot):
    return await bot.store.read(accounts.list_accounts, ALICE)


async def fresh(bot):
    """Finish the work that linking caused, so that every list counts as fresh."""
    for task in await tasks(bot):
        await bot.store.write(task_rows.finish_task, task)


async def test_two_that_begin_alike_are_asked_about(bot):
    await bot.link(names=("notebook", "notes"))
    answer = await bot.say("start note")
    check_golden("answers/name-of-two", answer)
    assert await bot.store.read(operations.open_operations, ALICE) == []
    assert "Starting *notes*" in words(await bot.push(answer, "Start notes"))


@pytest.mark.parametrize("name", ["if only", "not now", "until then", "hold off", "yesterday"])
async def test_words_of_an_exact_name_mean_nothing_else(bot, name):
    await bot.link(names=(name, "notebook"))
    assert words(await bot.say(f"start {name}")).startswith(f"Starting *{name}*")


@pytest.mark.parametrize("typed", ["olivia’s lab", "olivia's lab"], ids=["curly", "plain"])
async def test_name_with_curly_quotes_is_found_however_it_is_typed(bot, typed):
    await bot.link(names=("Olivia’s lab", "notebook"))
    assert words(await bot.say(f"start {typed}")).startswith("Starting *Olivia’s lab*")


NOBODYS = "my thesis"


@pytest.mark.parametrize("names", [("notebook",), ("notebook", "report")], ids=["one", "several"])
@pytest.mark.parametrize(
    "text",
    [
        *(f'{verb} "{NOBODYS}"' for verb in sorted(OPERATIONS | {"hours", "run", "boot"})),
        f'alias "{NOBODYS}" lab',
        f'settings "{NOBODYS}" off',
        f'stop "{NOBODYS}" at 18:00',
        f'start "{NOBODYS}" for 2 h',
        f'hours "{NOBODYS}" off',
        f'please start the one called "{NOBODYS}"',
        f'is "{NOBODYS}" running?',
        f'why did "{NOBODYS}" fail?',
    ],
)
async def test_a_quoted_name_names_nothing_else(bot, names, text):
    await bot.link(names=names)
    await fresh(bot)
    before = await bot.store.perform(workspaces.read_workspaces, ALICE)
    answer = await bot.direct(text)
    assert NOBODYS in words(answer)
    assert not any(name in label for label in buttons(answer) for name in names)
    assert await bot.store.perform(workspaces.read_workspaces, ALICE) == before
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_a_name_on_a_connection_that_isnt_linked_offers_that_link(bot):
    await bot.link()
    answer = await bot.say("start training@hub")
    assert "To start *training@hub*, link your Hub account." in words(answer)
    ((_, connection, waiting),) = await invited(bot)
    assert (connection, waiting["text"]) == ("hub", "start training@hub")


async def test_a_mistyped_name_is_offered_and_not_run(bot):
    await bot.link(names=("notebook", "trainer"))
    await fresh(bot)
    check_golden("answers/name-unknown", await bot.say("start notbok"))
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_an_option_that_a_verb_lacks_is_said_once(bot):
    await bot.link()
    said = words(await bot.say("start --bla notebook"))
    assert said.splitlines() == [
        "`/workspace start` has no option `--bla`, so I haven't done anything.",
        "Its options are `--wait`, `--yes`.",
    ]


async def test_verbs_without_a_button_name_the_nearest(bot):
    await bot.link()
    answer = await bot.say("alias notbook nb")
    assert "Did you mean *notebook*?" in words(answer)
    assert buttons(answer) == {}


async def test_a_long_list_can_be_searched(bot):
    await bot.link(names=tuple(f"workspace-{number}" for number in range(9)))
    answer = await bot.say("start")
    kinds = [element["type"] for block in answer.blocks for element in block.get("elements", ())]
    assert kinds == ["button"] * 5 + ["external_select"]


async def test_a_replay_that_finds_nothing_says_so_and_looks_no_second_time(bot):
    linked = await bot.link()
    await fresh(bot)
    bot.clock.advance(61)
    await bot.say("start brand-new", response_url="https://hooks.example.org/1")
    (task,) = await tasks(bot)
    bot.clock.advance(3600)
    await replay(bot.services, ALICE, task.payload["then"][0])
    assert task.payload["then"][0]["looked"] == [linked.account.id]
    (message,) = await bot.notices(NoticeKind.MESSAGE)
    assert "I can't find a workspace called *brand-new*." in message.body["blocks"][0]["text"]["text"]
    assert "looking" not in message.body["blocks"][0]["text"]["text"]


async def test_several_old_lists_are_read_together_and_what_is_looked_for_is_said_once(bot):
    saturn = (await bot.link()).account
    hub = (await bot.link(names=("trainer",), connection="hub", username="al")).account
    await fresh(bot)
    bot.clock.advance(61)
    assert words(await bot.say("start brand-new")) == "Checking Hub and Saturn Cloud…"
    first, second = sorted(await tasks(bot), key=lambda task: not task.payload["then"])
    assert {first.subject, second.subject} == {saturn.id, hub.id}
    assert second.payload["then"] == []
    (waiting,) = first.payload["then"]
    await bot.store.write(task_rows.finish_task, first)
    await replay(bot.services, ALICE, waiting)
    # The person gets no answer until both lists have been read.
    assert await bot.notices() == []
    await bot.store.write(task_rows.finish_task, second)
    (again,) = await tasks(bot)
    assert again.subject == second.subject
    (waiting,) = again.payload["then"]
    assert set(waiting["looked"]) == {saturn.id, hub.id}
    await replay(bot.services, ALICE, waiting)
    (notice,) = await bot.notices()
    assert "I can't find a workspace called *brand-new*" in str(notice.body["blocks"])


async def test_somebody_just_linked_is_told_that_the_list_is_on_its_way(bot):
    await activate(bot.store, ALICE, "saturn")
    check_golden("answers/looking", await bot.say("start notebook"))
    (task,) = await tasks(bot)
    assert task.payload["then"][0]["text"] == "start notebook"


NAMED = ("start training", "start training@saturn", "settings training off")


@pytest.mark.parametrize(
    ("text", "there"),
    [*((text, ()) for text in (*NAMED, "start", "list")), *((text, ("other",)) for text in NAMED)],
)
@pytest.mark.parametrize("reads", range(1, 6))
async def test_a_list_that_arrives_between_two_reads_is_never_overlooked(bot, text, there, reads):
    account = await activate(bot.store, ALICE, "saturn")
    await bot.store.perform(
        discovered.merge_discovered, account.id, [found_workspace(name) for name in there]
    )
    await fresh(bot)
    bot.clock.advance(61)
    left = reads

    async def arrives():
        nonlocal left
        left -= 1
        if left == 0:
            names = [*there, "training"]
            await bot.store.perform(
                discovered.merge_discovered, account.id, [found_workspace(name) for name in names]
            )

    bot.store.after[workspaces.read_workspaces] = arrives
    answer = await bot.say(text, response_url="https://hooks.example.org/1")
    bot.store.after.clear()
    assert "can't find" not in words(answer)
    # A list without the name is read again, and the command continues after that.
    waiting = [then["text"] for task in await tasks(bot) for then in task.payload["then"]]
    assert waiting == [text] if "Checking" in words(answer) else "training" in words(answer)


async def test_unknown_name_may_be_on_an_account_that_is_not_linked(bot):
    await bot.link()
    await fresh(bot)
    answer = await bot.say("start nowhere")
    assert "It may be on an account that you haven't linked yet." in words(answer)
    assert list(buttons(answer)) == ["Show my workspaces", "Link Hub"]
    assert list(buttons(await bot.say("start nowhere@saturn"))) == ["Show my workspaces"]


async def test_somebody_with_nothing_is_told_where_to_begin(bot):
    account = await activate(bot.store, ALICE, "saturn")
    await bot.store.perform(discovered.merge_discovered, account.id, [])
    await fresh(bot)
    answer = await bot.say("list")
    check_golden("answers/list-empty", answer)
    assert list(buttons(answer)) == ["Link Hub", "New workspace"]
    assert list(buttons(await bot.say("start"))) == ["Link Hub", "New workspace"]


@pytest.mark.parametrize("text", ["list", "start", "start notebook"])
async def test_a_list_that_could_not_be_read_is_never_told_as_empty(bot, text):
    await activate(bot.store, ALICE, "saturn")
    await bot.say(text)
    (task,) = await tasks(bot)
    (waiting,) = task.payload["then"]
    await replay(bot.services, ALICE, {**waiting, "problem": "bad_answer"})
    (message,) = await bot.notices(NoticeKind.MESSAGE)
    said = message.body["blocks"][0]["text"]["text"]
    assert said.startswith("I couldn't read your list on Saturn Cloud. ")
    assert "To try again, type `list`." in said


async def test_without_any_connection_the_operator_is_named():
    async with rig() as bot:
        bot.connections.clear()
        assert "Ask your Usher admin" in words(await bot.say("start notebook"))


async def test_a_replay_without_a_way_back_becomes_a_direct_message(bot):
    await bot.link()
    waiting = {"text": "status", "principal": ALICE.key, "interaction": "button:1"}
    await replay(bot.services, ALICE, {**waiting, "task": "task_9"})
    (message,) = await bot.notices(NoticeKind.MESSAGE)
    assert message.subject == "button:1/task_9"
    await replay(bot.services, ALICE, {**waiting, "task": "task_9"})
    assert await bot.notices(NoticeKind.MESSAGE) == []


CARD, MESSAGE, REPLY = NoticeKind.CARD, NoticeKind.MESSAGE, NoticeKind.REPLY
IN_CHANNEL = {"where": "channel", "channel_id": "C1", "response_url": "https://hooks.example.org/1"}
#: Where the command came from, how many seconds its response_url stays valid, and which notices a start
#: sends.
WAITED = [
    ({"where": "direct", "channel_id": "D1"}, 600.0, {CARD}),
    (
        {"where": "channel", "channel_id": "C1", "response_url": "https://hooks.example.org/1"},
        600.0,
        {REPLY},
    ),
    ({"where": "channel", "channel_id": "C1", "response_url": "https://hooks.example.org/1"}, -1.0, {CARD}),
    ({"where": "mention", "channel_id": "C1"}, RESPONSE_SECONDS, {REPLY}),
    ({"where": "mention", "channel_id": "C1"}, 600.0, {CARD}),
    ({"where": "direct", "channel_id": "D1", "is_promised": True}, 600.0, {MESSAGE}),
]


@pytest.mark.parametrize(("waited", "lives", "sent"), WAITED)
async def test_a_start_that_waited_is_said_by_its_card_or_by_an_answer(bot, waited, lives, sent):
    await bot.link()
    until = bot.clock.now() + lives
    await replay(bot.services, ALICE, {"text": "start notebook", "response_until": until, **waited})
    assert {notice.kind for notice in await bot.notices()} == sent


async def test_waiting_again_does_not_prolong_a_response_url(bot):
    await bot.link()
    await fresh(bot)
    bot.clock.advance(61)
    until = bot.clock.now() + 600.0
    waited = IN_CHANNEL | {"text": "start brand-new", "response_until": until, "is_promised": True}
    await replay(bot.services, ALICE, waited)
    (task,) = await tasks(bot)
    assert waited.items() <= task.payload["then"][0].items()


async def test_waiting_command_of_an_earlier_release_keeps_its_folder(bot):
    """Release 0.4 stored the folder next to the text; for workspaces, *run* means *start*."""
    await bot.link(names=("notebook",))
    await replay(bot.services, ALICE, {"text": "run notebook", "folder": "job"})
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_a_new_name_may_come_after_to(bot):
    await bot.link()
    await bot.say("alias notebook to weekly report")
    await bot.say("alias weekly report to")
    assert [one.title for one in await bot.store.perform(workspaces.read_workspaces, ALICE)] == ["to"]
    await bot.say('alias to "to be"')
    assert [one.title for one in await bot.store.perform(workspaces.read_workspaces, ALICE)] == ["to be"]


async def test_unread_list_is_named_though_another_was_read_since(bot):
    await bot.link()
    await bot.link(connection="hub", names=("lab",))
    await fresh(bot)
    bot.clock.advance(61)
    await bot.direct("start zebra")
    titles = {account.id: bot.services.title(account.connection) for account in await own_accounts(bot)}
    problem: dict[str, str] = {"problem": "forbidden: no"}
    for _ in titles:
        claimed = await tasks(bot)
        (waiting,) = [one for task in claimed for one in task.payload["then"]]
        for task in claimed:
            await bot.store.write(task_rows.finish_task, task)
        asked = titles[waiting["looked"][0]]
        await replay(bot.services, ALICE, problem | waiting)
        problem = {}
    (notice,) = await bot.notices(NoticeKind.MESSAGE)
    assert f"I couldn't read your list on {asked}." in str(notice.body["blocks"])


async def test_three_letters_are_the_beginning_of_a_name(bot):
    await bot.link(names=("training", "trained"))
    assert "More than one of your workspaces begins with *tra*." in words(await bot.say("stop tra"))


async def test_two_of_the_same_name_are_told_apart_by_their_connection(bot):
    await bot.link()
    await bot.link(connection="hub", username="al")
    answer = await bot.say("stop notebook")
    check_golden("answers/name-twice", answer)
    assert set(buttons(answer)) == {"Stop notebook@Hub", "Stop notebook@Saturn Cloud"}
    # People may type a connection's title, or its name in the settings.
    assert "on Saturn Cloud" in words(await bot.say("start notebook@Saturn Cloud"))
    assert "on Hub" in words(await bot.say("start notebook@hub"))
    assert "Saturn Cloud" in words(await bot.say("link Saturn Cloud"))
    assert "your account on Saturn Cloud" in words(await bot.say("unlink Saturn Cloud"))


async def test_a_link_is_a_name_and_one_that_is_on_no_list_is_offered_to_be_added(bot):
    await bot.link()
    pages = f"{bot.connections['saturn'].settings.base_url}/dash"
    known, other = f"{pages}/ualice-notebook", f"{pages}/ualice-other"
    assert "*notebook* · Saturn Cloud" in words(await bot.say(f"<{known}>"))
    assert "Starting *notebook*" in words(await bot.say(f"start <{known}>"))
    # Slack may have turned an address typed without a scheme into this link.
    bare = known.removeprefix("https://")
    assert "*notebook* · Saturn Cloud" in words(await bot.say(f"status <{known}|{bare}>"))
    assert f"Add {other.removeprefix('https://')}" in buttons(await bot.say(other.removeprefix("https://")))
    assert f"Add {other}" in buttons(await bot.say(f"<{other}>"))
    assert "didn't understand" in words(await bot.say("<https://example.org/w/x>"))


async def test_offer_of_a_whole_name_says_where_a_namesake_is(bot):
    await bot.link()
    await bot.link(names=("notebook",), connection="hub", username="al")
    await fresh(bot)
    offered = await bot.say("alias noteb@hub lab")
    await bot.push(offered)
    assert [
        (one.connection, one.alias)
        for one in await bot.store.perform(workspaces.read_workspaces, ALICE)
        if one.alias
    ] == [("hub", "lab")]


@pytest.mark.parametrize("name", ["lab", "my lab", "the lab"])
@pytest.mark.parametrize("time", ["", " in 2h", " at 18:00"])
async def test_unknown_name_is_said_with_and_without_a_time(bot, name, time):
    await bot.link(names=("notebook", "report"))
    await fresh(bot)
    assert "I can't find a workspace called *lab*." in words(await bot.say(f"stop {name}{time}"))


async def test_similar_name_is_offered_with_its_time(bot):
    await bot.link(state=State.RUNNING)
    await fresh(bot)
    answer = await bot.say("stop notebok at 18:00 please")
    assert [*buttons(answer)] == ["Stop notebook at 18:00 UTC"]


@pytest.mark.parametrize(
    ("text", "at_hub"),
    [
        ("hours notebook weekdays 9:00-18:00", "Hours for notebook@Hub: weekdays 9:00-18:00"),
        ("settings notebook off", "Settings: notebook@Hub off"),
        ("alias notebook thesis", "Rename notebook@Hub thesis"),
    ],
)
async def test_two_of_the_same_name_are_offered_with_the_rest_of_the_command(bot, text, at_hub):
    await bot.link()
    await bot.link(connection="hub", username="al")
    before = await bot.audit()
    asked = await bot.say(text)
    assert set(buttons(asked)) == {at_hub, at_hub.replace("@Hub", "@Saturn Cloud")}
    assert await bot.audit() == before
    await bot.push(asked, at_hub)
    (entry,) = (await bot.audit())[len(before) :]
    assert entry["target"].startswith("hub/")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("settings notebook off", "I won't message you when *notebook* on Saturn Cloud is ready"),
        ("alias notebook thesis", "*notebook* is now called *thesis* on your list."),
        ("status notebook", "*notebook* · Saturn Cloud"),
        ("remove notebook", "This will permanently delete *notebook* on Saturn Cloud"),
        ("settings notebook@hub off", "I won't message you when *x* on Hub is ready"),
    ],
)
async def test_name_that_an_alias_has_replaced_is_no_second_one(bot, text, said):
    await bot.link()
    await bot.link(connection="hub")
    await fresh(bot)
    await bot.say("alias notebook@hub x")
    assert said in words(await bot.say(text))


@pytest.mark.parametrize(
    ("text", "alias"),
    [
        ("rename notebook to thesis", "thesis"),
        ('rename notebook to "the big one"', "the big one"),
        ('rename "notebook" the big one', "the big one"),
    ],
)
async def test_synonym_of_alias_takes_a_name_of_any_length(bot, text, alias):
    await bot.link()
    assert f"*notebook* is now called *{alias}* on your list." in words(await bot.direct(text))
