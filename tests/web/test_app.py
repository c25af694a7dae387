"""Tests of the whole application: health, metrics, friendly errors, and which addresses each form has."""

import asyncio
import gc
import json
import logging
import socket
from contextlib import suppress
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from bot.support.addresses import PROOF_PATH
from bot.support.errors import StoreBusy, StoreUnavailable, StoreUnsure
from bot.web.app import build_app, failures, listening, protect
from bot.web.health import HealthRoutes, Metrics
from bot.web.replays import Replays
from tests.rigs.clock import CountingIds
from tests.web.bolts import bolt_with
from tests.web.rig import ALICE, rig, settings


async def test_health_tells_its_state_and_no_secret():
    async with rig() as made:
        browser = await made.browser()
        assert json.loads(await browser.get("/healthz")) == {"alive": True}
        assert json.loads(await browser.get("/readyz")) == {"ready": True, "checks": {"slack": True}}
        assert json.loads(await browser.get("/workz")) == {"working": True, "checks": {"store": True}}
        made.slack_ready = False
        assert json.loads(await browser.get("/readyz")) == {"ready": False, "checks": {"slack": False}}
        assert browser.status == 503
        made.slack_ready = True
        await made.store.close()
        assert json.loads(await browser.get("/workz"))["checks"] == {"store": False}
        assert browser.status == 503
        # Without its database the process stays ready, since it still tells people about the outage.
        assert json.loads(await browser.get("/readyz"))["ready"] is True
        assert browser.status == 200
        await browser.get("/healthz")
        assert browser.status == 200
        await browser.get("/metrics")
        assert browser.status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/workz", "/metrics"])
async def test_health_answers_with_a_slash_at_the_end_as_without(path):
    async with rig() as made:
        browser = await made.browser()
        await browser.get(path + "/")
        assert browser.status == 200


async def test_usher_proves_that_it_answers_at_its_address_to_a_nonce_and_to_nothing_else():
    nonce = "0123456789abcdef" * 2
    async with rig() as made:
        browser = await made.browser()
        answer = await browser.get(f"{PROOF_PATH}/{nonce}")
        assert made.context.vault.is_proof(nonce, answer)
        # A recorded proof is worthless for the next nonce.
        assert not made.context.vault.is_proof(nonce[::-1], answer)
        for other in (nonce[1:], f"{nonce}0", nonce.upper()):
            await browser.get(f"{PROOF_PATH}/{other}")
            assert browser.status == 404


async def test_figures_are_few_and_name_nobody():
    async with rig() as made:
        made.metrics.count_reads("saturn", 3)
        made.metrics.note_claim("saturn", 0.012)
        made.metrics.count_failure("saturn", "RateLimited")
        made.metrics.request_refused("malformed: view.id")
        browser = await made.browser()
        await browser.session.post(made.origin + "/slack/events", data=b"x")
        text = await browser.get("/metrics")
        assert browser.headers["Content-Type"].startswith("text/plain")
        assert 'usher_polls_total{connection="saturn"} 3.0' in text
        assert 'usher_claim_seconds_bucket{connection="saturn",le="0.01"} 0.0' in text
        assert 'usher_claim_seconds_bucket{connection="saturn",le="0.015"} 1.0' in text
        assert 'usher_provider_errors_total{connection="saturn",kind="RateLimited"} 1.0' in text
        assert 'usher_slack_requests_refused_total{reason="malformed"} 1.0' in text
        assert 'usher_slack_requests_refused_total{reason="headers"} 1.0' in text
        assert "usher_open_operations 0.0" in text
        assert "usher_people 2.0" in text
        assert "python_info" not in text
        assert "Alice" not in text


async def test_unknown_addresses_are_answered_kindly():
    async with rig() as made:
        browser = await made.browser()
        page = await browser.get("/nowhere/<script>")
        assert browser.status == 404
        assert "leads nowhere" in page
        assert "<script" not in page
        async with browser.session.delete(made.origin + "/link") as response:
            assert response.status == 405
            assert "GET" in response.headers["Allow"]


NAMES = [
    "x" * 4000,
    "..%2fapp.py",
    "%00",
    "page.css%00",
    "page.css/",
    "%2e%2e/app.py",
    "~",
    "\u202e" * 90,
    "",
]


async def test_no_name_of_a_file_breaks_anything():
    async with rig() as made:
        browser = await made.browser()
        for name in NAMES:
            await browser.get(f"/static/{name}")
            assert browser.status == 404, name
        assert "margin" in await browser.get("/static/page.css?v=1")
        assert browser.headers["Content-Type"] == "text/css"
        assert browser.headers["Cache-Control"].startswith("public")


STRANGERS = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n",
    b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 20_000),
    b"GET http://[bad/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /link/check HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n",
]


async def test_what_is_no_http_is_no_error_of_ours(caplog):
    caplog.set_level(logging.INFO)
    async with rig() as made:
        for sent in STRANGERS:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(made.origin.rpartition(":")[2]))
            writer.write(sent)
            assert b" 400 Bad Request" in await reader.read()
            writer.close()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    # Anybody who monitors the access log sees these requests.
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.web.access"]
    assert sum(" 400 " in line for line in lines) == len(STRANGERS)


async def test_a_form_whose_body_is_garbage_is_refused(capsys):
    async with rig() as made:
        browser = await made.browser()
        await browser.get(await made.accounts.invite(ALICE, "saturn"))
        headers = {
            "Origin": made.origin,
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Encoding": "deflate",
        }
        url = f"{made.origin}/link/check"
        async with browser.session.post(
            url, data=b"x" * 50, headers=headers, skip_auto_headers=["Content-Encoding"]
        ) as answer:
            assert answer.status == 403
    assert "web.failed" not in capsys.readouterr().out


async def test_figures_can_be_kept_for_who_brings_the_token():
    async with rig() as made:
        app = await build_again(made, metrics_token=SecretStr("canary-of-metrics"))
        async with TestClient(TestServer(app)) as client:
            for given in ({}, {"Authorization": "Bearer canary"}, {"Authorization": "Bearer \u00e9"}):
                refused = await client.get("/metrics", headers=given)
                assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
                assert "usher_" not in await refused.text()
            good = await client.get("/metrics", headers={"Authorization": "Bearer canary-of-metrics"})
            assert (good.status, "usher_people" in await good.text()) == (200, True)
            assert (await client.get("/readyz")).status == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("canary-of-an-exception"), 500),
        (StoreBusy("canary"), 503),
        (StoreUnavailable("canary"), 503),
        (StoreUnsure("canary"), 503),
        (web.HTTPRequestEntityTooLarge(1, 2), 413),
    ],
)
async def test_a_failure_is_a_page_with_a_reference_that_the_log_knows(error, status, capsys):
    async def fail(_request: web.Request) -> web.Response:
        raise error

    app = web.Application(middlewares=[failures(CountingIds())])
    app.router.add_get("/", fail)
    app.on_response_prepare.append(protect)
    async with TestClient(TestServer(app)) as client:
        response = await client.get("/")
        page = await response.text()
    assert response.status == status
    assert "canary" not in page
    assert "Traceback" not in page
    if status == 503:
        assert ("Nothing was changed" in page) is not isinstance(error, StoreUnsure)
    if status != 413:
        assert "TEST-0001" in page
        assert "TEST-0001" in capsys.readouterr().out


async def build_again(made, **given):
    return build_app(
        replace(made.context, public_url=None),
        made.services.limiter,
        settings(None, "https://slack.com/api/", is_http=False, **given),
        bolt=bolt_with(),
        http=None,
        health=HealthRoutes(
            store=made.store,
            ready=dict,
            works=dict,
            metrics=Metrics(),
            metrics_token=given.get("metrics_token"),
        ),
        replays=Replays(made.clock.monotonic),
        machine=made.clock,
    )


async def test_calendars_of_earlier_releases_are_gone():
    async with rig() as made, TestClient(TestServer(await build_again(made))) as client:
        answer = await client.get("/calendar/3f2a.ics")
        assert answer.status == 410
        assert "doesn't offer calendars any more" in await answer.text()


async def test_in_socket_mode_without_an_address_there_is_health_and_nothing_else():
    async with rig() as made, TestClient(TestServer(await build_again(made))) as client:
        assert (await client.post("/slack/events")).status == 404
        assert (await client.get("/link")).status == 404
        assert (await client.get("/healthz")).status == 200


async def test_the_client_belongs_to_the_sign_in():
    async with rig() as made:
        with pytest.raises(ValueError, match="client id"):
            await build_again(made, has_client=True)


async def test_an_address_in_use_is_told_at_once():
    async with rig() as made:
        port = int(made.origin.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            async with listening(await build_again(made), "127.0.0.1", port):
                pass
        async with listening(await build_again(made), "127.0.0.1", port, 0) as another:
            assert another != port


@pytest.mark.parametrize("turns", range(5))
async def test_who_connects_while_the_server_closes_is_let_go_in_good_order(turns):
    """When asyncio closes a server, it drops connections that were just accepted, without closing them.

    The resulting ResourceWarning would fail the test.
    """
    async with rig() as made:
        with socket.socket() as caller:
            async with listening(await build_again(made), "127.0.0.1", 0) as port:
                caller.connect(("127.0.0.1", port))
                for _ in range(turns):
                    await asyncio.sleep(0)
            caller.setblocking(False)
            with suppress(ConnectionResetError):
                assert await asyncio.get_running_loop().sock_recv(caller, 1) == b""
    gc.collect()


async def test_the_access_log_says_what_happened_without_query(caplog):
    caplog.set_level(logging.INFO, logger="bot.web.access")
    async with rig() as made:
        browser = await made.browser()
        await browser.get(await made.accounts.invite(ALICE, "saturn"))
        await browser.get("/link/slack?code=canary&state=canary")
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.web.access"]
    assert lines[0].startswith("GET /link/… 303 ")
    assert lines[1].startswith("GET /link 200 ")
    assert lines[2].startswith("GET /link/slack 403 ")
    assert "canary" not in caplog.text
