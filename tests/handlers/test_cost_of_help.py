"""The cost of handling the most frequent command."""

import sys

from handlers.requests.request import Request
from tests.handlers.rig import words


async def test_help_makes_its_request_and_copies_it_twice(bot):
    # The request is copied once after its text is split into words, and once after the words are read. Each
    # copy is a tenth of the cost of answering.
    made = 0

    def note(frame, event, _argument):
        nonlocal made
        made += event == "call" and frame.f_code is Request.__init__.__code__

    former = sys.getprofile()
    sys.setprofile(note)
    try:
        answer = await bot.say("help")
    finally:
        sys.setprofile(former)
    assert "start" in words(answer)
    assert made == 3
