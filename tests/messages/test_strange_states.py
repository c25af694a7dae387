"""What a provider's package says of a state that nobody knows fits into the sentence about it."""

import pytest

from bot.messages.texts import cards
from bot.providers import base
from bot.providers.jupyterhub import servers
from bot.providers.posit.provider import UNREAD

SAID = [
    base.unknown_word("idle"),
    servers.UNREAD,
    servers.CHECKING,
    UNREAD,
    "the answer's field name is not a text",
    "It runs, but isn't set up yet.",
    "",
]


@pytest.mark.parametrize("said", SAID)
def test_sentence_about_an_unknown_state_takes_any_words(said):
    sentence = cards.strange_state("Team hub", said)
    start, _, rest = sentence.partition(": ")
    assert start == "I can't tell from Team hub what it's doing"
    assert rest == f"{said.rstrip('.') or 'unknown state'}. I'll keep checking."
