"""Tests of what the local Sphere Engine serves to browsers, without a browser."""

import pytest

from tests.playground.sphere.stand import PLAIN, RUNNING, SECRET_OF_RUNNING, STOPPED, Sphere


async def test_the_sdk_is_a_script_without_eval(sphere: Sphere):
    async with sphere.session.get(f"{sphere.url}/static/sdk/sdk.min.js") as answer:
        assert answer.status == 200
        assert "javascript" in answer.content_type
        text = await answer.text()
    assert "eval(" not in text
    assert 'setAttribute("style"' not in text
    assert "innerHTML" not in text


async def test_every_page_may_ask_to_be_let_in(sphere: Sphere):
    form = {"workspace": RUNNING, "token": SECRET_OF_RUNNING}
    headers = {"Origin": "https://customer.example"}
    async with sphere.session.post(f"{sphere.url}/sdk/enter", data=form, headers=headers) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await answer.json())["ticket"]


@pytest.mark.parametrize("token", [None, "", "wrong"])
async def test_a_wrong_token_is_not_let_in(sphere: Sphere, token):
    assert (await sphere.enter(RUNNING, token))[0] == 403
    assert (await sphere.enter(STOPPED, token))[0] == 403
    assert sphere.server.state.workspaces[STOPPED].phase == "stopped"
    assert (await sphere.enter("unheard-of"))[0] == 404


async def test_the_address_of_a_workspace_opens_only_what_needs_no_token(sphere: Sphere):
    status, text = await sphere.call("GET", f"/workspace/{RUNNING}")
    assert status == 403
    assert "Access denied" in text
    status, text = await sphere.call("GET", f"/workspace/{PLAIN}")
    assert status == 200
    assert "Run scenario" in text
    assert (await sphere.call("GET", "/workspace/unheard-of"))[0] == 404


async def test_names_are_shown_as_text(sphere: Sphere):
    project = sphere.server.state.workspaces[PLAIN].project
    workspace = sphere.server.state.workspaces[PLAIN]
    workspace.project = type(project)(project.id, "<script>alert(1)</script>", project.behaviour)
    _, text = await sphere.call("GET", f"/workspace/{PLAIN}")
    assert "&lt;script&gt;alert(1)" in text


async def test_what_has_ended_says_so(sphere: Sphere):
    ticket = (await sphere.enter(RUNNING, SECRET_OF_RUNNING))[1]["ticket"]
    await sphere.control(f"workspaces/{RUNNING}", state="error", error_reason="disk <full>")
    status, text = await sphere.call("GET", f"/workspace/{RUNNING}?ticket={ticket}")
    assert status == 410
    assert "disk &lt;full&gt;" in text
    await sphere.control(f"workspaces/{RUNNING}", state="removed")
    status, text = await sphere.call("GET", f"/workspace/{RUNNING}")
    assert (status, "removed" in text) == (410, True)


async def test_a_stopped_workspace_that_does_not_resume_says_so(sphere: Sphere):
    made = await sphere.create(auto_resume=False, workspace_token_required=False, retention_time_stopped=60)
    await sphere.control(f"workspaces/{made['id']}", state="stopped")
    status, text = await sphere.call("GET", f"/workspace/{made['id']}")
    assert (status, "stopped" in text) == (403, True)
