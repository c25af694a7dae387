"""Tests of what blocks an operation, in words: each code has a sentence, the same as in release 0.4.1."""

import pytest

from bot.domain.causes import StaleReason, make_missed_cause, make_stale_cause
from bot.domain.holds import HoldCode, find_server_words, hold_by_cause, hold_until, make_hold
from bot.domain.time_marks import make_time_placeholder
from bot.messages.blocks import kit
from bot.messages.texts.holds import describe_delay, explain_end, explain_hold, explain_obstacle
from bot.messages.texts.problems import explain_cause, explain_unread

NOW = 1_800_000_000.0
AT = make_time_placeholder(NOW)
LONG = "That's taking longer than usual. Ask your Lab admin to look at it."
#: By code: its detail, and the sentence. "" is a code without a detail.
SENTENCES = {
    HoldCode.SILENT: (NOW, f"Lab hasn't been available since {AT}. I'll keep trying."),
    HoldCode.OVERLOADED: (
        NOW,
        f"Lab has been too busy for this since {AT}. I'll keep trying.",
    ),
    HoldCode.PAUSED: (NOW, f"Lab asked me to slow down, so I'm waiting until {AT}."),
    HoldCode.NO_CONNECTION: (
        "",
        "The connection Lab isn't set up any more. Ask your Usher admin, or remove your link with `unlink`.",
    ),
    HoldCode.PERSON_UNKNOWN: ("", "I'm checking with Slack who asked for this before I carry on."),
    HoldCode.UNANSWERED: (
        "",
        "It didn't stop within a minute. *Force quit* ends it right away; anything unsaved is lost.",
    ),
    HoldCode.UNSEEN: ("", "I can't see its progress right now. I'll keep checking."),
    HoldCode.OWN_LIMIT: (
        NOW,
        (
            f"Your account has used up the requests that Lab allows it. That ends at {AT}, "
            "and I'll carry on then."
        ),
    ),
    HoldCode.STOPPING_FIRST: ("", "It's still stopping. I'll start it again once it has stopped."),
    HoldCode.STOPPING_LONG: ("", f"It's still stopping. I'll start it again once it has stopped. {LONG}"),
    HoldCode.STOPPING_ELSEWHERE: (
        "It's being “updated”.",
        "Lab isn't done with it yet: It's being “updated”. I'll start it after that.",
    ),
    HoldCode.STOPPING_ELSEWHERE_LONG: (
        "It's being updated.",
        f"Lab isn't done with it yet: It's being updated. I'll start it after that. {LONG}",
    ),
    HoldCode.UNDER_WAY: (
        "A “backup” is\nrunning.",
        "Lab can't do that right now: “A \"backup\" is running.” I'll keep trying.",
    ),
    HoldCode.START_SENT: (
        "",
        "A start had already been sent and may still take effect. I'm making sure it stays stopped.",
    ),
    HoldCode.STILL_DOWN: (
        NOW,
        f"Lab accepted the start at {AT} but still shows it as stopped. I'll keep checking.",
    ),
    HoldCode.NO_EFFECT: (
        NOW,
        f"Lab accepted this at {AT} but still shows it as running. I'll keep checking.",
    ),
    HoldCode.NO_STOP_YET: ("", "Lab can't stop it right now. I'll stop it as soon as that's possible."),
    HoldCode.STRANGE_STATE: (
        "it says “idle”.",
        "I can't tell from Lab what it's doing: it says “idle”. I'll keep checking.",
    ),
    HoldCode.CAUSE: ("server_failed", "Lab is having problems right now. I'll keep trying."),
}
WORDLESS = {
    HoldCode.STOPPING_ELSEWHERE: "Lab is still stopping it. I'll start it once it has stopped.",
    HoldCode.STOPPING_ELSEWHERE_LONG: (
        f"Lab is still stopping it. I'll start it once it has stopped. {LONG}"
    ),
    HoldCode.UNDER_WAY: "Lab can't do that right now. I'll keep trying.",
    HoldCode.STRANGE_STATE: "I can't tell from Lab what it's doing: unknown state. I'll keep checking.",
}


@pytest.mark.parametrize("code", HoldCode, ids=str)
def test_each_code_has_its_sentence(code):
    detail, sentence = SENTENCES[code]
    assert explain_hold(make_hold(code, detail), "Lab") == sentence
    if isinstance(detail, float):
        # Slack shows this time in each reader's own zone.
        assert f"<!date^{detail:.0f}^" in kit.format_reason(sentence, NOW)


@pytest.mark.parametrize("code", WORDLESS, ids=str)
def test_code_without_a_providers_words_has_a_sentence(code):
    assert explain_hold(make_hold(code), "Lab") == WORDLESS[code]


@pytest.mark.parametrize("hold", [None, "", "code_of_another_release: 5"], ids=["none", "empty", "unknown"])
def test_nothing_and_an_unknown_code_say_nothing(hold):
    assert (explain_hold(hold, "Lab"), explain_obstacle(hold, "Lab")) == ("", "")


def test_wait_until_a_moment_is_the_same_within_its_minute():
    assert hold_until(HoldCode.PAUSED, NOW + 1) == hold_until(HoldCode.PAUSED, NOW + 59.9)
    assert hold_until(HoldCode.PAUSED, NOW + 1) == make_hold(HoldCode.PAUSED, NOW + 60)


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        (make_hold(HoldCode.SILENT, NOW - 60), f"Lab wasn't available until {AT}."),
        (make_hold(HoldCode.OVERLOADED, NOW - 60), f"Lab was too busy until {AT}."),
        (make_hold(HoldCode.UNDER_WAY, "A backup."), f"Lab couldn't do that before {AT}."),
        (hold_by_cause("rate_limited"), f"I couldn't start it before {AT}."),
    ],
    ids=["silent", "overloaded", "under_way", "cause"],
)
def test_delay_that_is_over_is_said_by_what_held_it_up(hold, said):
    assert describe_delay(hold, "Lab", NOW) == said


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            make_stale_cause(StaleReason.ASKED, NOW),
            f"You asked a while ago ({AT}), so I haven't sent it. Do you still want it?",
        ),
        (
            make_stale_cause(StaleReason.TRIED, NOW, make_hold(HoldCode.OVERLOADED, NOW)),
            (
                f"Lab has been too busy for this since {AT}. You asked a while ago ({AT}), "
                "and I've tried until now. Do you still want it?"
            ),
        ),
        (
            make_stale_cause(StaleReason.TRIED, NOW),
            f"You asked a while ago ({AT}), and I've tried until now. Do you still want it?",
        ),
        (
            make_stale_cause(StaleReason.RESTORED, NOW),
            f"My records were restored from a backup of {AT}, so I'm asking first. Do you still want it?",
        ),
        (make_missed_cause(make_hold(HoldCode.SILENT, NOW)), f"Lab hasn't been available since {AT}."),
        (make_missed_cause(""), "By the time I could do it, too little of the planned time was left."),
        # As 0.4.1 stored them.
        (f"stale:: You asked a while ago ({AT}).", f"You asked a while ago ({AT})."),
        (f"missed:: Lab hasn't been available since {AT}.", f"Lab hasn't been available since {AT}."),
        ("gave_up", explain_cause("gave_up", "Lab")),
    ],
    ids=[
        "asked",
        "tried",
        "tried-freed",
        "restored",
        "missed",
        "missed-freed",
        "stale-0.4.1",
        "missed-0.4.1",
        "other",
    ],
)
def test_end_says_what_held_it_up(cause, said):
    assert explain_end(cause, "Lab") == said


def test_busy_provider_and_one_with_server_errors_are_quoted():
    busy = make_hold(HoldCode.OVERLOADED, f"{NOW} The {{licence}} server: it's “down”.")
    assert explain_hold(busy, "Lab") == (
        f"Lab has been too busy for this since {AT}. Lab says: “The {{licence}} server: it's “down”.” "
        "I'll keep trying."
    )
    failing = hold_by_cause("server_failed: No credit: ask the lab.")
    assert explain_hold(failing, "Lab") == (
        "Lab is having problems right now. Lab says: “No credit: ask the lab.” I'll keep trying."
    )
    assert find_server_words(failing) == "No credit: ask the lab."
    assert find_server_words(hold_by_cause("server_failed")) == find_server_words(busy) == ""
    assert explain_unread("server_failed: No credit.", "Lab") == (
        "Lab is having problems right now. Lab says: “No credit.”"
    )
