"""Tests of text that Slack returns: special characters are escaped, even in plain_text, but not in values."""

import pytest

from playground.slack.kit import entities
from tests.playground.slack_forms import modal, opened
from tests.playground.slack_help import OLIVIA, section

NAME, KEPT = "R&D <main>", "R&amp;D &lt;main&gt;"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (NAME, KEPT),
        (KEPT, KEPT),
        ("&amp;lt; &copy; &", "&amp;lt; &amp;copy; &amp;"),
        ("5 < 6 > 4", "5 &lt; 6 &gt; 4"),
    ],
)
def test_a_plain_text_is_kept_with_entities_and_what_is_an_entity_stays(sent, kept):
    assert entities.kept_plain(sent) == kept
    assert entities.kept_plain(kept) == kept


def test_links_and_mentions_stay_what_they_are():
    said = "R&D of <@U0OLIVIA>: <https://x.example/?a=1&b=2|here> <!date^1^{time}|1> 2 < 3"
    kept = "R&amp;D of <@U0OLIVIA>: <https://x.example/?a=1&amp;b=2|here> <!date^1^{time}|1> 2 &lt; 3"
    assert entities.kept_mrkdwn(said) == entities.kept_mrkdwn(kept) == kept


async def test_an_updated_view_is_kept_so_too(server, client, app):
    view = await opened(server, client, app, section("R&D"))
    changed = modal(section(KEPT))
    await client.views_update(view_id=view["id"], view=changed)
    assert server.form(OLIVIA).words == (NAME,)
