"""Tests that a form or choice that names somebody else's object has no effect, whatever it contains."""

import json

import pytest

from bot.store import accounts, audit, operations, workspaces
from playground.slack import payloads


def pressed(world, action_id, **chosen):
    """Return a click by Olivia that no message has offered her."""
    state = world.slack.state
    channel = state.channels["C0GENERAL"]
    action = {"action_id": action_id, "block_id": "b", "action_ts": "1.5", **chosen}
    return payloads.interaction(state, "block_actions", world.alice.id) | {
        "actions": [action],
        "container": {"type": "message", "message_ts": "9.9", "channel_id": channel.id, "is_ephemeral": True},
        "channel": {"id": channel.id, "name": channel.name},
        "trigger_id": state.new_trigger(world.alice.id),
        "response_url": state.new_response_url("actions", channel.id, world.alice.id),
    }


async def of_bob(world):
    """Let Chen link, and return the key of one of his workspaces."""
    await world.bob.links("bob")
    rows = await world.bot.store.perform(workspaces.read_workspaces, world.principal(world.bob.id))
    return next(row for row in rows if row.name == "analysis").id


def chosen(value):
    return {
        "type": "external_select",
        "selected_option": {"text": {"type": "plain_text", "text": "mine"}, "value": value},
    }


VERBS = ["start", "stop", "restart", "status", "open", "forget"]


@pytest.mark.parametrize("form", ["button", "select"])
async def test_a_forged_key_of_anothers_workspace_does_nothing(linked, form):
    key = await of_bob(linked)
    before = (linked.calls(""), len(await linked.audit("workspace.")))
    for verb in VERBS:
        told = {"type": "button", "value": key} if form == "button" else chosen(key)
        action_id = verb if form == "button" else f"{verb}:workspace"
        assert (await linked.slack.dispatcher.send("interactive", pressed(linked, action_id, **told))).ok
        await linked.pass_time(2)
    answers = [shown.text for shown in linked.alice.sees("C0GENERAL")][-len(VERBS) :]
    assert all("I can't find that workspace on your list." in text for text in answers), answers
    assert not any("analysis" in text for text in answers)
    assert (linked.calls(""), len(await linked.audit("workspace."))) == before
    refused = [row for row in await linked.bot.store.read(audit.read_audit) if row["result"] == "refused"]
    assert len(refused) == len(VERBS)
    assert {json.loads(row["detail"])["rule"] for row in refused} == {"policy.not_owner"}


@pytest.mark.parametrize("action_id", ["keep_waiting", "refresh", "try_again"])
async def test_a_forged_key_of_anothers_operation_does_nothing(linked, action_id):
    await of_bob(linked)
    await linked.bob.types("start analysis")
    (operation,) = await linked.bot.store.read(operations.open_operations, linked.principal(linked.bob.id))
    forged = pressed(linked, action_id, type="button", value=operation.id)
    assert (await linked.slack.dispatcher.send("interactive", forged)).ok
    await linked.pass_time(2)
    told = linked.alice.sees("C0GENERAL")[-1].text
    assert "I can't find that workspace on your list." in told
    after = await linked.bot.store.read(operations.find_operation, operation.id)
    assert after.deadline_number == operation.deadline_number
    assert linked.calls("POST .*/start") == 1


async def test_a_forged_form_links_nothing(bare):
    """Olivia sends Chen's code, with his principal in ``private_metadata``, but only the sender counts."""
    _, address = await bare.bob.invited()
    state = bare.slack.state
    view = {
        "id": "V1",
        "type": "modal",
        "callback_id": "code",
        "private_metadata": json.dumps({"principal": bare.principal(bare.bob.id).key, "link": address}),
        "blocks": [{"type": "input", "block_id": "code"}],
        "state": {"values": {"code": {"code": {"type": "plain_text_input", "value": "ABCD-2345"}}}},
    }
    payload = payloads.interaction(state, "view_submission", bare.alice.id)
    payload |= {"view": view, "trigger_id": state.new_trigger(bare.alice.id)}
    reply = await bare.slack.dispatcher.send("interactive", payload)
    assert reply.content()["response_action"] == "errors"
    for person in (bare.alice, bare.bob):
        assert await bare.bot.store.read(accounts.list_accounts, bare.principal(person.id)) == []


async def test_a_search_finds_ones_own_only(linked):
    await of_bob(linked)
    state = linked.slack.state
    payload = payloads.interaction(state, "block_suggestion", linked.alice.id)
    payload |= {"action_id": "start:workspace", "block_id": "b", "value": "analysis"}
    reply = await linked.slack.dispatcher.send("interactive", payload)
    assert "analysis" not in reply.body.decode()
