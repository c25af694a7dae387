"""The local Saturn Cloud refuses what it is told to: quotas, names, recipes, fast starts, odd links."""

import pytest

from tests.playground.saturn_help import Saturn

RECIPE = {"type": "workspace", "spec": {"name": "fresh"}}


async def switched(saturn: Saturn, **switches):
    status, answer = await saturn.call("POST", "/_playground/limits", json=switches)
    assert status == 200
    return answer


async def clone(saturn: Saturn, name: str = "fresh"):
    recipe = {**RECIPE, "spec": {"name": name}}
    return await saturn.call("POST", "/api/resource_recipes/clone", json=recipe)


async def start(saturn: Saturn, name: str):
    return await saturn.call("POST", f"/api/workspaces/{saturn.ids[name]}/start")


async def test_without_a_switch_nothing_is_refused(saturn: Saturn):
    assert [(await clone(saturn))[0] for _ in range(3)] == [200, 200, 200]
    assert [(await start(saturn, name))[0] for name in ("notebook", "broken")] == [200, 200]


async def test_a_quota_of_workspaces(saturn: Saturn):
    told = await switched(saturn, workspaces=5)
    assert told["workspaces"] == 5
    assert (await clone(saturn))[0] == 200
    status, answer = await clone(saturn, "another")
    assert (status, answer["message"]) == (403, "Quota exceeded: 5 workspaces at most")
    await switched(saturn, workspaces=None)
    assert (await clone(saturn, "another"))[0] == 200


async def test_a_name_that_is_taken(saturn: Saturn):
    await switched(saturn, unique_names=True)
    assert (await clone(saturn, "notebook"))[0] == 409
    assert (await clone(saturn))[0] == 200


async def test_a_recipe_that_is_refused_with_words(saturn: Saturn):
    await switched(saturn, refuse_recipes="spec.image: unknown image")
    assert await clone(saturn) == (400, {"message": "spec.image: unknown image"})


async def test_a_quota_of_what_runs(saturn: Saturn):
    await switched(saturn, running=1)
    assert (await start(saturn, "notebook"))[0] == 403  # notes runs already
    assert (await start(saturn, "notes"))[0] == 200  # what runs needs no room
    await saturn.call("POST", f"/api/workspaces/{saturn.ids['notes']}/stop")
    await saturn.advance(5)
    assert (await start(saturn, "notebook"))[0] == 200


async def test_starts_that_come_too_fast(saturn: Saturn):
    await switched(saturn, starts_per_second=1)
    assert (await start(saturn, "notebook"))[0] == 200
    headers = {"Authorization": "token a1"}
    url = f"{saturn.url}/api/workspaces/{saturn.ids['broken']}/start"
    async with saturn.session.post(url, headers=headers, skip_auto_headers=("Content-Type",)) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert (await saturn.call("POST", f"/api/jobs/{saturn.ids['report']}/start"))[0] == 429
    await saturn.advance(1)
    assert (await start(saturn, "broken"))[0] == 200


async def test_login_links_lead_elsewhere_and_to_others(saturn: Saturn):
    path = "/auth/createloginlink/alice"
    await switched(saturn, login_link_host="https://evil.example")
    assert (await saturn.call("POST", path, token="adm"))[1]["login_link"].startswith("https://evil.example/")
    await switched(saturn, login_link_host=None, login_link_as="bob")
    link = (await saturn.call("POST", path, token="adm"))[1]["login_link"]
    async with saturn.session.get(link, allow_redirects=False) as opened:
        cookie = opened.cookies["saturn_session"].value
    headers = {"Cookie": f"saturn_session={cookie}"}
    assert (await saturn.call("GET", "/api/user/token", token=None, headers=headers))[1] == "b1"


@pytest.mark.parametrize("told", [[], {"speed": 1}, {"running": "1"}, {"running": True}, {"unique_names": 1}])
async def test_a_switch_that_is_none_is_refused(saturn: Saturn, told):
    assert (await saturn.call("POST", "/_playground/limits", json=told))[0] == 400
