"""Pressing a class card: failed creations are repeated, and private templates are for the people named."""

import pytest

from bot.domain.forms import Spec, append_suffix
from bot.domain.operations import OperationVerb
from bot.domain.people import Principal
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.services.operation_requests import begin_operation
from bot.store import accounts, discovered, operations, workspaces
from bot.store import courses as store
from tests.handlers.class_rig import TRAINER, offer, posted
from tests.handlers.rig import activate, rig, words
from tests.rigs.clock import FakeClock
from tests.rigs.maker import Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, unlink


class Choosy(Maker):
    """A provider whose templates are for the people named in ``who``, or for everybody if nobody is named."""

    who: frozenset[str] = frozenset()

    def is_withheld(self, spec: Spec, principal: Principal) -> bool:
        return bool(self.who) and principal.user_id not in self.who


@pytest.fixture
async def bot():
    async with rig(connections={"saturn": Choosy(FakeClock(), fake_settings("saturn"))}) as made:
        await offer(made)
        await activate(made.store, ALICE, "saturn", "alice")
        yield made


async def test_what_was_never_made_is_made_anew(bot):
    card = await posted(bot, "card saturn/local --title Maths")
    await bot.press("class_press", card.id)
    (lost,) = await bot.store.perform(workspaces.read_workspaces, ALICE)
    operation = await bot.store.read(operations.find_latest_operation, lost.id)
    await bot.store.write(
        operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FAILED, cause="untold")
    )
    assert "your workspace *maths*" in words(await bot.press("class_press", card.id))
    (row,) = await bot.store.perform(workspaces.read_workspaces, ALICE)
    assert row.id != lost.id
    assert (await bot.store.read(store.find_participant, card.id, ALICE)).workspace_id == row.id


async def test_what_is_being_called_off_is_waited_for(bot):
    card = await posted(bot, "card saturn/local --title Maths")
    await bot.press("class_press", card.id)
    (row,) = await bot.store.perform(workspaces.read_workspaces, ALICE)
    stop = await bot.services.create_caller(ALICE, "s").run(begin_operation, row.id, OperationVerb.STOP)
    assert "hasn't created it yet" in words(await bot.press("class_press", card.id))
    assert (await bot.store.read(operations.find_latest_operation, row.id)).id == stop.operation.id


@pytest.mark.parametrize("is_named", [True, False])
async def test_what_is_prepared_for_some_is_not_made_for_others(bot, is_named):
    card = await posted(bot, "card saturn/local --title Maths")
    bot.connections["saturn"].who = frozenset({ALICE.user_id if is_named else TRAINER.user_id})
    answer = await bot.press("class_press", card.id)
    assert ("only available to some people" in words(answer)) is not is_named
    assert len(await bot.store.perform(workspaces.read_workspaces, ALICE)) == is_named


async def made_and_unlinked(bot):
    card = await posted(bot, "card saturn/local --title Maths")
    for _ in range(9):
        # The store counts its ids separately.
        bot.services.ids.new("workspace")
    await bot.press("class_press", card.id)
    (row,) = await bot.store.perform(workspaces.read_workspaces, ALICE)
    bot.clock.advance(1)
    await unlink(bot.store, ALICE, "saturn")
    assert await bot.store.perform(workspaces.read_workspaces, ALICE) == []
    return card, row


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (("maths", "other"), "maths"),
        (("Maths-2",), "Maths-2"),
        (("maths", "maths-2", "MARKED"), "MARKED"),
    ],
)
async def test_what_a_card_made_is_found_again_after_an_unlink(bot, names, taken):
    card, row = await made_and_unlinked(bot)
    known = {"MARKED": append_suffix("maths", row.id)}
    await bot.link(names=tuple(known.get(name, name) for name in names))
    assert "Starting your workspace" in words(await bot.press("class_press", card.id))
    rows = {one.id: one.name for one in await bot.store.perform(workspaces.read_workspaces, ALICE)}
    assert len(rows) == len(names)
    pressed = (await bot.store.read(store.find_participant, card.id, ALICE)).workspace_id
    assert rows[pressed] == known.get(taken, taken)


async def test_which_of_several_a_card_made_is_not_guessed(bot):
    card, _ = await made_and_unlinked(bot)
    await bot.link(names=("maths", "maths-2"))
    assert "More than one of your workspaces" in words(await bot.press("class_press", card.id))
    assert len(await bot.store.perform(workspaces.read_workspaces, ALICE)) == 2


async def test_a_list_is_read_before_another_one_is_made(bot):
    card, _ = await made_and_unlinked(bot)
    await activate(bot.store, ALICE, "saturn", "alice")
    assert "Looking for your workspace *maths*" in words(await bot.press("class_press", card.id))
    assert await bot.store.perform(workspaces.read_workspaces, ALICE) == []
    account = await bot.store.read(accounts.find_account, ALICE, "saturn")
    said = await bot.say(f"press {card.id}", looked=(account.id,))
    assert "Creating your workspace *maths*" in words(said)
    assert "You already have" not in words(said)


@pytest.mark.parametrize(("lists", "said"), [(1, "Starting your workspace"), (2, "Creating your workspace")])
async def test_what_is_gone_is_made_anew_and_one_list_that_lacks_it_is_not_enough(bot, lists, said):
    card, _ = await made_and_unlinked(bot)
    found = await bot.link(names=("maths",))
    await bot.press("class_press", card.id)
    operation = await bot.store.read(operations.find_latest_operation, found.workspaces[0].id)
    await bot.store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    for _ in range(lists):
        await bot.store.perform(discovered.merge_discovered, found.account.id, [])
    assert f"{said} *maths*" in words(await bot.press("class_press", card.id))
    (row,) = await bot.store.perform(workspaces.read_workspaces, ALICE)
    assert row.is_provisional is (lists == 2)


async def test_one_of_that_name_that_the_card_did_not_make_is_left_alone_and_named(bot):
    card = await posted(bot, "card saturn/local --title Notebook")
    await bot.link()
    said = words(await bot.press("class_press", card.id))
    assert "You already have a workspace called *notebook* there that wasn't made by this card" in said
    assert len(await bot.store.perform(workspaces.read_workspaces, ALICE)) == 2
