"""Tests that typed text is parsed the way people mean it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.requests import routes
from handlers.requests.command_line import ParsedCommand, fold_word, normalise, parse

NONE: frozenset[str] = frozenset()
WAIT = frozenset({"wait"})
COMMANDS = {"/workspace": "workspace", "/batch": "job"}


@pytest.mark.parametrize(
    ("text", "verb", "arguments", "flags"),
    [
        ("", "", (), NONE),
        ("   ", "", (), NONE),
        ("list", "list", (), NONE),
        ("START Notebook", "start", ("Notebook",), NONE),
        ("Start, notebook", "start", ("notebook",), NONE),
        ("help!", "help", (), NONE),
        ("start my notebook", "start", ("my", "notebook"), NONE),
        ('start "my notebook"', "start", ("my notebook",), NONE),
        ("start “my notebook”", "start", ("my notebook",), NONE),
        ("start „my notebook“", "start", ("my notebook",), NONE),
        ("start «my notebook»", "start", ("my notebook",), NONE),
        ("start \u2018my notebook\u2019", "start", ("my notebook",), NONE),
        ("start alice's notebook", "start", ("alice's", "notebook"), NONE),
        ("start alice’s notebook", "start", ("alice's", "notebook"), NONE),
        ('start "never closed', "start", ('"never', "closed"), NONE),
        ('start "a"b" c', "start", ('a"b', "c"), NONE),
        ('alias "my notebook" "the new one"', "alias", ("my notebook", "the new one"), NONE),
        ('start ""', "start", (), NONE),
        ("start notebook --wait", "start", ("notebook",), WAIT),
        ("start --wait notebook", "start", ("notebook",), WAIT),
        ("start notebook —wait", "start", ("notebook",), WAIT),
        ("start notebook –wait", "start", ("notebook",), WAIT),
        ("start notebook --Wait", "start", ("notebook",), WAIT),
        ("start notebook -–wait", "start", ("notebook",), WAIT),
        ("list ― wait", "list", ("―", "wait"), NONE),
        ("start a–b", "start", ("a–b",), NONE),
        ("start a\u2011b", "start", ("a-b",), NONE),
        ("start --other", "start", ("--other",), NONE),
        ("alias nb --clear", "alias", ("nb",), frozenset({"clear"})),
        ("stop nb --FORCE", "stop", ("nb",), frozenset({"force"})),
        ("start\u00a0note\u200bbook", "start", ("notebook",), NONE),
        ("start\nnotebook", "start", ("notebook",), NONE),
        ("`start notebook`", "start", ("notebook",), NONE),
        ("*start notebook*", "start", ("notebook",), NONE),
        ("add <https://app.example.org/dash/1>", "add", ("https://app.example.org/dash/1",), NONE),
        (
            "add <https://app.example.org/a?b=1&amp;c=2|app.example.org/a> nb",
            "add",
            ("https://app.example.org/a?b=1&c=2", "nb"),
            NONE,
        ),
        ("start <http://app.py|app.py>", "start", ("app.py",), NONE),
        ("start <https://app.py|app.py>", "start", ("app.py",), NONE),
        ("start <http://app.py/|App.py>", "start", ("App.py",), NONE),
        ("start <http://App.py:8080|app.py:8080/>", "start", ("app.py:8080/",), NONE),
        (
            "start <https://a.example/b?c=1&amp;d|a.example/b?c=1&amp;d>",
            "start",
            ("a.example/b?c=1&d",),
            NONE,
        ),
        ("start <mailto:a@b.example|a@b.example>", "start", ("a@b.example",), NONE),
        ("start <mailto:a@b.example>", "start", ("a@b.example",), NONE),
        ("stop <tel:20250713|20250713>", "stop", ("20250713",), NONE),
        ("stop <tel:20250713>", "stop", ("20250713",), NONE),
        ("stop <tel:20250713|2025-07.13>", "stop", ("2025-07.13",), NONE),
        ("stop <tel:+4930123|+49 (30) 123>", "stop", ("+49", "(30)", "123"), NONE),
        ("stop <tel:20250713|20250714>", "stop", ("tel:20250713",), NONE),
        ("stop <tel:20250713|lab>", "stop", ("tel:20250713",), NONE),
        ("stop <https://other.example|lab>", "stop", ("https://other.example",), NONE),
        ("stop <http://www.app.py|app.py>", "stop", ("http://www.app.py",), NONE),
        ("stop <http://app.py/other|app.py>", "stop", ("http://app.py/other",), NONE),
        ("unlink saturn <@U123|alice>", "unlink", ("saturn", "<@U123>"), NONE),
        ("start <#C123|general>", "start", ("#general",), NONE),
        ("start <#C123>", "start", ("#C123",), NONE),
        ("start <!channel>", "start", (), NONE),
        ("start <!subteam^S1|@team>", "start", ("@team",), NONE),
        ("start a &lt;b&gt; &amp;amp;", "start", ("a", "<b>", "&amp;"), NONE),
        ("start 🚀", "start", ("🚀",), NONE),
        ("start \u202eevil", "start", ("evil",), NONE),
    ],
)
def test_what_is_typed(text, verb, arguments, flags):
    parsed = parse(text, COMMANDS, routes.list_flags())
    assert ("".join(map(fold_word, parsed.words[:1])), parsed.words[1:], parsed.flags) == (
        verb,
        arguments,
        flags,
    )


@pytest.mark.parametrize(
    ("text", "folder", "verb"),
    [
        ("/workspace start notebook", "workspace", "start"),
        ("/Workspace start notebook", "workspace", "start"),
        ("/batch logs notebook", "job", "logs"),
        ("job logs notebook", "job", "logs"),
        ("Job: logs notebook", "job", "logs"),
        ("jobs list notebook", "job", "list"),
        ("workspace list notebook", "workspace", "list"),
        ("`job logs notebook`", "job", "logs"),
    ],
)
def test_what_a_command_is_about_may_stand_before_the_verb(text, folder, verb):
    assert parse(text, COMMANDS, routes.list_flags()) == ParsedCommand((verb, "notebook"), NONE, folder)


def test_a_later_word_is_a_name_and_only_a_slash_command_of_ours_is_left_out():
    assert parse("job", COMMANDS) == ParsedCommand((), NONE, "job")
    for words in (("start", "job"), ("/other", "start")):
        assert parse(" ".join(words), COMMANDS) == ParsedCommand(words, NONE)


def test_a_very_long_text_is_cut():
    assert len(normalise("x" * 100_000)) == 2000


_LINKED_NAMES = st.from_regex(
    r"[a-z]{1,8}([.][a-z0-9]{1,8}){1,2}(:[0-9]{2,4})?(/[a-z0-9-]{1,8})?", fullmatch=True
)
_LINKED_NUMBERS = st.from_regex(r"[+]?[0-9]{2,6}([-. /()]{1,2}[0-9]{1,6}){0,3}", fullmatch=True)


@given(_LINKED_NAMES, st.sampled_from(["http://", "https://", "HTTP://"]), st.sampled_from(["", "/"]))
def test_linked_name_reads_as_typed(name, scheme, slash):
    for label in (name, name.title()):
        assert parse(f"stop <{scheme}{name}{slash}|{label}>", COMMANDS) == parse(f"stop {label}", COMMANDS)


@given(_LINKED_NUMBERS, st.booleans())
def test_linked_number_reads_as_typed(number, has_signs):
    called = number if has_signs else "".join(filter(str.isdigit, number))
    assert parse(f"stop <tel:{called}|{number}>", COMMANDS) == parse(f"stop {number}", COMMANDS)


@given(st.text(max_size=300))
def test_nothing_that_is_typed_raises(text):
    assert all(word.strip() for word in parse(text, COMMANDS).words)


@given(st.lists(st.from_regex(r"[a-z0-9 ]{0,8}[a-z0-9]", fullmatch=True), min_size=1, max_size=4))
def test_quoted_names_come_back_whole(names):
    quoted = " ".join(f'"{name}"' for name in names)
    assert parse(f"alias {quoted}", COMMANDS).words[1:] == tuple(name.strip() for name in names)
