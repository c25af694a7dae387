"""Parsing a command with flags and the arguments of the person's own program."""

import html

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.services.creation import Flag
from handlers.requests.command_line import CommandLine, parse_command_line

COMMANDS = {"/workspace": "workspace", "/job": "job"}


def line(*words, tail=None, **flags):
    return CommandLine(words, tuple(Flag(name, value) for name, value in flags.items()), tail)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("run", line()),
        ("job run", line()),
        ("/job run posit", line("posit")),
        ("job: run posit", line("posit")),
        ("job run posit nightly build", line("posit", "nightly", "build")),
        ('job run posit "nightly build"', line("posit", "nightly build")),
        ("job run --cpus 2 --memory=2000", line(cpus="2", memory="2000")),
        ("job run --name \"my job\" --dir='/a b'", line(name="my job", dir="/a b")),
        ("job run —cpus 2 –memory 1", line(cpus="2", memory="1")),
        ("job run --env A=B -- Rscript train.R", line(env="A=B", tail="Rscript train.R")),
        ("job run --cpus -- ls", line(cpus=None, tail="ls")),
        ("job run --cpus --memory 2", line(cpus=None, memory="2")),
        ("job run --dir= -- a", line(dir="", tail="a")),
        ("job run --", line(tail="")),
        ("job run — ls -la", line(tail="ls -la")),
        ("job run –– ls -la", line(tail="ls -la")),
        ("job run –- ls", line(tail="ls")),
        ("job run -— ls", line(tail="ls")),
        ("job run -- python -c “print('a')”", line(tail="python -c \"print('a')\"")),
        ("job run -- a --share -- b", line(tail="a --share -- b")),
        ("job run -- a &amp;&amp; b &lt;c", line(tail="a && b <c")),
        ("job run -- a\n  b", line(tail="a\n  b")),
        ("job run -- ls *", line(tail="ls *")),
        ("`job run -- ls *`", line(tail="ls *")),
        ("job `run -- ls`", line(tail="ls")),
        ("```job run -- ls```", line(tail="ls")),
        ("job run -- curl <http://a.example|a.example>", line(tail="curl a.example")),
        ('job run --env "A=x -- y" -- z', line(env="A=x -- y", tail="z")),
        ('job run --env A="two words" -- z', line(env="A=two words", tail="z")),
        ("job run --env=A='x' -- z", line(env="A=x", tail="z")),
        ("job run --env A=“x -- y” -- z", line(env="A=x -- y", tail="z")),
        ('job run --env A="{"b": 1}" -- z', line(env='A={"b": 1}', tail="z")),
        ('job run --env A="x y', line("y", env='A="x')),
        ("job run --env A= -- z", line(env="A=", tail="z")),
        ("job run --2 x", line("--2", "x")),
        ("job run -n 4", line("-n", "4")),
        ("", line()),
    ],
)
def test_what_is_typed(text, told):
    assert parse_command_line(text, COMMANDS) == told


def test_a_flag_may_stand_there_more_than_once():
    read = parse_command_line("job run --env A=1 --env B=2", COMMANDS)
    assert read.flags == (Flag("env", "A=1"), Flag("env", "B=2"))


@given(st.text(max_size=200))
def test_nothing_that_is_typed_raises_or_is_made_up(text):
    for typed in (text, f"job run {text}"):
        read = parse_command_line(typed, COMMANDS)
        assert (read.tail or "") in typed
        for flag in read.flags:
            assert flag.name in typed.casefold()
            # Quotes around the value of NAME="VALUE" are left out.
            assert any((flag.value or "").replace("=", f"={quote}", 1) in typed for quote in ("", '"', "'"))


@given(st.from_regex(r"[a-z./\"'|&$*{}()\- ]{0,40}[a-z]", fullmatch=True))
@example("echo &lt")
def test_the_words_of_a_program_stay_as_they_are(words):
    as_slack_sends_it = html.escape(words, quote=False)
    assert parse_command_line(f"job run --cpus 2 -- {as_slack_sends_it}", COMMANDS).tail == words.strip()
