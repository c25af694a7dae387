"""Tests for provider mistakes that can harm people but go unnoticed while everything works."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from bot.domain.forms import FormProblems
from bot.domain.workspaces import State
from bot.providers import facets
from bot.support import errors
from usher.conformance.facets import fill_form, list_ids, read_time
from usher.conformance.rigs import KEY, PRINCIPAL, Rig, build_row


def build_patch(path: str, value: Any) -> list[dict[str, Any]]:
    """Return a JSON patch that replaces the value at a path."""
    return [{"op": "replace", "path": path, "value": value}]


def skip_without(rig: Rig, name: str) -> None:
    """Skip a test if the rig has no value of this name, because its server doesn't have the feature."""
    if not getattr(rig, name):
        pytest.skip(f"the rig has no {name}")


async def test_an_unknown_word_keeps_the_last_state_and_decides_nothing(quiet_rig: Rig) -> None:
    skip_without(quiet_rig, "state_pointer")
    quiet_rig.inject_fault(of="status", patch=build_patch(quiet_rig.state_pointer, "brand-new-word"))
    assert (await quiet_rig.observe()).state is State.UNKNOWN


async def test_stop_in_an_unknown_state_is_sent(quiet_rig: Rig) -> None:
    """A stop request is sent unless the workspace is known to be down."""
    skip_without(quiet_rig, "state_pointer")
    quiet_rig.inject_fault(of="status", patch=build_patch(quiet_rig.state_pointer, "brand-new-word"))
    row = await quiet_rig.read_row()
    assert (row.state, row.is_down) == (State.UNKNOWN, False)
    sent = quiet_rig.count_requests()
    with suppress(errors.Conflict, errors.InvalidRequest):  # The server knows that it is down.
        await quiet_rig.provider.stop(quiet_rig.access, row)
    assert quiet_rig.count_requests() > sent


@pytest.mark.parametrize("value", [None, [], {}, ""])
async def test_a_state_that_is_no_word_is_unknown_or_a_bad_answer(quiet_rig: Rig, value: Any) -> None:
    skip_without(quiet_rig, "state_pointer")
    quiet_rig.inject_fault(of="status", patch=build_patch(quiet_rig.state_pointer, value))
    try:
        seen = await quiet_rig.observe()
    except errors.BadAnswer:
        return
    assert seen.state is State.UNKNOWN


async def test_an_answer_about_another_workspace_decides_nothing(quiet_rig: Rig) -> None:
    skip_without(quiet_rig, "id_pointer")
    quiet_rig.inject_fault(of="status", patch=build_patch(quiet_rig.id_pointer, quiet_rig.broken_id))
    with pytest.raises(errors.BadAnswer):
        await quiet_rig.observe()


async def test_a_link_to_elsewhere_is_shown_to_nobody(rig: Rig) -> None:
    skip_without(rig, "url_pointer")
    await rig.provider.start(rig.access, await rig.read_row())
    assert (await rig.read_until(State.RUNNING))[-1].url is not None
    rig.inject_fault(of="status", patch=build_patch(rig.url_pointer, "https://elsewhere.example/ide"))
    seen = await rig.observe()
    assert (seen.state, seen.url) == (State.RUNNING, None)


@pytest.mark.parametrize("value", [None, 7, [], {}, "?"])
async def test_no_entry_of_a_list_hides_another(quiet_rig: Rig, value: Any) -> None:
    rig = quiet_rig
    skip_without(rig, "list_pointer")
    whole = await rig.read_list()
    rig.inject_fault(
        rig.list_requests, patch=build_patch(f"{rig.list_pointer}/0{rig.entry_state_pointer}", value)
    )
    found = await rig.read_list()
    assert [one.remote_id for one in found] == [one.remote_id for one in whole]
    assert found[0].observed.state is State.UNKNOWN
    rig.inject_fault(
        rig.list_requests, patch=build_patch(f"{rig.list_pointer}/0{rig.entry_id_pointer}", None)
    )
    found = await rig.read_list()
    assert [one.remote_id for one in found] == [one.remote_id for one in whole[1:]]
    assert not found.is_whole, "nothing follows from what a list lacks that couldn't be read"


async def test_list_has_clean_names(quiet_rig: Rig) -> None:
    """The names in a list have been through ``clean``."""
    rig = quiet_rig
    skip_without(rig, "entry_name_pointer")
    odd = "training\r\n\u202egniniart\u0000"
    path = f"{rig.list_pointer}/0{rig.entry_name_pointer}"
    rig.inject_fault(rig.list_requests, patch=build_patch(path, odd))
    for entry in await rig.read_list():
        for name in (entry.name, entry.observed.name or ""):
            assert name.isprintable(), "a name has a line break or a hidden character: `clean` it"


@pytest.mark.parametrize("end", ["/kit", "/../kit", "?kit", "#kit"], ids=["slash", "up", "query", "fragment"])
@pytest.mark.parametrize("verb", ["status", "start", "stop", "page_url"])
async def test_an_id_is_encoded_in_a_path(quiet_rig: Rig, verb: str, end: str) -> None:
    """An id is percent-encoded if it contains characters with a special meaning in paths."""
    rig, remote_id = quiet_rig, quiet_rig.remote_id + end
    del rig.sent_paths[:]
    if verb == "page_url":
        rig.sent_paths.append(rig.provider.page_url(remote_id))
    elif verb == "status":
        seen = (await rig.provider.status(rig.access, [remote_id]))[remote_id]
        assert seen.state is State.GONE, "there is no such workspace"
    else:
        with suppress(errors.PermanentError):
            await getattr(rig.provider, verb)(rig.access, build_row(rig.provider, remote_id, State.UNKNOWN))
    for path, _, query in (sent.partition("?") for sent in rig.sent_paths):
        is_encoded = "/kit" not in path and "#kit" not in path and query != "kit"
        assert is_encoded, f"the id {remote_id!r} is in the path {path} as it is"


async def test_a_list_that_goes_on_is_not_whole(quiet_rig: Rig) -> None:
    skip_without(quiet_rig, "endless_list_patch")
    quiet_rig.inject_fault(quiet_rig.list_requests, patch=quiet_rig.endless_list_patch, times=None)
    try:
        found = await quiet_rig.read_list()
    except errors.ServerFailed:
        pytest.fail("the rig's endless_list_patch doesn't fit its list")
    except errors.ProviderError:
        return
    finally:
        quiet_rig.harness.faults.clear()
    assert not found.is_whole, "nothing follows from what a list lacks that was cut"


async def test_an_administrators_own_token_is_one_persons_all_the_same(quiet_rig: Rig) -> None:
    rig, admin = quiet_rig, quiet_rig.admin
    skip_without(rig, "admin")
    assert admin is not None
    assert (await rig.provider.status(admin, [rig.remote_id]))[rig.remote_id].state is State.GONE
    found = await rig.provider.require_facet(facets.Lists).discover(admin)
    assert rig.remote_id not in {one.remote_id for one in found}


async def test_acting_sends_what_it_has_to_and_reads_nothing(rig: Rig) -> None:
    """Starting and stopping don't read anything, because the state has just been read through the gate."""
    workspace = await rig.read_row()
    before = rig.count_requests()
    await rig.provider.start(rig.access, workspace)
    assert rig.count_requests() == before + rig.request_counts.get("start", 1)
    await rig.read_until(State.RUNNING)
    workspace = await rig.read_row()
    before = rig.count_requests()
    await rig.provider.stop(rig.access, workspace)
    assert rig.count_requests() == before + rig.request_counts.get("stop", 1)
    await rig.read_until(*rig.stopped_states)


async def test_a_read_is_one_request_each_time_and_remembers_nothing(quiet_rig: Rig) -> None:
    rig = quiet_rig
    both = [rig.remote_id, rig.missing_id]
    for _ in range(2):
        before = rig.count_requests()
        await rig.observe()
        assert rig.count_requests() == before + rig.request_counts.get("read", 1)
    found = await asyncio.gather(*(rig.provider.status(rig.access, [one]) for one in both))
    assert [next(iter(one.values())).state for one in found] == [rig.initial_state, State.GONE]


async def test_what_is_said_to_be_ready_opens(rig: Rig) -> None:
    await rig.provider.start(rig.access, await rig.read_row())
    seen = (await rig.read_until(State.RUNNING))[-1]
    if seen.url is not None:
        assert seen.url.startswith("http://127.0.0.1:"), "the local server serves the IDE, too"
        async with aiohttp.ClientSession() as browser, browser.get(seen.url) as opened:
            assert opened.status < 500, "it is said to be ready too early"


@pytest.mark.parametrize(
    "fault",
    [{"body": "<html>"}, {"body": "{}"}, {"drop": True}, {"truncate": 5}, {"status": 502}],
    ids=["page", "empty", "dropped", "cut", "bad gateway"],
)
async def test_a_creation_without_a_usable_answer_is_found_and_made_once(
    rig: Rig, fault: dict[str, Any]
) -> None:
    skip_without(rig, "create_requests")
    provider = rig.provider.require_facet(facets.Creation)
    spec, since = await fill_form(rig, "workspace"), read_time(rig)
    before = rig.count_requests()
    rig.inject_fault(rig.create_requests, after=True, **fault)
    with pytest.raises(errors.UnknownOutcome):
        await provider.create(rig.access, spec, KEY)
    assert rig.count_requests() == before + 1, "a call that may have been carried out isn't repeated"
    assert len(list_ids(await provider.find_created(rig.access, spec, KEY, since))) == 1


async def test_an_older_namesake_is_not_what_was_made(rig: Rig) -> None:
    skip_without(rig, "create_requests")
    provider = rig.provider.require_facet(facets.Creation)
    spec, since = await fill_form(rig, "workspace"), read_time(rig)
    made = await provider.create(rig.access, spec, KEY)
    # Search for another creation with the same name but a different key, requested a day later.
    traces = await provider.find_created(rig.access, spec, KEY.replace("0", "f"), since + 86_400)
    assert made.remote_id not in list_ids(traces), "that is older than the call"


async def test_what_a_person_fills_in_is_held_to_what_is_offered(quiet_rig: Rig) -> None:
    provider = quiet_rig.provider
    if not isinstance(provider, facets.Creation):
        pytest.skip("nothing is made there")
    offer = await provider.read_offer(quiet_rig.access)
    first = provider.form(offer, "workspace", {}, PRINCIPAL)
    values = {
        one.name: one.initial or (one.choices[0].value if one.choices else "made") for one in first.fields
    }
    for field in provider.form(offer, "workspace", values, PRINCIPAL).fields:
        assert field.label.isprintable()
        assert 0 < len(field.label) <= 150
        assert field.hint.isprintable()
        assert len(field.hint) <= 150
        assert all(one.label.isprintable() and one.value for one in field.choices)
        wrong = {"choice": "not offered", "search": "not offered", "number": "nought"}.get(field.kind)
        if wrong is not None:
            with pytest.raises(FormProblems):
                provider.spec(offer, "workspace", {**values, field.name: wrong}, PRINCIPAL)
