"""A workspace called ``R&D <main>``: people read that name everywhere, and can type or select it."""

import json

import pytest_asyncio

from playground.slack.kit.entities import read
from tests.rigs.scenario.cloud import SEED, cloud_world
from tests.rigs.scenario.workbench import workbench_world

NAME = "R&D <main>"
SENT = "R&amp;D &lt;main&gt;"
#: A name that itself contains an entity is shown with that entity.
LITERAL = f"{NAME} &lt;"
OTHERS = [{"owner": "alice", "name": f"more {number}"} for number in range(4)]


@pytest_asyncio.fixture
async def acme(tmp_path):
    workspaces = [*SEED["workspaces"], *OTHERS, {"owner": "alice", "name": NAME, "start_seconds": 5}]
    recipe = [{"name": "course", "title": LITERAL, "file": str(tmp_path / "course.json")}]
    seed = {**SEED, "workspaces": workspaces}
    options = {"title": NAME, "templates": recipe}
    async with cloud_world(tmp_path, saturn_seed=seed, saturn=options) as world:
        await world.alice.has_linked("alice")
        yield world


def sent_texts(part):
    """Return the texts of all text objects in a payload."""
    if isinstance(part, list):
        return [text for one in part for text in sent_texts(one)]
    if not isinstance(part, dict):
        return []
    own = [part["text"]] if part.get("type") in {"plain_text", "mrkdwn"} else []
    return own + [text for one in part.values() for text in sent_texts(one)]


async def test_its_name_is_escaped_once_in_lists_and_questions_and_may_be_typed(acme):
    alice = acme.alice
    shown = await alice.types(f"status {NAME}")
    assert f"*{SENT}*" in shown.text
    assert SENT in (await alice.types("list")).text
    await alice.types(f"alias report {NAME}s")
    asked = await alice.types("status R&D <")
    assert asked.labels == [f"Show {NAME}", f"Show {NAME}s"]
    twice = [text for text in sent_texts([one.json["blocks"] for one in alice.sees()]) if "&amp;amp;" in text]
    assert twice == []
    told = await alice.writes(f"start {NAME}")
    assert SENT in told[-1].text
    await acme.pass_time(40)
    assert SENT in alice.only("ready").text


async def test_it_is_found_in_a_menu_by_its_letters_and_started_by_the_choice(acme):
    alice = acme.alice
    asked = await alice.types("start")
    place = (alice.id, asked.channel, asked.ts)
    found = await acme.slack.options(*place, "start:workspace", value="R&D <m")
    assert [read(one["text"]["text"]) for one in found["options"]] == [NAME]
    assert (await acme.slack.press(*place, "start:workspace", value=found["options"][0]))["ok"]
    await acme.settle()
    assert SENT in alice.sees(asked.channel)[-1].text
    await acme.pass_time(40)
    assert SENT in alice.only("ready").text


async def test_a_form_shows_it_as_characters_and_hands_it_back(acme):
    alice = acme.alice
    form = await acme.opens_form(alice, "new saturn")
    assert list(form.field("field:template").options.values()) == [LITERAL]
    assert NAME in read("\n".join(form.words))
    assert json.dumps(alice.modal()).count(SENT) >= 2
    await acme.fills(alice, name="mine")
    assert (await acme.sends(alice))["response_action"] == "clear"
    await acme.pass_time(30)
    assert len(acme.made("mine")) == 1


async def test_a_name_of_ones_own_is_kept_as_it_was_typed(acme):
    alice = acme.alice
    await alice.types(f'alias report "{NAME} & co"')
    assert f"|{SENT} &amp; co>*" in (await alice.types("list")).text
    assert f"|{SENT} &amp; co>*" in (await alice.types(f"status {NAME} & co")).text


async def test_a_name_typed_into_a_form_is_the_one_at_the_provider(tmp_path):
    async with workbench_world(tmp_path) as world:
        alice = world.alice
        await alice.has_linked("alice", "wb")
        await world.opens_form(alice, "new wb")
        await world.fills(alice, ide="RStudio", name=NAME)
        assert (await world.sends(alice))["response_action"] == "clear"
        await world.pass_time(20)
        assert world.session(NAME) is not None
        assert f"*{SENT}*" in alice.only("ready").text
        assert f"|{SENT}>*" in (await alice.types(f"status {NAME}")).text
