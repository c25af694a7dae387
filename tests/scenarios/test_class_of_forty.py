"""A class of forty in the local Slack: one card, a workspace for each member, and one end for everybody."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest_asyncio

from tests.rigs.scenario import world
from tests.rigs.scenario.people import GENERAL
from tests.scenarios.class_seeds import GUEST, PUPILS, TRAINER, UNLINKED, _saturn_seed, _slack_seed

STARTS = 5


@pytest_asyncio.fixture
async def class_room(tmp_path):
    connection = {
        "name": "saturn",
        "provider": "saturn",
        "title": "Saturn Cloud",
        "linking": ["token"],
        "starts_per_second": STARTS,
    }
    async with world(
        tmp_path, slack_seed=_slack_seed(), saturn_seed=_saturn_seed(), saturn_connection=connection
    ) as made:
        made.saturn.state.limits.starts_per_second = STARTS
        for user in PUPILS:
            if user != UNLINKED:
                await made.person(user).has_linked(user.lower())
        await made.settle()
        await made.pass_time(15, step=5)
        yield made


async def _posted(made, text):
    trainer = made.person(TRAINER)
    answer = await trainer.types(text)
    assert answer.is_private
    await made.pass_time(2)
    (card,) = [one for one in trainer.sees(GENERAL) if one.kind == "class_card"]
    return card


def _card(made):
    (card,) = [one for one in made.person(TRAINER).sees(GENERAL) if one.kind == "class_card"]
    return card


async def _all_press(made):
    """Have everybody press the card's button. Return the card, and the places in line that they were told."""
    card = await _posted(made, "card notebook --title Statistics for all --max 40")
    assert "Your own workspace *notebook* on Saturn Cloud." in card.text
    assert "It stops when" in card.text
    assert "Pressing means you agree." in card.text
    for user in PUPILS:
        made.clock.advance(0.05)
        said = await made.slack.press(user, GENERAL, card.ts, card.button("Get my workspace")["action_id"])
        assert said["ok"]
    await made.settle()
    for user in PUPILS[:-1]:
        shown = [one for one in made.person(user).sees(GENERAL) if one.is_private]
        assert len(shown) == 1
        assert "Starting your workspace *notebook* on Saturn Cloud." in shown[0].text
    return card


async def test_forty_press_and_each_gets_their_own(class_room):
    made, trainer = class_room, class_room.person(TRAINER)
    card = await _all_press(made)
    # One person presses again, and one who isn't allowed to presses, too.
    first = made.person(PUPILS[0])
    again = await first.presses(card, "Get my workspace")
    assert "already on its way" in str([one.text for one in again])
    guest = await made.person(GUEST).presses(card, "Get my workspace")
    assert "Guests can't use me." in guest[-1].text

    await made.pass_time(3)
    assert "0 of 40 ready" in _card(made).text
    await made.pass_time(50)
    assert "39 of 40 ready" in _card(made).text
    assert "1 waiting" in _card(made).text
    for user in PUPILS[:-1]:
        kinds = [shown.kind for shown in made.person(user).sees()]
        assert kinds == ["ready"], (user, kinds)
    assert made.calls(r"POST .*/start") == 39

    problems = await _look_for_problems(trainer)
    assert f"@{UNLINKED}" in problems.text or "Pupil 039" in problems.text
    assert "hasn't linked a Saturn Cloud account yet" in problems.text

    # A person who wasn't linked links, and gets a workspace without pressing again.
    late = made.person(UNLINKED)
    (asked,) = [one for one in late.sees(GENERAL) if one.is_private]
    await late.links(UNLINKED.lower(), asked=asked)
    await made.pass_time(40)
    assert [shown.kind for shown in late.sees()][-1] == "ready"
    assert "40 of 40 ready" in _card(made).text
    opened = await first.presses(_card(made), "Get my workspace")
    assert opened[-1].is_private
    assert "is running" in opened[-1].text
    assert opened[-1].address("Open")

    await _ends(made, trainer, first)


async def _look_for_problems(trainer):
    """Return what the trainer is shown about the members who are waiting."""
    listed = await trainer.types("card")
    problems = (await trainer.presses(listed, "Show problems"))[-1]
    assert listed.is_private
    assert problems.is_private
    return problems


async def _ends(made, trainer, first):
    """Have the trainer end the class. The first member keeps their workspace."""
    # The card in the channel has no button for it. Only the trainer sees one.
    assert _card(made).labels == ["Get my workspace"]
    await trainer.presses(await trainer.types("card"), "Stop all")
    await made.pass_time(35)
    warned = first.sees()[-1]
    assert "is ending the class *Statistics for all*" in warned.text
    await first.presses(warned, "Keep running")
    assert "keeps running. No stop is planned" in first.sees()[-1].text
    assert "Get my workspace" not in _card(made).labels
    await made.pass_time(360, step=10)
    running = [one.owner for one in made.saturn.state.resources.values() if one.live()]
    assert running == [PUPILS[0].lower()]
    assert "39 stopped, 1 kept" in _card(made).text
    # The warning has been replaced by the message that the workspace was stopped.
    last = made.person(PUPILS[5]).sees()[-1]
    assert last.kind == "stop_warning"
    assert "ended the class *Statistics for all*" in last.text
    assert "40 joined, 40 got a workspace, 0 failed." in trainer.sees()[-1].text
    stopped = await made.audit("class.stop")
    assert len([row for row in stopped if row["action"] == "class.stop"]) == 39


async def test_a_killed_bot_goes_on_with_the_class(class_room):
    made = class_room
    card = await _posted(made, "card notebook --title Statistics")
    button = card.button("Get my workspace")["action_id"]
    for number, user in enumerate(PUPILS[:20]):
        assert (await made.slack.press(user, GENERAL, card.ts, button))["ok"]
        if number == 10:
            await made.settle()
    # The processes have no time to finish their work, so the next ones continue it from the rows.
    await made.stop_bot()
    await made.start_bot()
    await made.settle()
    await made.pass_time(70)
    assert "20 of 20 ready" in _card(made).text
    for user in PUPILS[:20]:
        assert [shown.kind for shown in made.person(user).sees()] == ["ready"]
    assert made.calls(r"POST .*/start") == 20


async def test_class_end_is_shown_in_each_reader_s_own_time(class_room):
    """The poster types a time in their own zone. Others read it in theirs, in the format of their Slack."""
    made = class_room
    card = await _posted(made, "card notebook --until 23:59")
    today = datetime.fromtimestamp(made.clock.now(), ZoneInfo("Europe/Berlin"))
    end = today.replace(hour=23, minute=59, second=0, microsecond=0)
    assert f"It stops <!date^{end.timestamp():.0f}^{{date_short_pretty}} at {{time}}|" in card.text


RECIPE = {"type": "workspace", "spec": {"name": "x", "instance_type": "large", "start_script": "echo hi"}}


@pytest_asyncio.fixture
async def recipe_room(tmp_path):
    (tmp_path / "course.json").write_text(json.dumps(RECIPE))
    recipe = {"name": "course", "title": "The course", "file": str(tmp_path / "course.json")}
    seed = _saturn_seed()
    seed["users"] = [*seed["users"], {"name": TRAINER.lower()}]
    connection = {"starts_per_second": STARTS, "templates": [recipe]}
    async with world(
        tmp_path, slack_seed=_slack_seed(), saturn_seed=seed, saturn_connection=connection
    ) as made:
        for user in [TRAINER, *PUPILS[:5]]:
            await made.person(user).has_linked(user.lower())
        await made.settle()
        yield made


async def _press(made, card, users):
    for user in users:
        assert (await made.slack.press(user, GENERAL, card.ts, "class_press"))["ok"]
    await made.pass_time(40)


async def test_a_recipe_makes_one_for_each_who_presses(recipe_room):
    made = recipe_room
    card = await _posted(made, "card saturn/course --title Statistics")
    assert "Your own workspace from *The course* on Saturn Cloud." in card.text
    await _press(made, card, [*PUPILS[:4], *PUPILS[:4]])
    names = [one.name for one in made.saturn.state.resources.values() if one.name != "notebook"]
    assert names == ["statistics"] * 4
    assert "4 of 4 ready" in _card(made).text
    for user in PUPILS[:4]:
        assert [shown.kind for shown in made.person(user).sees()] == ["ready"]


async def test_a_name_in_use_gets_a_number_and_a_lost_answer_makes_no_second_one(recipe_room):
    made = recipe_room
    state, (first, second) = made.saturn.state, PUPILS[:2]
    person = state.accounts.people[first.lower()]
    state.clone(person, {"type": "workspace", "spec": {"name": "statistics"}})
    card = await _posted(made, "card saturn/course --title Statistics")
    made.saturn_fails("/clone$", status=502, after=True)
    assert (await made.slack.press(first, GENERAL, card.ts, "class_press"))["ok"]
    await made.pass_time(60, step=2)
    await _press(made, card, [second])
    await made.pass_time(120, step=3)
    names = {user: [] for user in (first, second)}
    for one in state.resources.values():
        if one.owner.upper() in names and one.name != "notebook":
            names[one.owner.upper()].append(one.name)
    assert names == {first: ["statistics", "statistics-2"], second: ["statistics"]}
    for user, name in ((first, "statistics-2"), (second, "statistics")):
        assert f"*{name}* is ready" in made.person(user).only("ready").text


async def test_what_saturn_refuses_is_told_to_the_person_and_shown_to_the_trainer(recipe_room):
    made, trainer = recipe_room, recipe_room.person(TRAINER)
    card = await _posted(made, "card saturn/course --title Statistics")
    made.saturn.state.limits.workspaces = 1
    await _press(made, card, PUPILS[:1])
    made.saturn.state.limits.workspaces = None
    made.saturn.state.limits.refuse_recipes = "instance_type large is not for you"
    await _press(made, card, PUPILS[1:2])
    made.saturn.state.limits.refuse_recipes = None
    made.saturn.state.limits.running = 0
    await _press(made, card, PUPILS[2:3])
    assert "0 of 3 ready" in _card(made).text
    assert "3 failed" in _card(made).text
    said = [made.person(user).only("failed").text for user in PUPILS[:3]]
    assert "Quota exceeded: 1 workspaces at most" in said[0]
    assert "instance_type large is not for you" in said[1]
    assert "Quota exceeded: 0 running workspaces" in said[2]
    problems = await _look_for_problems(trainer)
    assert "It needed more than a quota on Saturn Cloud allows." in problems.text
    assert "http" not in problems.text
    # Members who press again once the limit is lifted get their workspaces.
    made.saturn.state.limits.running = None
    await _press(made, card, PUPILS[:3])
    assert "3 of 3 ready" in _card(made).text
    on_behalf_of = [one.owner for one in made.saturn.state.resources.values() if one.name != "notebook"]
    assert sorted(on_behalf_of) == sorted(user.lower() for user in PUPILS[:3])


async def test_card_for_closed_channel_is_refused_once_and_comes_later(
    class_room,
):
    made, trainer = class_room, class_room.person(TRAINER)
    channel = made.slack.state.channels[GENERAL]
    channel.restricts = "read_only_channel"
    before = made.calls("chat.postMessage", made.slack)
    await trainer.types("card notebook --title Statistics")
    await made.pass_time(120, step=10)
    assert not [one for one in trainer.sees(GENERAL) if one.kind == "class_card"]
    (told,) = trainer.sees()
    assert "Only some members may post there." in told.text
    # The card was posted once, and the poster got one message.
    assert made.calls("chat.postMessage", made.slack) == before + 2
    channel.restricts = ""
    await trainer.presses(told, "Post again")
    await made.pass_time(5)
    assert _card(made)
