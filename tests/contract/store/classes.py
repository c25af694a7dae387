"""Class cards in the database: posted, joined, changed and ended by the use cases."""

from dataclasses import replace

from bot.domain.courses import ClassCard
from bot.domain.observations import Observed
from bot.domain.people import Person, Principal
from bot.domain.workspaces import State
from bot.services import courses as courses_use_cases
from bot.services import due_timers
from bot.store import courses as class_rows
from bot.store import workspaces
from tests.rigs.providers import BASE_URL
from tests.rigs.store import ALICE, linked, observe
from tests.rigs.use_cases import ask

TRAINER = Principal(None, "T1", "UTRAINER")


CARD = "class_0001"


def by(store, principal, interaction="", **fields):
    return replace(ask(store, interaction, principal), **fields)


async def posted(store, interaction="post", **fields):
    """Post a card. Its id is always ``CARD``, since it is the only one."""
    await store.save_people([Person(TRAINER, "Trainer", seen_at=await store.now())])
    draft = ClassCard(TRAINER, "C1", "saturn", "Statistics", **({"pattern": "notebook"} | fields))
    return await by(store, TRAINER, interaction).run(courses_use_cases.post, draft)


async def press(store, who, interaction="p1", message_ts=None, **fields):
    """Press the card as a person, or as a workspace's owner, whose list has just been read."""
    caller = by(store, getattr(who, "principal", who), interaction, **fields)
    return await caller.run(courses_use_cases.enroll, CARD, message_ts=message_ts, is_list_fresh=True)


async def look(store, card_id=CARD):
    """Carry out a card's scheduled work."""
    card = await store.read(class_rows.find_card, card_id)
    await by(store, TRAINER).run(courses_use_cases.CLASS_WORK.carry_out, card)


async def time(store, who):
    """Return a person's only workspace, which holds its timer."""
    (row,) = await store.perform(workspaces.read_workspaces, who)
    return row


async def stop(store, who):
    """Carry out the planned stop of a person's workspace as if it were due."""
    await ask(store, principal=who).run(due_timers.stop_workspace, await time(store, who))


async def up(store, clock, principal=ALICE):
    """Give a person a running workspace with a verified address."""
    row = (await linked(store, principal)).workspaces[0]
    await observe(store, clock, row, Observed(State.RUNNING, url=f"{BASE_URL}/lab"))
    return row


async def ended(store, clock, *people):
    await posted(store)
    for number, principal in enumerate(people):
        await press(store, await up(store, clock, principal), f"p{number}")
    return await by(store, TRAINER, "stop").run(courses_use_cases.stop_all, CARD)
