"""The rules that read sentences: nothing raises, and nothing that ends something is suggested for a start."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.messages.texts.facts import FACTS
from handlers import routes
from handlers.command_line import Quoted, parse, written
from handlers.language import vocabulary
from handlers.language.hours import is_order
from handlers.language.names import Names
from handlers.language.reading import READ, read
from handlers.language.words import Manner, near_verbs

VERBS = routes.verbs_of_folders()


def workspace(name: str) -> Workspace:
    """Return a workspace of a name."""
    return Workspace(name, Principal(None, "T1", "U1"), "saturn", name, name, name)


ENDING = {verb for verb in VERBS["workspace"] if routes.nature("workspace", verb).does is routes.Does.ENDS}
WORDS = sorted(
    {
        *(word for table in vocabulary.SYNONYMS.values() for word in table),
        *(word for phrase in (*vocabulary.SENTENCES, *vocabulary.TALK) for word in phrase),
        *(
            word
            for phrase in (*vocabulary.COURTESY, *vocabulary.HOW_TO, *vocabulary.EXCEPT)
            for word in phrase
        ),
        *(word for table in vocabulary.OPENINGS.values() for phrase, _ in table for word in phrase),
        *vocabulary.OF_QUESTIONS,
        *vocabulary.NEGATIONS,
        *(word for fact in FACTS.values() for word in re.findall(r"[\w-]+", fact.asks)),
        *vocabulary.STATES,
        *vocabulary.RUN_STATES,
        *vocabulary.TONGUES,
        *vocabulary.IT,
        *vocabulary.ORDINALS,
        *("make", "let", "leave", "default", "nothing", "my", "list."),
        *VERBS["workspace"],
        *VERBS["job"],
        *("notebook", "report", "?", "and", "--yes", "é"),
    }
)


def suggested(word: str) -> set[str]:
    return set(near_verbs(word, "workspace", VERBS["workspace"]))


def slips(word: str) -> set[str]:
    """Return all words that are one slip away: a letter more, less or wrong, or two swapped."""
    found = {word[:at] + word[at + 1 :] for at in range(len(word))}
    found |= {word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    for letter in string.ascii_lowercase:
        found |= {word[:at] + letter + word[at:] for at in range(len(word) + 1)}
        found |= {word[:at] + letter + word[at + 1 :] for at in range(len(word))}
    return found - {word}


def test_nothing_that_takes_something_away_is_suggested_for_a_word_that_starts_something():
    assert vocabulary.ENDING == ENDING
    known = {*VERBS["workspace"], *vocabulary.SYNONYMS["workspace"]}
    starting = {"start", "new", "resume", "open"} | {
        word for word, verb in vocabulary.SYNONYMS["workspace"].items() if verb in {"start", "new", "resume"}
    }
    assert all(suggested(word) == set() for word in vocabulary.NO_VERBS)
    for word in starting:
        for slip in slips(word) - known:
            assert not suggested(slip) & ENDING, slip


@pytest.mark.parametrize(
    ("word", "verbs"),
    [
        ("strat", {"start"}),
        ("stpo", {"stop"}),
        ("stopp", {"stop"}),
        ("retsart", {"restart"}),
        ("lsit", {"list"}),
        ("fly", set()),
        ("meeting", set()),
        ("notebook", set()),
        ("", set()),
    ],
)
def test_the_nearest_verbs(word, verbs):
    assert suggested(word) == verbs


@pytest.mark.parametrize("text", ["make notebook my default", "set report as default"])
def test_what_is_chosen_in_the_settings_leads_there(text):
    assert read(text.split(), "workspace", VERBS).verb == "settings"


NAMES = Names([workspace("notebook"), workspace("report"), workspace("deep thought")])


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_no_sentence_raises_and_only_what_was_typed_first_is_typed(words):
    reading = read(words, "workspace", VERBS, NAMES)
    if reading.verb:
        assert reading.verb in VERBS[reading.folder or "workspace"]
    if reading.manner is Manner.TYPED and reading.verb in ENDING:
        assert words[0].casefold().strip(".,;:!?…)(") == reading.verb


@given(
    st.lists(st.sampled_from(WORDS), max_size=6),
    st.sampled_from(["don't", "do not", "never", "please don't"]),
)
def test_after_a_prohibition_nothing_begins(words, forbidden):
    reading = read([*forbidden.split(), "stop", *words], "workspace", VERBS, NAMES)
    assert reading.how or reading.verb not in READ or reading.manner is Manner.ASKED


@given(
    st.sampled_from(["stop", "start", "please stop", "restart"]),
    st.sampled_from(["not", "unless", "if", "instead", "when", "but", "or", "before"]),
    st.lists(st.sampled_from(["it", "is", "busy", "report", "idle", "the"]), max_size=4),
)
def test_what_depends_on_something_is_never_done(asked, condition, rest):
    reading = read([*asked.split(), "notebook", condition, *rest], "workspace", VERBS, NAMES)
    assert reading.kind != "verb" or reading.how or reading.manner is Manner.ASKED


@pytest.mark.parametrize(
    ("text", "what", "names", "when"),
    [
        ("stop report", "stop", ["report"], ""),
        ("could you at 6pm please stop report for me", "stop", ["report"], "at 6pm"),
        ("at 7pm stop deep thought", "stop", ["deep thought"], "at 7pm"),
        ("start notebook and stop it at 9pm", "start", ["notebook"], "until at 9pm"),
        ("notebook pls, and stop it in 3h", "start", ["notebook"], "until in 3h"),
        ("keep report until 8", "keep", ["report"], "until 8"),
        ("is reprot runing", "state", ["report"], ""),
        ("until when does notebook run?", "until", ["notebook"], ""),
        ("since when is notebook up", "since", ["notebook"], ""),
        ("why isn't deep thought starting?", "why", ["deep thought"], ""),
        ("did report work", "state", ["report"], ""),
    ],
)
def test_what_which_and_when_are_found_anywhere(text, what, names, when):
    reading = read(text.split(), "workspace", VERBS, NAMES)
    assert reading.what == what
    assert [one.title for one in reading.which.named] == names
    lead, _, time = when.partition(" ")
    said = f"{reading.when.lead} {reading.when.text}" if reading.when is not None else ""
    assert said in {when, f"{lead} {lead} {time}".strip()}


@given(st.lists(st.from_regex(r"[a-z0-9'\"é-]{1,8}( [a-z]{1,4})?", fullmatch=True), min_size=1, max_size=4))
def test_a_command_that_is_offered_is_read_as_it_was_shown(words):
    if all('"' not in word for word in words):
        quoted = [Quoted(word) for word in words]
        assert parse(written(["start", *quoted]), {}).words[1:] == tuple(words)


@pytest.mark.parametrize("folder", list(vocabulary.SYNONYMS))
def test_other_words_are_no_verbs_and_mean_verbs_that_exist_or_will(folder):
    for word, verb in vocabulary.SYNONYMS[folder].items():
        assert word not in VERBS[folder], word
        assert verb in {*VERBS[folder], "settings"}, word


LEFT = {name: workspace(name) for name in ("lesson", "notebook", "timer", "plan b", "b")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cancel the timer", ("keep", ())),
        ("cancel the planned stop of lesson", ("keep", ("lesson",))),
        ("remove lesson's timer", ("keep", ("lesson",))),
        ("stop timer", ("stop", ("timer",))),
        ("stop plan b", ("stop", ("plan b",))),
        ("remove plan b", ("remove", ("plan b",))),
        ("stop timer and lesson", ("stop", ("timer", "lesson"))),
        ("stop lesson as planned", ("stop", ("lesson",))),
        ("stop lesson earlier than planned", ("stop", ("lesson",))),
        ("cancel the timer and stop lesson now", ("one_at_a_time", ())),
        ("forget the plan and stop lesson", ("one_at_a_time", ())),
        ("cancel everything and start lesson", ("one_at_a_time", ())),
        ("start everything and stop lesson", ("one_at_a_time", ())),
        ("stop foo and start lesson", ("one_at_a_time", ())),
        ("stop it and start lesson", ("one_at_a_time", ())),
        ("stop and lesson", ("one_at_a_time", ())),
        ("start notebook and stop lesson", ("", ())),
    ],
)
def test_a_stop_stays_a_stop_and_of_several_requests_none_is_left_open(text, told):
    verbs = routes.verbs_of_folders()
    words = parse(text, {}, routes.flags()).words
    # With a workspace called *timer*, "the timer" would be that one.
    rows = [one for name, one in LEFT.items() if name != "timer" or told[0] == "stop"]
    reading = read(words, "workspace", verbs, Names(rows, (), {}))
    named = tuple(group[0].title for group in reading.which.workspaces)
    assert (reading.what, named) == told
    if not reading.what:
        assert [(part.what, part.which.workspaces[0][0].title) for part in reading.parts] == [
            ("start", "notebook"),
            ("stop", "lesson"),
        ]


@pytest.mark.parametrize(
    ("text", "names", "hours"),
    [
        ("start my notebook every weekday at 9", ["notebook"], "weekdays 09:00"),
        ("please start notebook monday to friday from 9 to 6", ["notebook"], "weekdays 09:00-18:00"),
        ("start notebook mon, wed, fri 8:30", ["notebook"], "mon,wed,fri 08:30"),
        ("start notebook on mondays at 9", ["notebook"], "mon 09:00"),
        ("keep notebook running weekdays 9-5", ["notebook"], "weekdays 09:00-17:00"),
        ("at 9 every weekday start deep thought", ["deep thought"], "weekdays 09:00"),
        ("schedule notebook to start every weekday at 9", ["notebook"], "weekdays 09:00"),
        ("start notebook and report every morning at 8", ["notebook", "report"], "daily 08:00"),
        ("stop report every day at 8pm", ["report"], "daily -20:00"),
        ("stop report every evening at 8", ["report"], "daily -20:00"),
        ("stop it nightly at midnight", [], "daily -00:00"),
        ("restart report every day at 8", ["report"], "restart daily 08:00"),
        ("start every weekday at 9", [], "weekdays 09:00"),
        ("skip tomorrow", [], "skip tomorrow"),
        ("please skip notebook on monday", ["notebook"], "skip monday"),
        ("pause until Monday", [], "pause until monday"),
        ("pause the hours of deep thought until next week", ["deep thought"], "pause until week"),
        ("no hours for notebook any more", ["notebook"], "off"),
        ("stop report's hours", ["report"], "off"),
        ("resume the hours of report", ["report"], "on"),
    ],
)
def test_sentences_about_hours(text, names, hours):
    reading = read(text.split(), "workspace", VERBS, NAMES)
    assert ([one.title for one in reading.which.named], reading.hours) == (names, hours)
    assert (reading.kind, reading.how) == ("verb", "")


@pytest.mark.parametrize(
    "text",
    [
        "start notebook for 2 hours",
        "keep notebook 2 more hours",
        "stop notebook in 2 days",
        "stop report friday at 6pm",
        "pause notebook until 18:00",
        "don't skip tomorrow",
        "start notebook every day at 9 if I'm here",
        "don't start notebook every day at 9",
        "start notebook every 2 days",
        "suspend notebook every day at 9",
        "stop report every evening",
        "start notebook every day until 6",
    ],
)
def test_what_sets_no_hours(text):
    reading = read(text.split(), "workspace", VERBS, NAMES)
    assert reading.how or not is_order(reading.hours)


def test_what_are_my_hours_shows_all():
    reading = read(["what", "are", "my", "hours?"], "workspace", VERBS, NAMES)
    assert (reading.verb, reading.words, reading.hours) == ("hours", (), "")


def test_what_asks_for_news_of_another_one_is_a_request_of_its_own():
    asked = "start notebook and give me the link"
    parts = read(f"{asked} to report".split(), "workspace", VERBS, NAMES).parts
    assert [(part.verb, part.which.named[0].name) for part in parts] == [
        ("start", "notebook"),
        ("open", "report"),
    ]
    assert read(asked.split(), "workspace", VERBS, NAMES).verb == "start"
    told = "start notebook and let me know about"
    named = read(f"{told} report".split(), "workspace", VERBS, NAMES).which.named
    assert [one.name for one in named] == ["notebook", "report"]


@pytest.mark.parametrize(
    ("text", "what", "names", "how", "left"),
    [
        (
            "My class begins in ten minutes, so could you start notebook? Thanks a lot!",
            "start",
            "notebook",
            "",
            "",
        ),
        ("since the demo was moved, please stop report at 4pm", "stop", "report", "", ""),
        ("stop report because the demo is over", "stop", "report", "", ""),
        ("I'd be very grateful if you could start notebook", "start", "notebook", "", ""),
        ("start notebook please, I need it for 2 hours", "start", "notebook", "", ""),
        ("start notebook and open it", "start", "notebook", "", ""),
        ("hope you're well, stop report", "stop", "report", "asked", "hope you're well"),
        ("deep thought hangs. restart it", "restart", "deep thought", "asked", "deep thought hangs"),
        ("I don't know, stop report", "stop", "report", "asked", ""),
        ("don't stop report, stop notebook", "stop", "notebook", "asked", ""),
        ("if report is still running, stop it", "stop", "report", "asked", ""),
        ("if bob asks, stop report", "stop", "report", "if", ""),
        ("if you could wait, stop report", "stop", "report", "asked", ""),
        ("please don't, so stop report", "stop", "report", "not", "stop"),
        ("stop report since yesterday", "stop", "report", "if", "since"),
        ("stop report, unless bob is there", "stop", "report", "if", ""),
        ("stop report but not notebook", "stop", "report notebook", "not", ""),
        (
            "stop report. i don't want that notebook stops",
            "stop",
            "report",
            "asked",
            "i don't want that notebook stops",
        ),
        ("report is slow, stop everything", "stop", "", "asked", ""),
        ("start notebook until 6 and report until 7", "", "notebook, report", "", ""),
        ("start notebook for 2h and give me the link to report", "", "notebook, report", "", ""),
    ],
)
def test_a_request_is_found_among_what_is_said_around_it(text, what, names, how, left):
    reading = read(parse(text, {}).words, "workspace", VERBS, NAMES)
    found = [one.which for one in reading.parts or (reading,)]
    assert (reading.what, ", ".join(" ".join(each.title for each in one.named) for one in found)) == (
        what,
        names,
    )
    assert (reading.how or ("asked" if reading.manner is Manner.ASKED else "")) == how
    assert " ".join(reading.which.left_out) == left
