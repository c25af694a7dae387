"""Tests of text for assistants: Slack's markup is removed, but characters that only look like it are kept."""

import pytest

from bot.messages.blocks import kit
from bot.messages.blocks.assistant import write_lines

TIME = "<!date^1800000000^{date_short_pretty} at {time}|15 Jan at 08:00>"
NAMES = ["my notebook", "the", "gpu", "date", "at {time}", "a & b", "*x* y"]


def written(text, names=NAMES):
    (said,) = write_lines([kit.section(text)], names)
    return said


@pytest.mark.parametrize(
    "text",
    [
        "The file read_only_2027.csv in __pycache__ is locked.",
        "The plan is 0 9 * * 1-5, or 2*3*4.",
        "Type `start the_gpu` or `18:00`.",
        "The gpu that is the smallest.",
        "My notebooks and gpu_2 aren't names.",
    ],
)
def test_text_without_marks_stays_as_it_is(text):
    assert written(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("*gpu* is on *Saturn Cloud*.", '"gpu" is on Saturn Cloud.'),
        ("<https://hub.example|gpu> and `gpu` run.", '"gpu" and `"gpu"` run.'),
        ("I left my notebook and *the* alone.", 'I left "my notebook" and "the" alone.'),
        ("a &amp; b, gpu", '"a & b", gpu'),
        (f"Stopped since {TIME}.", "Stopped since 2027-01-15T08:00:00+00:00."),
        ("See <https://hub.example/my notebook|its page>.", "See its page."),
    ],
    ids=["bold", "link and code", "several words", "entity", "time", "address"],
)
def test_name_is_quoted_wherever_it_could_be_read_as_a_sentence(text, said):
    """A name of several words is quoted even in plain text, a short word only if it was marked."""
    assert written(text) == said
