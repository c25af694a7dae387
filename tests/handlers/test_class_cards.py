"""Class cards: anybody presses for themselves, and only their trainer ends them."""

from dataclasses import replace

import pytest

from bot.domain.courses import ClassCounts
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.store import approvals as approvals_store
from bot.store import courses as store
from bot.store import notices, operations, tasks, workspaces
from tests.handlers.class_rig import ADMIN, TRAINER, class_rig, offer, posted
from tests.handlers.rig import buttons, invited, staged, submit, without_nonces, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, BOB, refuse

bot = staged(class_rig)


# -- pressing ----------------------------------------------------------------------------------------------


async def test_a_press_starts_the_pressers_own_without_any_card(bot):
    card = await posted(bot)
    await bot.link()
    answer = await bot.press("class_press", card.id)
    check_golden("answers/class-starting", answer)
    assert card.id in str((await bot.audit())[-1]["detail"])


async def test_the_end_is_told_to_members_as_counted_and_to_the_trainer_as_it_is(bot):
    card = await posted(bot)
    kinds = [(NoticeKind.CLASS_STOP_WARNING, ALICE), (NoticeKind.CLASS_OVER, TRAINER)]
    await bot.store.write(
        notices.add_notices, [NewNotice(card.id, kind, "end", to, {}) for kind, to in kinds]
    )
    over, ending = sorted(await bot.notices(), key=lambda one: one.kind)
    bot.store.fails[store.count_members] = LookupError("the whole class was counted")
    facts = await bot.services.gatherer.describe_notice(ending)
    assert facts.stopping_class.counts == ClassCounts()
    assert not facts.stopping_class.is_stopper
    facts = await bot.services.gatherer.describe_notice(replace(ending, principal=TRAINER))
    assert facts.stopping_class.is_stopper
    with pytest.raises(LookupError):
        await bot.services.gatherer.describe_notice(over)


async def test_a_press_is_one_write(bot):
    card = await posted(bot)
    await bot.link()
    engine, writes = bot.store.engine, []
    write = engine.write

    async def counted(work, *rest, **keys):
        writes.append(work)
        return await write(work, *rest, **keys)

    engine.write = counted
    await bot.press("class_press", card.id)
    assert len(writes) == 1


async def test_without_a_link_the_press_waits_for_one(bot):
    card = await posted(bot)
    answer = await bot.press("class_press", card.id)
    check_golden("answers/class-not-linked", without_nonces(answer))
    assert list(buttons(answer)) == ["Link Saturn Cloud", "Enter code"]
    ((_, connection, waiting),) = await invited(bot)
    assert (connection, waiting["text"]) == ("saturn", f"press {card.id}")
    # With it, an answer would replace the card that everybody sees.
    assert "response_url" not in waiting


async def test_a_refused_link_is_linked_again(bot):
    card = await posted(bot)
    account = (await bot.link()).account
    await refuse(bot.store, account)
    assert "no longer accepts your link" in words(await bot.press("class_press", card.id))
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_another_card_of_the_same_title_starts_what_the_first_one_made(bot):
    await offer(bot)
    monday = await posted(bot, "card saturn/local --title Maths")
    friday = await posted(bot, "card saturn/local --title Maths")
    (bot_row,) = (await bot.link(names=("maths",))).workspaces
    await bot.press("class_press", monday.id)
    made = next(
        row for row in await bot.store.perform(workspaces.read_workspaces, ALICE) if row.id != bot_row.id
    )
    assert made.spec.stem == "maths", "a workspace that only has the name is not taken for the class's"
    assert "is already on its way" in words(await bot.press("class_press", friday.id))
    assert (await bot.store.read(store.find_participant, friday.id, ALICE)).workspace_id == made.id


async def test_an_unknown_name_is_looked_for_and_then_the_trainer_sees_it(bot):
    card = await posted(bot, "card lab --title Biology")
    await bot.link()
    bot.clock.advance(100.0)
    assert "Looking for your workspace *lab*" in words(await bot.press("class_press", card.id))
    (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    (waiting,) = task.payload["then"]
    assert waiting["text"] == f"press {card.id}"
    answer = await bot.say(waiting["text"], looked=tuple(waiting["looked"]), kind="replay")
    assert (
        "You don't have a workspace called *lab* on Saturn Cloud. <@UTRAINER> can see that you're waiting"
        in words(answer)
    )
    assert (await bot.store.read(store.find_participant, card.id, ALICE)).waits_for == "no_workspace"


@pytest.mark.parametrize(
    ("pattern", "name"), [("NOTEBOOK", "notebook"), ("train*", "training"), ("repo", "report")]
)
async def test_a_pattern_names_one_of_the_pressers_own(bot, pattern, name):
    card = await posted(bot, f"card {pattern}")
    await bot.link(names=("notebook", "training", "report"))
    assert f"Starting your workspace *{name}*" in words(await bot.press("class_press", card.id))


async def test_more_than_one_is_not_guessed(bot):
    card = await posted(bot, "card week*")
    await bot.link(names=("week-1", "week-2"))
    assert "More than one of your workspaces" in words(await bot.press("class_press", card.id))
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_a_press_after_the_end_to_a_full_class_and_to_none(bot):
    card = await posted(bot, "card notebook --max 1")
    await bot.link()
    await bot.link(BOB, username="bob")
    await bot.press("class_press", card.id)
    full = words(await bot.press("class_press", card.id, BOB))
    assert "is full: it has 1 place. Ask <@UTRAINER>" in full
    own = words(await bot.press("class_press", card.id, TRAINER))
    assert own.endswith("is full: it has 1 place.")
    await bot.press("class_stop", card.id, TRAINER)
    assert "This class has ended." in words(await bot.press("class_press", card.id))
    assert "no longer in use" in words(await bot.press("class_press", "class_none"))
    assert await bot.store.read(operations.open_operations, BOB) == []


# -- the trainer -------------------------------------------------------------------------------------------


async def test_problems_are_for_the_trainer_and_administrators_and_show_no_address(bot):
    card = await posted(bot)
    row = (await bot.link()).workspaces[0]
    await bot.press("class_press", card.id)
    operation = await bot.store.read(operations.find_latest_operation, row.id)
    await bot.store.write(
        operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FAILED, cause="limit: no GPU left")
    )
    await bot.press("class_press", card.id, BOB)
    bot.clock.advance(60.0)
    for principal in (TRAINER, ADMIN):
        answer = await bot.press("class_problems", card.id, principal)
        assert "<@UALICE>: has reached a limit on Saturn Cloud." in words(answer)
        waits = "<@UBOB>: hasn't linked a Saturn Cloud account yet (pressed at <!date^1800000000^{time}|"
        assert waits in words(answer)
        assert "http" not in str(answer.blocks)
    check_golden("answers/class-problems", answer)
    assert "are for <@UTRAINER>" in words(await bot.press("class_problems", card.id, ALICE))
    refused = [entry for entry in await bot.audit() if entry["result"] == "refused"]
    assert refused[-1]["actor"] == ALICE.key


async def test_without_problems_that_is_said(bot):
    card = await posted(bot)
    answer = await bot.press("class_problems", card.id, TRAINER)
    assert "Nobody is waiting, and nothing has failed. 0 people have joined." in words(answer)


async def test_the_trainer_alone_has_the_buttons_of_a_class_and_only_while_they_help(bot):
    """*card* lists the trainer's own classes.

    *card TITLE end* asks the trainer or an administrator to confirm.
    """
    card = await posted(bot, "card notebook --title Lecture --until 20:00")
    listed = await bot.say("card", TRAINER)
    assert "Nobody has pressed it yet" in words(listed)
    assert [*buttons(listed)] == ["Post a class card"]
    await bot.press("class_press", card.id, BOB)
    await bot.link()
    for person in (ALICE, ADMIN):
        assert [*buttons(await bot.say("card", person))] == ["Post a class card"]
    listed = await bot.say("card", TRAINER)
    check_golden("answers/classes", listed)
    # An administrator gets the same question as the trainer; nobody else does.
    assert "Stop all" not in buttons(await bot.say("card lecture end", ALICE))
    for person in (TRAINER, ADMIN):
        asked = await bot.say("card lecture end", person)
        assert "This will end the class *Lecture*. Everyone gets 5 minutes" in words(asked)
        assert [*buttons(asked)] == ["Stop all", "Show problems"]
    await bot.push(asked, "Stop all", ADMIN)
    assert (await bot.store.read(store.find_card, card.id)).stopped_by == ADMIN.key
    assert "Lecture" not in words(await bot.say("card", TRAINER))
    assert "Its workspaces will be suspended" in words(await bot.say("card lecture end", TRAINER))


async def test_only_the_trainer_or_an_administrator_ends_a_class(bot):
    card = await posted(bot)
    for action in (("class_stop", card.id), ("ask", f"class_stop {card.id}")):
        answer = await bot.press(*action, ALICE)
        assert "are for <@UTRAINER>" in words(answer)
        assert (buttons(answer), answer.view) == ({}, None)
    assert not (await bot.store.read(store.find_card, card.id)).is_over(bot.clock.now())
    asked = await bot.press("ask", f"class_stop {card.id}", ADMIN)
    check_golden("answers/class-stop-all", asked)
    assert not (await bot.store.read(store.find_card, card.id)).is_over(bot.clock.now())
    answer = await bot.push(asked, principal=ADMIN)
    assert "*notebook* is ending. I'm telling everyone, so that they can keep theirs." in words(answer)
    # The pressed button disappears, since a class ends only once.
    assert answer.replaces
    assert not buttons(answer)
    closed = await bot.store.read(store.find_card, card.id)
    assert (closed.stopped_by, closed.stops_at) == (ADMIN.key, bot.clock.now() + 300.0)
    assert "is already being ended" in words(await bot.press("class_stop", card.id, TRAINER))


async def test_the_poster_alone_posts_it_again(bot):
    await bot.say("card notebook", TRAINER)
    (lost,) = await bot.notices(NoticeKind.CLASS_CARD)
    card = await bot.store.read(store.find_card, lost.subject)
    await bot.store.write(notices.give_up_notice, lost.id, "outcome_unknown")
    assert "Only the person who posted that card" in words(await bot.press("class_post", card.id, ALICE))
    assert "I'm posting it again." in words(await bot.press("class_post", card.id, TRAINER))
    assert "I'm posting it again." in words(await bot.press("class_post", card.id, TRAINER))
    (notice,) = await bot.notices(NoticeKind.CLASS_CARD)
    assert notice.occasion == "2"
    await bot.store.write(notices.mark_notice_sent, notice, "C1", "9.9")
    assert "It's already there." in words(await bot.press("class_post", card.id, TRAINER))


async def test_a_class_of_a_connection_that_was_taken_away_is_said(bot):
    card = await posted(bot)
    del bot.connections["saturn"]
    assert "isn't set up any more" in words(await bot.press("class_press", card.id))


async def test_an_approved_username_is_asked_for_and_the_press_waits_for_it():
    async with class_rig(linking=("admin",)) as bot:
        card = await posted(bot)
        answer = await bot.press("class_press", card.id)
        assert "an Usher admin has to approve your link" in words(answer)
        value = f"saturn press {card.id}"
        assert buttons(answer)["Ask to link Saturn Cloud"]["value"] == value
        assert answer.view["private_metadata"] == value
        asked = await bot.press("ask_link", value)
        assert asked.view["private_metadata"] == value
        values = {"username": {"username": {"value": "alice"}}}
        view = asked.view | {"callback_id": "ask_link", "state": {"values": values}}
        await submit(bot.services, ALICE, view)
        (notice,) = await bot.notices()
        approval = await bot.store.read(approvals_store.find_request, notice.subject)
        assert approval.deferred_command["text"] == f"press {card.id}"
        assert (await bot.store.read(store.count_members, card.id)).waiting == 1
