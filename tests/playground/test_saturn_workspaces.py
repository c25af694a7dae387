"""Tests of workspaces on the local Saturn Cloud: their states, and the 10-second rule."""

import asyncio

import pytest

from playground.harness import Clock
from playground.saturn.resources import Resource
from playground.saturn.seed import parse
from playground.saturn.state import State
from tests.playground.saturn_help import Saturn


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (None, None, 200),
        (b"", "application/octet-stream", 200),
        (b"{}", "application/json", 200),
        (b'{"debug_mode": true}', "application/json", 200),
        (b"", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"{", "application/json", 400),
    ],
)
async def test_what_a_start_may_carry(saturn: Saturn, body, content_type, status):
    headers = {"Authorization": "token a1"} | ({"Content-Type": content_type} if content_type else {})
    path = f"/api/workspaces/{saturn.ids['notebook']}/start"
    assert (await saturn.call("POST", path, data=body, headers=headers))[0] == status


async def test_reads_sooner_than_ten_seconds_are_counted_and_answered(saturn: Saturn):
    notebook, notes = saturn.ids["notebook"], saturn.ids["notes"]
    await saturn.status(notebook)
    await saturn.status(notes)
    await saturn.advance(10)
    await saturn.status(notebook)
    assert (await saturn.stats())["violations"] == []
    await saturn.advance(9.5)
    assert await saturn.status(notebook) == "stopped"
    stats = await saturn.stats()
    assert [violation["rule"] for violation in stats["violations"]] == [
        "workspace status at most once per 10 s"
    ]
    assert stats["smallest_gap_s"] == 9.5


async def test_a_read_that_went_wrong_counts_as_a_read(saturn: Saturn):
    path = f"/api/workspaces/{saturn.ids['notebook']}"
    await saturn.call("POST", "/_playground/faults", json={"path": path, "times": 1, "status": 502})
    assert (await saturn.call("GET", path))[0] == 502
    assert (await saturn.call("GET", path, token="nonsense"))[0] == 401
    assert len((await saturn.stats())["violations"]) == 1


async def test_a_job_is_no_workspace_and_unknown_paths_answer_json(saturn: Saturn):
    assert (await saturn.call("GET", f"/api/workspaces/{saturn.ids['report']}"))[0] == 404
    assert await saturn.call("GET", "/api/nonsense") == (404, {"message": "Not Found"})
    assert (await saturn.call("DELETE", f"/api/workspaces/{saturn.ids['notebook']}"))[0] == 405


async def test_pages_show_names_as_text(saturn: Saturn):
    name = next(name for name in saturn.ids if name.startswith("Ana"))
    async with saturn.browser("alice") as alice:
        async with alice.get(f"{saturn.url}/dash/resources/workspace/{saturn.ids[name]}") as page:
            text = await page.text()
            assert page.status == 200
            assert "Ana&#x27;s &quot;quick&quot; 🚀 &lt;!channel&gt;" in text
        async with alice.get(f"{saturn.url}/dash") as page:
            assert "&lt;!channel&gt;" in await page.text()


async def test_states_set_as_if_done_elsewhere(saturn: Saturn):
    notebook = saturn.ids["notebook"]
    control = f"/_playground/workspaces/{notebook}"
    for word in ("running", "stopped", "error", "pending", "hibernating"):
        assert await saturn.call("POST", control, json={"status": word}) == (200, {"status": word})
        assert await saturn.status(notebook) == word
    await saturn.call("POST", control, json={"status": "running", "stop_seconds": 30})
    assert (await saturn.call("POST", control, json={"status": "stopping"}))[1] == {"status": "stopping"}
    assert (await saturn.call("POST", control, json={"colour": "red"}))[0] == 400
    await saturn.call("POST", control, json={"removed": True, "status": "stopped"})
    assert (await saturn.call("GET", f"/api/workspaces/{notebook}"))[0] == 404


async def test_two_starts_at_once_are_one(saturn: Saturn):
    path = f"/api/workspaces/{saturn.ids['notebook']}"
    answers = await asyncio.gather(*(saturn.call("POST", f"{path}/start") for _ in range(5)))
    assert {status for status, _ in answers} == {200}
    _, pods = await saturn.call(
        "GET", f"/api/active/pods?workload_type=workspace&workload_id={saturn.ids['notebook']}"
    )
    assert len(pods["pod_summaries"]) == 1


class Looked(Resource):
    """A workspace that counts how often its state is brought up to date."""

    looks = 0

    def settle(self, now: float) -> None:
        self.looks += 1
        super().settle(now)


def test_only_what_is_asked_for_is_looked_at():
    state = State(Clock(lambda: 0.0), parse({"users": [{"name": "alice"}, {"name": "bob"}]}))
    alice, bob = (state.accounts.people[name] for name in ("alice", "bob"))
    mine = [Looked(f"a{number}", "workspace", "alice", {"name": "a"}) for number in range(3)]
    theirs = [Looked(f"b{number}", "workspace", "bob", {"name": "b"}) for number in range(50)]
    for one in [*mine, *theirs]:
        state.add(one)
    assert state.find(alice, "workspace", "a1") is mine[1]
    assert [one.looks for one in mine] == [0, 1, 0]
    assert state.owned(alice, None) == mine
    assert [one.looks for one in theirs] == [0] * 50
    assert state.owned(bob, None) == theirs
