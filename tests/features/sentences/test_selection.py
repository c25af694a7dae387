"""What words name: things of every kind, with slips, all but some of them, and names that are words, too."""

from dataclasses import replace

import pytest

from bot.domain.people import Principal
from bot.domain.workspaces import State, Workspace
from bot.features.courses.model import ClassCard
from bot.features.sentences.reading import Reading, read
from bot.features.sentences.words import drop_running
from handlers import routes
from handlers.names import Job, Names, TemplateName
from handlers.workspace import targets
from tests.handlers.rig import Cloud, Hub
from tests.rigs.clock import FakeClock
from tests.rigs.providers import fake_settings

WHO = Principal(None, "T1", "U1")
ON_SATURN, ON_HUB = ("gpu-train", "report", "dashboard"), ("notebook", "stats101")
ALL = {*ON_SATURN, *ON_HUB}


def workspace(name: str) -> Workspace:
    return Workspace(name, WHO, "hub" if name in ON_HUB else "saturn", name, name, name)


CONNECTIONS = {
    "saturn": Cloud(FakeClock(), fake_settings("saturn", title="Saturn Cloud")),
    "hub": Hub(FakeClock(), fake_settings("hub", title="Team hub", base_url="https://hub.example.test")),
}
NAMES = Names(
    [workspace(name) for name in (*ON_SATURN, *ON_HUB)],
    (),
    CONNECTIONS,
    [Job("saturn", "train-xgb", "j1"), Job("saturn", "etl-nightly", "j2")],
    [ClassCard(WHO, "C1", "hub", title) for title in ("ML Basics", "Biology")],
    [TemplateName("hub", "Python", "py")],
)


def reading_of(text: str) -> Reading:
    return read(text.split(), "workspace", routes.list_verbs_by_folder(), NAMES)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("train-xgb", "job train-xgb"),
        ("what about train-xbg", "job train-xgb"),
        ("whats up with j2", "job etl-nightly"),
        ("who is in biology", "course Biology"),
        ("join ml-basics", "course ML Basics"),
        ("anything in Biolgy tomorrow", "course Biology"),
        ("something with python", "template Python"),
        ("gpu train", "workspace gpu-train"),
        ("is dashboard up", "workspace dashboard"),
        ("show me the dashboard", "workspace dashboard"),
        ("dashbord", "workspace dashboard"),
        ("is gpu still on", "workspace gpu-train"),
        ("what did the etl print", "job etl-nightly"),
    ],
)
def test_whatever_has_a_name_is_found_by_it(text, named):
    which = reading_of(text).which
    found = [("job", one.name) for one in which.jobs] + [("course", one.title) for one in which.courses]
    found += [("template", one.name) for one in which.templates]
    found += [("workspace", one.title) for one in which.named]
    assert found == [tuple(named.split(" ", 1))]


def test_a_job_is_run_by_its_name_and_nothing_else_is_done_to_it():
    whole = reading_of("run train-xgb")
    assert (whole.folder, whole.what, whole.words) == ("job", "run", ("saturn", "train-xgb"))
    assert whole.is_full
    for text in ("run trian-xgb", "run xgb", "run train-xgb with EPOCHS=20", "run train-xgb on hub"):
        assert not reading_of(text).is_full, text
    for text in ("run train-xgb and etl-nightly", "stop train-xgb", "open train-xgb", "start Biology"):
        assert not reading_of(text).is_full, text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("stop everything but report", {"report"}),
        ("stop all except report and the dashboard", {"report", "dashboard"}),
        ("stop everything but not report or dashboard", {"report", "dashboard"}),
        ("turn off all of them except the hub ones", set(ON_HUB)),
        ("all of them off apart from the saturn cloud ones", set(ON_SATURN)),
        ("not gpu-train, everything else off", {"gpu-train"}),
        ("gpu-train stays on, everything else off", {"gpu-train"}),
        ("keep gpu-train, stop the rest", {"gpu-train"}),
        ("stop the others, keep report", {"report"}),
        ("stop everything, but leave report running", {"report"}),
        ("turn all off, just not report", {"report"}),
        ("arrête tout sauf report", {"report"}),
        ("alles aus außer report", {"report"}),
    ],
)
def test_what_is_taken_out_of_all_is_left_out(text, left):
    which = reading_of(text).which
    assert which.is_all
    assert {one.title for one in which.besides} == left
    assert not which.workspaces


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("stop report, keep the others", {"report"}),
        ("keep the others, stop report", {"report"}),
        ("stop report, leave everything else", {"report"}),
        ("I was meaning notebook and not gpu-train", {"notebook"}),
        ("stop report and the others", {"report"}),
    ],
)
def test_all_that_is_spared_is_not_meant(text, named):
    reading = reading_of(text)
    assert not reading.which.is_all
    assert {one.title for one in reading.which.named} == named
    assert not reading.is_full


@pytest.mark.parametrize(
    ("state", "words"), [("running", "running"), ("stopped", "stopped"), ("failed", "stopped failed")]
)
def test_down_is_every_state_but_running(state, words):
    row = replace(workspace("notebook"), state=State(state))
    met = [word for word in ("running", "stopped", "failed", "starting") if targets.is_in(row, word)]
    assert met == words.split()


def test_keep_running_names_no_workspace():
    assert drop_running(("running",)) == ()
    assert drop_running(("notebook", "running")) == ("notebook",)


def test_an_exception_that_nobody_knows_is_left_over():
    for text in ("stop all except banana", "stop all but report and banana", "stop all except gpu-trian"):
        assert not reading_of(text).is_full, text


def test_placeholders_stand_for_names_and_slips():
    text = "please run trian-xgb on the Team hub and keep gpu-train for Biology"
    assert NAMES.find_placeholders(tuple(text.split())) == {2: "jj", 5: "kk", 6: "", 9: "ww", 11: "cc"}
