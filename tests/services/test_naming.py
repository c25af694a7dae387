"""Tests of finding workspaces by name: a guess is offered, but never used as if it were exact."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.workspaces import State
from bot.services import naming
from bot.support.cleaning import fold, natural_key
from handlers.requests.finding import find_names, list_names
from tests.messages.card_facts import WORKSPACE
from tests.messages.runs import RUN
from tests.rigs.clock import FakeClock
from tests.rigs.providers import FakeProvider, fake_settings


def row(name, connection="saturn", alias=None, remote_id=None):
    key = f"{connection}/{name}/{alias}/{remote_id}"
    return replace(
        WORKSPACE, id=key, name=name, alias=alias, connection=connection, remote_id=remote_id or key
    )


NOTEBOOK = row("notebook")
NOTES = row("notes")
HUB_NOTEBOOK = row("notebook", "hub")
GPU = row("training-gpu", alias="big one")
MINE = [NOTEBOOK, NOTES, HUB_NOTEBOOK, GPU]
ALONE = [NOTEBOOK, NOTES, GPU]
CONNECTIONS = {
    name: FakeProvider(FakeClock(), fake_settings(name, title=title))
    for name, title in {"saturn": "Saturn Cloud", "hub": "Course hub"}.items()
}


@pytest.mark.parametrize(
    ("name", "rows", "kind", "found"),
    [
        ("notebook", ALONE, "whole", [NOTEBOOK]),
        ("NoteBook", ALONE, "whole", [NOTEBOOK]),
        ("note", ALONE, "begun", [NOTEBOOK, NOTES]),
        ("noteb", ALONE, "begun", [NOTEBOOK]),
        ("notes", ALONE, "whole", [NOTES]),
        ("book", ALONE, "near", [NOTEBOOK]),
        ("notbook", ALONE, "slip", [NOTEBOOK]),
        ("notbook@hub", MINE, "slip", [HUB_NOTEBOOK]),
        ("big one", ALONE, "whole", [GPU]),
        ("training-gpu", ALONE, "whole", [GPU]),
        ("big", ALONE, "begun", [GPU]),
        ("notebook", MINE, "whole", [NOTEBOOK, HUB_NOTEBOOK]),
        ("notebook@hub", MINE, "whole", [HUB_NOTEBOOK]),
        ("notebook@HUB", MINE, "whole", [HUB_NOTEBOOK]),
        ("notebook@Course hub", MINE, "whole", [HUB_NOTEBOOK]),
        ("noteb@hub", MINE, "begun", [HUB_NOTEBOOK]),
        ("notes@hub", MINE, "near", [HUB_NOTEBOOK]),
        ("gpu@hub", MINE, "near", [GPU]),
        ("notebook@nowhere", ALONE, "near", [NOTEBOOK]),
        ("@hub", MINE, "near", None),
        ("", ALONE, "near", []),
        ("zzzzqqqq", ALONE, "near", []),
        ("notebook", [], "near", []),
        (NOTES.remote_id, MINE, "whole", [NOTES]),
    ],
)
def test_what_a_name_means(name, rows, kind, found):
    result = naming.find(name, rows, CONNECTIONS)
    assert result.kind == kind
    if found is not None:
        assert list(result.rows[: len(found)]) == found
        assert bool(result.rows) == bool(found)


def test_ones_own_name_for_it_goes_before_another_ones_real_name():
    called = row("other", alias="notebook")
    assert naming.find("notebook", [NOTEBOOK, called], CONNECTIONS).rows == (called,)


def test_a_workspace_whose_name_looks_like_an_address_is_found_by_it():
    odd = row("notebook@hub")
    assert naming.find("notebook@hub", [odd, HUB_NOTEBOOK], CONNECTIONS).rows == (odd,)


def test_names_are_told_apart_by_connection_and_then_by_id():
    twin = row("notebook", remote_id="77")
    assert naming.make_labels([NOTEBOOK], MINE, str) == ["notebook@saturn"]
    assert naming.make_labels([NOTEBOOK, twin], [*MINE, twin], str)[1] == "77@saturn"
    assert naming.make_labels([NOTEBOOK], [NOTEBOOK], str) == ["notebook"]
    assert naming.find("77@saturn", [*MINE, twin], CONNECTIONS).rows == (twin,)


def test_a_part_of_a_name_narrows_a_list_and_else_a_slip_does():
    lab, tutor = row("lab-two"), row("my-lab")
    assert naming.narrow("lab", [lab, tutor, NOTES]) == [lab, tutor]
    assert naming.narrow("nots", [lab, tutor, NOTES]) == [NOTES]
    assert naming.narrow("notebooks-of-mine", [lab, tutor, NOTES]) == []


def test_numbers_are_sorted_by_value():
    names = ["lab-10", "Lab-9", "lab-2", "lab", "lab-" + "7" * 9000]
    assert sorted(names, key=natural_key) == ["lab", "lab-2", "Lab-9", "lab-10", names[-1]]


@given(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=12), max_size=6))
def test_only_a_whole_name_or_its_beginning_is_ever_run(name, names):
    rows = [row(one) for one in dict.fromkeys(names)]
    result = naming.find(name, rows, CONNECTIONS)
    if result.only is not None:
        needle = fold(name)
        stem = fold(naming.split_connection(name, CONNECTIONS)[0])
        title = fold(result.only.title)
        assert title.startswith(stem) or title == needle or result.only.remote_id == name


def test_names_of_thousands_of_letters_are_compared_in_no_time():
    rows = [row(f"{number}" * 5000) for number in range(30)]
    assert naming.find("x" * 5000, rows, CONNECTIONS).kind == "near"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("team hub", []),
        ("Team Hub", []),
        ("hub2", ["hub2"]),
        ("team hub eu", ["eu"]),
        ("Team", []),
        ("e", ["eu"]),
    ],
    ids=["title of two", "other case", "name", "whole title", "start of three", "start of one"],
)
def test_titles_that_are_equal_name_no_connection(name, found):
    """A removed connection may have the same title as a newer one."""
    titles = {"hub": "Team hub", "hub2": "Team hub", "eu": "Team hub EU"}
    assert naming.find_title(name, titles) == (found[0] if found else None)


def test_name_of_a_connection_comes_before_titles():
    assert naming.find_title("hub", {"other": "hub", "hub": "Team hub"}) == "hub"


CODER_LAB = replace(row("lab"), url="https://coder.example/@alice/lab.main/apps/code/", id="workspace_lab")
CODER_VM = replace(row("vm"), url=None)
SATURN_IDE = replace(row("ide"), url="https://w-alice-ide.apps.example/")
DEFAULT_SERVER = replace(row("outer"), url="https://hub.example/user/alice/")
NAMED_SERVER = replace(row("inner"), url="https://hub.example/user/alice/inner/")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://coder.example/@alice/lab", CODER_LAB),
        ("https://coder.example/@alice/lab/", CODER_LAB),
        ("https://coder.example/@alice/lab.main", CODER_LAB),
        ("https://coder.example/@alice/lab.main/apps/code/", CODER_LAB),
        ("coder.example/@alice/lab.main/apps/code", CODER_LAB),
        ("https://coder.example/@alice/lab.main/apps/code/?folder=%2Fhome#top", CODER_LAB),
        ("https://coder.example/@alice/la", None),
        ("https://coder.example/@bob/lab", None),
        ("https://evil.example/@alice/lab", None),
        ("https://w-alice-ide.apps.example", SATURN_IDE),
        ("https://W-alice-ide.apps.example/lab/tree/x", SATURN_IDE),
        ("https://hub.example/user/alice/inner/lab", NAMED_SERVER),
        ("https://hub.example/user/alice/tree", DEFAULT_SERVER),
        ("https://usher.example/ide/workspace_lab", CODER_LAB),
        ("https://usher.example/ide/workspace_other", None),
        ("https://fake.example.com/", None),
    ],
    ids=str,
)
def test_address_of_an_ide_or_its_beginning_is_its_workspace(address, found):
    match = naming.find_whole(
        address, [CODER_LAB, CODER_VM, SATURN_IDE, DEFAULT_SERVER, NAMED_SERVER], CONNECTIONS
    )
    assert match == ((found,) if found else ())


def find_in_sentence(word, rows):
    (found,) = find_names([word], list_names(rows))
    return found.what


def test_workspace_that_is_gone_is_no_choice_beside_one_that_exists():
    old, new = row("lab", "hub", remote_id="alice/lab"), row("lab", "hub", remote_id="alice/lab-two")
    old = replace(old, state=State.GONE)
    match = naming.find("lab", [old, new], CONNECTIONS)
    assert (match.kind, match.only) == ("whole", new)
    assert naming.split_names(["lab"], [old, new], CONNECTIONS)["lab"] == (new,)
    assert find_in_sentence("lab", [old, new]) == (new,)
    assert naming.find("lab", [old], CONNECTIONS).rows == (old,)


def test_servers_own_name_is_a_name_of_it_too():
    shown = row("My Lab", "hub", remote_id="alice/my-lab")
    named = row("my lab", "hub", remote_id="alice/other")
    for name in ("my-lab", "my-lab@hub"):
        assert naming.find(name, [shown, named], CONNECTIONS).rows == (shown,)
    assert naming.split_names(["my-lab"], [shown], CONNECTIONS)["my-lab"] == (shown,)
    assert find_in_sentence("my-lab", [shown]) == (shown,)
    # The name that people see takes precedence.
    other = row("my-lab", "hub", remote_id="alice/z")
    assert naming.find("my-lab", [shown, other], CONNECTIONS).rows == (other,)


def test_run_is_found_by_id_name_or_beginning_newest_first():
    newest, older = replace(RUN, id="run_2", name="nightly"), replace(RUN, id="run_1", name="Nightly")
    runs = [newest, older]
    assert naming.find("run_1", runs, CONNECTIONS).only == older
    assert naming.find("nightly", runs, CONNECTIONS).kind == "whole"
    assert naming.find("night", runs, CONNECTIONS).kind == "begun"
    assert naming.find("ightly", runs, CONNECTIONS).kind == "slip"
    assert naming.choose_newest(naming.find("night", runs, CONNECTIONS).rows) == [newest]
    assert naming.choose_newest(runs, is_stop=True) == [run for run in runs if run.is_going]
