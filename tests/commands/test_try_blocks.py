"""Blocks that Usher doesn't use yet are sent once, compared, and deleted."""

import pytest

from playground.slack import content
from playground.slack.kit.checks import Report
from playground.slack.kit.entities import kept as as_kept
from tests.app.command_line import environment, of_slack, run
from tests.playground.slack_help import OLIVIA, slack


@pytest.fixture
async def local():
    async with slack(clock=None, limits=True) as (server, _):
        yield server


@pytest.fixture
def sent(local, monkeypatch):
    """Return the messages that were ever posted."""
    messages, add = [], local.state.add

    def keep(message):
        messages.append(message)
        return add(message)

    monkeypatch.setattr(local.state, "add", keep)
    return messages


def env_of(local, folder):
    return environment(folder, **of_slack(local))


def messages_of(local):
    return [one for many in local.state.messages.values() for one in many]


async def test_taken_blocks_are_stored_as_sent_and_deleted(local, sent, tmp_path):
    ended = await run("try", "--newer-blocks", OLIVIA, env=env_of(local, tmp_path))
    assert ended.err == ""
    lines = ended.out.splitlines()
    assert lines[:3] == [
        "ok   task_card: stored as it was sent",
        "ok   data_table: stored as it was sent",
        "ok   container: stored as it was sent",
    ]
    assert (ended.status, messages_of(local)) == (0, [])
    (message,) = sent
    assert [block["type"] for block in message.blocks] == ["task_card", "data_table", "container"]
    assert local.state.channels[message.channel].user == OLIVIA


async def test_refused_block_has_slack_s_words_and_the_others_are_tried(local, sent, tmp_path, monkeypatch):

    def refuse_tables(blocks):
        report = Report()
        for number, block in enumerate(blocks):
            if block["type"] == "data_table":
                report.say(f"/blocks/{number}/type", "unsupported type: data_table")
        return report

    monkeypatch.setattr(content, "check_message", refuse_tables)
    ended = await run("try", "--newer-blocks", OLIVIA, env=env_of(local, tmp_path))
    refused, *taken = ended.out.splitlines()
    assert refused == (
        "BAD  data_table: refused: invalid_blocks; "
        "[ERROR] unsupported type: data_table [json-pointer:/blocks/1/type]"
    )
    assert [line.split(":")[0] for line in taken[:2]] == ["ok   task_card", "ok   container"]
    assert (ended.status, messages_of(local), len(sent)) == (1, [], 1)


async def test_block_that_is_stored_otherwise_is_named(local, tmp_path, monkeypatch):

    def keep(blocks):
        blocks = as_kept(blocks)
        blocks[0]["title"] = "Starting R&amp;D"
        return blocks[:2]

    monkeypatch.setattr(content, "kept", keep)
    ended = await run("try", "--newer-blocks", OLIVIA, env=env_of(local, tmp_path))
    task, table, container, *_ = ended.out.splitlines()
    assert task == "BAD  task_card: /title is stored as Starting R&amp;D"
    assert table == "ok   data_table: stored as it was sent"
    assert container == "BAD  container: the block is stored as nothing"
    assert (ended.status, messages_of(local)) == (1, [])


async def test_unknown_member_ends_with_slack_s_error(local, tmp_path):
    ended = await run("try", "--newer-blocks", "U0NOBODY", env=env_of(local, tmp_path))
    assert ended.status == 1
    assert ended.out.splitlines()[0] == "BAD  task_card: refused: channel_not_found"


async def test_token_is_needed(local, tmp_path):
    env = {name: value for name, value in env_of(local, tmp_path).items() if name != "SLACK_BOT_TOKEN"}
    ended = await run("try", "--newer-blocks", OLIVIA, env=env)
    assert (ended.status, "SLACK_BOT_TOKEN is missing" in ended.err) == (2, True)
    nothing = await run("try", env=env)
    assert (nothing.status, nothing.err) == (2, "Name one. There are: saturn.\n")
    del env["USHER_CONNECTIONS"]
    nowhere = await run("try", env=env)
    assert nowhere.err.splitlines() == ["No connection is set up here.", "USHER_CONNECTIONS: is not set"]
