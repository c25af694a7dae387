"""Tests that a message's first words work as its notification on a phone."""

import pytest

from bot.messages.blocks import kit


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ([kit.section("*notebook* is ready. It opens as alice.")], "notebook is ready. It opens as alice."),
        ([kit.section("*notebook* · Hub\nStopped at 8:00.")], "notebook · Hub – Stopped at 8:00."),
        ([kit.section("I did this:\n• one\n• two\n• three")], "I did this: one – two"),
        ([kit.section("Short."), kit.section("Another paragraph.")], "Short."),
        ([kit.section(f"First. {'x' * 200}. Last.")], "First."),
        ([kit.section("<https://hub.example.org/user/a|Open it> here.")], "Open it here."),
        ([kit.context("It was stopped.")], "It was stopped."),
        ([{"type": "divider"}], kit.EMPTY_TEXT),
    ],
)
def test_it_is_headings_and_a_sentence_without_marks(blocks, text):
    assert kit.answer(blocks).text == text


def test_a_message_with_other_blocks_notifies_of_those():
    answer = kit.answer([kit.section("It is done.")])
    assert kit.with_blocks(answer, [kit.section("It has failed."), *answer.blocks]).text == "It has failed."
