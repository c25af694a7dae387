"""Contract tests for every provider, using only the abstract base class."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from pydantic import SecretStr, TypeAdapter
from pydantic_core import to_jsonable_python

from bot.domain.forms import Spec
from bot.domain.workspaces import State
from bot.providers import facets
from bot.providers.base import Access, Credential, Provider, SendWindow
from bot.providers.connection import to_allowed_ide_url
from bot.support.errors import (
    BadAnswer,
    Conflict,
    CredentialRefused,
    NotFound,
    PermanentError,
    SentTooLate,
    ServerFailed,
)
from usher.conformance.rigs import PRINCIPAL, Rig, build_row


async def test_a_workspace_lives_from_start_to_stop(rig: Rig) -> None:
    assert (await rig.observe()).state is rig.initial_state
    await rig.provider.start(rig.access, await rig.read_row())
    seen = await rig.read_until(State.RUNNING)
    assert seen[0].state is State.STARTING
    assert {one.state for one in seen} == {State.STARTING, State.RUNNING}
    assert all(one.url is None and one.lacks is None for one in seen[:-1])
    url = seen[-1].url
    settings = rig.provider.settings
    assert url == to_allowed_ide_url(url, settings.base_url, rig.provider.ide_hosts())
    await rig.provider.start(rig.access, await rig.read_row())  # already running counts as success
    assert (await rig.observe()).state is State.RUNNING
    await rig.provider.stop(rig.access, await rig.read_row())
    seen = await rig.read_until(*rig.stopped_states)
    assert {one.state for one in seen} <= {State.STOPPING, *rig.stopped_states}
    await rig.provider.stop(rig.access, await rig.read_row())  # already stopped counts as success


async def test_a_start_under_way_may_be_asked_again_and_stopped(rig: Rig) -> None:
    before = await rig.read_row()
    await rig.provider.start(rig.access, before)
    await rig.provider.start(rig.access, await rig.read_row())
    # This row is out of date, as if someone else had started the workspace first.
    with suppress(Conflict):
        await rig.provider.start(rig.access, before)
    if not rig.can_stop_starting:
        with pytest.raises(Conflict):
            await rig.provider.stop(rig.access, await rig.read_row())
        await rig.read_until(State.RUNNING)
    await rig.provider.stop(rig.access, await rig.read_row())
    assert (await rig.read_until(*rig.stopped_states))[-1].url is None


async def test_a_start_that_fails_is_shown_as_failed_with_the_providers_words_or_none(rig: Rig) -> None:
    rig.break_next_start()
    await rig.provider.start(rig.access, await rig.read_row(rig.broken_id))
    failed = (await rig.read_until(State.FAILED, remote_id=rig.broken_id))[-1]
    assert failed.reason != ""
    assert failed.url is None


async def test_many_are_read_at_once_and_the_missing_are_gone(rig: Rig) -> None:
    ids = [rig.remote_id, rig.missing_id, rig.foreign_id, rig.broken_id, "..", "a/b/c", "\udc80"]
    seen = await rig.provider.status(rig.access, ids)
    assert list(seen) == ids
    states = [seen[remote_id].state for remote_id in ids]
    assert states == [rig.initial_state, State.GONE, State.GONE, rig.initial_state, *[State.GONE] * 3]


@pytest.mark.parametrize(("verb", "state"), [("start", State.STOPPED), ("stop", State.RUNNING)])
async def test_others_and_missing_workspaces_are_not_found(rig: Rig, verb: str, state: State) -> None:
    for remote_id in (rig.foreign_id, "..", "", "\udc80"):
        with pytest.raises(NotFound):
            await getattr(rig.provider, verb)(rig.access, build_row(rig.provider, remote_id, state))


async def test_check_names_the_account(rig: Rig) -> None:
    identity = await rig.provider.check_credential(rig.access.credential)
    assert identity.username == rig.access.username
    access = Access(identity.username, identity.credential)
    assert (await rig.provider.status(access, [rig.remote_id]))[rig.remote_id].state is rig.initial_state


@pytest.mark.parametrize("token", ["0" * 30, "a b", "a\r\nX: 1", "\u00fc" * 9, "x" * 5000])
async def test_a_bad_token_is_refused_by_every_method(linked_rig: Rig, token: str) -> None:
    rig = linked_rig
    bad = rig.with_token(token)
    provider = rig.provider
    with pytest.raises(CredentialRefused):
        await provider.check_credential(bad.credential)
    for call in (
        provider.status(bad, [rig.remote_id]),
        provider.start(bad, build_row(provider, rig.remote_id, rig.initial_state)),
        provider.stop(bad, build_row(provider, rig.remote_id, State.RUNNING)),
        provider.discover(bad),
    ):
        with pytest.raises(CredentialRefused):
            await call


async def test_a_read_after_its_window_does_not_leave(rig: Rig) -> None:
    before = rig.count_requests()
    closed = SendWindow(rig.clock.monotonic() - 0.001)
    with pytest.raises(SentTooLate):
        await rig.provider.status(rig.access, [rig.remote_id], closed)
    assert rig.count_requests() == before
    open_still = SendWindow(rig.clock.monotonic() + 0.5)
    assert await rig.provider.status(rig.access, [rig.remote_id], open_still)
    assert rig.count_requests() > before


async def test_what_is_offered_and_what_is_made_of_it_keep_their_types_in_rows(rig: Rig) -> None:
    provider = rig.provider
    if not isinstance(provider, facets.Creation):
        return
    offer = await provider.read_offer(rig.access)
    assert type(offer) is provider.offer_model
    kept = json.loads(json.dumps(to_jsonable_python(offer)))
    assert TypeAdapter(provider.offer_model).validate_python(kept) == offer
    for purpose in ("workspace", "job") if isinstance(provider, facets.Runs) else ("workspace",):
        fields = provider.form(offer, purpose, {}, PRINCIPAL).fields
        values = {
            one.name: one.initial or (one.choices[0].value if one.choices else "mine")
            for one in fields
            if one.initial or not one.optional
        }
        if fields:
            made = provider.spec(offer, purpose, values, PRINCIPAL)
            assert Spec.from_json(json.loads(json.dumps(made.as_json()))) == made


async def test_one_resource_has_one_gate(rig: Rig) -> None:
    key = rig.provider.gate_key(rig.remote_id)
    assert key == rig.provider.gate_key(rig.remote_id)
    assert key.startswith(rig.provider.settings.base_url)
    assert key != rig.provider.gate_key(rig.foreign_id)
    username = rig.access.username
    # Some ids contain their owner's name.
    assert not username or username in rig.remote_id or username not in key


async def test_whoever_links_can_list_and_is_told_how_to_get_a_token(rig: Rig) -> None:
    told = rig.provider.facets()
    assert told <= {name.lower() for name in vars(facets) if name[0].isupper()}
    if "none" not in rig.provider.settings.linking:
        assert {"lists", "tokens"} <= told
        assert type(rig.provider).parse_reference is not Provider.parse_reference


async def test_what_is_told_of_the_connection_holds_no_secret(rig: Rig) -> None:
    told = repr([rig.provider.describe(), rig.provider.settings, rig.access, rig.provider])
    assert rig.secret not in told
    page = rig.provider.page_url(rig.remote_id)
    # Usher shows a URL only if its host is the base URL's or one of ``ide_hosts``.
    assert bool(rig.provider.allowed_url(page)) is not isinstance(rig.provider, facets.EmbeddedPage)


def credential(token: str = "t", refresh: str | None = None) -> Credential:
    return Credential(SecretStr(token), SecretStr(refresh) if refresh else None, {"token_id": "a1"})


@pytest.mark.parametrize("refresh", [None, "r"])
async def test_a_credential_goes_into_the_vault_and_comes_back(refresh: str | None) -> None:
    before = credential("t", refresh)
    assert Credential.from_mapping(before.as_mapping()) == before


async def test_a_probe_tells_what_is_there_without_anybodys_token(rig: Rig) -> None:
    told = await rig.provider.probe()
    assert told.isprintable(), "what `probe` says is one line"
    rig.inject_fault(status=302)
    with pytest.raises(PermanentError, match="check its address"):
        await rig.provider.probe()
    for fault, kind in (({"body": "<html>"}, BadAnswer), ({"status": 500}, ServerFailed)):
        rig.inject_fault(**fault)
        with pytest.raises(kind):
            await rig.provider.probe()
