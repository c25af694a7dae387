"""Texts without what their writers quote, and with a clause for each line."""

import html
import re
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.surfaces import Where
from bot.domain.time_parsing import LEADS
from bot.domain.workspaces import State
from bot.features.sentences.cleaning import clean_message, list_labels, show_labels
from bot.store import runs, workspaces
from handlers.command_line import MAX_TEXT_LENGTH, is_clause_end, parse
from handlers.quotations import drop_quotations, read_quotation, skip_quotations
from handlers.vocabulary import NEGATIONS, THEN_WORDS
from tests.features.sentences.database_changes import became
from tests.handlers.rig import buttons, rig, words
from tests.handlers.run_rig import run_rig
from tests.rigs.store import ALICE


def as_id(value):
    """Return a text, cut short, or the items of a list as a part of a test's id."""
    return (value if isinstance(value, str) else " + ".join(value) or "nothing")[:60]


TRACE = '```\nTraceback (most recent call last):\n  File "stop.py"\nstop notebook\n```'
CASES = [
    # code blocks
    (f"{TRACE}\nplease restart notebook", "please restart notebook"),
    (f"please restart notebook\n{TRACE}", "please restart notebook"),
    (f"restart notebook {TRACE} and exp_14", "restart notebook;\nand exp_14"),
    ("```a``` stop notebook ```b\nc``` start exp_14", "stop notebook;\nstart exp_14"),
    ("```a``` ```b``` stop notebook", "stop notebook"),
    ("stop ```notebook```", "stop  notebook "),
    ("```never closed\nstop notebook", "```never closed;\nstop notebook"),
    ("```start notebook```", "```start notebook```"),
    # quoted lines
    ("&gt; stop notebook\nno, start it", "no, start it"),
    ("&gt; stop notebook\n&gt; stop exp_14\nwhy?", "why?"),
    ("  &gt;stop notebook\nstart exp_14", "start exp_14"),
    ("> stop notebook\nstart exp_14", "start exp_14"),
    ("start exp_14\n&gt;&gt;&gt; stop notebook\nstop gpu", "start exp_14"),
    ("start exp_14\n&gt; stop\nstop notebook", "start exp_14;\nstop notebook"),
    ("- &gt; stop notebook\n- start exp_14", "start exp_14"),
    ("start a &gt; b", "start a &gt; b"),
    ("&gt; stop notebook", "&gt; stop notebook"),
    # back-ticks
    ("please run `stop notebook`", "please run stop notebook"),
    ("stop `notebook` and `exp_14`", "stop notebook and exp_14"),
    ("stop ``notebook``", "stop notebook"),
    ("stop`notebook`now", "stop notebook now"),
    ("stop note`book", "stop note`book"),
    ("stop `notebook\nstart exp_14`", "stop `notebook;\nstart exp_14`"),
    # lines and lists
    ("stop notebook\nstart exp_14", "stop notebook;\nstart exp_14"),
    ("stop notebook\r\nstart exp_14\r\n", "stop notebook;\nstart exp_14"),
    ("stop notebook.\n\n\nstart exp_14", "stop notebook.\nstart exp_14"),
    ("good morning,\nstop notebook\nthanks!", "stop notebook"),
    ("hi\nthanks", "hi;\nthanks"),
    ("hello you,\nstop notebook\n", "hello you,\nstop notebook"),
    ("- stop notebook\n- stop exp_14\n- start gpu", "stop notebook;\nstop exp_14;\nstart gpu"),
    ("* stop notebook\n• start exp_14\n•start gpu", "stop notebook;\nstart exp_14;\nstart gpu"),
    ("please:\n    ◦ stop notebook\n – start gpu", "please:\nstop notebook;\nstart gpu"),
    ("don't\nstop notebook", "don't\nstop notebook"),
    ("stop notebook at\n5\nthen\nstart it", "stop notebook at\n5;\nthen\nstart it"),
    ("- stop notebook", "stop notebook"),
    ("1. stop notebook\n2. start notebook-2", "stop notebook;\nstart notebook-2"),
    ("1) stop notebook\n2) start notebook-2", "stop notebook;\nstart notebook-2"),
    ("do this:\n1. stop notebook\n2. stop exp_14", "do this:\nstop notebook;\nstop exp_14"),
    ("1. stop notebook 2. start notebook-2", "stop notebook;\nstart notebook-2"),
    ("1. stop it at 5. \n2. start it", "stop it at 5.\nstart it"),
    ("stop it on 1. and 2. of may", "stop it on 1. and 2. of may"),
    ("9. dezember stop notebook\n11. dezember start it", "9. dezember stop notebook;\n11. dezember start it"),
    ("keep it 2. ", "keep it 2. "),
    ('stop "my box"\nstart "gpu box"', 'stop "my box" ;\nstart "gpu box"'),
    ("add <https://a.example/b>\nlist", "add <https://a.example/b> ;\nlist"),
    ("add https://a.example/b\nlist", "add https://a.example/b ;\nlist"),
    ("start notebook :rocket:\nlist", "start notebook :rocket:\nlist"),
    # who else is to read it
    ("stop exp_14 cc <@U123>", "stop exp_14"),
    ("stop exp_14, CC: <@U123>, <@U456|chen> and @dana.", "stop exp_14"),
    ("stop exp_14 (cc <@U123>)", "stop exp_14"),
    ("can you stop exp_14 cc <@U123>?", "can you stop exp_14?"),
    ("is exp_14 up? cc <@U123>", "is exp_14 up?"),
    ("cc <@U123>: stop exp_14", "stop exp_14"),
    ("/cc @dana stop exp_14", "stop exp_14"),
    ("stop exp_14 cc <@U123>\nstart gpu cc <@U456>", "stop exp_14;\nstart gpu"),
    ("cc <@U123>", "cc <@U123>"),
    # what stays
    ("<@U123> can you stop notebook?", "<@U123> can you stop notebook?"),
    ("stop notebook of <@U123>", "stop notebook of <@U123>"),
    ("stop notebook for <@U123> cc'ed", "stop notebook for <@U123> cc'ed"),
    ("stop gcc <@U123>", "stop gcc <@U123>"),
    ("stop note-book -- now", "stop note-book -- now"),
    ("  stop notebook ", "  stop notebook "),
    ("stop\u200b notebook", "stop\u200b notebook"),
    ("5 &lt; 6 &gt; 4", "5 &lt; 6 &gt; 4"),
    ("", ""),
    (" \n ", " \n "),
]


@pytest.mark.parametrize(("text", "cleaned"), CASES, ids=as_id)
def test_text_is_cleaned(text, cleaned):
    assert clean_message(text) == cleaned


@pytest.mark.parametrize(
    ("text", "quotation"),
    [
        ("&gt; stop notebook", "stop notebook"),
        ("&gt;&gt;&gt; stop notebook\nstop exp_14", "stop notebook\nstop exp_14"),
        ("> stop notebook\n&gt;stop exp_14", "stop notebook\nstop exp_14"),
        ("`stop notebook`", "stop notebook"),
        ("`stop` `notebook`", "stop notebook"),
        ("- `stop notebook`", None),
        ("```\nstop notebook\n```", "\nstop notebook\n"),
        ("&gt; hello\n```stop notebook```", "hello\nstop notebook"),
        ("&gt; stop notebook\nplease", None),
        ("run `stop notebook`", None),
        ("stop notebook", None),
        ("cc <@U123>", None),
        ("", None),
        ("&gt;", ""),
    ],
)
def test_text_of_quotations_only_is_told_apart(text, quotation):
    assert read_quotation(text) == quotation


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("```x -- y```\njob run -- a `b`", "job run -- a `b`"),
        ("&gt; why?\n```x```\n&gt; so\njob run -- a\n> b", "job run -- a\n> b"),
        ("job run -- ```a```", "job run -- ```a```"),
        ("&gt;&gt;&gt; a\njob run -- b", ""),
        ("```job run -- a", "```job run -- a"),
    ],
)
def test_quotations_before_a_command_are_skipped(text, rest):
    assert skip_quotations(text) == rest


LISTED = "stop <https://cloud.example/ide/1|notebook> and <https://cloud.example/ide/2|R&amp;D box>"


def test_label_of_a_link_is_shown_where_it_is_a_name():
    assert list_labels(LISTED) == ["notebook", "R&D box"]
    assert show_labels(LISTED, ["Notebook", "r&d  box"]) == "stop notebook and R&amp;D box"
    assert show_labels(LISTED, ["notebook"]).endswith("and <https://cloud.example/ide/2|R&amp;D box>")
    assert show_labels(LISTED, []) == LISTED


@pytest.mark.parametrize(
    "text",
    ["<https://a.example|report.example>", "<https://a.example>", "<@U1|notebook>", "<tel:1|notebook>"],
)
def test_label_that_looks_like_an_address_is_none(text):
    assert list_labels(text) == []


_PIECES = [
    *("stop", "notebook", "exp_14", "at 5", "please", "cc", "cc ", "<@U1>", "@dana", "<https://a.example|x>"),
    *(
        "`",
        "```",
        "&gt;",
        ">",
        "\n",
        "\r",
        " ",
        "- ",
        "• ",
        "* ",
        "–",
        "1. ",
        "2. ",
        "3)",
        ",",
        ";",
        ".",
        "?",
        '"',
    ),
]
_TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(_PIECES), max_size=25).map("".join))
_MARKS = re.compile(r"[`\n>•◦▪‣]|&gt;|\bcc\b|^\s*[-*+–—]\s|(?<!\S)[0-9]{1,2}[.)]", re.IGNORECASE)


@given(_TEXTS)
@example("1. a\n&gt; 5. q\n2. b")
@example("- - &gt; a\nb")
@example("`&gt; a` b")
@example("a cc <@U1> cc <@U1>.")
def test_cleaned_text_stays_as_it_is_and_has_no_new_word(text):
    cleaned = clean_message(text)
    assert clean_message(cleaned) == cleaned
    assert set(re.findall(r"\w+", cleaned)) <= set(re.findall(r"\w+", text))
    if not _MARKS.search(text):
        assert cleaned == text


@given(_TEXTS)
def test_any_text_can_be_read(text):
    assert (read_quotation(text) is None) or read_quotation(text) != text
    assert text.endswith(skip_quotations(text))
    assert show_labels(text, []) == text
    assert len(drop_quotations(text)) <= len(text)


_LINES = st.from_regex(r"[a-z]{1,8}( [a-z0-9]{1,8}){0,3}", fullmatch=True).filter(
    lambda line: line.rsplit(maxsplit=1)[-1] not in NEGATIONS | THEN_WORDS | LEADS.keys()
)


@given(st.lists(_LINES, min_size=2, max_size=6))
def test_each_line_is_a_clause(lines):
    for marker in ("", "- ", "• "):
        words_ = parse(clean_message("\n".join(f"{marker}{line}" for line in lines)), {}).words
        assert sum(map(is_clause_end, words_)) == len(lines) - 1


_REPEATED = {
    "back-tick": "`",
    "block mark": "```",
    "block": "```x``` ",
    "quote": "&gt;",
    "number": "1. ",
    "dash": "- ",
    "copy": "cc <@U1> ",
    "copy and dash": "cc @a- ",
    "copy of nobody": "a cc ",
    "space": " ",
    "line": "\n",
    "item": "\n1. a ",
    "comma": "x, ",
}


@pytest.mark.parametrize("piece", _REPEATED.values(), ids=_REPEATED)
def test_long_text_is_cleaned_soon(piece):
    text, begin = piece * (40_000 // len(piece)), process_time()
    for one in (text, f"x{text}", f"{text}x"):
        clean_message(one), read_quotation(one), skip_quotations(one), show_labels(one, list_labels(one))
    assert process_time() - begin < 1.5


# -- through the whole bot ---------------------------------------------------------------------------------


@pytest.fixture
async def bot():
    async with rig() as made:
        await made.link(names=("notebook-2", "gpu box"), state=State.STOPPED)
        await made.link(names=("notebook", "exp_14"), state=State.RUNNING)
        yield made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{TRACE}\nplease restart notebook", ["restart notebook"]),
        (f"please restart notebook\n{TRACE}", ["restart notebook"]),
        ("please restart notebook\n```" + "word " * 3000 + "```", ["restart notebook"]),
        ("&gt; " + "word " * 3000 + "\nplease restart notebook", ["restart notebook"]),
        ("stop <https://saturn.example.org/ide/1|notebook>", ["stop notebook"]),
        ("stop <https://saturn.example.org/ide/1|notebook> at 18:00", ["notebook off in 10:00"]),
        ("start <https://saturn.example.org/ide/1|gpu box>, please", ["start gpu box"]),
        ("stop exp_14 cc <@UCHEN>", ["stop exp_14"]),
        ("cc <@UCHEN> stop exp_14", ["stop exp_14"]),
        ("stop `exp_14`", ["stop exp_14"]),
        ("- stop exp_14", ["stop exp_14"]),
        ("please run `stop exp_14`", ["stop exp_14"]),
        ("stop ```exp_14```", ["stop exp_14"]),
        ("hours exp_14\nweekdays 9-17", ["fri,mon,thu,tue,wed 540-1020"]),
        ("alias notebook to weekly\nthanks", ["notebook is weekly"]),
        ("hi usher,\nplease stop exp_14\nthanks", ["stop exp_14"]),
        ("stop exp_14\nat 18:00", ["exp_14 off in 10:00"]),
        ("&gt; should we stop notebook?\nstop exp_14", ["stop exp_14"]),
    ],
    ids=as_id,
)
async def test_own_words_are_done(bot, text, found):
    answer = await bot.talk(text)
    assert await became(bot) == found
    assert "I left out" not in words(answer)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (
            "- stop notebook\n- stop exp_14\n- start notebook-2",
            ["Stop notebook", "Stop exp_14", "Start notebook-2"],
        ),
        ("1. stop notebook\n2. start notebook-2", ["Stop notebook", "Start notebook-2"]),
        ("1. stop notebook 2. start notebook-2", ["Stop notebook", "Start notebook-2"]),
        ("stop notebook\n2 is enough", ["Stop later…"]),
        ("stop these:\n- notebook\n- exp_14", ["Stop 2 workspaces"]),
        ("stop notebook\nexp_14", ["Stop 2 workspaces"]),
        ("`stop notebook`", ["Do it now", "Leave it"]),
        ("```stop notebook```", ["Do it now", "Leave it"]),
        ("&gt; stop notebook", ["Do it now", "Leave it"]),
        ("&gt;&gt;&gt; stop notebook\nstop exp_14", ["Stop notebook", "Stop exp_14"]),
        ("&gt; 1. stop notebook\n&gt; 2. start notebook-2", ["Stop notebook", "Start notebook-2"]),
        ("alias notebook to weekly\nstop exp_14", ["Stop exp_14"]),
        ("```x```\nstop\u200b notebook", ["Do it now", "Leave it"]),
        ("<@UCHEN> can you stop notebook?", []),
        ("stop <https://elsewhere.example|exp_14.example>", []),
        ("please don't\nstop notebook", []),
        ("if notebook is idle\nstop exp_14", []),
        ("see <https://example.org/x|stop notebook> for details", []),
    ],
    ids=as_id,
)
async def test_nothing_is_done_at_once(bot, text, labels):
    answer = await bot.talk(text)
    assert await became(bot) == []
    assert [one for one in buttons(answer) if one.startswith(("Stop ", "Start ", "Do ", "Leave "))] == labels
    assert "You're welcome" not in words(answer)


async def test_link_to_add_is_read_by_its_address(bot):
    address = f"{bot.connections['saturn'].settings.base_url}/dash/x7"
    await bot.direct(f"add <{address}|notebook>")
    assert "x7" in {one.remote_id for one in await bot.store.perform(workspaces.read_workspaces, ALICE)}


@pytest.mark.parametrize("place", ["{}\nplease stop notebook", "please stop notebook\n{}"])
@pytest.mark.parametrize("frame", ["```\n{}\n```", "&gt; {}"])
async def test_token_in_a_quotation_is_said_first(bot, place, frame):
    token = "xoxb-17653672481-19874698323"
    answer = await bot.direct(place.format(frame.format(f"export SLACK={token}")))
    assert "looks like a Slack token" in words(answer)
    assert await became(bot) == []


@pytest.mark.parametrize(
    "before", ["", "```\nTraceback -- here\n```\n", "&gt; what now?\n"], ids=["alone", "code", "quotation"]
)
@pytest.mark.parametrize(
    "program",
    ["echo `date`", "echo a\n> b\n- c\n1. d", "echo ```x``` cc @dana", "curl <https://a.example/x|b>"],
)
async def test_program_stays_as_it_is(before, program):
    async with run_rig() as bot:
        assert (await bot.direct(f"{before}job run -- {html.escape(program, quote=False)}")).text == ""
        (run,) = await bot.store.read(runs.list_runs, ALICE)
        assert run.spec.text("command") == program


async def test_long_text_is_answered_soon(bot):
    for piece in ("stop notebook\n", "- stop exp_14\n", "`stop` ", "cc <@U1> ", "&gt; a\nb ", "```a```\n"):
        text, begin = (piece * MAX_TEXT_LENGTH)[:MAX_TEXT_LENGTH], process_time()
        await bot.say(text, kind="message", channel_id="D1", where=Where.DIRECT)
        assert process_time() - begin < 0.5
    assert await became(bot) == []
