"""Behaviour specific to Saturn Cloud: paged lists, servers that know only the guides, expiry, odd answers."""

import base64
import json

import pytest
from pydantic import SecretStr

from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.providers.base import Access, Credential
from bot.support import errors
from tests.contract.providers.rigs import SATURN_SEED, Rig, raises_exactly, saturn_rig
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID = "0123456789abcdef" * 2


async def status_for(saturn: Rig, **answer: object) -> Observed:
    saturn.inject_fault("/api/workspaces/", body=json.dumps(answer))
    return await saturn.observe()


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("running", State.RUNNING),
        ("stopped", State.STOPPED),
        ("pending", State.STARTING),
        ("stopping", State.STOPPING),
        ("error", State.FAILED),
        ("Running", State.RUNNING),
        ("hibernating\u202e<!channel>", State.UNKNOWN),
    ],
)
async def test_words_become_states(saturn: Rig, word, state):
    seen = await status_for(saturn, status=word, url=f"{saturn.provider.settings.base_url}/ide/1")
    assert seen.state is state
    assert (seen.url is not None) is (state is State.RUNNING)
    if state is State.UNKNOWN:
        assert "unknown state" in str(seen.detail)
        assert "\u202e" not in str(seen.detail)
    elif state is State.FAILED:
        assert seen.detail is None


@pytest.mark.parametrize(
    "answer",
    [{"name": "x"}, {"status": None}, {"status": ""}, {"status": 1}, {"status": ["running"]}],
    ids=str,
)
async def test_state_that_cannot_be_read_is_unknown(saturn: Rig, answer):
    """All unreadable states are described in the same words."""
    seen = await status_for(saturn, **answer)
    assert (seen.state, seen.detail) == (State.UNKNOWN, "its state can't be read")


@pytest.mark.parametrize("url", [None, ""])
async def test_running_without_an_address_lacks_it(saturn: Rig, url):
    assert await status_for(saturn, status="running", url=url) == Observed(State.RUNNING, lacks="address")


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "javascript:alert(1)", "http://127.0.0.1:1/", "//evil.example/x"]
)
async def test_an_address_elsewhere_is_kept_back_and_said(saturn: Rig, url):
    seen = await status_for(saturn, status="running", url=url)
    assert (seen.state, seen.url) == (State.RUNNING, None)
    assert "host" in str(seen.detail)


async def test_an_address_without_a_host_is_below_the_base(saturn: Rig):
    seen = await status_for(saturn, status="running", url="/ide/1?a=b")
    assert seen.url == f"{saturn.provider.settings.base_url}/ide/1?a=b"


async def test_an_answer_about_another_workspace_is_unreadable_and_never_gone(saturn: Rig):
    with pytest.raises(errors.BadAnswer, match="another"):
        await status_for(saturn, status="stopped", id=ID)
    assert (await status_for(saturn, status="stopped", id=saturn.remote_id.upper())).state is State.STOPPED


async def test_a_way_of_stopping_that_it_lacks_is_refused(saturn: Rig):
    with pytest.raises(errors.InvalidRequest, match="can't suspend"):
        await saturn.provider.stop(saturn.access, build_row(saturn.provider, saturn.remote_id), "suspend")


async def test_names_come_without_invisible_characters(saturn: Rig):
    long = "x\u0000\u202e" * 3000
    assert len(str((await status_for(saturn, status="stopped", name=long)).name)) == 250
    assert (await status_for(saturn, status="stopped", name=7)).name == "7"


async def test_a_token_that_expired_says_so_and_is_refreshed_once(saturn: Rig):
    saturn.server.state.accounts.mark("alice", "expired")
    for call in (
        saturn.provider.status(saturn.access, [saturn.remote_id]),
        saturn.provider.start(saturn.access, build_row(saturn.provider, saturn.remote_id)),
    ):
        with pytest.raises(errors.CredentialExpired):
            await call
    with pytest.raises(errors.CredentialRefused):
        await saturn.provider.refresh(saturn.access)  # without a refresh token there is nothing to do

    old = Credential(saturn.access.credential.token, SecretStr("refresh-alice"), {"kept": "1"})
    fresh = await saturn.provider.refresh(Access("alice", old))
    assert fresh.refresh_token not in {None, old.refresh_token}
    assert fresh.extra == {"kept": "1"}
    assert (await saturn.provider.check_credential(fresh)).username == "alice"
    with pytest.raises(errors.CredentialRefused):
        await saturn.provider.refresh(Access("alice", old))  # it is for one use


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"drop": True}, errors.UnknownOutcome),
        ({"status": 500}, errors.ServerFailed),
        ({"status": 404}, errors.CredentialRefused),
        ({"body": "<html>"}, errors.UnknownOutcome),
        ({"body": "{}"}, errors.BadAnswer),
        ({"body": '{"access_token": 1}'}, errors.BadAnswer),
    ],
)
async def test_a_refresh_that_goes_wrong(saturn: Rig, fault, kind):
    saturn.inject_fault("/api/auth/token", **fault)
    old = Credential(SecretStr("a" * 32), SecretStr("refresh-alice"))
    with raises_exactly(kind):
        await saturn.provider.refresh(Access("alice", old))


async def test_a_server_that_speaks_the_guides_alone_is_enough(saturn: Rig):
    saturn.server.state.seeds_only = True
    identity = await saturn.provider.check_credential(saturn.access.credential)
    assert identity.username == ""
    access = Access("", identity.credential)
    with pytest.raises(errors.NotFound):
        await saturn.provider.discover(access)
    await saturn.provider.start(access, build_row(saturn.provider, saturn.remote_id))
    assert (await saturn.read_until(State.RUNNING))[-1].url is not None
    with pytest.raises(errors.CredentialRefused):
        await saturn.provider.check_credential(Credential(SecretStr("0" * 32)))


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"status": 404, "times": 1}, errors.BadAnswer),  # it knows no token, and refuses none
        ({"status": 404, "body": "<html>"}, errors.BadAnswer),
        ({"body": "<html>"}, errors.BadAnswer),
        ({"status": 302}, errors.PermanentError),
        ({"status": 401}, errors.CredentialRefused),
        ({}, None),
    ],
)
async def test_where_nobody_is_named_another_token_must_be_refused(saturn: Rig, fault, outcome):
    saturn.inject_fault("/api/user$", status=404, body="<html>")
    if fault:
        saturn.inject_fault("/api/workspaces/", **{"times": 2, **fault})
    if "times" in fault:
        saturn.inject_fault("/api/workspaces/", status=404, body="{}")
    if outcome is None:
        assert (await saturn.provider.check_credential(saturn.access.credential)).username == ""
    else:
        with raises_exactly(outcome):
            await saturn.provider.check_credential(saturn.access.credential)


async def test_no_user_may_also_mean_that_the_token_is_none(saturn: Rig):
    saturn.inject_fault("/api/user$", status=204, times=2)
    assert (await saturn.provider.check_credential(saturn.access.credential)).username == ""
    with raises_exactly(errors.CredentialRefused):
        await saturn.provider.check_credential(Credential(SecretStr("0" * 32)))


END = "2027-01-15T08:00:00Z"


def token_that_says(**claims: object) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in ({"alg": "ES256"}, claims)
    ]
    return ".".join([*(part.rstrip("=") for part in parts), "c2lnbmF0dXJl"])


@pytest.mark.parametrize(
    ("claims", "listed", "ends_at"),
    [
        ({"exp": 1_800_000_000}, None, 1_800_000_000.0),
        ({"exp": "soon"}, None, None),
        ({"jti": "t1"}, [{"id": "t2", "expires_at": None}, {"id": "t1", "expires_at": END}], 1_800_000_000.0),
        ({"jti": "t1"}, [{"id": "t2", "expires_at": END}], None),
        ({"jti": "t1"}, "garbage", None),
        ({"sub": "alice"}, None, None),
    ],
)
async def test_a_token_says_when_it_ends_or_the_list_of_tokens_does(saturn: Rig, claims, listed, ends_at):
    token = token_that_says(**claims)
    saturn.server.state.accounts.add_token("alice", token)
    if listed is not None:
        saturn.inject_fault("/api/tokens$", body=json.dumps({"tokens": listed}))
    identity = await saturn.provider.check_credential(Credential(SecretStr(token)))
    assert (identity.username, identity.credential.expires_at) == ("alice", ends_at)


async def test_a_refreshed_token_ends_when_it_can_no_longer_be_refreshed(saturn: Rig):
    old = Credential(saturn.access.credential.token, SecretStr("refresh-alice"))
    answer = {"access_token": "a" * 32, "expires_at": "2026-01-01T00:00:00Z"}
    for more, ends_at in (
        ({"refresh_token": "r2", "refresh_expires_at": END}, 1_800_000_000.0),
        ({"refresh_token": "r2", "refresh_expires_at": None}, None),
        ({}, 1_767_225_600.0),
    ):
        saturn.inject_fault("/api/auth/token", body=json.dumps({**answer, **more}))
        assert (await saturn.provider.refresh(Access("alice", old))).expires_at == ends_at


@pytest.mark.parametrize("name", [None, "", 7, [], "\u202e\u0000"])
async def test_a_username_that_is_none_is_a_bad_answer(saturn: Rig, name):
    saturn.inject_fault("/api/user$", body=json.dumps({"username": name}))
    with pytest.raises(errors.BadAnswer, match="username"):
        await saturn.provider.check_credential(saturn.access.credential)


async def test_lists_are_read_to_their_end():
    seed = {
        "users": SATURN_SEED["users"],
        "workspaces": [{"owner": "alice", "name": f"w{number}"} for number in range(11)],
    }
    async with saturn_rig({**seed, "workspaces": [*seed["workspaces"], *SATURN_SEED["workspaces"]]}) as rig:
        found = await rig.provider.discover(rig.access)
        assert {f"w{number}" for number in range(11)} < {one.name for one in found}
        assert rig.harness.requests["GET /api/recipes"] > 3


def page(*recipes: object, **more: object) -> str:
    return json.dumps({"recipes": recipes, **more})


def recipe(**changes: object) -> dict[str, object]:
    whole = {"type": "workspace", "spec": {"name": "w"}, "state": {"id": ID, "status": "stopped"}}
    return {**whole, **changes}


async def test_from_a_list_whose_pages_come_again_nothing_follows(saturn: Rig):
    saturn.inject_fault("/api/recipes", times=9, body=page(recipe(), next_key="again"))
    found = await saturn.provider.discover(saturn.access)
    assert ([one.remote_id for one in found], found.is_whole) == ([ID], False)
    assert saturn.harness.requests["GET /api/recipes"] == 2


async def test_a_list_of_endless_pages_is_a_bad_answer(saturn: Rig):
    for number in range(99):
        saturn.inject_fault("/api/recipes", body=page(next_key=number + 1))
    with pytest.raises(errors.BadAnswer, match="no end"):
        await saturn.provider.discover(saturn.access)
    assert saturn.harness.requests["GET /api/recipes"] == 50


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"recipes": null}', "recipes"),
        ('{"recipes": {}}', "recipes"),
        (page(7), "recipe"),
        (page(recipe(spec={"name": "w", "owner": 7})), "owner"),
        (page(recipe(state=[])), "id"),
        (page(recipe(state={"status": "stopped"})), "id"),
        (page(next_key=True), "no end"),
        (page(next_key={"a": 1}), "no end"),
    ],
)
async def test_a_list_in_which_nothing_can_be_read_is_not_an_empty_one(saturn: Rig, body, field):
    saturn.inject_fault("/api/recipes", body=body)
    with pytest.raises(errors.BadAnswer, match=field):
        await saturn.provider.discover(saturn.access)


async def test_lists_leave_out_what_is_not_the_persons_workspace(saturn: Rig):
    listed = page(
        recipe(spec={"name": "mine", "owner": "acme/alice"}),
        recipe(spec={"name": "bobs", "owner": "acme/bob"}, state={"id": "b" * 32, "status": "running"}),
        recipe(type="job", state={"id": "c" * 32, "status": "stopped"}),
        recipe(spec={"name": "\u202e\u0000"}, state={"id": "d" * 32, "status": "odd"}),
        next_key="",
    )
    saturn.inject_fault("/api/recipes", body=listed)
    found = await saturn.provider.discover(saturn.access)
    assert [(one.remote_id, one.name) for one in found] == [(ID, "mine"), ("d" * 32, "")]
    assert [one.observed.state for one in found] == [State.STOPPED, State.UNKNOWN]


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize(
    ("verb", "message", "is_done"),
    [
        ("start", "Workspace is already running", True),
        ("start", "The resource is pending", True),
        ("start", "The workspace is stopping", False),
        ("start", "running out of credits", False),
        ("stop", "already stopped", True),
        ("stop", "The workspace is stopping", True),
        ("stop", "Workspace is not running", True),
        ("stop", "The workspace is locked", False),
    ],
)
async def test_a_conflict_that_means_already_is_success(saturn: Rig, status, verb, message, is_done):
    saturn.inject_fault(f"/{verb}$", status=status, body=json.dumps({"message": message}))
    call = getattr(saturn.provider, verb)(saturn.access, build_row(saturn.provider, saturn.remote_id))
    if is_done:
        assert await call == message
    else:
        with pytest.raises((errors.Conflict, errors.InvalidRequest)):
            await call


async def test_a_start_while_stopping_is_a_conflict(saturn: Rig):
    await saturn.provider.start(saturn.access, build_row(saturn.provider, saturn.remote_id))
    await saturn.read_until(State.RUNNING)
    await saturn.provider.stop(saturn.access, build_row(saturn.provider, saturn.remote_id))
    with pytest.raises(errors.Conflict):
        await saturn.provider.start(saturn.access, build_row(saturn.provider, saturn.remote_id))


async def test_renamed_account_is_asked_to_link_again(saturn: Rig):
    """A renamed account's workspaces are still its own, so nothing is reported as gone."""
    shown = {"id": saturn.remote_id, "status": "stopped", "owner": {"name": "acme/alice-b"}}
    saturn.inject_fault(
        f"GET /api/workspaces/{saturn.remote_id}$", status=200, body=json.dumps(shown), times=2
    )
    assert (await saturn.observe()).state is State.GONE
    saturn.inject_fault("GET /api/user$", status=200, body=json.dumps({"username": "alice-b"}))
    with pytest.raises(errors.AccountRenamed, match="alice-b"):
        await saturn.observe()
