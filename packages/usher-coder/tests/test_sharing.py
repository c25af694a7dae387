"""Tests of lists, and of workspaces that others share."""

import pytest
from aiohttp import ClientSession, web
from coder_rig import AGENT, HELD, READ, TOKENS, access_of, coder_rig, shared_seed
from usher_coder.local import SEED, LocalCoder

from bot.support.http import MAX_BYTES
from playground.faults import Refusal
from usher.conformance.rigs import PRINCIPAL
from usher.provider import State, errors


@pytest.mark.parametrize(
    ("groups", "others"),
    [
        ({}, {"secret", "everyones"}),
        ({"groups": {"team": ["alice"], "strangers": ["root"]}}, {"secret", "everyones", "teams"}),
    ],
)
async def test_what_is_shared_with_the_account_or_its_groups_is_listed_as_its_owners(groups, others):
    async with coder_rig(seed=shared_seed(**groups)) as rig:
        listed = {one.name: one for one in await rig.provider.discover(rig.access)}
        assert {name for name, one in listed.items() if one.observed.owner is not None} == others
        assert {one.observed.owner for name, one in listed.items() if name in others} == {"bob"}
        assert {name for name, one in listed.items() if one.observed.owner is None} == {"training", "broken"}
        read = await rig.provider.status(rig.access, [listed["secret"].remote_id])
        (seen,) = read.values()
        assert (seen.state, seen.owner, seen.actions) == (State.STOPPED, "bob", {"open", "start", "stop"})
        assert set(await rig.provider.list_names(rig.access, "")) == {"training", "broken"}
        assert HELD.problems == []


@pytest.mark.parametrize(
    "patch",
    [
        [],
        [{"op": "replace", "path": "/count", "value": None}],
        [{"op": "replace", "path": "/count", "value": "203"}],
        [{"op": "remove", "path": "/count"}],
    ],
    ids=["told", "null", "text", "missing"],
)
async def test_list_is_read_page_by_page_whatever_it_says_of_its_length(patch):
    own = [{**SEED["workspaces"][0], "owner": "alice", "name": f"page-{number}"} for number in range(203)]
    async with coder_rig(seed={**SEED, "workspaces": [*SEED["workspaces"], *own]}) as rig:
        rig.inject_fault("GET /api/v2/workspaces$", patch=patch, times=None)
        listing = await rig.provider.discover(rig.access)
        assert (len(listing), listing.is_whole) == (205, True)


async def start_shared(rig):
    """Start Bob's workspace, which is shared with Alice, and return its row."""
    (shared,) = [one for one in await rig.provider.discover(rig.access) if one.name == "secret"]
    row = rig.provider.to_workspace(shared.remote_id, shared.observed, PRINCIPAL)
    await rig.provider.start(rig.access, row)
    rig.server_clock.advance(60)
    return row


async def test_what_is_shared_is_started_and_its_path_app_is_left_to_its_owner():
    async with coder_rig(seed=shared_seed()) as rig:
        row = await start_shared(rig)
        (seen,) = (await rig.provider.status(rig.access, [row.remote_id])).values()
        assert (seen.state, seen.owner, seen.url) == (State.RUNNING, "bob", None)
        assert seen.detail == "The cloud opens this app only for the workspace's owner."
        page = f"{rig.provider.settings.base_url}/@bob/secret.main/apps/code-server/"
        async with ClientSession() as browser:
            for name, status in (("alice", 404), ("root", 404), ("bob", 200)):
                cookie = {"Cookie": f"coder_session_token={TOKENS[name]}"}
                assert (await browser.get(page, headers=cookie)).status == status
        with pytest.raises(errors.NotFound):
            await rig.provider.remove(rig.access, row)


async def test_shared_workspace_opens_the_app_with_its_own_host():
    async with coder_rig(seed=shared_seed(), wildcard_host="*.apps.localhost") as rig:
        row = await start_shared(rig)
        lab = {"slug": "lab", "subdomain": True, "subdomain_name": "lab--main--secret--bob"}
        rig.inject_fault(READ, patch=[{"op": "add", "path": f"{AGENT}/apps/-", "value": lab}])
        (seen,) = (await rig.provider.status(rig.access, [row.remote_id])).values()
        assert (seen.url, seen.detail) == ("http://lab--main--secret--bob.apps.localhost/", None)


@pytest.mark.parametrize("groups", [[], ["everyone"]], ids=["user", "group"])
async def test_shared_workspace_is_kept_longer_only_with_the_role_admin(groups):
    shared = {**SEED["workspaces"][2], "groups": groups, "users": [] if groups else ["alice"]}
    async with coder_rig(seed={**SEED, "workspaces": [*SEED["workspaces"][:2], shared]}) as rig:
        row = await start_shared(rig)
        until = rig.server_clock.now() + 36_000
        with pytest.raises(errors.Forbidden, match=r"^Only its owner can keep it running longer\. Ask"):
            await rig.provider.extend(rig.access, row, until)
        assert not [one for one in rig.harness.requests if one.startswith("PUT")]
        rig.server.workspaces[row.remote_id].role = "admin"
        assert await rig.provider.extend(rig.access, row, until) == until


async def test_an_administrator_is_shown_what_is_shared_with_them_and_no_more():
    async with coder_rig(seed=shared_seed()) as rig:
        root = rig.provider.bind_access(access_of("root"), "read")
        found = {one.name for one in await rig.provider.discover(root)}
        assert found == {"roots", "everyones"}


async def test_a_release_without_sharing_lists_the_persons_own(monkeypatch):
    whole = LocalCoder.listed

    async def listed(self, request):
        if request.query.get("q") == "shared:true":
            raise Refusal(400, "Query parameters have invalid values.")
        return await whole(self, request)

    monkeypatch.setattr(LocalCoder, "listed", listed)
    async with coder_rig() as rig:
        assert {one.name for one in await rig.provider.discover(rig.access)} == rig.names


async def test_shared_list_that_cannot_be_read_does_not_hide_the_persons_own(monkeypatch):
    whole = LocalCoder.listed

    async def listed(self, request):
        if request.query.get("q") == "shared:true":
            return web.json_response({"workspaces": [{"name": "x" * MAX_BYTES}], "count": 1})
        return await whole(self, request)

    monkeypatch.setattr(LocalCoder, "listed", listed)
    async with coder_rig() as rig:
        found = await rig.provider.discover(rig.access)
        assert ({one.name for one in found}, found.is_whole) == (rig.names, False)


async def test_list_of_large_workspaces_is_read_in_parts(monkeypatch):
    """A workspace with many agents and apps takes tens of kilobytes, and Usher reads at most 2 MB at once."""
    shown = LocalCoder.shown

    def padded(self, made):
        return shown(self, made) | {"template_icon": "x" * (MAX_BYTES // 30)}

    monkeypatch.setattr(LocalCoder, "shown", padded)
    own = [{**SEED["workspaces"][0], "name": f"large-{number}"} for number in range(40)]
    async with coder_rig(seed={**SEED, "workspaces": [*SEED["workspaces"], *own]}) as rig:
        found = await rig.provider.discover(rig.access)
        assert (len(found), found.is_whole) == (42, True)
