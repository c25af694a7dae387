"""Tests of removing Usher's own ids and name from messages, wherever they occur."""

import pytest

from bot.domain.installations import Installation

OWN_INSTALLATION = Installation("T1", bot_user_id="UBOT", bot_id="BBOT", bot_name="usher")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<@UBOT> list", "list"),
        ("hey <@UBOT|usher>, list", "list"),
        ("@Usher: list", "list"),
        ("@usher! list", "list"),
        ("@usher \u2014 list", "list"),
        ("@usher --yes list", "--yes list"),
        ("@usher :wave: list", ":wave: list"),
        ("<@BBOT> stop lab", "stop lab"),
        ("&lt;@UBOT&gt; stop lab", "stop lab"),
        ("stop lab <@UBOT>", "stop lab"),
        ("stop lab, thanks @usher", "stop lab, thanks"),
        ("thanks @usher!", "thanks!"),
        ("is lab running, @usher?", "is lab running?"),
        ("stop <@UBOT> lab", "stop lab"),
        ("stop lab, @usher, thanks", "stop lab, thanks"),
        ("stop lab (thanks <@UBOT>)", "stop lab (thanks)"),
        ("stop @usher's lab", "stop lab"),
        ("stop <@UBOT>\u2019s lab", "stop lab"),
        ("*@usher* stop lab _<@UBOT>_", "stop lab"),
        ("can @usher stop lab?", "can you stop lab?"),
        ("please could <@UBOT> stop lab?", "please could you stop lab?"),
        ("can @usher you stop lab?", "can you stop lab?"),
        ("when will @usher lab stop?", "when will lab stop?"),
        ("<@UBOT>, @usher stop lab <@BBOT> @usher!", "stop lab!"),
        ("stop lab @usher\n@usher start etl", "stop lab\nstart etl"),
        ("&gt; @usher, stop lab", "&gt; stop lab"),
        ("hi @usher", "hi"),
        (" @usher! ", ""),
        ("", ""),
    ],
)
def test_own_mention_is_left_out(text, left):
    assert OWN_INSTALLATION.remove_own_mentions(text).strip() == left


@pytest.mark.parametrize(
    "text",
    [
        "<@UBOB> list",
        "stop lab for <@UCARLA>",
        "stop lab for <@UCARLA|usher>",
        "@usher2 list",
        "start @usher-x",
        "start @usher_x",
        "start @usher.x",
        "start lab@usher",
        "add bob@usher.example",
        "<!subteam^S1|@usher> list",
        "start usher",
        'start "@usher"',
        "start 'my @usher lab'",
        "start \u201cmy @usher lab\u201d",
    ],
)
def test_other_names_stay(text):
    assert OWN_INSTALLATION.remove_own_mentions(text) == text


def test_unknown_ids_stay():
    """Installations stored by an early release may lack the bot's ids."""
    old = Installation("T1", bot_name="helper")
    text = "<@UBOT> stop <@BBOT> @usher"
    assert old.remove_own_mentions(f"@helper {text}") == text
