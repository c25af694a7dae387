"""Tests of a workspace's page: only its owner sees it, it has no secrets, and it operates as Slack does."""

import json
import logging
import re
from datetime import UTC, datetime
from itertools import product
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from markupsafe import escape
from structlog.testing import capture_logs

from bot.domain.forms import Spec
from bot.domain.operations import OperationVerb
from bot.domain.people import Person
from bot.domain.stops import Consent, PlannedStop, StopEffect
from bot.domain.workspaces import State
from bot.messages.texts import ide
from bot.messages.texts.cards import CONFIRM_STOP, LOST
from bot.providers.facets import Embedding
from bot.services.operation_requests import create_workspace
from bot.store import operations, workspaces
from bot.store.tables import WORKSPACES
from bot.support.limits import MAX_BURST
from bot.web.render import get_ide_page_headers
from tests.rigs.store import hide_workspace, set_timer
from tests.web.ide_rig import REMOTE, TOKEN, ide_rig
from tests.web.marks import mark_of
from tests.web.rig import ALICE, BOB, Inputs

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def rig():
    async with ide_rig() as rig:
        yield rig


async def post(browser, path, headers=None):
    """Send the request that the page's script would send."""
    async with browser.session.post(browser.origin + path, headers=headers or {}) as answer:
        return answer.status, await answer.json()


async def open_ide(rig, browser, workspace):
    """Open the IDE from the page of a running workspace."""
    await browser.get(f"/ide/{workspace.id}")
    await browser.send(f"/ide/{workspace.id}", form=mark_of(browser.text))
    assert browser.status == 200


async def test_the_owner_sees_the_page_and_no_secret_is_in_it(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    assert browser.url == f"{rig.origin}/ide/{workspace.id}"
    assert browser.status == 200
    assert "<bdi>notebook</bdi>" in browser.text
    assert "sdk.example" not in browser.text + str(browser.headers)
    assert browser.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    await open_ide(rig, browser, workspace)
    assert "<bdi>notebook</bdi>" in browser.text
    assert "<form" not in browser.text
    assert 'data-sdk="sdk.example" data-https="true"' in browser.text
    assert TOKEN not in browser.text
    assert REMOTE not in browser.text
    assert "script>" in browser.text
    assert "<script>" not in browser.text
    # The time of a stop is changed in Slack, in the workspace's messages.
    slack = re.escape(f"{rig.made.slack_origin}/app_redirect?team={ALICE.team_id}")
    assert re.findall(rf'<a [^>]*href="{slack}"[^>]*>([^<]*)</a>', browser.text) == ["Stop later"]
    for name, value in {
        "Cache-Control": "no-store",
        "Referrer-Policy": "strict-origin",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self' https://sdk.example; "
            "style-src 'self' https://sdk.example; img-src 'self' https://sdk.example; "
            f"font-src https://sdk.example; connect-src {rig.origin}/ide/{workspace.id}/ "
            "https://sdk.example wss://sdk.example https://acme.example wss://acme.example; "
            "frame-src https://sdk.example https://acme.example; form-action 'none'; base-uri 'none'; "
            "frame-ancestors 'none'"
        ),
        "Permissions-Policy": (
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), "
            'fullscreen=(self "https://sdk.example" "https://acme.example"), '
            'clipboard-read=(self "https://sdk.example" "https://acme.example"), '
            'clipboard-write=(self "https://sdk.example" "https://acme.example")'
        ),
    }.items():
        assert browser.headers[name] == value


async def test_what_the_page_may_load_more_is_what_its_operator_lets_it():
    loads = Embedding(
        "sdk.example", True, "https://acme.example", ("cdn.example:8443", "*.more.example"), True
    )
    policy = dict(
        part.strip().split(" ", 1)
        for part in get_ide_page_headers(loads, "https://u/ide/w/")["Content-Security-Policy"].split(";")
    )
    named_http = get_ide_page_headers(
        Embedding("sdk.example", True, "https://http.example"), "https://u/ide/w/"
    )
    assert " wss://http.example" in named_http["Content-Security-Policy"]
    more = "https://cdn.example:8443 https://*.more.example"
    assert policy["script-src"] == f"'self' https://sdk.example {more}"
    assert policy["style-src"] == f"'self' https://sdk.example {more} 'unsafe-inline'"
    assert policy["frame-src"] == f"https://sdk.example https://acme.example {more}"
    assert policy["connect-src"].endswith(f" {more} {more.replace('https', 'wss')}")
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")


async def test_what_was_blocked_is_logged_for_the_pages_own_script_alone(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    path, mark = f"/ide/{workspace.id}/blocked", mark_of(browser.text)

    async def told(source, marked=mark):
        fields = {"directive": "style-src-elem", "source": source}
        with capture_logs() as logs:
            sent = {"Origin": rig.origin, "Sec-Fetch-Site": "same-origin", "X-Usher-Mark": marked}
            await browser.send(f"{path}?{urlencode(fields)}", headers=sent)
        found = [one["source"] for one in logs if one["event"] == "page.blocked"]
        return browser.status, found

    assert await told("cdn.example:8443") == (200, ["cdn.example:8443"])
    assert await told("inline") == (200, ["inline"])
    assert await told("https://cdn.example/a?token=1") == (200, [])
    assert await told("cdn.example", "forged") == (403, [])
    # However many reports a script sends, the person is still heard.
    for _ in range(int(MAX_BURST)):
        await told("inline")
    assert await told("inline") == (200, [])
    assert rig.made.services.limiter.take(ALICE.key) == 0.0


async def test_what_opens_it_goes_to_the_pages_own_script_alone(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    path, mark = f"/ide/{workspace.id}/entry", mark_of(browser.text)
    assert await post(browser, path, {**OURS, "X-Usher-Mark": mark}) == (
        200,
        {"workspace": REMOTE, "token": TOKEN},
    )
    for headers in (
        {},
        {"X-Usher-Mark": mark},
        OURS,
        {**OURS, "X-Usher-Mark": "0" * 64},
        {"Sec-Fetch-Site": "cross-site", "X-Usher-Mark": mark},
        {"Sec-Fetch-Site": "same-site", "X-Usher-Mark": mark},
        {"Origin": "https://evil.example", "X-Usher-Mark": mark},
    ):
        assert await post(browser, path, headers) == (403, {})
    stranger = await rig.made.browser()
    assert await post(stranger, path, {**OURS, "X-Usher-Mark": mark}) == (401, {})
    other = await rig.signed_in("U0BOB")
    assert await post(other, path, {**OURS, "X-Usher-Mark": mark}) == (404, {})


async def test_a_get_hands_over_nothing(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    await browser.get(f"/ide/{workspace.id}/entry")
    assert browser.status == 405
    assert TOKEN not in browser.text


async def test_old_news_are_read_anew_before_anything_opens(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    headers = {**OURS, "X-Usher-Mark": mark_of(browser.text)}
    path = f"/ide/{workspace.id}/entry"
    rig.clock.advance(30)
    assert await post(browser, path, headers) == (200, {"again": True})
    assert rig.is_wanted()
    fresh = "0b1f5f0a-0000-4000-8000-000000000000"
    await rig.sees(workspace, entry=fresh)
    assert (await post(browser, path, headers))[1]["token"] == fresh
    # If the provider doesn't answer for long, the last known token has to suffice.
    rig.clock.advance(300)
    assert (await post(browser, path, headers))[1] == {"again": True}
    assert (await post(browser, f"{path}?late=1", headers))[1]["token"] == fresh


async def test_nothing_opens_while_it_does_not_run(rig):
    workspace = await rig.workspace(state=State.STOPPED)
    browser = await rig.signed_in(page=workspace.id)
    headers = {**OURS, "X-Usher-Mark": mark_of(browser.text)}
    assert await post(browser, f"/ide/{workspace.id}/entry", headers) == (200, {"again": True})


async def test_a_token_of_another_row_opens_nothing(rig):
    workspace = await rig.workspace()
    bobs = await rig.workspace(BOB, remote_id="2" * 32)
    stolen = (await rig.store.read(workspaces.find_workspace, bobs.id)).entry
    await rig.store.write(workspaces.save_entry, workspace.id, workspace.gate_key, stolen)
    browser = await rig.signed_in(page=workspace.id)
    headers = {**OURS, "X-Usher-Mark": mark_of(browser.text)}
    assert await post(browser, f"/ide/{workspace.id}/entry?late=1", headers) == (200, {"again": True})


async def test_others_and_nothing_look_the_same(rig):
    alices = await rig.workspace()
    elsewhere = await rig.workspace(BOB, remote_id="3" * 32, connection="saturn", name="gpu")
    removed = await rig.workspace(BOB, remote_id="4" * 32)
    await hide_workspace(rig.store, removed.id)
    browser = await rig.signed_in("U0BOB")
    seen = set()
    for page in (alices.id, elsewhere.id, removed.id, "workspace_unknown", "x"):
        await browser.get(f"/ide/{page}")
        # The answers differ only in the requested address.
        seen.add((browser.status, browser.text.replace(f'"/ide/{page}/sign-in"', "sign-in")))
        async with browser.session.get(f"{rig.origin}/ide/{page}/state") as answer:
            assert (answer.status, await answer.json()) == (404, {})
        await browser.get("/signed-out")
        await browser.send(f"/ide/{page}/stop")
        assert browser.status == 404
    assert len(seen) == 1
    (status, text), *_ = seen
    assert status == 404
    assert escape(ide.NOTHING_TITLE) in text
    assert "notebook" not in text
    assert await rig.store.read(operations.open_operations, ALICE) == []


async def test_the_state_is_told_from_our_row(rig):
    workspace = await rig.workspace(state=State.STARTING)
    browser = await rig.signed_in(page=workspace.id)
    told = json.loads(await browser.get(f"/ide/{workspace.id}/state"))
    assert (told["phase"], told["line"], told["busy"]) == ("starting", "Starting", True)
    await rig.sees(workspace, expires_at=rig.clock.now() + 300, expiry_mode="stops")
    told = json.loads(await browser.get(f"/ide/{workspace.id}/state"))
    assert told["phase"] == "running"
    ends_at = datetime.fromtimestamp(rig.clock.now() + 300, UTC)
    assert told["line"] == f"Running, will stop at {ends_at:%H:%M} UTC unless you use it"
    # Times are in the person's zone, and a timer set in Slack is shown, too.
    person = Person(ALICE, "Alice", seen_at=rig.clock.now(), time_zone="Asia/Kolkata")
    await rig.store.save_people([person])
    await set_timer(rig.store, workspace, PlannedStop(rig.clock.now() + 60, "stop"))
    ends_at = datetime.fromtimestamp(rig.clock.now() + 60, ZoneInfo("Asia/Kolkata"))
    assert f"Running until {ends_at:%H:%M}" in await browser.get(f"/ide/{workspace.id}")
    assert rig.made.provider.asked == []


async def test_stop_is_the_operation_of_its_owner(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    await browser.get(f"/ide/{workspace.id}/stop")
    assert CONFIRM_STOP[1].format(name="notebook", lost=LOST[StopEffect.RETURNS]) in browser.text
    assert f'href="/ide/{workspace.id}"' in browser.text
    assert await rig.store.read(operations.open_operations, ALICE) == []
    await browser.send(f"/ide/{workspace.id}/stop")
    assert browser.url.endswith(f"/ide/{workspace.id}")
    assert "Stopping" in browser.text
    (operation,) = await rig.store.read(operations.open_operations, ALICE)
    assert operation.verb is OperationVerb.STOP
    for _ in range(2):
        await browser.get(f"/ide/{workspace.id}/stop")
        await browser.send(f"/ide/{workspace.id}/stop")
    assert [one.id for one in await rig.store.read(operations.open_operations, ALICE)] == [operation.id]


async def test_a_stop_that_is_final_asks_first(rig):
    workspace = await rig.workspace(survives_stop=False)
    browser = await rig.signed_in(page=workspace.id)
    await browser.get(f"/ide/{workspace.id}/stop")
    assert "for good: it can&#39;t be started again. Everything stored only in it is lost." in browser.text
    assert f'href="/ide/{workspace.id}"' in browser.text
    assert await rig.store.read(operations.open_operations, ALICE) == []
    await browser.send(f"/ide/{workspace.id}/stop")
    (operation,) = await rig.store.read(operations.open_operations, ALICE)
    assert (operation.verb, operation.agreed) == (OperationVerb.STOP, True)
    assert "Your workspace is ending" in browser.text


async def test_a_stop_that_has_become_final_since_asks_again(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    await browser.get(f"/ide/{workspace.id}/stop")
    await rig.sees(workspace, survives_stop=False)
    await browser.send(f"/ide/{workspace.id}/stop")
    assert "for good: it can&#39;t be started again" in browser.text
    assert await rig.store.read(operations.open_operations, ALICE) == []
    await browser.send(f"/ide/{workspace.id}/stop")
    (operation,) = await rig.store.read(operations.open_operations, ALICE)
    assert operation.agreed is Consent.GIVEN


async def test_a_stop_of_an_earlier_run_asks_again(rig):
    """As when the question is left open in a tab while the workspace is stopped and started again."""
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    question = await browser.get(f"/ide/{workspace.id}/stop")
    later = {"generation": workspace.generation + 1}
    await rig.store.carry_out(lambda tx: WORKSPACES.change(tx, {"id": workspace.id}, **later))
    browser.text = question
    await browser.send(f"/ide/{workspace.id}/stop")
    assert CONFIRM_STOP[1].format(name="notebook", lost=LOST[StopEffect.RETURNS]) in browser.text
    assert await rig.store.read(operations.open_operations, ALICE) == []
    await browser.send(f"/ide/{workspace.id}/stop")
    assert len(await rig.store.read(operations.open_operations, ALICE)) == 1


async def test_what_is_being_created_is_called_off_from_the_page(rig):
    await rig.workspace()
    made = await rig.made.services.create_caller(ALICE, "make").run(
        create_workspace, "sphere", Spec("lab", {"project": "p"})
    )
    browser = await rig.signed_in(page=made.operation.workspace_id)
    await browser.get(f"/ide/{made.operation.workspace_id}/stop")
    assert (browser.status, "lab" in browser.text) == (200, True)
    await browser.send(f"/ide/{made.operation.workspace_id}/stop")
    assert [one.verb for one in await rig.store.read(operations.open_operations, ALICE)] == [
        OperationVerb.STOP
    ]


async def test_a_button_pressed_from_elsewhere_does_nothing(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    forms = Inputs(browser.text).forms
    for path in (f"/ide/{workspace.id}/stop", "/sign-out"):
        forms |= Inputs(await browser.get(path)).forms
    by_script = {**OURS, "Sec-Fetch-Mode": "cors"}
    elsewhere = ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, by_script)
    paths = (f"/ide/{workspace.id}/stop", f"/ide/{workspace.id}/start", "/sign-out")
    for headers, path in product(elsewhere, paths):
        async with browser.session.post(rig.origin + path, data=forms[path], headers=headers) as answer:
            assert answer.status == 403, (headers, path)
    assert await rig.store.read(operations.open_operations, ALICE) == []
    await browser.get(f"/ide/{workspace.id}")
    assert browser.status == 200


@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
async def test_no_script_reads_a_page(rig, mode):
    """No script can read a page.

    This protects it from scripts in a proxy's own answer, which has the same origin, but not Usher's policy.
    """
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    own = f"/ide/{workspace.id}"
    for path in (own, f"{own}/stop", "/sign-out", "/link", "/link/check", f"/ide/{'s' * 9}"):
        async with browser.session.get(rig.origin + path, headers={**OURS, "Sec-Fetch-Mode": mode}) as answer:
            assert (answer.status, 'name="form"' in await answer.text()) == (404, False), path
    for path in (f"{own}/state", "/static/ide.js"):
        async with browser.session.get(rig.origin + path, headers={**OURS, "Sec-Fetch-Mode": mode}) as answer:
            assert answer.status == 200, path
    for navigates in ({}, {"Sec-Fetch-Mode": "navigate"}):
        async with browser.session.get(rig.origin + own, headers=navigates) as answer:
            assert answer.status == 200


async def test_what_is_gone_is_made_anew_from_the_page(rig):
    workspace = await rig.workspace(state=State.GONE)
    browser = await rig.signed_in(page=workspace.id)
    assert ide.START_NEW in browser.text
    await browser.send(f"/ide/{workspace.id}/start")
    (operation,) = await rig.store.read(operations.open_operations, ALICE)
    assert operation.verb is OperationVerb.CREATE
    assert browser.url.endswith(f"/ide/{operation.workspace_id}")
    assert operation.workspace_id != workspace.id
    assert "Your workspace is starting" in browser.text


async def test_what_is_stopped_starts_from_the_page(rig):
    workspace = await rig.workspace(state=State.STOPPED, actions=frozenset({"start"}))
    browser = await rig.signed_in(page=workspace.id)
    assert f">{ide.START}</button>" in browser.text
    await browser.send(f"/ide/{workspace.id}/start")
    assert [operation.verb for operation in await rig.store.read(operations.open_operations, ALICE)] == [
        OperationVerb.START
    ]


async def test_a_refused_operation_is_said_with_the_way_back(rig):
    workspace = await rig.workspace(state=State.GONE, actions=frozenset())
    browser = await rig.signed_in(page=workspace.id)
    await browser.send(f"/ide/{workspace.id}/start")
    assert browser.status == 409
    assert f'href="/ide/{workspace.id}"' in browser.text


async def test_one_person_cannot_press_without_end(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    page, statuses = await browser.get(f"/ide/{workspace.id}/stop"), set()
    for _ in range(31):
        browser.text = page
        await browser.send(f"/ide/{workspace.id}/stop", follow=False)
        statuses.add(browser.status)
    assert statuses == {303, 429}


async def test_the_page_is_small(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    size = len(browser.text.encode())
    for name in ("ide.js", "page.css", "icon.svg"):
        size += len((await browser.get(f"/static/{name}")).encode())
    assert size <= 50 * 1024


async def test_what_an_open_page_asks_all_the_time_is_no_line_in_the_log(rig, caplog):
    caplog.set_level(logging.INFO, logger="bot.web.access")
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    for _ in range(3):
        await browser.get(f"/ide/{workspace.id}/state")
    await browser.get("/ide/workspace_unknown/state")
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.web.access"]
    assert [line for line in lines if f"{workspace.id}/state" in line] == []
    assert lines[-1].startswith("GET /ide/workspace_unknown/state 404 ")
    assert TOKEN not in caplog.text


async def test_many_who_look_at_old_news_ask_for_one_read(rig):
    workspace = await rig.workspace()
    browser = await rig.signed_in(page=workspace.id)
    rig.clock.advance(60)
    rig.made.woken.clear()
    for _ in range(5):
        await browser.get(f"/ide/{workspace.id}")
        await browser.get(f"/ide/{workspace.id}/state")
    assert len(rig.made.woken) == 1
    rig.clock.advance(3)
    await browser.get(f"/ide/{workspace.id}/state")
    assert len(rig.made.woken) == 2
