"""References of requests: the same in the answer and in the log, and none where nobody reads one."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from handlers.request import Reference
from tests.handlers.rig import Rig, words
from tests.rigs.clock import CountingIds


@pytest.mark.parametrize("text", ["alias", "open nothing", "rockets"])
async def test_what_did_not_work_shows_the_reference_that_the_log_has(bot: Rig, text: str) -> None:
    await bot.link()
    with capture_logs() as logs:
        answer = await bot.say(text)
    (entry,) = logs
    assert entry["reference"] in words(answer)


async def test_an_answer_without_a_reference_draws_none(bot: Rig) -> None:
    await bot.link()
    first = bot.services.ids.reference()
    for text in ("help", "help start", "whoami", "list"):
        await bot.say(text)
    assert (first, bot.services.ids.reference()) == ("TEST-0001", "TEST-0002")


def test_a_reference_is_drawn_once() -> None:
    reference = Reference(CountingIds())
    assert not reference.is_in([{"text": "TEST-0001"}])
    assert (str(reference), str(reference)) == ("TEST-0001", "TEST-0001")
    assert reference.is_in([{"text": "see TEST-0001"}])
    assert not reference.is_in([{"text": "TEST-0002"}])
