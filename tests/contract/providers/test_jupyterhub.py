"""Behaviour specific to JupyterHub, on a real hub: limits, failed starts, progress, probes, own tokens."""

import json
import time
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from bot.domain import failure_causes
from bot.domain.failure_causes import Reason
from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.providers.base import Access, Credential
from bot.providers.jupyterhub.provider import MAX_TOKEN_SECONDS
from bot.providers.jupyterhub.servers import read_token_owner
from bot.support import errors
from bot.support.http import Http
from tests.contract.providers.hub_tokens import api, tokens
from tests.contract.providers.rigs import Rig, provider_of
from tests.rigs.hubs import list_full_scopes
from tests.rigs.providers import NO_GPU
from tests.support.http_rig import raw_server, whole
from usher.conformance.rigs import build_row

KUBERNETES = (
    "(403)\nReason: Forbidden\nHTTP response headers: <CIMultiDictProxy('Server': 'x')>\nHTTP response body: "
)
EXCEEDED = {"kind": "Status", "message": "exceeded quota: compute, requested: limits.cpu=2", "code": 403}
USED_UP = "usage = 80.00 GiB-hours is over the quota limit of 10.00 GiB-hours over the last 30 days."

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def status_of(hub: Rig, **server: object) -> Observed:
    """Return the status read from a hub that lists a single server with these values."""
    told = {"pending": None, "ready": False, "url": f"/user/{hub.access.username}/training/", **server}
    hub.inject_fault(f"/users/{hub.access.username}$", body=json.dumps({"servers": {"training": told}}))
    return await hub.observe()


async def test_a_failed_start_tells_its_reason_and_can_be_tried_again(hub: Rig):
    await hub.provider.start(hub.access, build_row(hub.provider, hub.broken_id))
    failed = (await hub.read_until(State.FAILED, remote_id=hub.broken_id))[-1]
    assert "image of this server could not be pulled" in str(failed.reason)
    found = {one.remote_id: one.observed.state for one in await hub.provider.discover(hub.access)}
    assert found[hub.broken_id] is State.FAILED
    await hub.provider.start(hub.access, build_row(hub.provider, hub.broken_id))
    assert (await hub.observe(hub.broken_id)).state in {State.STARTING, State.FAILED}
    await hub.read_until(State.FAILED, remote_id=hub.broken_id)


@pytest.mark.parametrize(
    ("raises", "words", "reason"),
    [
        pytest.param(
            [0, KUBERNETES + json.dumps(EXCEEDED)], EXCEEDED["message"], Reason.QUOTA, id="kubernetes"
        ),
        pytest.param(
            [500, "No credit left.<br>Ask the lab."], "No credit left. Ask the lab.", None, id="tags"
        ),
        pytest.param([403, f"Your memory {USED_UP}"], f"Your memory {USED_UP}", Reason.USAGE, id="hours"),
        pytest.param([0, "HTTPError(429, 'Come back later')"], "Come back later", None, id="exception"),
        pytest.param([0, '{"errors": [{"message": "Budget used up"}]}'], "Budget used up", None, id="json"),
    ],
)
async def test_a_start_that_raises_is_told_in_the_innermost_words(hub: Rig, raises, words, reason):
    path, remote_id = f"/users/{hub.access.username}/servers/gpu", f"{hub.access.username}/gpu"
    await api(hub, "POST", path, raises=raises, pause=0.2)
    failed = (await hub.read_until(State.FAILED, remote_id=remote_id))[-1]
    assert (failed.reason, failure_causes.find_reason(failed.reason or "")) == (words, reason)
    await hub.provider.remove(hub.access, build_row(hub.provider, remote_id))


async def test_a_warning_while_it_waits_outlasts_the_hubs_own_word_for_the_failure(hub: Rig):
    path, remote_id = f"/users/{hub.access.username}/servers/gpu", f"{hub.access.username}/gpu"
    await api(hub, "POST", path, waits_for=NO_GPU, pause=1)
    seen = await hub.read_until(State.FAILED, remote_id=remote_id)
    assert NO_GPU in {one.reason for one in seen}
    # Once a start has failed, the hub only repeats the failure. A time-out has no message.
    seen.append(await hub.observe(remote_id))
    assert seen[-1].reason is None
    state, known = State.STOPPED, None
    for one in seen:
        state, known = one.state, failure_causes.choose_reason(state, known, one.state, one.reason)
    assert failure_causes.find_reason(known or "") is Reason.NO_GPU
    await hub.provider.remove(hub.access, build_row(hub.provider, remote_id))


async def test_progress_grows_and_has_words(hub: Rig):
    await hub.provider.start(hub.access, build_row(hub.provider, hub.remote_id))
    seen = await hub.read_until(State.RUNNING)
    told = [one.progress for one in seen if one.progress is not None]
    assert told == sorted(told)
    assert told
    assert all(one.detail for one in seen if one.progress is not None)
    assert seen[-1].url == f"{hub.server.url}/user/{hub.access.username}/training/"
    await hub.provider.stop(hub.access, build_row(hub.provider, hub.remote_id))


async def test_a_server_that_was_started_again_says_so(hub: Rig):
    async def up() -> float:
        await hub.provider.start(hub.access, build_row(hub.provider, hub.remote_id))
        await hub.read_until(State.RUNNING)
        first, second = await hub.observe(), await hub.observe()
        assert first.started_at is not None
        assert first.started_at == second.started_at
        return first.started_at

    before = await up()
    await hub.provider.stop(hub.access, build_row(hub.provider, hub.remote_id))
    await hub.read_until(State.STOPPED)
    assert await up() > before
    await hub.provider.stop(hub.access, build_row(hub.provider, hub.remote_id))


async def test_a_called_off_start_is_stopped_not_failed(hub: Rig):
    await hub.provider.start(hub.access, build_row(hub.provider, hub.remote_id))
    if hub.server.version < "5":
        # These releases can't cancel a start, so a stop is retried until the server is up.
        with pytest.raises(errors.Conflict, match="pending spawn"):
            await hub.provider.stop(hub.access, build_row(hub.provider, hub.remote_id))
        await hub.read_until(State.RUNNING)
    await hub.provider.stop(hub.access, build_row(hub.provider, hub.remote_id))
    assert (await hub.read_until(State.STOPPED, State.FAILED))[-1].state is State.STOPPED


async def test_one_too_many_named_servers_is_a_limit(hub: Rig):
    person = hub.access.username
    await hub.provider.start(hub.access, build_row(hub.provider, f"{person}/third"))
    with pytest.raises(errors.LimitReached, match="maximum of 3 named servers"):
        await hub.provider.start(hub.access, build_row(hub.provider, f"{person}/fourth"))
    await hub.read_until(State.RUNNING, remote_id=f"{person}/third")
    await hub.provider.remove(hub.access, build_row(hub.provider, f"{person}/third"))
    await hub.read_until(State.GONE, remote_id=f"{person}/third")
    with pytest.raises(errors.NotFound):
        await hub.provider.remove(hub.access, build_row(hub.provider, f"{person}/third"))
    with pytest.raises(errors.InvalidRequest, match="default server"):
        await hub.provider.remove(hub.access, build_row(hub.provider, f"{person}/"))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"headers": {"Retry-After": "12"}}, "RateLimited"),
        ({}, "NoCapacity"),
        ({"body": "<html>Too Many Requests</html>"}, "RateLimited"),
    ],
    ids=["busy", "full", "proxy"],
)
async def test_too_many_starts_wait_and_a_full_hub_does_not(quiet_hub: Rig, fault, kind):
    quiet_hub.inject_fault("/servers/training$", status=429, **fault)
    with pytest.raises((errors.RateLimited, errors.LimitReached)) as caught:
        await quiet_hub.provider.start(quiet_hub.access, build_row(quiet_hub.provider, quiet_hub.remote_id))
    assert type(caught.value).__name__ == kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("p/training is already running", None),
        ("p/training is pending stop", errors.Conflict),
        ("Cannot stop a server while it is being renamed", errors.Conflict),
        ("Invalid server_name: 'x y'", errors.InvalidRequest),
    ],
)
async def test_the_hubs_words_for_400(quiet_hub: Rig, message, kind):
    quiet_hub.inject_fault(
        "/servers/training$", status=400, body=json.dumps({"status": 400, "message": message})
    )
    if kind is None:
        said = await quiet_hub.provider.start(
            quiet_hub.access, build_row(quiet_hub.provider, quiet_hub.remote_id)
        )
        assert said == message
    else:
        with pytest.raises(errors.ProviderError) as caught:
            await quiet_hub.provider.start(
                quiet_hub.access, build_row(quiet_hub.provider, quiet_hub.remote_id)
            )
        assert type(caught.value) is kind


async def test_stop_of_what_the_hub_says_is_not_running_returns_its_words(quiet_hub: Rig):
    words = "p:training is not running"
    quiet_hub.inject_fault(
        "/servers/training$", status=400, body=json.dumps({"status": 400, "message": words})
    )
    stopped = build_row(quiet_hub.provider, quiet_hub.remote_id, State.RUNNING)
    assert await quiet_hub.provider.stop(quiet_hub.access, stopped) == words


async def test_stop_refused_as_another_server_is_down_raises(quiet_hub: Rig):
    words = "p:other is not running"
    quiet_hub.inject_fault(
        "/servers/training$", status=400, body=json.dumps({"status": 400, "message": words})
    )
    with pytest.raises(errors.InvalidRequest, match=words):
        await quiet_hub.provider.stop(quiet_hub.access, build_row(quiet_hub.provider, quiet_hub.remote_id))


async def test_a_missing_right_is_told_from_a_bad_token(hub: Rig):
    person = hub.access.username
    narrow = await api(hub, "POST", f"/users/{person}/tokens", scopes=["read:users:name!user"])
    access = Access(person, Credential(SecretStr(str(narrow["token"]))))
    with pytest.raises(errors.Forbidden, match="servers"):
        await hub.provider.discover(access)
    with pytest.raises(errors.Forbidden):
        await hub.provider.start(access, build_row(hub.provider, hub.remote_id))
    lacking = "start:servers, read:servers, delete:servers" if hub.server.version >= "6" else "servers"
    with pytest.raises(errors.Forbidden, match=rf"lacks {lacking}\. .*leave its permissions empty"):
        await hub.provider.check_credential(access.credential)


async def test_full_token_has_the_scopes_of_its_release(hub: Rig):
    person, release = hub.access.username, int(hub.server.version.partition(".")[0])
    body = {"auth": {"username": person, "password": hub.server.users[person]["password"]}}
    async with Http.new_session() as session:
        path = f"{hub.server.api_url}/users/{person}/tokens"
        made = await Http(session).request("POST", path, json_body=body)
    token = made.json_object(unredacted=True)["token"]
    owner = await read_token_owner(hub.provider.api.acting_as(Credential(SecretStr(str(token)))))
    # The token also allows signing in to Usher.
    assert set(owner["scopes"]) - {"access:services!service=usher"} == set(list_full_scopes(release, person))
    assert owner.release == release
    identity = await hub.provider.check_credential(Credential(SecretStr(str(token))))
    assert (identity.username, hub.provider.can_revoke(identity.credential)) == (person, True)


async def test_a_token_of_our_own_takes_the_pasted_ones_place(hub: Rig):
    before = await tokens(hub)
    identity = await hub.provider.check_credential(hub.access.credential)
    own = identity.credential
    minted = own.extra["token_id"]
    assert own.token != hub.access.credential.token
    assert set(await tokens(hub)) - set(before) == {minted}
    told = (await tokens(hub))[minted]
    assert told["note"] == "Usher"
    assert isinstance(told["expires_at"], str)
    assert own.expires_at == pytest.approx(time.time() + MAX_TOKEN_SECONDS, abs=60)
    assert "admin" not in str(told["scopes"])
    access = Access(identity.username, own)
    await hub.provider.start(access, build_row(hub.provider, hub.remote_id))
    await hub.read_until(State.RUNNING)
    assert (await hub.provider.status(access, [hub.remote_id]))[hub.remote_id].state is State.RUNNING
    await hub.provider.stop(access, build_row(hub.provider, hub.remote_id))

    await hub.provider.revoke(access)
    assert minted not in await tokens(hub)
    with pytest.raises(errors.CredentialRefused):
        await hub.provider.status(access, [hub.remote_id])


async def test_a_revoked_token_never_deletes_the_one_that_got_its_id(hub: Rig):
    first = (await hub.provider.check_credential(hub.access.credential)).credential
    await hub.provider.revoke(Access(hub.access.username, first))
    second = (await hub.provider.check_credential(hub.access.credential)).credential
    assert second.extra["token_id"] == first.extra["token_id"]  # ids are given again
    # A single refusal may be a glitch, so the hub hasn't confirmed that the token is gone.
    with pytest.raises(errors.CredentialRefused):
        await hub.provider.revoke(Access(hub.access.username, first))
    assert second.extra["token_id"] in await tokens(hub)
    # From 5.0 on, the hub says which token a request was made with.
    mixed = second if hub.server.version < "5" else Credential(second.token, None, {"token_id": "a1"})
    await hub.provider.revoke(Access(hub.access.username, mixed))
    assert second.extra["token_id"] not in await tokens(hub)


async def test_what_was_pasted_is_not_ours_to_revoke(quiet_hub: Rig):
    assert not quiet_hub.provider.can_revoke(quiet_hub.access.credential)
    own = (await quiet_hub.provider.check_credential(quiet_hub.access.credential)).credential
    assert quiet_hub.provider.can_revoke(own)
    await quiet_hub.provider.revoke(Access(quiet_hub.access.username, own))


@pytest.mark.parametrize(
    ("path", "fault", "error"),
    [
        ("/hub/api/user$", {"status": 503}, errors.TemporaryError),
        ("/hub/api/user$", {"status": 404}, errors.ProviderError),
        ("/hub/api/user$", {"status": 403}, errors.CredentialRefused),
        ("/tokens/", {"status": 503}, errors.TemporaryError),
        ("/tokens/", {"status": 403}, errors.Forbidden),
        ("/tokens/", {"status": 404}, None),
    ],
)
async def test_only_the_hubs_word_on_the_token_confirms_that_it_is_gone(quiet_hub: Rig, path, fault, error):
    own = (await quiet_hub.provider.check_credential(quiet_hub.access.credential)).credential
    access = Access(quiet_hub.access.username, own)
    quiet_hub.inject_fault(path, **fault)
    if error is None:
        await quiet_hub.provider.revoke(access)
    else:
        with pytest.raises(error):
            await quiet_hub.provider.revoke(access)
    await quiet_hub.provider.revoke(access)
    assert own.extra["token_id"] not in await tokens(quiet_hub)


async def test_a_token_of_our_own_lives_no_longer_than_the_pasted_one(hub: Rig):
    person = hub.access.username
    short = await api(hub, "POST", f"/users/{person}/tokens", expires_in=3600, note="an hour")
    identity = await hub.provider.check_credential(Credential(SecretStr(str(short["token"]))))
    minted = (await tokens(hub))[identity.credential.extra["token_id"]]
    assert isinstance(minted["expires_at"], str)
    assert minted["expires_at"] <= str(short["expires_at"])
    # Its person chose that end.
    assert not hub.provider.can_mint(identity.credential)


@pytest.mark.parametrize("path", ["/tokens$", "/tokens/"])
@pytest.mark.parametrize(
    "fault", [{"status": 403}, {"status": 500}, {"drop": True}, {"body": "{}"}, {"body": "<html>"}]
)
async def test_where_minting_fails_the_pasted_token_is_kept(quiet_hub: Rig, path, fault):
    quiet_hub.inject_fault(path, **fault)
    identity = await quiet_hub.provider.check_credential(quiet_hub.access.credential)
    if fault != {"body": "{}"} or path == "/tokens$":
        assert identity.credential == quiet_hub.access.credential
    assert identity.username == quiet_hub.access.username


@pytest.mark.parametrize(
    "owner",
    [
        {"kind": "service", "name": "usher"},
        {"kind": "user", "name": None},
        {"kind": "user", "name": "x", "scopes": []},
        {"kind": "user", "name": "x", "scopes": ["servers!user=y", "start:servers!server=x/a"]},
    ],
)
async def test_who_can_not_be_linked(quiet_hub: Rig, owner):
    quiet_hub.inject_fault("/user$", body=json.dumps(owner))
    with pytest.raises((errors.Forbidden, errors.BadAnswer)):
        await quiet_hub.provider.check_credential(quiet_hub.access.credential)


@pytest.mark.parametrize(
    ("server", "state"),
    [
        ({"pending": "stop", "ready": True}, State.STOPPING),
        ({"pending": "spawn"}, State.STARTING),
        ({"pending": "check_credential"}, State.UNKNOWN),
        ({"pending": "rename"}, State.UNKNOWN),
        ({}, State.STOPPED),
        ({"ready": True}, State.RUNNING),  # its IDE does not answer, yet the hub's word counts
    ],
)
async def test_pending_and_ready_become_states(quiet_hub: Rig, server, state):
    assert (await status_of(quiet_hub, **server)).state is state


@pytest.mark.parametrize(
    ("answer", "lacks"),
    [
        ("200 OK", None),
        ("302 Found\r\nLocation: https://sign-on.example.com/login", None),
        ("302 Found\r\nLocation: /hub/user/alice/training/api/status", "page"),
        ("401 Unauthorized", None),
        ("403 Forbidden", None),
        ("404 Not Found", "page"),
        ("405 Not Allowed", None),
        ("424 Failed Dependency", "page"),
        ("500 Error", "page"),
        ("503 Unavailable", "page"),
        ("520 Unknown", "page"),
    ],
    ids=str,
)
async def test_page_lacks_where_nothing_answers_for_the_server(quiet_hub: Rig, answer, lacks):
    """A read trusts the hub; a separate check requests the page itself."""
    path = f"/user/{quiet_hub.access.username}/training/"
    async with (
        raw_server(whole(b"{}", answer)) as public,
        Http.new_session() as session,
    ):
        provider = provider_of("jupyterhub", Http(session), quiet_hub.server.api_url, public_url=public.url)
        server = {"pending": None, "ready": True, "url": path, "started": datetime.now(UTC).isoformat()}
        quiet_hub.inject_fault(
            f"/users/{quiet_hub.access.username}$", body=json.dumps({"servers": {"training": server}})
        )
        seen = (await provider.status(quiet_hub.access, [quiet_hub.remote_id]))[quiet_hub.remote_id]
        assert (seen.state, seen.url, seen.lacks) == (State.RUNNING, f"{public.url}{path}", None)
        assert public.requests == []
        checked = await provider.check_page(quiet_hub.access, quiet_hub.remote_id, seen)
        assert (checked.state, checked.lacks) == (State.RUNNING, lacks)
        assert public.requests[0].startswith(f"GET {path}api/status HTTP/1.1\r\n".encode())


HUB_HEADER = "X-JupyterHub-Version: 6.1.1"


@pytest.mark.parametrize(
    ("status", "root", "lacks", "asked"),
    [
        ("404 Not Found", "200 OK", None, 2),
        ("404 Not Found", "302 Found\r\nLocation: /user/alice/training/auth-sign-in", None, 2),
        ("404 Not Found", "302 Found\r\nLocation: /hub/api/oauth2/authorize?client_id=x", None, 2),
        ("404 Not Found", "302 Found\r\nLocation: https://sign-on.example.com/", None, 2),
        ("404 Not Found", "302 Found\r\nLocation: https://sign-on.example.com/hub/login", None, 2),
        ("404 Not Found", "302 Found\r\nLocation: /user/alice/training/hub/login", None, 2),
        ("404 Not Found", "302 Found\r\nLocation: hub/", None, 2),
        ("404 Not Found", "401 Unauthorized", None, 2),
        ("404 Not Found", "302 Found\r\nLocation: /hub/user/alice/training/", "page", 2),
        ("404 Not Found", "302 Found\r\nLocation: /jhub/hub/login?next=x", "page", 2),
        ("404 Not Found", "404 Not Found", "page", 2),
        ("404 Not Found", "424 Failed Dependency", "page", 2),
        ("404 Not Found", "500 Error", "page", 2),
        ("404 Not Found", "503 Unavailable", "page", 2),
        (f"404 Not Found\r\n{HUB_HEADER}", "200 OK", "page", 1),
        (f"424 Failed Dependency\r\n{HUB_HEADER}", "200 OK", "page", 1),
        (f"200 OK\r\n{HUB_HEADER}", "404 Not Found", None, 1),
    ],
    ids=str,
)
async def test_page_that_is_not_jupyters_is_asked_at_its_root(quiet_hub: Rig, status, root, lacks, asked):
    async with (
        raw_server(whole(b"{}", status), whole(b"{}", root)) as public,
        Http.new_session() as session,
    ):
        provider = provider_of("jupyterhub", Http(session), quiet_hub.server.api_url, public_url=public.url)
        seen = Observed(State.RUNNING, url=f"{public.url}/user/alice/training/")
        checked = await provider.check_page(quiet_hub.access, quiet_hub.remote_id, seen)
        assert (checked.state, checked.lacks, len(public.requests)) == (State.RUNNING, lacks, asked)
        assert asked == 1 or public.requests[1].startswith(b"GET /user/alice/training/ HTTP/1.1\r\n")


async def test_page_fails_behind_the_local_hubs_door(hub: Rig):
    """Faults of servers' pages also occur if the public address is that of the hub's proxy."""
    door = hub.server.api_url.removesuffix("/hub/api")
    async with Http.new_session() as session:
        provider = provider_of("jupyterhub", Http(session), door, public_url=door)
        await provider.start(hub.access, await hub.read_row())
        await hub.read_until(State.RUNNING)
        seen = (await provider.status(hub.access, [hub.remote_id]))[hub.remote_id]
        hub.inject_fault("GET /user/.*/api/status$", status=503)
        assert (await provider.check_page(hub.access, hub.remote_id, seen)).lacks == "page"
        while (checked := await provider.check_page(hub.access, hub.remote_id, seen)).lacks:
            pass
        assert checked == seen


@pytest.mark.parametrize("servers", [None, [], 7])
async def test_a_list_that_is_none_is_a_bad_answer(quiet_hub: Rig, servers):
    quiet_hub.inject_fault(f"/users/{quiet_hub.access.username}$", body=json.dumps({"servers": servers}))
    with pytest.raises(errors.BadAnswer, match="servers"):
        await quiet_hub.observe()


@pytest.mark.parametrize("url", ["https://evil.example/", "http://127.0.0.1:1/user/x/", "javascript:x"])
async def test_an_address_elsewhere_gets_no_token_and_is_kept_back(quiet_hub: Rig, url):
    seen = await status_of(quiet_hub, ready=True, full_url=url)
    assert (seen.state, seen.url) == (State.RUNNING, None)


PROGRESS_FAULTS = [
    pytest.param({"status": 500}, id="500"),
    pytest.param({"status": 401}, id="401"),
    pytest.param({"status": 429}, id="429"),
    pytest.param({"drop": True}, id="dropped"),
    pytest.param({"status": 404}, id="404"),
    pytest.param({"garbage": True}, id="garbage"),
]


@pytest.mark.parametrize("fault", PROGRESS_FAULTS)
async def test_failed_progress_changes_no_state(quiet_hub: Rig, fault):
    """If progress can't be read, the server's name and state come from the list, and it can be started."""
    quiet_hub.inject_fault("/progress$", **fault)
    assert await quiet_hub.observe() == Observed(State.STOPPED, name="training")
    found = await quiet_hub.provider.discover(quiet_hub.access)
    assert found.is_whole
    assert {one.name for one in found} >= set(quiet_hub.names) - {""}
    assert {one.observed.state for one in found} == {State.STOPPED}


@pytest.mark.parametrize("fault", PROGRESS_FAULTS)
async def test_a_start_is_seen_without_progress_too(quiet_hub: Rig, fault):
    quiet_hub.inject_fault("/progress$", **fault)
    assert await status_of(quiet_hub, pending="spawn") == Observed(State.STARTING, name="training")


@pytest.mark.parametrize("ending", ["", "/", "/hub", "/hub/", "/hub/api", "/hub/api/", "/hub/home"])
async def test_any_of_the_hubs_addresses_will_do(quiet_hub: Rig, ending):
    base_url = quiet_hub.server.api_url.removesuffix("/hub/api") + ending
    public_url = quiet_hub.server.url + "/hub/"
    async with Http.new_session() as session:
        provider = provider_of("jupyterhub", Http(session), base_url, public_url=public_url)
        assert (
            await provider.check_credential(quiet_hub.access.credential)
        ).username == quiet_hub.access.username
        assert provider.token_help().url == f"{quiet_hub.server.url}/hub/token"
        # Whichever page's address was copied, the setting ends up as the hub's base address.
        assert provider.settings.base_url == quiet_hub.server.api_url.removesuffix("/hub/api")


async def test_an_answer_about_somebody_else_is_not_taken_for_ones_own(hub: Rig):
    other = json.dumps({"name": "bob", "servers": {"training": {"pending": None, "ready": False}}})
    hub.inject_fault(f"/users/{hub.access.username}$", body=other)
    with pytest.raises(errors.BadAnswer, match="another person"):
        await hub.observe()
