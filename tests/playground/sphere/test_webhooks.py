"""Tests of the local Sphere Engine's webhooks for finished scenarios."""

import json

import pytest

from tests.playground.sphere.stand import RUNNING, STOPPED, Receiver, Sphere, receiver

SCENARIO = f"workspaces/{RUNNING}/scenario"


@pytest.fixture
async def taker(sphere: Sphere):
    async with receiver() as made:
        await sphere.control("webhooks", url=made.url)
        yield made


async def test_a_custom_event(sphere: Sphere, taker: Receiver):
    await sphere.control(SCENARIO, custom={"lesson": 3})
    (event,) = json.loads(taker.came[0][1])
    assert event["type"] == "workspace.scenario.custom"
    assert event["payload"]["data"] == {"lesson": 3}
    assert event["payload"]["workspace"] == {"id": RUNNING}


async def test_a_request_carries_ten_events_at_most(sphere: Sphere, taker: Receiver):
    names = (await sphere.control(SCENARIO, times=23))["events"]
    arrays = [json.loads(body) for _, body in taker.came]
    assert [len(array) for array in arrays] == [10, 10, 3]
    assert [event["id"] for array in arrays for event in array] == names


async def test_what_is_not_answered_2xx_comes_again(sphere: Sphere, taker: Receiver):
    taker.answers = [500, 302, 200]
    await sphere.control(SCENARIO)
    assert len(taker.came) == 1
    for _ in range(3):
        await sphere.advance(60)
        await sphere.control("webhooks", deliver=True)
    assert [body for _, body in taker.came] == [taker.came[0][1]] * 3
    _, shown = await sphere.call("GET", "/_playground/webhooks")
    assert [delivery["status"] for delivery in shown["deliveries"]] == [500, 302, 200]
    assert shown["waiting"] == []


async def test_a_receiver_that_is_not_there_is_asked_ten_times(sphere: Sphere):
    await sphere.control("webhooks", url="http://127.0.0.1:1/hooks/sphere")
    await sphere.control(SCENARIO)
    for _ in range(12):
        await sphere.advance(60)
        await sphere.control("webhooks", deliver=True)
    _, shown = await sphere.call("GET", "/_playground/webhooks")
    assert [delivery["status"] for delivery in shown["deliveries"]] == [0] * 10
    assert shown["waiting"] == []


async def test_a_delivered_event_may_come_once_more(sphere: Sphere, taker: Receiver):
    (name,) = (await sphere.control(SCENARIO))["events"]
    await sphere.control("webhooks", again=name)
    assert taker.came[0][1] == taker.came[1][1]
    assert (await sphere.call("POST", "/_playground/webhooks", json={"again": "unheard-of"}))[0] == 404


async def test_what_does_not_run_runs_no_scenario(sphere: Sphere, taker: Receiver):
    status, answer = await sphere.call("POST", f"/_playground/workspaces/{STOPPED}/scenario", json={})
    assert (status, answer["message"]) == (400, "Workspace is stopped")
    assert taker.came == []


async def test_without_an_address_nothing_is_kept(sphere: Sphere):
    await sphere.control(SCENARIO)
    assert sphere.server.webhooks.pending == []
