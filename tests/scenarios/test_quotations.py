"""Quoted text: Usher asks before it does anything that a person copied rather than said."""

import pytest

from tests.rigs.scenario import ALICE, ID
from tests.rigs.scenario.people import GENERAL

STOPS = f"POST .*/workspaces/{ID['report']}/stop"
QUOTED = (
    "> stop report",
    ">>> stop report",
    "`stop report`",
    "```\nstop report\n```",
    "`stop` `report`",
    "stop\u200b report",
    "stop \u202ereport\u202c",
    "stop report\U000e0073\U000e0074",
)


@pytest.mark.parametrize("text", QUOTED)
async def test_a_quotation_stops_nothing_until_it_is_pressed(linked, text):
    (asked,) = await linked.alice.writes(text)
    assert "This looks copied from somewhere: “" in asked.text
    assert "stop report”. Should I do it?" in asked.text
    await linked.pass_time(10)
    assert linked.calls(STOPS) == 0
    await linked.alice.presses(asked, "Do it now")
    await linked.pass_time(10)
    assert linked.calls(STOPS) == 1


async def test_a_quotation_after_a_mention_and_of_one_is_asked_about(linked):
    for text in ("@usher\n> stop report", "> @usher stop report"):
        await linked.slack.say(ALICE, GENERAL, text)
        await linked.pass_time(10)
        assert "This looks copied from somewhere: “stop report”" in linked.alice.sees(GENERAL)[-1].text
    assert linked.calls(STOPS) == 0


async def test_what_only_shows_something_is_answered_and_names_may_be_code(linked):
    (shown,) = await linked.alice.writes("> status report")
    assert "|report>*" in shown.text
    assert "Do it now" not in shown.labels
    await linked.alice.writes("stop `report`")
    await linked.pass_time(10)
    assert linked.calls(STOPS) == 1


async def test_a_slash_command_may_be_code_and_is_asked_about_if_part_of_it_is_hidden(linked):
    asked = await linked.alice.types("stop \u202ereport")
    assert "This looks copied from somewhere: “stop report”" in asked.text
    assert linked.calls(STOPS) == 0
    await linked.alice.types("`stop report`")
    await linked.pass_time(10)
    assert linked.calls(STOPS) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " \r\n\r\n", "\u2028", "\u0085"], ids=ascii)
@pytest.mark.parametrize("way", ["types", "writes"])
async def test_line_end_behind_a_command_is_no_sign_of_a_copy(linked, way, end):
    await getattr(linked.alice, way)(f"stop report{end}")
    await linked.pass_time(10)
    assert linked.calls(STOPS) == 1


@pytest.mark.parametrize(
    "text", ["~stop notebook~ stop report", "~start~ ~please~ stop report", "~stop notebook~\nstop report"]
)
async def test_struck_beginning_is_left_out(linked, text):
    await linked.alice.writes(text)
    await linked.pass_time(10)
    assert linked.calls(STOPS) == 1
    assert linked.calls("POST .*/(start|stop)") == 1


@pytest.mark.parametrize("text", ["~stop report~", "stop ~report", "> stop report", "~stop~ `stop report`"])
async def test_what_is_struck_or_quoted_alone_stops_nothing(linked, text):
    await linked.alice.writes(text)
    await linked.pass_time(10)
    assert linked.calls("POST .*/(start|stop)") == 0


async def test_a_quotation_does_not_wait_for_a_link(bare):
    (shown,) = await bare.alice.writes("`start notebook`")
    await bare.alice.links("alice", asked=shown)
    await bare.pass_time(30)
    assert bare.calls("POST .*/start") == 0


@pytest.mark.parametrize("bare", [{"people_known": False}], indirect=True)
async def test_a_quotation_of_somebody_whom_slack_does_not_identify_is_asked_about(bare):
    bare.slack_fails("users.info", status=503, times=3)
    (asked,) = await bare.alice.writes("> link saturn")
    assert "This looks copied from somewhere: “link saturn”" in asked.text
