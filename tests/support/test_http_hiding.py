"""Tests that secrets repeated by a server are removed before anybody reads its answer."""

import json
from base64 import b64encode
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from bot.providers.base import Access, Credential, CredentialPlacement
from bot.providers.requests import ApiClient
from bot.support.cleaning import HIDDEN
from bot.support.errors import InvalidRequest, ProviderError, ServerFailed, UnknownOutcome
from bot.support.http import open_stream
from tests.contract.providers.rigs import provider_of
from tests.support.http_rig import CANARY, HEADERS, http, raw_server, whole

OWN = "canary-own/secret+1"
REFRESH = "canary-of-refresh-77"
REPEATED = json.dumps(
    {
        "plain": f"who is {CANARY}?",
        "basic": b64encode(f"alice:{CANARY}".encode()).decode(),
        "address": f"https://x.example/?access_token={quote(OWN, safe='')}",
        "own": OWN,
        "refresh": REFRESH,
        "name": "fine",
    }
).encode()
ID = "0" * 32


def shown(body: bytes) -> dict[str, str]:
    """Check that an answer contains no secret, and return it as JSON."""
    for secret in (CANARY, OWN, quote(OWN, safe=""), REFRESH, b64encode(f"alice:{CANARY}".encode()).decode()):
        assert secret.encode() not in body
    return json.loads(body)


@pytest.mark.parametrize("way", ["GET", "POST", "peek", "whole", "pieces"])
async def test_no_answer_repeats_a_secret(way):
    async with raw_server(whole(REPEATED, "200 OK", "Connection: close")) as server, http() as client:
        client.hide([OWN])
        if way == "peek":
            client.hide([REFRESH])
            answer = await client.peek(server.url, headers=HEADERS)
        elif way in {"GET", "POST"}:
            answer = await client.request(way, server.url, headers=HEADERS, hides=[REFRESH])
        else:
            client.hide([REFRESH])
            async with open_stream(client, "POST", server.url, max_bytes=9999, headers=HEADERS) as stream:
                if way == "pieces":
                    assert shown(b"".join([piece async for piece in stream]))["name"] == "fine"
                    return
                answer = await stream.read_all()
        assert shown(answer.body)["plain"] == f"who is {HIDDEN}?"
        assert shown(answer.body)["name"] == "fine"
        assert CANARY not in repr(answer)
        if way != "whole":
            assert answer.json(unredacted=True)["own"] == OWN


async def test_a_token_in_the_address_does_not_come_back():
    async with raw_server(whole(REPEATED)) as server, http() as client:
        client.hide([REFRESH, CANARY])
        in_address = ApiClient(client, server.url, CredentialPlacement("access_token", in_query=True))
        answer = await in_address.acting_as(Credential(SecretStr(OWN))).call("GET", "/")
        assert shown(answer.body)["own"] == HIDDEN


@pytest.mark.parametrize(
    ("status", "method", "kind"),
    [
        (500, "GET", ServerFailed),
        (503, "POST", ServerFailed),
        (502, "POST", UnknownOutcome),
        (400, "GET", InvalidRequest),
    ],
)
async def test_what_a_server_says_is_quoted_without_the_token(status, method, kind):
    said = json.dumps({"message": f"{CANARY} at 10.0.0.7: psycopg2.OperationalError"}).encode()
    async with raw_server(whole(said, f"{status} Odd")) as server, http() as client:
        api = ApiClient(client, server.url, CredentialPlacement()).acting_as(Credential(SecretStr(CANARY)))
        with pytest.raises(ProviderError) as raised:
            await api.call(method, "/")
    assert type(raised.value) is kind
    assert raised.value.message == f"{HIDDEN} at 10.0.0.7: psycopg2.OperationalError"


async def test_an_administrators_call_does_not_repeat_the_token_of_whom_it_is_for():
    told = json.dumps({"status": "stopped", "name": f"of {CANARY}", "id": ID}).encode()
    async with raw_server(whole(told)) as server, http() as client:
        own = {"admin_token": OWN, "act_as": "admin", "linking": ["admin"]}
        saturn = provider_of("saturn", client, server.url, **own)
        credential = Credential(SecretStr(CANARY), SecretStr(REFRESH), {"acts": "admin"})
        seen = await saturn.status(Access("alice", credential), [ID])
    assert OWN.encode() in server.requests[0]
    assert seen[ID].name == f"of {HIDDEN}"


@pytest.mark.parametrize("shape", [f'"{CANARY}"', json.dumps({"token": CANARY})])
async def test_a_token_that_is_asked_for_is_read(shape):
    # The server doesn't name the token's owner, accepts the token, and refuses a made-up one.
    no = b'{"message": "no"}'
    answers = (whole(no, "404 Not Found"), whole(shape.encode()), whole(no, "401 Unauthorized"))
    async with raw_server(*answers) as server, http() as client:
        identity = await provider_of("saturn", client, server.url).check_credential(
            Credential(SecretStr(CANARY))
        )
    assert identity.credential.token.get_secret_value() == CANARY
