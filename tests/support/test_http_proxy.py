"""Tests of requests through an HTTP proxy, which keep all the other rules."""

import ssl
from contextlib import asynccontextmanager

import pytest
from yarl import URL

from bot.support.addresses import Proxy
from bot.support.errors import SentTooLate, Unreachable
from bot.support.http import Http
from tests.rigs.clock import FakeClock
from tests.rigs.proxy import PASSWORD, forward_proxy
from tests.support.certificates import own_certificate
from tests.support.http_rig import CANARY, HEADERS, chain, raw_server, whole

HUB = "hub.example"


@asynccontextmanager
async def behind(folder, *answers, answer=b"", before=lambda: None, clock=None):
    """A server with its own certificate, a proxy that reaches it, and a client that uses the proxy."""
    certificate = own_certificate(folder, HUB)
    trusting = ssl.create_default_context(cafile=folder / "both.pem")
    async with (
        raw_server(*answers, ssl=certificate) as server,
        forward_proxy(answer, before) as proxy,
        Http.new_session(Proxy(proxy.url), trusting=trusting) as session,
    ):
        server.url = f"https://{HUB}:{server.port}"
        yield server, proxy, Http(session, (clock or FakeClock()).monotonic)


async def test_token_for_an_outside_host_goes_through_a_tunnel(tmp_path, monkeypatch):
    # Passwords of other programs for the same host aren't used.
    (tmp_path / "netrc").write_text(f"machine {HUB} login somebody password other-password\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with behind(tmp_path, whole(b'{"a": 1}'), whole(b'{"a": 2}')) as (server, proxy, client):
        first = await client.request("GET", f"{server.url}/one", headers=HEADERS)
        second = await client.request("GET", f"{server.url}/two")
        assert [first.json_object(), second.json_object()] == [{"a": 1}, {"a": 2}]
        assert proxy.asked == [f"CONNECT {HUB}:{server.port} HTTP/1.1"]
        assert CANARY not in proxy.heads[0]
        assert [CANARY.encode() in request for request in server.requests] == [True, False]
        assert not any(b"Authorization: Basic" in request for request in server.requests)
        assert not any(PASSWORD.encode() in request for request in server.requests)


async def test_what_is_on_this_machine_never_leaves_it(monkeypatch):
    async with raw_server(whole()) as server, forward_proxy() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with Http.new_session(Proxy(proxy.url)) as session:
            await Http(session).request("GET", server.url, headers=HEADERS)
        assert (proxy.heads, len(server.requests)) == ([], 1)


@pytest.mark.parametrize(
    ("url", "without", "is_asked"),
    [
        ("https://hub.example/", "", True),
        ("wss://wss-primary.slack.com/link", "", True),
        ("https://hub.example/", "hub.example", False),
        ("https://HUB.example./", " other.example , Hub.Example", False),
        ("https://alice.hub.example/", "hub.example", False),
        ("https://alice.hub.example/", ".hub.example", False),
        ("https://alice.hub.example/", "*.hub.example", False),
        ("https://nothub.example/", "hub.example,", True),
        ("https://hub.example:8443/", "hub.example:8443", False),
        ("https://hub.example/", "hub.example:8443", True),
        ("https://hub.example/", "*", False),
        ("https://[fd00::5]/", "fd00::5", False),
        ("https://[fd00::5]/", "FD00:0::5", False),
        ("https://[fd00::5]:8443/", "[fd00::5]:8443", False),
        ("https://[fd00::5]/", "[fd00::5]:8443", True),
        ("https://[fd00::5]/", "fd00::6,fd00", True),
        ("https://10.1.2.3/", "localhost,127.0.0.0/8,10.0.0.0/8", False),
        ("https://10.1.2.3/", "10.1.2.3:443", False),
        ("https://11.1.2.3/", "10.0.0.0/8", True),
        ("https://hub.example/", "0.0.0.0/0,::/0", True),
        ("https://127.0.0.1:1/", "", False),
        ("https://[::1]:1/", "", False),
        ("https://alice.localhost/", "", False),
        ("http://hub.example/", "", False),
    ],
)
def test_who_is_reached_through_it(url, without, is_asked):
    proxy = Proxy("http://proxy.example:3128", without)
    assert (proxy.of(URL(url)) is not None) == is_asked
    assert Proxy("", without).of(URL(url)) is None


async def test_a_window_that_closes_while_the_proxy_thinks_stops_the_request(tmp_path):
    clock = FakeClock()
    async with behind(tmp_path, whole(), before=lambda: clock.advance(0.6), clock=clock) as (
        server,
        proxy,
        client,
    ):
        with pytest.raises(SentTooLate):
            await client.request("GET", server.url, headers=HEADERS, send_until=clock.monotonic() + 0.5)
        assert (len(proxy.heads), server.requests) == (1, [])
        # By now the tunnel through the proxy is open.
        await client.request("GET", server.url, send_until=clock.monotonic() + 0.5)
        assert (len(proxy.heads), len(server.requests)) == (1, 1)


@pytest.mark.parametrize(
    "status", ["302 Found", "403 Forbidden", "407 Proxy Authentication Required", "502 Bad"]
)
async def test_a_proxy_that_refuses_leaves_the_request_unsent(tmp_path, status):
    refusal = whole(b"<html>", status, "Location: https://evil.example/")
    async with behind(tmp_path, whole(), answer=refusal) as (server, proxy, client):
        with pytest.raises(
            Unreachable, match=f"HTTP proxy refuses the connection with {status[:3]}"
        ) as caught:
            await client.request("POST", server.url, headers=HEADERS)
        assert (len(proxy.heads), server.connections) == (1, 0)
    assert chain(caught.value) == [caught.value]
    assert PASSWORD not in str(caught.value)


async def test_without_the_proxy_nothing_is_reached_in_another_way(tmp_path):
    async with behind(tmp_path, whole()) as (server, _proxy, _client):
        gone = Proxy("http://127.0.0.1:9")
        async with Http.new_session(gone) as session:
            with pytest.raises(Unreachable, match="no connection to the HTTP proxy"):
                await Http(session).request("GET", server.url)
        assert server.connections == 0


async def test_a_redirect_behind_it_is_not_followed_and_what_was_not_asked_for_is_not_read(tmp_path):
    stale = whole(b"{}", "408 Request Timeout")
    moved = whole(b"", "302 Found", "Location: https://evil.example/")
    async with behind(tmp_path, moved, whole(b'{"a": 1}') + stale, whole(b'{"a": 2}')) as (
        server,
        proxy,
        client,
    ):
        assert (await client.request("GET", server.url, headers=HEADERS)).status == 302
        answers = [(await client.request("GET", server.url)).json_object() for _ in range(2)]
        assert answers == [{"a": 1}, {"a": 2}]
        assert set(proxy.asked) == {f"CONNECT {HUB}:{server.port} HTTP/1.1"}
