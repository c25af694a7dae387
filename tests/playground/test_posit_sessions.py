"""The local Posit Workbench: sessions, from their launch to their end."""

import pytest

from tests.playground.posit_help import Posit, launch_parameters


async def test_the_life_of_a_session(posit: Posit):
    made = await posit.launch(name="fit", working_directory="~/fit")
    assert set(made) == {"id", "url", "project_id"}
    assert made["url"].startswith("/s/")
    assert made["url"].endswith(f"{made['project_id']}{made['id']}/")
    seen = []
    for seconds in (0.5, 1, 1, 2):
        seen.append(await posit.state(made["id"]))
        await posit.advance(seconds)
    assert [*seen, await posit.state(made["id"])] == [
        "launching",
        "launching",
        "pending",
        "starting",
        "running",
    ]
    (session,) = (await posit.result("get_session", session_id=made["id"]))["sessions"]
    assert (session["name"], session["label"], session["display_name"]) == ("fit", "fit", "fit")
    assert (session["working_dir"], session["workbench"], session["running"]) == ("~/fit", "RStudio", True)
    assert (session["url"], session["created"]) == (made["url"], 1_700_000_000_000)
    assert session["last_state_updated"] == 1_700_000_004_000
    assert session["launch_parameters"]["cluster"] == "Local"
    assert await posit.result("stop_session", session_ids=made["id"]) == {}
    assert await posit.state(made["id"]) == "running"
    await posit.advance(2)
    assert await posit.state(made["id"]) == "finished"
    await posit.advance(30)
    assert await posit.state(made["id"]) == "absent"


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


async def test_suspend_and_resume(posit: Posit):
    session_id = posit.session_id("analysis")
    await posit.result("stop_session", session_ids=session_id, suspend_session=True)
    assert await posit.state(session_id) == "suspending"
    resume = {"session_id": session_id, "launch_parameters": launch_parameters(name="again")}
    assert await posit.code("resume_session", **resume) == 11
    await posit.advance(2)
    assert await posit.state(session_id) == "suspended"
    await posit.advance(3600)
    (session,) = (await posit.result("get_session", session_id=session_id))["sessions"]
    assert (session["activity_state"], session["suspend_size"] > 0) == ("suspended", True)
    assert (await posit.result("resume_session", **resume))["url"] == session["url"]
    assert await posit.state(session_id) == "resuming"
    await posit.advance(4)
    assert await posit.state(session_id) == "running"
    assert await posit.code("resume_session", **resume) == 11


async def test_only_suspended_rstudio_sessions_of_the_owner_resume(posit: Posit):
    told = {"launch_parameters": launch_parameters()}
    assert await posit.code("resume_session", session_id=posit.session_id("notes"), **told) == 11
    assert await posit.code("resume_session", session_id="nothing", **told) == 14
    asleep = posit.session_id("asleep")
    assert await posit.code("resume_session", "su", session_id=asleep, **told) == 14
    assert await posit.code("resume_session", session_id=asleep) == 17
    answer = await posit.result("resume_session", "su", session_id=asleep, username="alice", **told)
    assert answer["id"] == asleep


@pytest.mark.parametrize(
    ("accepted", "sent", "state"),
    [
        ("both", "suspend", "suspending"),
        ("both", "suspend_session", "suspending"),
        ("suspend", "suspend", "suspending"),
        ("suspend", "suspend_session", "running"),
        ("suspend_session", "suspend", "running"),
    ],
)
async def test_the_flag_for_suspending_in_each_spelling(posit: Posit, accepted, sent, state):
    await posit.control(suspend_flag=accepted)
    session_id = posit.session_id("analysis")
    await posit.result("stop_session", session_ids=session_id, **{sent: True})
    assert await posit.state(session_id) == state
    await posit.advance(2)
    assert await posit.state(session_id) == ("suspended" if state == "suspending" else "finished")


async def test_other_ides_stop_instead_of_suspending(posit: Posit):
    notes = posit.session_id("notes")
    await posit.control(suspend_elsewhere="refuse")
    assert await posit.code("stop_session", session_ids=notes, suspend_session=True) == 10
    await posit.control(suspend_elsewhere="stop")
    await posit.result("stop_session", session_ids=notes, suspend_session=True)
    await posit.advance(2)
    assert await posit.state(notes) == "finished"


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


@pytest.mark.parametrize(
    ("switch", "most", "code"),
    [("session_limit", 3, 20), ("license_sessions", 4, 15), ("license_users", 2, 16)],
)
async def test_limits_of_licence_and_profile(posit: Posit, switch, most, code):
    # Three live sessions, two of them alice's; the suspended one counts for none of the limits.
    told = {"workbench": "RStudio", "launch_parameters": launch_parameters()}
    await posit.control(**{switch: most})
    await posit.launch()
    await posit.control(**{switch: most - 1 if switch == "license_users" else most})
    token = "adm1" if switch == "license_users" else "a1"
    assert await posit.code("launch_session", token, **told) == code
    resume = {"session_id": posit.session_id("asleep"), "launch_parameters": launch_parameters()}
    if switch != "license_users":
        assert await posit.code("resume_session", **resume) == code
    await posit.control(**{switch: None})
    await posit.launch(token)


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


@pytest.mark.parametrize("prefix", ["", "/workbench"])
async def test_the_ide_opens_for_its_signed_in_owner_only(posit: Posit, prefix):
    (session,) = (await posit.result("get_session", session_id=posit.session_id("notes")))["sessions"]
    url = posit.url + prefix + session["url"]
    async with posit.browser("alice") as alice, alice.get(url) as page:
        assert (page.status, "JupyterLab of alice is running" in await page.text()) == (200, True)
    async with posit.session.get(url, allow_redirects=False) as page:
        assert page.status == 302
        assert page.headers["Location"].startswith(f"/auth-sign-in?appUri={prefix}/s/")
    headers = {"Authorization": "Bearer a1"}
    async with posit.session.get(url, headers=headers, allow_redirects=False) as page:
        assert page.status == 302
    async with posit.browser("bob") as other, other.get(url) as page:
        assert page.status == 403
    await posit.control(f"sessions/{session['id']}", state="pending")
    async with posit.browser("alice") as alice, alice.get(url) as page:
        assert page.status == 503
    await posit.control(f"sessions/{session['id']}", state="finished")
    async with posit.browser("alice") as alice, alice.get(url) as page:
        assert page.status == 404


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
