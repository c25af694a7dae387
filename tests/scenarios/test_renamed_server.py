"""Actions of people at the hub itself: a server that was renamed, and a start that the hub refuses."""

import asyncio

import pytest

from bot.domain.tasks import TaskKind
from bot.store import accounts, tasks, workspaces
from bot.store.tasks import NewTask
from playground.jupyterhub import start
from tests.playground.hub_help import client
from tests.rigs.scenario import world

TEMPLATES = [
    {"name": "small", "title": "Small", "options": {"pause": 0.1}},
    {"name": "credit", "title": "On credit", "options": {"pause": 0.1, "raises": [500, "No credit left."]}},
]


@pytest.fixture
async def live(tmp_path):
    seed = {"users": [{"name": "alice", "servers": ["lab"]}], "pause_seconds": 0.2}
    async with start(light=True, seed=seed) as hub, client(hub) as api:
        connection = {
            "name": "hub",
            "provider": "jupyterhub",
            "title": "Team hub",
            "linking": ["token"],
            "base_url": hub.api_url,
            "public_url": hub.url,
            "templates": TEMPLATES,
        }
        tokens = {"hub": {"alice": hub.users["alice"]["token"]}}
        async with world(tmp_path, connections={"hub": connection}, tokens=tokens, live=True) as ready:
            await ready.alice.links("alice", "hub")
            yield ready, api


async def says(alice, text, said):
    """Type a command until its answer contains a string, and return the answer."""
    for _ in range(100):
        answer = (await alice.types(text)).text
        if said in answer:
            return answer
        await asyncio.sleep(0.3)
    raise AssertionError(answer)


async def test_renamed_server_is_started_by_its_new_name_and_is_no_second_choice(live):
    live, api = live
    alice = live.alice
    await says(alice, "list", "*lab* ·")
    status, told, _ = await api.call(
        "PATCH", "/users/alice/servers/lab", who="alice", json={"name": "lab-two", "display_name": "lab"}
    )
    assert status < 300, told
    store = live.bot.store
    (account,) = await store.read(accounts.list_accounts, live.principal())
    await store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
    for _ in range(100):
        rows = await store.perform(workspaces.read_workspaces, live.principal())
        if "alice/lab-two" in {row.remote_id for row in rows}:
            break
        await asyncio.sleep(0.2)
    assert {row.remote_id for row in rows} == {"alice/", "alice/lab-two"}
    await alice.writes("start lab-two")
    assert "*lab* is ready" in (await alice.waits_for("ready")).text
    listed = (await alice.types("list")).text
    assert "/user/alice/lab-two/|lab>*" in listed
    assert "*lab* ·" not in listed


async def test_start_that_the_hub_refuses_is_told_in_its_words_and_as_an_answer(live):
    live, api = live
    alice = live.alice
    await api.call("POST", "/users/alice/servers/lab", who="alice", json=TEMPLATES[1]["options"])
    await alice.writes("start lab")
    failed = await alice.waits_for("failed")
    assert "Team hub says: “No credit left.”" in failed.text
    seen = "\n".join(one.text for one in alice.sees())
    assert "hasn't been available" not in seen
    assert "HTTP 500" not in seen
