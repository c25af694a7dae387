"""Outages: begun, told and ended once, whichever process sees them, and read by all."""

import asyncio

from bot.domain.notices import NewNotice, NoticeKind
from tests.rigs.store import ALICE


def notice(occasion):
    return NewNotice("outage:cloud:UALICE", NoticeKind.OUTAGE, occasion, ALICE, {"connection": "cloud"})


async def test_an_outage_is_one_for_all_processes(database, store):
    other = await database.open()
    both = (store, other)
    begun = await asyncio.gather(
        *(one.begin_outage("cloud", since, [notice(f"away:{since}")]) for since, one in enumerate(both, 1))
    )
    assert begun[0] == begun[1]
    for one in both:
        assert await one.outages() == {"cloud": begun[0]}
    ended = await asyncio.gather(*(one.end_outage("cloud", [notice("back")]) for one in both))
    assert sorted(ended) == [False, True]
    for one in both:
        assert await one.outages() == {}
    told = [one.occasion for one in await store.claim_notices(10, 60.0)]
    assert len(told) == 2
    assert "back" in told
