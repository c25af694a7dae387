"""Signing in at a real hub: the code flow with PKCE, our own token that outlasts the session, odd answers."""

import json
import time

import aiohttp
import pytest

from bot.domain.workspaces import State
from bot.providers.base import Access
from bot.providers.jupyterhub.provider import MAX_TOKEN_SECONDS
from bot.support import errors
from bot.support.http import Http
from bot.web.browsers import Flow
from tests.contract.providers.hub_tokens import tokens
from tests.contract.providers.rigs import HUB_BACK as BACK
from tests.contract.providers.rigs import Rig, provider_of, returned
from tests.playground.hub_help import browser, log_in
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def code_for(session: aiohttp.ClientSession, hub: Rig, flow: Flow) -> str:
    return await returned(session, hub.provider.oauth, flow)


async def signed_in_there(session: aiohttp.ClientSession, hub: Rig) -> None:
    name = hub.access.username
    await log_in(session, f"{hub.server.url}/hub/home", name, hub.server.users[name]["password"])


async def test_what_signing_in_brings_is_a_token_of_our_own_that_outlasts_the_session(hub: Rig):
    before = set(await tokens(hub))
    flow = Flow.create()
    async with browser() as session:
        await signed_in_there(session, hub)
        code = await code_for(session, hub, flow)
        identity = await hub.provider.oauth.exchange_code(code, flow.verifier, BACK)
        (made,) = set(await tokens(hub)) - before
        with pytest.raises(errors.CredentialRefused):
            await hub.provider.oauth.exchange_code(code, flow.verifier, BACK)
        async with session.get(f"{hub.server.url}/hub/logout") as out:
            assert out.status == 200
    assert identity.username == hub.access.username
    assert identity.credential.expires_at == pytest.approx(time.time() + MAX_TOKEN_SECONDS, abs=60)
    listed = (await tokens(hub))[made]
    assert (listed["note"], listed["oauth_client"]) == ("Usher", "JupyterHub")
    access = Access(identity.username, identity.credential)
    await hub.provider.start(access, build_row(hub.provider, hub.remote_id))
    await hub.read_until(State.RUNNING)
    await hub.provider.stop(access, build_row(hub.provider, hub.remote_id))
    await hub.provider.revoke(access)
    assert set(await tokens(hub)) == before


async def test_a_code_is_worth_nothing_without_verifier_and_secret(hub: Rig):
    client, flow = hub.provider.oauth, Flow.create()
    async with browser() as session, Http.new_session() as sending:
        await signed_in_there(session, hub)
        if hub.server.version >= "6":
            with pytest.raises(errors.CredentialRefused):
                await client.exchange_code(await code_for(session, hub, flow), Flow.create().verifier, BACK)
        with pytest.raises(errors.CredentialRefused):
            await client.exchange_code(await code_for(session, hub, flow), flow.verifier, BACK + "x")
        other = provider_of("jupyterhub", Http(sending), hub.server.api_url, client_secret="wrong" * 8)
        with pytest.raises(errors.Untrusted):
            await other.oauth.exchange_code(await code_for(session, hub, flow), flow.verifier, BACK)
        assert [await client.is_accepted(), await other.oauth.is_accepted()] == [True, False]
        secret = hub.server.oauth_client_secret
        other = provider_of(
            "jupyterhub",
            Http(sending),
            hub.server.api_url,
            client_id="service-x",
            client_secret=secret,
        )
        assert await other.oauth.is_accepted() is False


@pytest.mark.parametrize(
    ("path", "faults", "error"),
    [
        ("/oauth2/token$", [{"status": 502}], errors.TemporaryError),
        ("/oauth2/token$", [{"drop": True}], errors.TemporaryError),
        ("/oauth2/token$", [{"garbage": True}], errors.BadAnswer),
        ("/oauth2/token$", [{"body": "{}"}], errors.BadAnswer),
        ("/hub/api/user$", [{"status": 403}], errors.CredentialRefused),
        ("/hub/api/user$", [{"body": json.dumps({"kind": "service", "name": "x"})}], errors.Forbidden),
        ("/tokens$", [{"status": 403}], errors.Forbidden),
        ("/tokens$", [{"status": 400}] * 2, errors.Forbidden),
        ("/tokens$", [{"status": 400}], None),
    ],
)
async def test_odd_answers_on_the_way_to_a_token(quiet_hub: Rig, path, faults, error):
    flow, before = Flow.create(), set(await tokens(quiet_hub))
    async with browser() as session:
        await signed_in_there(session, quiet_hub)
        code = await code_for(session, quiet_hub, flow)
    for fault in faults:
        quiet_hub.inject_fault(path, **fault)
    finishing = quiet_hub.provider.oauth.exchange_code(code, flow.verifier, BACK)
    if error is None:
        identity = await finishing
        # A hub that limits the lifetime of tokens says when one ends; this hub has no limit.
        assert (identity.username, identity.credential.expires_at) == (quiet_hub.access.username, None)
        return
    with pytest.raises(error) as raised:
        await finishing
    assert code not in str(raised.value)
    if path == "/tokens$":
        # If Usher couldn't get a token of its own, the one from the sign-in isn't left behind.
        assert set(await tokens(quiet_hub)) <= before


async def test_an_operator_is_told_the_lines_that_register_usher(quiet_hub: Rig):
    told = quiet_hub.provider.describe_registration(BACK)
    written = told.partition("\n")[2].partition("and the same secret")[0]
    config: dict[str, object] = {}
    exec(written.replace("c.JupyterHub.", ""), config)
    (service,), (role,) = config["services"], config["load_roles"]
    assert (service["oauth_client_id"], service["oauth_redirect_uri"]) == ("service-usher", BACK)
    assert role["scopes"] == ["self", "access:services!service=usher"]
