"""In Socket Mode, every envelope is acknowledged, and every frame that Usher sends is short enough.

The local Slack closes a connection that sends a longer frame, as Slack does. The checks at the end of a world
then fail.
"""

import pytest

from tests.rigs.scenario import SEED
from tests.rigs.scenario.people import GENERAL

socket_mode = pytest.mark.parametrize("bare", [{"socket": True}], ids=["socket"], indirect=True)


def add_names(names):
    """Return the mark for a world in which Alice has a hundred workspaces named after a pattern."""
    workspaces = [{"owner": "alice", "name": names.format(f"{number:03}")} for number in range(100)]
    seed = {**SEED, "workspaces": workspaces}
    return pytest.mark.parametrize("bare", [{"socket": True, "saturn_seed": seed}], ids=[""], indirect=True)


@add_names("Анализ продаж южного региона за март и апрель по всем филиалам {}")
async def test_search_among_many_long_names_fits_and_says_so(bare):
    alice = bare.alice
    await alice.has_linked("alice")
    shown = await alice.types("list")

    async def search(typed):
        return await bare.slack.hands.options(alice.id, GENERAL, shown.ts, "status:workspace", value=typed)

    (group,) = (await search("")).pop("option_groups")
    assert 50 < len(group["options"]) < 100
    assert group["label"]["text"] == "There are more than I can show. Type part of a name to find the others."
    (found,) = (await search("099"))["options"]
    assert found["text"]["text"].endswith("099")


@add_names("🚀 {} " + 60 * "🚀")
async def test_answer_too_long_for_an_acknowledgement_follows(bare):
    alice = bare.alice
    await alice.has_linked("alice")
    answer = await bare.slack.say(alice.id, GENERAL, "/workspace list all")
    assert (answer["ok"], answer["ts"]) == (True, None)
    await bare.settle()
    (shown,) = alice.hears(channel=GENERAL)
    assert shown.is_private
    assert "🚀 009" in shown.text
    assert len(bare.slack.sockets.open) == 2


ODD = {
    "true": {"payload": True},
    "number": {"payload": 1},
    "list": {"payload": []},
    "null": {"payload": None},
    "nothing": {},
    "text": {"payload": "text"},
    "empty": {"payload": {}},
    "deep": {"payload": {"a": [[[[{"b": [{}] * 10}]]]] * 10}},
    "strange": {"payload": {"type": "next_years"}, "type": "next_years_api", "more": [1]},
    "a type that is none": {"payload": {"type": "event_callback"}, "type": 7},
    "no type": {"payload": {}, "type": None},
    "hello": {"payload": {}, "type": "hello"},
    "large": {"payload": {"type": "x" * 500_000}},
}


@socket_mode
async def test_odd_envelopes_are_acknowledged(bare):
    for name, odd in ODD.items():
        envelope = {"type": "events_api", "accepts_response_payload": False, "envelope_id": name, **odd}
        assert (await bare.slack.sockets.deliver(envelope, 3.0)).ok, name
    assert len(bare.slack.sockets.open) == 2
    assert (await bare.alice.types("about")).text
