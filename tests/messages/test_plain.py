"""Tests of plain text next to blocks, or instead of them: it says the same, and includes the addresses."""

import pytest

from bot.domain.notices import Answer
from bot.messages.blocks import kit, limits, plain, replies
from bot.messages.texts import answers, notices

URL = "https://ide.example.org/?a=1&b=2"
WRITTEN = "<https://ide.example.org/?a=1&amp;b=2>"


def opening(name, *, label="Open", url=URL):
    return kit.button(label, name, "w1", url=url)


@pytest.mark.parametrize(
    ("answer", "beside"),
    [
        (
            kit.message("*lab* is ready.", ["It took 22 s."], [opening("open_url")]),
            f"It took 22 s.\nOpen: {WRITTEN}",
        ),
        (
            replies.invitation("Link it.", [("saturn", "Saturn", True)], {"saturn": URL}, until=600.0),
            f"{answers.LINK_PAGE}\n{answers.LINK_CODE.replace('*', '')}\nLink Saturn: {WRITTEN}",
        ),
        (
            replies.invitation("Link it.", [("saturn", "Saturn", True)], {"saturn": URL}, until=None),
            f"Link Saturn: {WRITTEN}",
        ),
        (
            kit.message("*lab* and *etl* are ready.", (), [opening("open_url:0"), opening("open_url:1")]),
            f"Open: {WRITTEN}",
        ),
        (kit.message("*lab* has failed.", (), [opening("page_url")]), ""),
        (kit.message("*lab* is stopped.", (), [kit.button("Start", "start", "w1")]), ""),
    ],
    ids=["ready", "link page", "lasting link page", "several", "provider's page", "no address"],
)
def test_text_beside_blocks_hands_over_what_the_message_is_for(answer, beside):
    assert plain.make_fallback_text(answer) == "\n".join([answer.text, *([beside] if beside else [])])
    again = Answer(plain.make_fallback_text(answer), answer.blocks)
    assert plain.make_fallback_text(again) == again.text


def test_text_instead_of_blocks_says_every_line_and_address():
    blocks = [
        kit.section("*Your workspaces*"),
        kit.section(f"{kit.link(URL, 'lab')} runs.", opening("page_url", label="View on Saturn")),
        kit.context("Type `list`."),
        *kit.actions([kit.button("Start", "start", "w1")]),
    ]
    lines = ["Your workspaces", f"{WRITTEN[:-1]}|lab> runs.", "Type list.", f"View on Saturn: {WRITTEN}"]
    assert plain.make_plain_text(kit.answer(blocks)) == "\n".join(lines)
    assert plain.make_plain_text(Answer("No blocks.")) == "No blocks."


def test_long_text_is_cut_before_its_addresses():
    blocks = [kit.section("x" * 3000), kit.section("y"), *kit.actions([opening("open_url")])]
    text = plain.make_plain_text(Answer("x", tuple(blocks)))
    assert text.endswith(f"x…\n{notices.TEXT_CUT}\nOpen: {WRITTEN}")
    assert len(text) <= limits.MAX_TEXT_LENGTH


def test_page_that_is_not_drawn_shows_its_lines():
    address = kit.modal("Calendar", [kit.section(f"```{URL}```"), kit.divider()], close="Done")
    assert plain.make_plain_view(address) == {**address, "blocks": [kit.section(f"```{URL}```")]}
    form = kit.modal("New", [kit.text_field("name", "Name")], submit="Go", callback_id="make")
    (said,) = plain.make_plain_view(form)["blocks"]
    assert "Slack didn't accept this form" in said["text"]["text"]
    assert {"submit", "callback_id"}.isdisjoint(plain.make_plain_view(form))


def test_page_with_nothing_to_send_is_closed_not_cancelled():
    assert kit.modal("Asked", [kit.divider()])["close"]["text"] == "Close"
    assert kit.modal("Ask", [kit.divider()], submit="Ask")["close"]["text"] == "Cancel"
