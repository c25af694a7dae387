"""A course fixture, with the rows of its members, and helpers for the times of its lessons."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.people import Person, Principal
from tests.contract.store.classes import posted, press
from tests.rigs.store import linked

BERLIN = ZoneInfo("Europe/Berlin")


LESSONS = {"days": frozenset({"mon", "wed"}), "starts": 540, "stops": 630, "time_zone": "Europe/Berlin"}


TERM = {"first_day": "2027-11-22", "last_day": "2027-12-22"}


#: Deliberately not in alphabetical order.
MEMBERS = [Principal(None, "T1", user) for user in ("UZOE", "UANN", "UMIA")]


def local(at, day=22):
    return datetime(2027, 11, day, *map(int, at.split(":")), tzinfo=BERLIN).timestamp()


@pytest.fixture
async def joined(store, clock):
    """A course that three people joined one after the other, an hour before its first lesson."""
    clock.advance(local("08:00") - clock.now())
    await posted(store, **LESSONS, **TERM)
    found = []
    for one in MEMBERS:
        clock.advance(1.0)
        await store.save_people([Person(one, one.user_id, seen_at=clock.now())])
        row = (await linked(store, one)).workspaces[0]
        assert (await press(store, row, f"join {one.user_id}")).result == "enrolled"
        found.append(row)
    return found
