"""Tests that a provider package's words for an unknown state fit into Usher's sentence about it."""

import pytest

from bot.domain.holds import HoldCode, make_hold
from bot.messages.texts.holds import explain_hold
from bot.providers import base
from bot.providers.jupyterhub import servers
from bot.providers.posit.provider import UNREADABLE


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(base.describe_unknown_state("idle"), id="unknown-word"),
        pytest.param(base.describe_unknown_state(""), id="empty-word"),
        pytest.param(servers.UNREADABLE, id="jupyterhub-unread"),
        pytest.param(servers.CHECKING, id="jupyterhub-checking"),
        pytest.param(UNREADABLE, id="posit-unread"),
        pytest.param("the answer's field name is not a text", id="bad-answer"),
        pytest.param("It runs, but isn't set up yet.", id="full-stop"),
        pytest.param("", id="nothing"),
    ],
)
def test_sentence_about_an_unknown_state_takes_any_words(said):
    sentence = explain_hold(make_hold(HoldCode.STRANGE_STATE, said), "Team hub")
    start, _, rest = sentence.partition(": ")
    assert start == "I can't tell from Team hub what it's doing"
    assert rest == f"{said.rstrip('.') or 'unknown state'}. I'll keep checking."
