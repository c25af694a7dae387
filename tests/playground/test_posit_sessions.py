"""Tests of sessions on the local Posit Workbench, from their launch to their end."""

import pytest

from tests.playground.posit_help import Posit, launch_parameters


async def test_the_same_launch_twice_makes_two(posit: Posit):
    assert (await posit.launch())["id"] != (await posit.launch())["id"]
    await posit.control(unique_names=True)
    told = {"workbench": "RStudio", "name": "made", "launch_parameters": launch_parameters()}
    assert await posit.code("launch_session", **told) == 10


async def test_ids_are_joined_and_fields_chosen(posit: Posit):
    ids = [posit.session_id("analysis"), posit.session_id("notes"), posit.session_id("analysis", "bob"), "zz"]
    answer = await posit.result("get_session", session_id=", ".join(ids), fields=["id", "colour"])
    assert answer == {"sessions": [{"id": ids[0]}, {"id": ids[1]}]}
    assert len((await posit.result("get_session"))["sessions"]) == 3
    assert await posit.code("get_session", fields="id") == 9
    assert len((await posit.result("get_session", "su", user="bob"))["sessions"]) == 1
    assert await posit.code("get_session", "su", user="nobody") == 10


async def test_stopping_several_is_all_or_nothing(posit: Posit):
    analysis, notes = posit.session_id("analysis"), posit.session_id("notes")
    assert await posit.code("stop_session", session_ids=f"{analysis},zz") == 14
    assert (
        await posit.code("stop_session", session_ids=f"{analysis},{posit.session_id('analysis', 'bob')}") == 3
    )
    await posit.advance(2)
    assert await posit.state(analysis) == "running"
    await posit.result("stop_session", session_ids=f"{analysis},{notes}")
    await posit.result("stop_session", session_ids=analysis)
    await posit.advance(2)
    assert (await posit.state(analysis), await posit.state(notes)) == ("finished", "finished")
    for told in ({}, {"session_ids": " "}, {"session_ids": ","}):
        assert await posit.code("stop_session", **told) == 8
    assert await posit.rules_broken() == ["required parameters are present"] * 3


@pytest.mark.parametrize(
    ("form", "body"),
    [("object", {"result": {}}), ("null", {"result": None}), ("text", {"result": ""}), ("empty", "")],
)
async def test_an_empty_result_in_each_form(posit: Posit, form, body):
    await posit.control(stop_answer=form)
    assert await posit.call("stop_session", session_ids=posit.session_id("notes")) == (200, body)


async def test_states_set_as_if_done_elsewhere(posit: Posit):
    session_id = posit.session_id("analysis")
    for word in ("killed", "running", "hibernating"):
        assert await posit.control(f"sessions/{session_id}", state=word) == {"state": word}
        assert await posit.state(session_id) == word
    await posit.control(f"sessions/{session_id}", removed=True)
    assert await posit.state(session_id) == "absent"


async def test_hooks_environment_and_file_arrive(posit: Posit):
    variables = [{"name": "A", "value": "1"}]
    hook = {"exe": "/opt/hook"}
    made = await posit.launch(
        open_file="fit.R", environment=variables, start_hooks=[hook], stop_hooks=hook, username="alice"
    )
    _, shown = await posit.request("GET", "/_playground/sessions")
    session = next(one for one in shown["sessions"] if one["id"] == made["id"])
    assert (session["open_file"], session["environment"], session["owner"]) == ("fit.R", variables, "alice")
    assert (session["start_hooks"], session["stop_hooks"]) == ([hook], [hook])
    told = {"workbench": "RStudio", "launch_parameters": launch_parameters()}
    assert await posit.code("launch_session", **told, environment=[{"name": "A"}]) == 8
    assert await posit.code("launch_session", **told, environment={"A": "1"}) == 9
    assert await posit.code("launch_session", **told, start_hooks=[{}]) == 8
    assert await posit.code("launch_session", **told, name="x" * 65) == 10
    assert await posit.code("launch_session", "su", **told, username="nobody") == 10
    assert await posit.code("launch_session", "su", **told, username="dora") == 100


async def test_a_file_opens_in_rstudio_and_jupyter_notebook_only(posit: Posit):
    await posit.launch(workbench="Jupyter Notebook", open_file="a.ipynb")
    assert await posit.rules_broken() == []
    await posit.launch(workbench="JupyterLab", open_file="a.ipynb")
    assert await posit.rules_broken() == ["open_file only for RStudio and Jupyter Notebook"]


async def test_signing_in_and_out_and_the_home_page(posit: Posit):
    name = "a <b> & c"
    await posit.launch(name=name)
    async with posit.browser("alice") as alice:
        async with alice.get(f"{posit.url}/") as page:
            assert "a &lt;b&gt; &amp; c" in await page.text()
        async with alice.post(f"{posit.url}/auth-sign-out"):
            pass
        async with alice.get(f"{posit.url}/home", allow_redirects=False) as page:
            assert page.status == 302
    for form in ({"username": "alice", "password": "x"}, {"username": "dora", "password": "pw-dora"}):
        assert (await posit.request("POST", "/auth-sign-in", data=form))[0] == 401
    for onward in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        form = {"username": "alice", "password": "pw-alice", "appUri": onward}
        address = f"{posit.url}/auth-sign-in"
        async with posit.session.post(address, data=form, allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/home"
