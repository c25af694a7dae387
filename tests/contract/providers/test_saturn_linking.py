"""Acting for a person whom an administrator approved, with a login link; redirects are never followed."""

import json

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.domain.workspaces import State
from bot.providers.base import Access, Credential
from bot.support import errors
from tests.contract.providers.rigs import SATURN_ADMIN as ADMIN
from tests.contract.providers.rigs import SATURN_SEED as SEED
from tests.contract.providers.rigs import provider_of, raises_exactly, saturn_rig
from tests.contract.providers.saturn_2026_rig import saturn_2026_rig
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def rig():
    async with saturn_rig() as ready:
        yield ready


def with_admin(rig, **settings):
    """Return a rig's provider, set up so that administrators link people's accounts."""
    told = {"linking": ["admin"], "admin_token": ADMIN, **settings}
    return provider_of("saturn", rig.provider.api._http, rig.provider.settings.base_url, **told)


async def test_only_the_document_of_2026_says_whose_address_is_which(rig):
    assert await with_admin(rig).read_email("alice") is None
    async with saturn_2026_rig() as newer:
        assert await with_admin(newer).read_email("alice") == "alice@example.com"
        # The server also lists people whose names merely contain the text.
        assert await with_admin(newer).read_email("alic") is None


async def test_an_approved_username_gets_a_token_of_its_own(rig):
    identity = await with_admin(rig).check_username("alice")
    token = identity.credential.token.get_secret_value()
    assert identity.username == "alice"
    assert token == SEED["users"][0]["token"]
    assert (identity.credential.owner, identity.credential.is_renewable) == ("admin", True)
    # The session that was used to read the token was used for nothing else.
    sent = {path for path in rig.harness.requests if "/auth/" not in path}
    assert sent == {"GET /api/user/token", "GET /api/user"}


async def test_what_an_approval_brought_drives_workspaces_as_the_person(rig):
    provider = with_admin(rig)
    access = Access("alice", (await provider.check_username("alice")).credential)
    assert not provider.can_reach_all_workspaces(access)
    assert provider.credential_owner(access, "start") == "person"
    await provider.start(access, build_row(provider, rig.remote_id))
    assert (await provider.status(access, [rig.remote_id]))[rig.remote_id].state is State.STARTING
    with pytest.raises(errors.NotFound):
        await provider.start(access, build_row(provider, rig.foreign_id))


async def test_a_server_that_wants_the_administrators_token_gets_it(rig):
    rig.server.state.admin_only = True
    person, admin = with_admin(rig), with_admin(rig, act_as="admin")
    access = Access("alice", (await person.check_username("alice")).credential)
    with pytest.raises(errors.Forbidden):
        await person.status(access, [rig.remote_id])
    assert admin.can_reach_all_workspaces(access)
    assert [admin.credential_owner(access, call) for call in ("read", "start", "stop")] == ["admin"] * 3
    assert admin.credential_owner(access, "create") == "person"
    await admin.start(access, build_row(admin, rig.remote_id))
    rig.server_clock.advance(30)
    assert (await admin.status(access, [rig.remote_id]))[rig.remote_id].state is State.RUNNING
    # A person who linked their own token uses that one, whatever the connection's settings say.
    own = Access("alice", Credential(SecretStr(SEED["users"][0]["token"])))
    assert not admin.can_reach_all_workspaces(own)
    assert admin.credential_owner(own, "start") == "person"


async def test_a_token_that_is_refused_is_had_anew(rig):
    provider = with_admin(rig)
    old = Access("alice", (await provider.check_username("alice")).credential)
    rig.server.state.accounts.mark("alice", "revoked")
    with pytest.raises(errors.CredentialRefused):
        await provider.status(old, [rig.remote_id])
    fresh = await provider.refresh(old)
    assert fresh.token != old.credential.token
    assert fresh.owner == "admin"
    assert (await provider.check_credential(fresh)).username == "alice"


async def test_a_username_that_is_not_there_is_not_found(rig):
    with pytest.raises(errors.NotFound):
        await with_admin(rig).check_username("nobody")


@pytest.mark.parametrize(("token", "is_valid"), [(ADMIN, True), ("bad0" * 8, False), (None, None)])
async def test_an_administrators_token_is_checked_without_anybodys_name(rig, token, is_valid):
    linking = {"linking": ["token"]} if token is None else {}
    assert await with_admin(rig, admin_token=token, **linking).is_secret_accepted() is is_valid


@pytest.mark.parametrize(
    ("token", "kind"), [("bad0" * 8, errors.CredentialRefused), ("b0b0b0" * 5, errors.Forbidden)]
)
async def test_a_token_that_is_no_administrators_says_so(rig, token, kind):
    with raises_exactly(kind) as caught:
        await with_admin(rig, admin_token=token).check_username("alice")
    assert token not in str(caught.value)


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "https://evil.example", "http://app.localhost:1"])
async def test_a_login_link_to_another_host_is_not_opened(rig, host):
    rig.server.state.limits.login_link_host = host
    with pytest.raises(errors.Untrusted, match="another host"):
        await with_admin(rig).check_username("alice")
    assert not [path for path in rig.harness.requests if "loginlink?" in path or "/api/" in path]


@pytest.mark.parametrize("who", ["bob", "admin"])
async def test_a_token_of_another_person_is_not_taken(rig, who):
    rig.server.state.limits.login_link_as = who
    with pytest.raises(errors.Untrusted) as caught:
        await with_admin(rig).check_username("alice")
    assert ADMIN not in str(caught.value)
    assert SEED["users"][1]["token"] not in str(caught.value)


async def test_a_server_that_names_nobody_is_taken_at_its_word(rig):
    rig.server.state.seeds_only = True
    identity = await with_admin(rig).check_username("alice")
    assert (identity.username, identity.credential.owner) == ("alice", "admin")


@pytest.mark.parametrize(
    ("path", "fault", "kind"),
    [
        ("createloginlink", {"body": "{}"}, errors.BadAnswer),
        (
            "createloginlink",
            {"body": '{"a": "https://x.test/1", "b": "https://x.test/2"}'},
            errors.BadAnswer,
        ),
        ("createloginlink", {"body": "<html>"}, errors.UnknownOutcome),
        ("createloginlink", {"status": 500}, errors.ServerFailed),
        ("createloginlink", {"status": 429}, errors.RateLimited),
        ("createloginlink", {"drop": True}, errors.UnknownOutcome),
        ("createloginlink", {"status": 404, "body": "<html>"}, errors.Forbidden),
        ("/auth/loginlink", {"status": 200, "body": "<html>"}, errors.Forbidden),
        ("/auth/loginlink", {"status": 401}, errors.Forbidden),
        ("/auth/loginlink", {"status": 503}, errors.ServerFailed),
        ("/auth/loginlink", {"status": 302, "headers": {"Location": "https://evil.test"}}, errors.Forbidden),
        ("/auth/loginlink", {"drop": True}, errors.BadAnswer),
        ("/api/user/token", {"body": "7"}, errors.BadAnswer),
        ("/api/user/token", {"body": '{"token": null}'}, errors.BadAnswer),
        ("/api/user/token", {"status": 500}, errors.ServerFailed),
        ("/api/user$", {"body": '{"username": "alice2"}'}, errors.Untrusted),
        ("/api/user$", {"status": 401}, errors.Untrusted),
        ("/api/user$", {"status": 500}, errors.ServerFailed),
    ],
)
async def test_a_login_link_or_its_session_that_goes_wrong(rig, path, fault, kind):
    rig.inject_fault(path, **fault)
    with raises_exactly(kind) as caught:
        await with_admin(rig).check_username("alice")
    assert "code=" not in str(caught.value)


async def test_the_link_may_be_a_path_and_the_token_in_an_object(rig):
    code = rig.server.state.accounts.create_link("alice")
    rig.inject_fault(
        "createloginlink", body=json.dumps({"status": "ok", "url": f"/auth/loginlink?code={code}"})
    )
    assert (await with_admin(rig).check_username("alice")).username == "alice"
    rig.inject_fault("/api/user/token", body=json.dumps({"token": SEED["users"][0]["token"]}))
    assert (await with_admin(rig).check_username("alice")).username == "alice"


async def test_settings_that_do_not_go_together():
    with pytest.raises(ValueError, match="act_as"):
        provider_of("saturn", None, "https://app.acme.io", admin_token="x", act_as="admin")


async def test_a_login_link_may_lead_on_within_the_server_and_not_in_circles(rig):
    code = rig.server.state.accounts.create_link("alice")
    onwards = {"Location": f"/auth/loginlink?code={code}"}
    rig.inject_fault("/auth/loginlink$", status=302, headers=onwards)
    assert (await with_admin(rig).check_username("alice")).username == "alice"
    before = rig.count_requests()
    rig.inject_fault("/auth/loginlink$", times=100, status=302, headers=onwards)
    with pytest.raises(errors.Forbidden, match="no session"):
        await with_admin(rig).check_username("alice")
    assert rig.count_requests() - before < 10


async def test_a_cookie_that_opens_nothing_yet_is_carried_on(rig):
    code = rig.server.state.accounts.create_link("alice")
    rig.inject_fault(
        "/auth/loginlink$",
        status=302,
        headers={"Location": f"/auth/loginlink?code={code}", "Set-Cookie": "first=1; Path=/"},
    )
    assert (await with_admin(rig).check_username("alice")).username == "alice"
