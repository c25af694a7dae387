"""The rules that read sentences: nothing raises, and nothing that ends something is suggested for a start."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.features.sentences import phrasebook
from bot.features.sentences.reading import read
from bot.features.sentences.words import count_leading
from bot.messages.verb import Effect, find_verb
from handlers import routes, synonyms, vocabulary
from handlers.command_line import Quoted, join_words, parse
from handlers.names import Names
from handlers.request import Manner
from tests.features.sentences.owned import workspace
from tests.rigs.verbs import OPERATIONS, SYNONYMS

VERBS = routes.list_verbs_by_folder()


ENDING = {verb for verb in VERBS["workspace"] if find_verb("workspace", verb).effect is Effect.ENDS}
WORDS = sorted(
    {
        *(word for table in SYNONYMS.values() for word in table),
        *(word for phrase in phrasebook.SMALL_TALK for word in phrase),
        *(
            word
            for phrase in (*phrasebook.COURTESY, *phrasebook.AFTERTHOUGHTS, *phrasebook.EXCEPTION_PHRASES)
            for word in phrase
        ),
        *(word for table in phrasebook.OPENINGS.values() for phrase, _ in table for word in phrase),
        *vocabulary.QUESTION_FILLERS,
        *vocabulary.NEGATIONS,
        *vocabulary.STATE_WORDS,
        *vocabulary.RUN_STATES,
        *vocabulary.SINGULAR_PRONOUNS,
        *vocabulary.ORDINALS,
        *("make", "let", "leave", "default", "nothing", "my", "list.", "until", "6pm", "tomorrow", "at"),
        *VERBS["workspace"],
        *VERBS["job"],
        *("notebook", "report", "?", "and", "--yes", "\u00e9"),
    }
)


def suggested(word: str) -> set[str]:
    return set(synonyms.find_similar_verbs(word, "workspace", VERBS["workspace"]))


def slips(word: str) -> set[str]:
    """Return all words that are one slip away: a letter more, less or wrong, or two swapped."""
    found = {word[:at] + word[at + 1 :] for at in range(len(word))}
    found |= {word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    for letter in string.ascii_lowercase:
        found |= {word[:at] + letter + word[at:] for at in range(len(word) + 1)}
        found |= {word[:at] + letter + word[at + 1 :] for at in range(len(word))}
    return found - {word}


def test_no_ending_verb_is_suggested_for_a_starting_word():
    known = {*VERBS["workspace"], *SYNONYMS["workspace"]}
    starting = {"start", "new", "resume", "open"} | {
        word for word, verb in SYNONYMS["workspace"].items() if verb in {"start", "new", "resume"}
    }
    assert all(suggested(word) == set() for word in synonyms.UNSUPPORTED_VERBS)
    for word in starting:
        for slip in slips(word) - known:
            assert not suggested(slip) & ENDING, slip


def test_few_words_change_nothing_about_a_request():
    assert len(phrasebook.COURTESIES) <= 60


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
        # Near to a synonym that is too short.
        ("adir", set()),
        ("", set()),
    ],
)
def test_the_nearest_verbs(word, verbs):
    assert suggested(word) == verbs


NAMES = Names([workspace("notebook"), workspace("report"), workspace("deep thought")])


@given(st.lists(st.sampled_from(WORDS), max_size=8))
@example(["cheers", "cancel"])
@example(["please", "unlink"])
def test_no_sentence_raises_and_only_what_was_typed_first_is_typed(words):
    reading = read(words, "workspace", VERBS, NAMES)
    if reading.verb:
        assert reading.verb in VERBS[reading.folder or "workspace"]
    if reading.manner is Manner.TYPED and reading.verb in ENDING:
        # Courtesy leaves what is typed as it is.
        while count := count_leading(words, phrasebook.COURTESY):
            words = words[count:]
        assert words[0].casefold().strip(".,;:!?…)(") == reading.verb


@given(
    st.lists(st.sampled_from(WORDS), max_size=6),
    st.sampled_from(["don't", "do not", "never", "please don't", "can't you not"]),
)
def test_what_is_forbidden_is_never_full(words, forbidden):
    reading = read([*forbidden.split(), "stop", *words, "report"], "workspace", VERBS, NAMES)
    assert not reading.is_full or reading.verb not in OPERATIONS


@given(
    st.sampled_from(["stop", "start", "please stop", "restart"]),
    st.sampled_from(["not", "unless", "if", "instead", "when", "but", "or", "before"]),
    st.lists(st.sampled_from(["it", "is", "busy", "report", "idle", "the"]), max_size=4),
)
def test_what_depends_on_something_is_never_full(asked, condition, rest):
    reading = read([*asked.split(), "notebook", condition, *rest], "workspace", VERBS, NAMES)
    # "stop notebook not report" is clear.
    assert not reading.is_full or reading.which.besides


@pytest.mark.parametrize(
    ("text", "what", "names", "when"),
    [
        ("stop report", "stop", ["report"], ""),
        ("could you at 6pm please stop report for me", "stop", ["report"], "at 6pm"),
        ("at 7pm stop deep thought", "stop", ["deep thought"], "at 7pm"),
        ("start notebook and stop it at 9pm", "start", ["notebook"], "until at 9pm"),
        ("keep report until 8", "keep", ["report"], "until 8"),
        ("turn report off please", "stop", ["report"], ""),
        ("shut report down at 6pm please", "stop", ["report"], "at 6pm"),
        ("hi, I'd like to restart deep thought now", "restart", ["deep thought"], ""),
        ("start notebook and let me know when it's ready", "start", ["notebook"], ""),
        ("stop report and notebook", "stop", ["report", "notebook"], ""),
        ("give report another hour", "keep", ["report"], ""),
    ],
)
def test_verb_names_and_time_are_read_as_a_whole(text, what, names, when):
    reading = read(text.split(), "workspace", VERBS, NAMES)
    assert reading.is_full
    assert reading.what == what
    assert [one.title for one in reading.which.named] == names
    lead, _, time = when.partition(" ")
    said = f"{reading.when.lead} {reading.when.text}" if reading.when is not None else ""
    assert said in {when, f"{lead} {lead} {time}".strip()}


@pytest.mark.parametrize(
    ("text", "verb", "names"),
    [
        ("start report with EPOCHS=20", "start", ["report"]),
        ("stop report, I don't need it", "stop", ["report"]),
        ("I'm done with report", "", ["report"]),
        ("report until half past 7 tonight, then off", "", ["report"]),
        ("is report running", "", ["report"]),
        ("will my files be deleted if I stop it?", "", []),
        ("should I stop report?", "", ["report"]),
        ("stop report?", "stop", ["report"]),
        ("stop old report", "stop", ["report"]),
        ("> stop report", "", ["report"]),
        ("stop the first two", "stop", []),
        ("start notebook if report is down", "start", ["notebook", "report"]),
        ("create something nice", "new", []),
        ("rebot report", "", ["report"]),
    ],
)
def test_what_leaves_a_word_over_is_not_full_and_keeps_its_names(text, verb, names):
    reading = read(text.split(), "workspace", VERBS, NAMES)
    assert not reading.is_full
    assert reading.placeholder_words
    assert (reading.verb, [one.title for one in reading.which.named]) == (verb, names)


def test_start_and_stop_with_a_time_each_stay_two_requests():
    reading = read(
        ("start", "notebook", "at", "9am", "and", "stop", "notebook", "at", "6pm"), "workspace", VERBS, NAMES
    )
    assert [(part.what, part.when.text) for part in reading.parts] == [
        ("start", "at 9am"),
        ("stop", "at 6pm"),
    ]


@pytest.mark.parametrize(
    ("text", "folder"), [("restart runs", "workspace"), ("restart jobs", "job"), ("stop runs", "job")]
)
def test_run_starts_no_job_but_names_a_run(text, folder):
    assert read(text.split(), "workspace", VERBS, NAMES).folder == folder


@given(st.lists(st.from_regex(r"[a-z0-9'\"é-]{1,8}( [a-z]{1,4})?", fullmatch=True), min_size=1, max_size=4))
def test_a_command_that_is_offered_is_read_as_it_was_shown(words):
    if all('"' not in word for word in words):
        quoted = [Quoted(word) for word in words]
        assert parse(join_words(["start", *quoted]), {}).words[1:] == tuple(words)


@pytest.mark.parametrize("folder", list(SYNONYMS))
def test_other_words_are_no_verbs_and_mean_verbs_that_exist_or_will(folder):
    for word, verb in SYNONYMS[folder].items():
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
        ("start notebook and stop lesson", ("", ())),
    ],
)
def test_a_stop_stays_a_stop_and_of_several_requests_none_is_left_open(text, told):
    verbs = routes.list_verbs_by_folder()
    words = parse(text, {}, routes.list_flags()).words
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
        ("pause the hours of deep thought until next week", ["deep thought"], "pause until next week"),
        ("no hours for notebook any more", ["notebook"], "off"),
        ("stop report's hours", ["report"], "off"),
        ("resume the hours of report", ["report"], "on"),
    ],
)
def test_sentences_about_hours(text, names, hours):
    reading = read(text.split(), "workspace", VERBS, NAMES)
    assert ([one.title for one in reading.which.named], reading.hours) == (names, hours)
    assert (reading.kind, reading.how) == ("verb", "")


def test_day_before_a_verb_is_left_over():
    reading = read(("today", "add", "report"), "workspace", VERBS)
    assert (reading.verb, reading.words, reading.left) == ("add", ("report",), ("today",))
