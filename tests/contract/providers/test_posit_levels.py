"""Levels of tokens at Workbench, and what only administrators may read: usernames, users, version."""

import json

import pytest
from pydantic import ValidationError

from bot.domain.forms import Spec
from bot.domain.snapshots import User
from bot.domain.workspaces import State
from bot.providers.base import Access, Credential
from bot.providers.posit import PositSettings
from bot.support import errors
from tests.contract.providers.posit_rig import posit_rig
from tests.contract.providers.rigs import Rig
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADMIN = Access("alice", Credential.for_connection("admin"))
SPEC = Spec("paper", {"workbench": "RStudio", "cluster": "Local"})
JOB = Spec("train", {"command": "Rscript train.R", "cluster": "Local"})


@pytest.mark.parametrize("denial", ["document", "envelope", "401", "403"])
async def test_a_token_that_may_only_read_is_told_from_a_bad_one(denial):
    async with posit_rig(super_admin_token="reading-token") as rig:
        rig.server.state.settings.change({"denial": denial})
        provider = rig.provider
        assert (await provider.status(ADMIN, [rig.remote_id]))[rig.remote_id].state is State.SUSPENDED
        for call in (
            provider.start(ADMIN, build_row(provider, rig.remote_id)),
            provider.create(ADMIN, SPEC, "k"),
            provider.launch_run(ADMIN, JOB, "k"),
        ):
            with pytest.raises(errors.Forbidden, match="super-admin's with write access"):
                await call
        with pytest.raises(errors.Forbidden, match="write access"):
            await provider.stop(ADMIN, build_row(provider, rig.remote_id))


@pytest.mark.parametrize("denial", ["document", "envelope", "401", "403"])
async def test_a_persons_token_in_the_administrators_place_is_forbidden(denial):
    async with posit_rig(super_admin_token="b0b-token-of-bob") as rig:
        rig.server.state.settings.change({"denial": denial})
        provider = rig.provider
        for call in (
            provider.status(ADMIN, [rig.remote_id]),
            provider.discover(ADMIN),
            provider.read_offer(ADMIN),
            provider.list_runs(ADMIN),
            provider.stop(ADMIN, build_row(provider, rig.remote_id)),
            provider.check_username("alice"),
            provider.read_overview(),
        ):
            with pytest.raises(errors.Forbidden):
                await call


@pytest.mark.parametrize("form", ["json", "text"])
async def test_a_revoked_token_is_refused_in_every_form(posit: Rig, form):
    posit.server.state.settings.change({"unauthenticated": form})
    posit.server.state.accounts.revoke("alice")
    posit.server.state.accounts.revoke("super")
    for access in (posit.access, ADMIN):
        for call in (
            posit.provider.status(access, [posit.remote_id]),
            posit.provider.start(access, build_row(posit.provider, posit.remote_id)),
            posit.provider.stop(access, build_row(posit.provider, posit.remote_id)),
            posit.provider.create(access, SPEC, "k"),
            posit.provider.list_runs(access),
            anext(posit.provider.run_output(access, "77")),
        ):
            with pytest.raises(errors.CredentialRefused):
                await call
    with pytest.raises(errors.CredentialRefused):
        await posit.provider.check_credential(posit.access.credential)
    assert await posit.provider.probe() == ""


@pytest.mark.parametrize(
    ("owners", "username", "asked"),
    [(["alice", "alice"], "alice", 1), ([], "", 2), ([None], "", 2), (["alice", "bob"], "", 2)],
    ids=["its own alone", "none", "unnamed", "others' as well"],
)
async def test_a_tokens_owner_is_the_only_one_of_its_sessions(posit: Rig, owners, username, asked):
    """If the sessions don't name exactly one owner, Usher also checks that a made-up token is refused."""
    session = {"id": "0123abcd", "activity_state": "running"}
    sessions = [session | ({} if owner is None else {"username": owner}) for owner in owners]
    posit.inject_fault("get_session", body=json.dumps({"result": {"sessions": sessions}}))
    assert (await posit.provider.check_credential(posit.access.credential)).username == username
    assert posit.harness.requests["POST /api/get_session"] == asked


@pytest.mark.parametrize(("form", "kind"), [("redirect", errors.PermanentError), ("html", errors.BadAnswer)])
async def test_a_sign_in_page_in_place_of_an_answer_is_no_word_on_the_token(posit: Rig, form, kind):
    """A proxy put in front of the server gives the same answer, so nobody has to link again."""
    posit.server.state.settings.change({"unauthenticated": form})
    posit.server.state.accounts.revoke("alice")
    with pytest.raises(kind) as caught:
        await posit.provider.status(posit.access, [posit.remote_id])
    assert not isinstance(caught.value, errors.CredentialRefused)


async def test_without_a_super_admin_token_nobody_is_acted_for():
    async with posit_rig(super_admin_token=None) as rig:
        with pytest.raises(errors.CredentialRefused, match="no token of its own"):
            await rig.provider.status(ADMIN, [rig.remote_id])
        with pytest.raises(errors.CredentialRefused, match="no token of its own"):
            await rig.provider.read_overview()
        assert not rig.provider.has_overview()
        assert rig.count_requests() == 0
        assert await rig.provider.probe() == ""


async def test_an_approved_username_must_be_there_and_active(posit: Rig):
    identity = await posit.provider.check_username("alice")
    assert (identity.username, identity.credential.owner) == ("alice", "admin")
    assert identity.credential.token.get_secret_value() == ""
    with pytest.raises(errors.NotFound, match="there is no user Alice"):
        await posit.provider.check_username("Alice")
    with pytest.raises(errors.Forbidden, match="dora is not active"):
        await posit.provider.check_username("dora")


async def test_administrators_are_told_of_the_server_and_its_users(posit: Rig):
    assert posit.provider.has_overview()
    about = await posit.provider.read_overview()
    assert dict(about.facts) == {
        "Version": "2024.12.0+467.pro1 “Kousa Dogwood”",
        "Features": "launcher-sessions, workbench-jobs, vscode, jupyter",
    }
    assert User("alice", is_active=True, level="user") in about.users
    assert User("dora", is_active=False, level="user") in about.users
    assert User("admin", is_active=True, level="super-admin") in about.users


async def test_an_access_without_a_username_is_never_everybodys(posit: Rig):
    with pytest.raises(errors.CredentialRefused):
        await posit.provider.status(Access("", Credential.for_connection("admin")), [posit.remote_id])
    assert posit.count_requests() == 0


COMMON = {"name": "wb", "provider": "posit", "title": "WB", "base_url": "https://wb.acme.io"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"templates": [{"name": "a", "title": "A"}]}, "session or job"),
        ({"templates": [{"name": "a", "title": "A", "session": {}, "job": {}}]}, "session or job"),
        ({"templates": [{"name": "A b", "title": "A", "session": {}}]}, "lower-case"),
        ({"templates": [{"name": "a", "title": "A", "session": {"hook": 1}}]}, "hook"),
        ({"templates": [{"name": "a", "title": "A", "job": {"exe": "x", "command": "y"}}]}, "not both"),
        ({"templates": [{"name": "a", "title": "A", "job": {}}] * 2}, "same name"),
    ],
)
async def test_settings_that_can_not_work_are_refused(more, said):
    with pytest.raises(ValidationError, match=said):
        PositSettings.model_validate({**COMMON, **more})
