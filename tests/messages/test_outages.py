"""What administrators read about connections that stop answering, and about Slack's tokens."""

import pytest

from bot.domain.facts import Facts
from bot.messages.blocks.notices import outage
from bot.messages.texts.notices import OUTAGES
from tests.rigs.golden import check_golden

NOW = 1_750_000_000.0


@pytest.mark.parametrize("what", OUTAGES)
def test_what_administrators_are_told(what):
    times = {"since": NOW - 600, "until": NOW + 5_400 if what == "token" else NOW}
    body = {"what": what, **times, "place": "R&D", "page": "https://usher.example.org/slack/install"}
    facts = Facts(now=NOW, connection="cloud", connection_title="Saturn Cloud", body=body)
    check_golden(f"notices/outage-{what}", outage(facts))
