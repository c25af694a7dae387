"""Others ask for help while a course changes, and wait for the last answer, too."""

import asyncio
from types import SimpleNamespace

from benchmarks import members
from benchmarks.crowd import Crowd


async def test_help_under_way_at_the_end_is_counted(monkeypatch):
    """It may be the one that waited longest."""
    is_over, seen = asyncio.Event(), members._Seen()

    async def answer(_url, _request):
        is_over.set()
        await asyncio.sleep(0)
        return 200, 3.0

    monkeypatch.setattr(members, "ask", answer)
    target = SimpleNamespace(url="", request=lambda *_: b"")
    room = SimpleNamespace(bot=SimpleNamespace(target=target), scene=SimpleNamespace(crowd=Crowd(2)))
    await members._type(room, seen, is_over)
    assert (seen.helps, seen.refused) == ([3.0], 0)
