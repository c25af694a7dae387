"""A real hub with a separate host for each person's servers, and with people who are renamed or deleted."""

import json
import re
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from yarl import URL

from bot.domain.accounts import compare_remote_ids
from bot.domain.forms import Spec
from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.providers.base import Access, Credential
from bot.support import errors
from bot.support.http import Http
from playground.faults import Fault
from playground.jupyterhub import start
from tests.contract.providers.rigs import provider_of
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = {
    "users": [
        *({"name": name, "servers": ["training"]} for name in ("alice", "bella", "carl")),
        {"name": "root", "admin": True},
    ],
    "pause_seconds": 0.2,
    "subdomains": True,
}


class AtHome(Http):
    """Send requests for names below localhost to 127.0.0.1, as not every resolver knows such names."""

    def stream(self, method: str, url: str, **options: Any) -> Any:
        host = URL(url).host or ""
        if host.endswith(".localhost"):
            options["headers"] = {**(options.get("headers") or {}), "Host": URL(url).authority}
            url = url.replace(host, "127.0.0.1", 1)
        return super().stream(method, url, **options)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub():
    async with start(light=True, seed=SEED) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def provider(hub):
    async with Http.new_session() as session:
        yield provider_of("jupyterhub", AtHome(session), hub.api_url, public_url=hub.url)


def access_of(hub, name):
    return Access(name, Credential(SecretStr(hub.users[name]["token"])))


async def test_a_server_is_opened_on_its_persons_own_host_once_it_answers_there(hub, provider):
    access, port = access_of(hub, "alice"), URL(hub.url).port
    await provider.start(access, build_row(provider, "alice/training"))
    seen: list[Observed] = []
    while not seen or seen[-1].state is not State.RUNNING:
        seen.append((await provider.status(access, ["alice/training"]))["alice/training"])
        assert seen[-1].state in {State.STARTING, State.RUNNING}
    url = f"http://alice.localhost:{port}/user/alice/training/"
    assert seen[-1].url == url
    assert provider.parse_reference(f"{url}lab") == "alice/training"
    # The local hub's proxy routes by host: on any other host, this path isn't a server's.
    async with AtHome.new_session() as session:
        for host, status in ((f"alice.localhost:{port}", 200), (f"localhost:{port}", 302)):
            headers = {"Authorization": f"token {hub.users['alice']['token']}"}
            answer = await AtHome(session).request(
                "GET", f"http://{host}/user/alice/training/api/status", headers=headers
            )
            assert answer.status == status
    await provider.stop(access, build_row(provider, "alice/training"))


async def test_a_hub_with_only_one_word_for_the_address_is_understood_too(hub, provider):
    url = f"http://alice.localhost:{URL(hub.url).port}/user/alice/training/"
    server = {"pending": None, "ready": True, "url": url}
    hub.harness.faults.append(
        Fault(re.compile("/users/alice$"), body=json.dumps({"servers": {"training": server}}))
    )
    seen = (await provider.status(access_of(hub, "alice"), ["alice/training"]))["alice/training"]
    assert seen == Observed(State.RUNNING, url=url, name="training")


@pytest.mark.parametrize(
    "host", ["a.alice.localhost", "alice.localhost.evil.example", "alicelocalhost", "127.0.0.2"]
)
async def test_any_other_host_gets_no_link(hub, provider, host):
    assert provider.allowed_url(f"http://{host}:{URL(hub.url).port}/user/alice/") is None


async def as_administrator(hub, method, path, **body):
    """Call the hub's API with a token that its administrator gets with a password."""
    async with Http.new_session() as session:
        http, who = Http(session), {"username": "root", "password": hub.users["root"]["password"]}
        made = await http.request("POST", f"{hub.api_url}/users/root/tokens", json_body={"auth": who})
        headers = {"Authorization": f"token {made.json_object(unredacted=True)['token']}"}
        answer = await http.request(method, hub.api_url + path, headers=headers, json_body=body or None)
        assert answer.status < 300


async def test_whatever_a_renamed_person_asks_for_is_answered_with_their_name(hub, provider):
    access, remote_id = access_of(hub, "bella"), "bella/training"
    # A missing server is reported as missing, no matter who asks.
    with pytest.raises(errors.NotFound):
        await provider.remove(access, build_row(provider, "bella/nothing"))
    await as_administrator(hub, "PATCH", "/users/bella", name="bellissima")
    for asked in (
        provider.status(access, [remote_id]),
        provider.discover(access),
        provider.start(access, build_row(provider, remote_id)),
        provider.stop(access, build_row(provider, remote_id)),
        provider.remove(access, build_row(provider, remote_id)),
        provider.read_offer(access),
        provider.create(access, Spec("fresh"), "key"),
    ):
        with pytest.raises(errors.AccountRenamed) as caught:
            await asked
        assert caught.value.message == "bellissima"
    # The token is still valid, and the servers are found under the new name.
    identity = await provider.check_credential(access.credential)
    assert identity.username == "bellissima"
    by_name = provider.id_after_rename(remote_id, "bella", "bellissima")
    again = Access("bellissima", identity.credential)
    assert (await provider.status(again, [by_name]))[by_name].state is State.STOPPED


async def make_token(hub, name):
    """Return a token with full permissions for a person whom an administrator has added."""
    async with Http.new_session() as session:
        who = {"username": "root", "password": hub.users["root"]["password"]}
        http, users = Http(session), f"{hub.api_url}/users"
        made = await http.request("POST", f"{users}/root/tokens", json_body={"auth": who})
        headers = {"Authorization": f"token {made.json_object(unredacted=True)['token']}"}
        answer = await http.request("POST", f"{users}/{name}/tokens", headers=headers, json_body={})
        return Credential(SecretStr(answer.json_object(unredacted=True)["token"]))


async def test_a_person_who_was_made_anew_is_another_account_and_a_renamed_one_is_not(hub, provider):
    """A hub has no account ids, so Usher uses the creation time. Deleting a user ends their tokens."""
    await as_administrator(hub, "POST", "/users/dan")
    first = await make_token(hub, "dan")
    account_id = (await provider.check_credential(first)).credential.account_id
    assert re.fullmatch(r"created=\d+\.\d{6}", account_id)
    await as_administrator(hub, "PATCH", "/users/dan", name="dan.old")
    renamed = await provider.read_account(Access("dan", first))
    assert (renamed.account_id, renamed.username) == (account_id, "dan.old")
    await as_administrator(hub, "DELETE", "/users/dan.old")
    await as_administrator(hub, "POST", "/users/dan")
    with pytest.raises(errors.CredentialRefused):
        await provider.read_account(Access("dan", first))
    found = (await provider.check_credential(await make_token(hub, "dan"))).credential.account_id
    assert compare_remote_ids(account_id, found) == "another"
    # Usher's own token may not read that, and it opens no other account.
    own = (await provider.check_credential(await make_token(hub, "dan"))).credential
    assert await provider.read_account(Access("dan", own)) is None
    assert not provider.is_made_by_name(Access("dan", own), "read")
    # A pasted token whose scopes couldn't be narrowed may be an administrator's, who can see other people's
    # servers.
    assert provider.is_made_by_name(Access("dan", first), "read")


async def test_somebody_who_was_deleted_is_refused_like_a_bad_token(hub, provider):
    access = access_of(hub, "carl")
    await as_administrator(hub, "DELETE", "/users/carl")
    with pytest.raises(errors.CredentialRefused) as caught:
        await provider.status(access, ["carl/training"])
    assert not isinstance(caught.value, errors.AccountRenamed)


async def test_only_ids_with_the_former_name_change(provider):
    ids = ["bella/", "bella/training", "bella%2Fx/training", "anna/bella", "odd"]
    assert [provider.id_after_rename(one, "bella", "b/c") for one in ids] == [
        "b%2Fc/",
        "b%2Fc/training",
        *ids[2:],
    ]
