"""A bot with one connection that creates workspaces, for a trainer, an administrator and a guest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.courses import ClassCard
from bot.domain.notices import NoticeKind
from bot.domain.people import Person, Principal
from bot.domain.snapshots import Snapshot
from bot.store import courses as courses_store
from bot.store import snapshots
from tests.handlers.rig import GUEST, Rig, activate, rig, words
from tests.rigs.clock import FakeClock
from tests.rigs.maker import OFFER, Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE

TRAINER = Principal(None, "T1", "UTRAINER")
ADMIN = Principal(None, "T1", "UADMIN")
BOB = Principal(None, "T1", "UBOB")
CARLA = Principal(None, "T1", "UCARLA")
BERLIN = ZoneInfo("Europe/Berlin")
#: 6 Dec at noon.
MONDAY = datetime(2027, 12, 6, 12, tzinfo=BERLIN).timestamp()


@asynccontextmanager
async def class_rig(**settings: Any) -> AsyncIterator[Rig]:
    told = {"title": "Saturn Cloud", "starts_per_second": 4.0} | settings
    maker = Maker(FakeClock(), fake_settings("saturn", **told))
    async with rig(connections={"saturn": maker}, administrators=frozenset({"UADMIN"})) as made:
        zone = Person(TRAINER, "Tara", time_zone="Europe/Berlin", seen_at=made.clock.now())
        await made.store.save_people([zone, Person(GUEST, "Greta", is_guest=True, seen_at=made.clock.now())])
        yield made


@asynccontextmanager
async def course_rig(zone: str = "Europe/Berlin") -> AsyncIterator[Rig]:
    """Yield a bot set up for courses, at noon on a Monday. Course members are in the time zone `zone`."""
    async with class_rig() as made:
        made.clock.advance(MONDAY - made.clock.now())
        for one in (TRAINER, ADMIN):
            await made.zone(who=one)
        for one in (ALICE, BOB, CARLA):
            await made.zone(zone, one)
        yield made


async def posted(bot: Rig, text: str = "card notebook", **keys: Any) -> ClassCard:
    """Post a card and return it. Its notice is taken from the outbox."""
    answer = await bot.say(text, TRAINER, **keys)
    notices = [one for one in await bot.notices() if one.kind is NoticeKind.CLASS_CARD]
    assert len(notices) == 1, words(answer)
    card: ClassCard = await bot.store.read(courses_store.find_card, notices[0].subject)
    return card


async def offer(bot: Rig, principal: Principal = TRAINER) -> None:
    """Link the trainer's account, with its templates already read."""
    account = await activate(bot.store, principal, "saturn", "tara")
    snapshot = Snapshot("saturn", account.id, "templates", OFFER, await bot.store.now())
    await bot.store.write(snapshots.save_snapshot, snapshot)
