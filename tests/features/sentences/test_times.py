"""Times in sentences: one grammar for every verb and for none, which finds no time in a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import time_parsing
from bot.features.sentences.times import find, read_hours_order
from handlers.command_line import fold_word

NAMES = {"gpu-train", "report", "thesis", "monday", "2h"}


def found(text: str, names=NAMES):
    """Return the times of a text in which those words are names."""
    words = text.split()
    return words, find(words, {at for at, word in enumerate(words) if fold_word(word) in names})


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
        ("stop report at 5 in the afternoon", "at 5 in the afternoon", "at"),
        ("start thesis at 9 in the morning", "at 9 in the morning", "at"),
        ("stop report this afternoon at 5", "this afternoon at 5", "at"),
        ("this afternoon stop report at 5", "this afternoon at 5", "at"),
        ("can you stop report at 8 in the evening?", "at 8 in the evening?", "at"),
        ("start thesis until 5 in the afternoon", "until 5 in the afternoon", "until"),
        ("start thesis on 7 dec at 9", "on 7 dec at 9", "at"),
        ("start thesis on the 7th at 9", "on the 7th at 9", "at"),
        ("on 27 nov start thesis at 9am", "on 27 nov at 9am", "at"),
        ("start thesis dec 7 9am", "dec 7 9am", "at"),
        ("starte thesis am 7. Dezember um 9", "am 7. Dezember um 9", "at"),
        ("start thesis at 5 a.m. today", "at 5 a.m. today", "at"),
        ("start thesis 01.12.2026 um 9:00", "01.12.2026 um 9:00", "at"),
        ("start thesis next tuesday at 8", "next tuesday at 8", "at"),
        ("stop report at midnite", "at midnite", "at"),
        ("stop report later today at 5pm", "later today at 5pm", "at"),
        ("stop report at 20 to 6", "at 20 to 6", "at"),
        ("stop report on 24 dec", "on 24 dec", "day"),
        ("may i start thesis at 7pm", "at 7pm", "at"),
        ("good morning! what a day", "", ""),
        ("have a nice day", "", ""),
        ("stop the 2nd one", "", ""),
        ("start gpu-train as soon as there is room", "", ""),
        ("thanks for the help in this", "", ""),
        ("i'm at work, start thesis at once", "", ""),
    ],
)
def test_a_time_is_found_wherever_it_is(text, said, kind):
    words, times = found(text)
    assert (times.when.text if times.when else "") == said
    assert " ".join(words[at] for at in sorted(times.places)) == said
    assert ([*times.kinds.values()] or [""]) == [kind]
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
    assert times.places >= times.kinds.keys()
    assert times.kinds


@pytest.mark.parametrize(
    "text",
    [
        "start thesis later",
        "stop report not now",
        "stop report not right now",
        "stop report in a bit",
        "stop report in a while",
        "stop report some time",
        "stop report some other time",
        "stop report until i say so",
        "keep report until thesis is done",
        "stop report at half elevenish",
        "start thesis in december",
        "run thesis once a day at 9",
        "stop report on the weekend at 5",
        "start thesis monday from 9 to 5",
        "start thesis on monday at 9 and stop it at 6",
        "stop report from 2 to 5 in the afternoon",
        "stop report at 5 or 6",
        "stop report at sunrise",
        "start thesis, i have an hour before lunch",
        "start thesis tuesday or friday at 9am",
        "start thesis on work days at 9",
        "start thesis at 9 tomorrow and every day after",
        "start thesis in the coming week",
        "stop report at the usual time",
        "start thesis next week",
        "start thesis for tomorrow's lecture at 9",
        "stop report in an hour or two",
        "stop report at 5pm EST",
        "stop report last friday at 5",
        "i stopped report yesterday at 5",
        "stop report 2 hours before midnight",
        "stop report another time",
        "stop report at the end of the week",
        "start thesis on 7/12 at 9",
        "start thesis a week from tuesday at 9",
        "start thesis every other tuesday at 9",
        "start thesis first tuesday of the month at 9",
    ],
)
def test_what_is_said_of_a_time_and_not_read_bars_the_rest(text):
    _, times = found(text)
    assert (times.is_unread, times.hours) == (True, "")


def test_a_time_beside_one_that_is_unread_is_none():
    _, times = found("start thesis on 7/12 at 9")
    assert (times.when, times.kinds) == (None, {3: "at", 4: "at"})


def test_further_times_are_told_apart_from_the_first():
    _, times = found("stop thesis at 5 and report at 6")
    assert [one.text for one in (times.when, *times.more_times)] == ["at 5", "at 6"]
    assert times.is_unread


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("pause report from 21 dec to 4 jan", "from 21 dec to 4 jan"),
        ("pause report 21 dec \u2013 4 jan", "21 dec \u2013 4 jan"),
        ("skip report today and tomorrow", "today and tomorrow"),
        ("pause it over christmas, 21 dec to 4 jan", "21 dec to 4 jan"),
        ("skip report on monday", ""),
        ("stop report tomorrow at 5 or monday at 6", ""),
    ],
)
def test_several_days_are_one_text(text, days):
    _, times = found(text)
    assert times.days == days


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("skip report today and tomorrow", "skip today and tomorrow"),
        ("skip monday and tuesday for my report", "skip monday and tuesday"),
        ("don't start report next monday", "skip next monday"),
        ("no report on 24 dec please", "skip 24 dec"),
        ("pause report for a week", "pause for a week"),
        ("pause report until 4 jan", "pause until 4 jan"),
        ("pause report from 21 dec to 4 jan", "pause from 21 dec to 4 jan"),
        ("pause report today and tomorrow", "pause today and tomorrow"),
        ("pause the hours of report on friday", "skip friday"),
        ("work hours for report: mon-thu 9 to 5", "mon,tue,wed,thu 09:00-17:00"),
        ("hours for report: weekdays 9 to 5", "weekdays 09:00-17:00"),
        ("report's schedule: mon\u2013thu 9 to 5", "mon,tue,wed,thu 09:00-17:00"),
        ("pause report for 2 hours", None),
        ("pause report until 5pm", None),
        ("pause report", None),
        ("start report at 5 in the afternoon", None),
    ],
)
def test_a_sentence_about_hours_is_their_order(text, order):
    words = text.split()
    named = {at for at, word in enumerate(words) if fold_word(word).removesuffix("'s") in NAMES - {"monday"}}
    assert read_hours_order(words, named) == order


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
        ("start it every evening at 8", "start", "daily 20:00", "days"),
        ("stop it at 5 every afternoon", "stop", "daily -17:00", "days"),
        ("stop it nightly at 10", "stop", "daily -22:00", "days"),
        ("start it fridays from 9 to 5", "start", "fri 09:00-17:00", "days"),
        ("mon\u2013thu 9 to 5", "start", "mon,tue,wed,thu 09:00-17:00", "days"),
        ("start it on 27 nov from 9 to 5", "start", "27 nov 09:00-17:00", "span"),
        ("start it tomorrow morning from 9 to 11", "start", "tomorrow 09:00-11:00", "span"),
    ],
)
def test_hours_that_come_again(text, verb, order, kind):
    _, times = found(text)
    assert (times.write_order(verb) if verb else times.hours, times.is_unread) == (order, False)
    assert [*times.kinds.values()] == [kind]


SAID = """for in until at tomorrow tonight friday 9 12 2h 1h30 6pm 2:30 noon half past quarter to an hour 90
min and a the of rest day next eod every from 9-5 m-f weekdays more another longer um halb acht uhr bis stop
it report start morning few hours 25:00 . , \u0663 7 dec on 7th later not now until"""
WORDS = st.lists(st.sampled_from(SAID.split()), max_size=12)


@given(WORDS, st.sets(st.integers(0, 11)))
def test_a_name_is_never_a_time_and_whatever_is_said_can_be_read(words, named):
    times = find(words, named)
    assert not times.places & named
    assert all(0 <= at < len(words) for at in times.places | times.kinds.keys())
    if times.when is not None:
        assert time_parsing.time_kind(times.when.text)
    if times.wanted is not None and times.wanted.days & time_parsing.EVERY_DAY:
        assert {"every", "m-f", "weekdays"} & {*words}
