"""Times in sentences: one grammar for every verb and for none, which finds no time in a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import moments
from handlers.command_line import plain
from handlers.language.times import find

NAMES = {"gpu-train", "report", "thesis", "monday", "2h"}


def found(text: str, names=NAMES):
    """Return the times of a text in which those words are names."""
    words = text.split()
    return words, find(words, {at for at, word in enumerate(words) if plain(word) in names})


@pytest.mark.parametrize(
    ("text", "said", "kind"),
    [
        ("stop gpu-train at half past 7 tonight", "at half past 7 tonight", "at"),
        ("keep report on till 8:30 instead", "till 8:30 instead", "until"),
        ("stop report quarter to six", "quarter to six", "at"),
        ("stopp report um halb acht", "um halb acht", "at"),
        ("report bis 18 Uhr lassen", "bis 18 Uhr", "until"),
        ("stop report eod", "eod", "at"),
        ("stop report at the end of the day", "at the end of the day", "at"),
        ("stop report by close of business", "by close of business", "at"),
        ("stop report before six please", "before six", "at"),
        ("stop report around 4", "around 4", "at"),
        ("stop it for an hour and a half", "for an hour and a half", "for"),
        ("stop it in a couple of hours", "in a couple of hours", "in"),
        ("start report for the rest of the day", "for the rest of the day", "until"),
        ("report off tmrw morning at 8", "tmrw morning at 8", "at"),
        ("report off in 90 mintues", "in 90 mintues", "in"),
        ("report for the next 3/4 hour", "for the next 3/4 hour", "for"),
        ("tomorrow stop report at 6pm", "tomorrow at 6pm", "at"),
        ("gpu-train stop 1930", "1930", "at"),
        ("start thesis this afternoon", "this afternoon", "day"),
        ("start thesis over lunch", "over lunch", "day"),
        ("stop report next wednesday", "next wednesday", "day"),
        ("stop report 2 days", "2 days", "long"),
        ("start monday", "", ""),
        ("stop 2h", "", ""),
        ("guten Morgen, starte report", "", ""),
        ("report 2", "", ""),
        ("work in progress", "", ""),
        ("done with report for today", "", "day"),
    ],
)
def test_a_time_is_found_wherever_it_is(text, said, kind):
    words, times = found(text)
    assert (times.when.text if times.when else "") == said
    assert " ".join(words[at] for at in sorted(times.places)) == said
    assert ([*times.marks.values()] or [""]) == [kind]
    assert not times.is_unread


@pytest.mark.parametrize(
    "text",
    [
        "stop report at 25:00",
        "dashboard up please, call in 10",
        "run it for a few hours",
        "start report from 2 to 4",
        "stop it at 6 or at 7",
        "stop report every evening",
        "start report every 2 days",
        "keep report another hour until 6",
    ],
)
def test_what_no_time_can_be_made_of_is_noticed(text):
    _, times = found(text)
    assert times.is_unread
    assert times.places >= times.marks.keys()
    assert times.marks


@pytest.mark.parametrize(
    ("text", "left", "seconds"),
    [
        ("report another hour", "report", 3600),
        ("one more hour for report", "report", 3600),
        ("30 more minutes", "", 1800),
        ("report by 90 min longer", "report", 5400),
        ("noch eine halbe Stunde report", "report", 1800),
        ("report an extra hour", "report", 3600),
        ("report half an hour longer", "report", 1800),
        ("report longer", "report", 3600),
        ("some more time on report", "on report", 3600),
        ("another report", "another report", 0),
        ("more", "more", 0),
        ("report by 2h", "report", 0),
    ],
)
def test_how_much_longer(text, left, seconds):
    words, times = found(text, {"report"})
    assert times.more == seconds
    assert " ".join(word for at, word in enumerate(words) if at not in times.places) == left


@pytest.mark.parametrize(
    ("text", "verb", "order", "kind"),
    [
        ("thesis 9-5 m-f", "start", "weekdays 09:00-17:00", "days"),
        ("thesis from 8 to 4 on weekdays instead", "", "weekdays 08:00-16:00", "days"),
        ("run it mon-fri nine to half five", "start", "weekdays 09:00-17:30", "days"),
        ("mondays and fridays 10-12", "start", "mon,fri 10:00-12:00", "days"),
        ("starte es jeden Tag um 9", "start", "daily 09:00", "days"),
        ("stop it every day at 8pm", "stop", "daily -20:00", "days"),
        ("start it every day at 9 and stop it at 6", "start", "daily 09:00-18:00", "days"),
        ("stop it every day at 6pm and start it at 9", "stop", "daily 09:00-18:00", "days"),
        ("start it tomorrow from 9 to 17", "start", "tomorrow 09:00-17:00", "span"),
        ("suspend it daily at 9", "suspend", "suspend daily 09:00", "days"),
    ],
)
def test_hours_that_come_again(text, verb, order, kind):
    _, times = found(text)
    assert (times.order(verb) if verb else times.hours, times.is_unread) == (order, False)
    assert [*times.marks.values()] == [kind]


SAID = """for in until at tomorrow tonight friday 9 12 2h 1h30 6pm 2:30 noon half past quarter to an hour 90
min and a the of rest day next eod every from 9-5 m-f weekdays more another longer um halb acht uhr bis stop
it report start morning few hours 25:00 . , \u0663"""
WORDS = st.lists(st.sampled_from(SAID.split()), max_size=12)


@given(WORDS, st.sets(st.integers(0, 11)))
def test_a_name_is_never_a_time_and_whatever_is_said_can_be_read(words, named):
    times = find(words, named)
    assert not times.places & named
    assert all(0 <= at < len(words) for at in times.places | times.marks.keys())
    if times.when is not None:
        assert moments.time_kind(times.when.text)
