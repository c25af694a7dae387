"""Contract tests, one for each facet. A test uses only its facet's own methods, and fails if they do nothing.

``FacetValues`` contains the values that only the rig knows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.domain.forms import Form, Purpose, Spec
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.runs import ObservedRun, RunState
from bot.domain.snapshots import Allowance
from bot.domain.workspaces import State
from bot.providers import facets
from bot.providers.base import Access, SendWindow
from bot.providers.facets import Facet
from bot.support.errors import CredentialRefused, NotFound, PermanentError, SentTooLate
from bot.web.browsers import Flow
from usher.conformance.rigs import KEY, MAX_READS, PRINCIPAL, Rig, build_provider, build_row

Contract = Callable[[Rig], Awaitable[None]]
CONTRACTS: dict[type[Facet], Contract] = {}


def register_contract(facet: type[Facet]) -> Callable[[Contract], Contract]:
    """Register a function as a facet's contract. It is called with a rig that has the facet's settings."""

    def of(function: Contract) -> Contract:
        CONTRACTS[facet] = function
        return function

    return of


def set_up(rig: Rig, facet: type[Facet]) -> None:
    """Give the rig's connection the additional settings that a facet needs, if any."""
    more = rig.facet_values.settings.get(facet.__name__.lower())
    if more is not None:
        own = rig.provider
        rig.provider = rig.note_calls(build_provider(type(own), own.api._http, own.settings.base_url, **more))


@register_contract(facets.Lists)
async def check_lists(rig: Rig) -> None:
    found = await rig.provider.discover(rig.access)
    assert found.is_whole
    assert {one.name for one in found} == rig.names
    by_id = {one.remote_id: one for one in found}
    assert len(by_id) == len(found)
    assert by_id[rig.remote_id].observed.state is rig.initial_state
    assert rig.foreign_id not in by_id


@register_contract(facets.Reasons)
async def check_reasons(rig: Rig) -> None:
    expected = rig.facet_values.expected_reason(rig)
    await rig.provider.start(rig.access, await rig.read_row())
    assert await rig.provider.read_reason(rig.access, rig.remote_id) == expected
    before = rig.count_requests()
    with pytest.raises(SentTooLate):
        await rig.provider.read_reason(rig.access, rig.remote_id, SendWindow(rig.clock.monotonic() - 0.001))
    assert rig.count_requests() == before
    for remote_id in (rig.foreign_id, rig.missing_id):
        assert await rig.provider.read_reason(rig.access, remote_id) == ""


@register_contract(facets.PageChecks)
async def check_pages(rig: Rig) -> None:
    await rig.provider.start(rig.access, await rig.read_row())
    seen = (await rig.read_until(State.RUNNING))[-1]
    check_page = rig.provider.require_facet(facets.PageChecks).check_page
    checked = await check_page(rig.access, rig.remote_id, seen)
    while checked.lacks is not None:
        assert (checked.state, checked.lacks) == (State.RUNNING, "page")
        checked = await check_page(rig.access, rig.remote_id, seen)
    assert checked == seen
    await rig.provider.stop(rig.access, await rig.read_row())
    await rig.read_until(*rig.stopped_states)
    checked = await check_page(rig.access, rig.remote_id, seen)
    assert checked.state is not State.RUNNING or checked.lacks == "page"


@register_contract(facets.Removal)
async def check_removal(rig: Rig) -> None:
    for remote_id in (rig.foreign_id, rig.missing_id, "..", "a/b/c", "\udc80"):
        with pytest.raises(NotFound):
            await rig.provider.remove(rig.access, build_row(rig.provider, remote_id))
    assert (await rig.observe()).state is rig.initial_state
    await rig.provider.remove(rig.access, await rig.read_row())
    await rig.read_until(State.GONE)
    assert (await rig.observe(rig.broken_id)).state is rig.initial_state


@register_contract(facets.Revocation)
async def check_revocation(rig: Rig) -> None:
    # Linking stores either the pasted token or a token of Usher's own.
    linked = await rig.provider.check_credential(rig.access.credential)
    access = Access(linked.username, linked.credential)
    await rig.provider.status(access, [rig.remote_id])
    assert rig.provider.can_revoke(linked.credential)
    await rig.provider.revoke(access)
    with pytest.raises(CredentialRefused):
        await rig.provider.status(access, [rig.remote_id])


@register_contract(facets.Extension)
async def check_extension(rig: Rig) -> None:
    await rig.provider.start(rig.access, await rig.read_row())
    before = (await rig.read_until(State.RUNNING))[-1]
    assert before.expires_at is not None
    ends_at = await rig.provider.extend(rig.access, await rig.read_row(), before.expires_at + 7200.0)
    after = (await rig.read_until(State.RUNNING))[-1]
    assert after.expires_at is not None
    assert abs(after.expires_at - ends_at) < 1.0
    assert before.expires_at < ends_at <= before.expires_at + 7201.0


@register_contract(facets.Allowances)
async def check_allowances(rig: Rig) -> None:
    for one in await rig.provider.read_allowances(rig.access):
        assert isinstance(one, Allowance)
        assert one.unit
        assert one.left >= 0.0
        assert one.limit is None or one.limit >= 0.0


@register_contract(facets.Minting)
async def check_minting(rig: Rig) -> None:
    own = (await rig.provider.check_credential(rig.access.credential)).credential
    assert not rig.provider.can_mint(rig.access.credential)
    assert rig.provider.can_mint(own)
    assert own.expires_at is not None
    following = await rig.provider.mint(Access(rig.access.username, own))
    assert rig.provider.can_mint(following)
    assert following.token != own.token
    assert following.expires_at is not None
    assert following.expires_at >= own.expires_at
    # The earlier credential stays valid until it is revoked. Revoking it doesn't affect the later credential.
    for credential in (own, following):
        await rig.provider.status(Access(rig.access.username, credential), [rig.remote_id])
    await rig.provider.require_facet(facets.Revocation).revoke(Access(rig.access.username, own))
    await rig.provider.status(Access(rig.access.username, following), [rig.remote_id])


@register_contract(facets.Renewal)
async def check_renewal(rig: Rig) -> None:
    old = rig.facet_values.expired_credential()
    with pytest.raises(CredentialRefused):
        await rig.provider.status(Access(rig.access.username, old), [rig.remote_id])
    with pytest.raises(CredentialRefused):
        # Without the refresh token, the provider can't renew the credential.
        await rig.provider.refresh(rig.with_token(old.token.get_secret_value()))
    fresh = await rig.provider.refresh(Access(rig.access.username, old))
    assert fresh.token != old.token
    assert fresh.is_renewable
    assert (await rig.provider.check_credential(fresh)).username == rig.access.username


@register_contract(facets.Tokens)
async def check_tokens(rig: Rig) -> None:
    told = rig.provider.token_help()
    # If an administrator hands out the tokens, people have no page for creating tokens.
    assert told.url.startswith(("http://127.0.0.1:", "https://")) if rig.has_token_page else told.url == ""
    assert told.steps
    assert all(step.endswith(".") for step in told.steps)
    token = rig.access.credential.token.get_secret_value()
    pattern = re.compile(told.pattern)
    for pasted in (token, f'"{token}"', f" \u201c{token}\u201d\n", f"'{token}',", f"\ufeff{token}\u200b"):
        cleaned = rig.provider.clean_token(pasted)
        assert cleaned == token
        assert pattern.fullmatch(cleaned)
    assert not pattern.fullmatch("my secret word")
    assert not pattern.fullmatch(told.url)


@register_contract(facets.SignIn)
async def check_sign_in(rig: Rig) -> None:
    client, flow = rig.provider.oauth, Flow.create()
    assert client is not None
    assert await client.is_accepted()
    code, back = await rig.facet_values.sign_in(client, flow)
    asked = {
        name: value
        for name, (value,) in _query(client.authorization_url(back, flow.state, flow.challenge)).items()
    }
    assert (asked["redirect_uri"], asked["state"]) == (back, flow.state)
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (flow.challenge, "S256")
    identity = await client.exchange_code(code, flow.verifier, back)
    assert identity.username == rig.access.username
    await rig.provider.status(Access(identity.username, identity.credential), [rig.remote_id])
    with pytest.raises(CredentialRefused):
        await client.exchange_code(code, flow.verifier, back)  # a code works only once
    told = rig.provider.describe_registration(back)
    assert back in told
    assert "\n" in told


def _query(page: str) -> Mapping[str, list[str]]:
    return parse_qs(urlsplit(page).query)


async def fill_form(rig: Rig, purpose: Purpose) -> Spec:
    """Fill in a form with each field's initial value or, if it has none, its first choice."""
    provider = rig.provider
    offer = await provider.read_offer(rig.access)
    assert type(offer) is provider.offer_model
    form = provider.form(offer, purpose, {}, PRINCIPAL)
    assert isinstance(form, Form)
    values = {one.name: one.initial or (one.choices[0].value if one.choices else "") for one in form.fields}
    assert values, "the rig's connection offers something to make"
    made: Spec = provider.spec(
        offer, purpose, values | rig.facet_values.form_values.get(purpose, {}), PRINCIPAL
    )
    return made


def list_ids(traces: OutcomeSearch) -> set[str]:
    return {one.remote_id for one in (traces.match, *traces.candidates) if one is not None}


def read_time(rig: Rig) -> float:
    return rig.server_clock.now() if rig.server_clock is not None else time.time()


@register_contract(facets.Creation)
async def check_creation(rig: Rig) -> None:
    provider, spec, since = rig.provider, await fill_form(rig, "workspace"), read_time(rig)
    before = await provider.find_created(rig.access, spec, KEY, since)
    assert list_ids(before) == set()
    made = await provider.create(rig.access, spec, KEY)
    assert isinstance(made, Created)
    assert made.name == spec.name
    assert (await rig.observe(made.remote_id)).state not in {State.GONE, State.UNKNOWN}
    assert list_ids(await provider.find_created(rig.access, spec, KEY, since)) == {made.remote_id}
    names = await provider.list_names(rig.access, spec.stem)
    assert names is not None
    # If the provider doesn't list workspaces, only Usher knows the names of the user's workspaces.
    assert made.name in names or not isinstance(provider, facets.Lists)
    with suppress(PermanentError):
        # A different key requests another new workspace, so returning the existing one would be wrong.
        other = await provider.create(rig.access, spec, KEY.replace("0", "f"))
        assert other.remote_id != made.remote_id


@register_contract(facets.Runs)
async def check_runs(rig: Rig) -> None:
    provider, spec, since = rig.provider, await fill_form(rig, "job"), read_time(rig)
    assert list_ids(await provider.find_run(rig.access, spec, KEY, since)) == set()
    made = await provider.launch_run(rig.access, spec, KEY)
    assert list_ids(await provider.find_run(rig.access, spec, KEY, since)) == {made.remote_id}
    assert [one.remote_id for one in await provider.list_runs(rig.access)] == [made.remote_id]
    assert (await _read_run(rig, made)).state in {RunState.QUEUED, RunState.RUNNING}
    await provider.stop_run(rig.access, made.remote_id)
    assert (await _read_until_over(rig, made)).state is RunState.CANCELLED
    await provider.stop_run(rig.access, made.remote_id)  # already ended counts as success
    other = await provider.launch_run(rig.access, spec, f"{KEY}0")
    assert (await _read_until_over(rig, other)).state is RunState.SUCCEEDED
    written = [chunk.text async for chunk in provider.run_output(rig.access, other.remote_id)]
    assert "".join(written) != ""
    page = provider.run_page_url(SimpleNamespace(spec=spec, remote_id=other.remote_id))
    assert page == "" or page.startswith(provider.settings.base_url)


async def _read_run(rig: Rig, made: Created) -> ObservedRun:
    seen: ObservedRun = (await rig.provider.run_status(rig.access, [made.remote_id]))[made.remote_id]
    return seen


async def _read_until_over(rig: Rig, made: Created) -> ObservedRun:
    assert rig.server_clock is not None, "a run's time is the server's"
    for _ in range(MAX_READS):
        seen = await _read_run(rig, made)
        if seen.state.is_over:
            return seen
        rig.server_clock.advance(2)
    raise AssertionError("the run doesn't end")


@register_contract(facets.Impersonation)
async def check_impersonation(rig: Rig) -> None:
    username = rig.facet_values.username()
    identity = await rig.provider.check_username(username)
    assert (identity.username, identity.credential.owner) == (username, "admin")
    access = Access(identity.username, identity.credential)
    assert (await rig.provider.status(access, [rig.remote_id]))[rig.remote_id].state is rig.initial_state
    with pytest.raises(NotFound):
        await rig.provider.check_username("nobody-has-this-name")
    assert await rig.provider.is_secret_accepted() is not False


@register_contract(facets.EmailLookup)
async def check_email_lookup(rig: Rig) -> None:
    before, username = rig.count_requests(), rig.facet_values.username()
    assert await rig.provider.read_email("nobody-has-this-name") is None
    # Not every server reveals the e-mail address.
    assert await rig.provider.read_email(username) in {None, f"{username}@example.com"}
    assert rig.count_requests() == before + 2


@register_contract(facets.Overview)
async def check_overview(rig: Rig) -> None:
    assert rig.provider.has_overview()
    about = await rig.provider.read_overview()
    assert about.facts
    assert rig.facet_values.username() in {one.username for one in about.users}


@register_contract(facets.EmbeddedPage)
async def check_embedded_page(rig: Rig) -> None:
    loads = rig.provider.embedding()
    assert loads.sdk_host
    assert rig.provider.settings.base_url.startswith(loads.endpoint)
    await rig.provider.start(rig.access, await rig.read_row())
    seen = (await rig.read_until(State.RUNNING))[-1]
    assert seen.entry
    assert seen.url is None


@register_contract(facets.Events)
async def check_events(rig: Rig) -> None:
    headers, body = rig.facet_values.event()
    assert [one.remote_id for one in rig.provider.parse_events(headers, body)] == [rig.remote_id]
    for sent, text in (({}, body), (headers, body + b" ")):
        with pytest.raises(CredentialRefused):
            rig.provider.parse_events(sent, text)


@pytest.mark.parametrize("facet", CONTRACTS, ids=lambda one: one.__name__)
async def test_a_provider_keeps_the_contract_of_its_facet(rig: Rig, facet: type[Facet]) -> None:
    if not isinstance(rig.provider, facet):
        pytest.skip("it isn't one of its facets")
    set_up(rig, facet)
    await CONTRACTS[facet](rig)
