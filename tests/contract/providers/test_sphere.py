"""Behaviour specific to Sphere Engine: one token for all, projects, permissions, workspaces that expire."""

import hashlib
import hmac
import json
import re
from contextlib import nullcontext
from dataclasses import replace

import pytest

from bot.domain.forms import FormProblems, Spec
from bot.domain.observations import OutcomeSearch
from bot.domain.workspaces import State
from bot.providers.sphere.provider import SphereOffer
from bot.providers.sphere.webhooks import FINISHED, SIGNATURE
from bot.support import errors
from playground.faults import Fault
from tests.contract.providers.rigs import Rig
from tests.contract.providers.sphere_rig import (
    BROKEN,
    NOTES,
    NOW,
    ODD,
    ODD_NAME,
    PYTHON,
    SECRET_OF_NOTES,
    SHAKY,
    TOKEN,
    TRAINING,
    sphere_rig,
)
from tests.rigs.store import ALICE
from tests.support.http_rig import chain
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALL = {PYTHON: "Python", BROKEN: "Broken", SHAKY: "Shaky", ODD: ODD_NAME}


async def spec_of(rig: Rig, **values: str):
    offer = await rig.provider.read_offer(rig.access)
    return rig.provider.spec(offer, "workspace", {"template": PYTHON, **values}, ALICE)


def machine(rig: Rig, remote_id: str):
    return rig.server.state.workspaces[remote_id]


# -- whose ------------------------------------------------------------------------------------------------


async def test_nobody_can_list_or_link_or_name_what_is_not_in_our_records(sphere: Rig):
    told = sphere.provider.facets()
    assert told >= {"creation", "removal", "events"}
    assert not told & {"lists", "tokens", "impersonation"}
    assert not sphere.provider.has_lists
    assert sphere.provider.parse_reference(TRAINING) is None


async def test_its_page_loads_the_sdk_of_its_settings_and_asks_its_own_endpoint(sphere: Rig):
    loads, settings = sphere.provider.embedding(), sphere.provider.settings
    assert (loads.sdk_host, loads.is_https) == (settings.sdk_host, settings.sdk_is_https)
    assert settings.base_url.startswith(loads.endpoint)


async def test_only_a_signed_event_is_heard_and_no_secret_in_it(sphere: Rig):
    scenario = {
        "workspace": {"id": TRAINING},
        "scenario": f"Sums {TOKEN}",
        "result": {"status": {"name": "ok"}},
    }
    body = json.dumps([{"id": "e1", "type": FINISHED, "payload": scenario}]).encode()
    headers = {SIGNATURE: hmac.new(b"shh", body, hashlib.sha256).hexdigest()}
    (event,) = sphere.provider.parse_events(headers, body)
    assert (event.key, event.remote_id) == ("e1", TRAINING)
    assert "Sums" in event.message
    assert TOKEN not in event.message
    with pytest.raises(errors.CredentialRefused):
        sphere.provider.parse_events({}, body)


# -- making -----------------------------------------------------------------------------------------------


async def test_all_pages_of_projects_are_offered(sphere: Rig):
    offer = await sphere.provider.read_offer(sphere.access)
    assert {one.value: one.label for one in offer.projects} == ALL
    form = sphere.provider.form(offer, "workspace", {}, ALICE)
    assert [field.name for field in form.fields] == ["template", "name"]
    assert [choice.label for choice in form.fields[0].choices] == list(ALL.values())  # the server's order


async def test_only_the_projects_that_are_allowed_are_offered_and_made():
    async with sphere_rig(projects=[PYTHON]) as rig:
        offer = await rig.provider.read_offer(rig.access)
        assert [one.value for one in offer.projects] == [PYTHON]
        form = rig.provider.form(offer, "workspace", {}, ALICE)
        assert form.fields[0].initial == PYTHON  # there is nothing to choose
        with pytest.raises(errors.Forbidden):
            await rig.provider.create(rig.access, Spec("n", {"project": BROKEN}), "k")
        assert len(rig.server.state.workspaces) == 3


async def test_a_project_can_be_named_with_the_command(sphere: Rig):
    offer = await sphere.provider.read_offer(sphere.access)
    form = sphere.provider.form(offer, "workspace", {"template": "pYTHON"}, ALICE)
    assert form.fields[0].initial == PYTHON
    assert sphere.provider.form(offer, "workspace", {"template": "nothing"}, ALICE).fields[0].initial == ""
    assert sphere.provider.form(SphereOffer(()), "workspace", {}, ALICE).fields == ()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "template"),
        ({"template": "0" * 32}, "template"),
        ({"template": PYTHON, "name": "n" * 81}, "name"),
    ],
)
async def test_a_wrong_field_is_named(sphere: Rig, values, field):
    offer = await sphere.provider.read_offer(sphere.access)
    with pytest.raises(FormProblems) as wrong:
        sphere.provider.spec(offer, "workspace", values, ALICE)
    assert list(wrong.value.problems) == [field]


async def test_it_is_made_so_that_stopping_stops_and_only_its_token_opens_it(sphere: Rig):
    created = await sphere.provider.create(sphere.access, await spec_of(sphere), "k")
    options = machine(sphere, created.remote_id).options
    assert created.name == "Python"
    # Names are only in people's own lists, so nobody else's name is in the way.
    assert list(await sphere.provider.list_names(sphere.access, "Python")) == []
    assert options.workspace_token_required
    assert not options.auto_resume
    assert (options.retention_time_stopped, options.inactivity_timeout) == (1440, 15)


async def test_what_is_set_is_sent():
    async with sphere_rig(
        retention_minutes=90, inactivity_minutes=7, total_minutes=600, auto_resume=True
    ) as rig:
        created = await rig.provider.create(rig.access, await spec_of(rig, name="  mine "), "k")
        options = machine(rig, created.remote_id).options
        assert created.name == "mine"
        assert (options.retention_time_stopped, options.inactivity_timeout) == (90, 7)
        assert options.retention_time_total == 600
        assert options.auto_resume


async def test_a_project_that_is_gone_is_the_askers_to_change(sphere: Rig):
    with pytest.raises(errors.InvalidRequest, match="no longer exists"):
        await sphere.provider.create(sphere.access, Spec("n", {"project": "0" * 32}), "k")


@pytest.mark.parametrize("status", [402, 403])
@pytest.mark.parametrize("verb", ["create", "start"])
async def test_a_used_up_quota_is_a_limit(sphere: Rig, status, verb):
    sphere.server.state.switches.quota = 1
    sphere.server.state.switches.quota_status = status
    if verb == "create":
        call = sphere.provider.create(sphere.access, await spec_of(sphere), "k")
    else:
        call = sphere.provider.start(sphere.access, build_row(sphere.provider, TRAINING))
    with pytest.raises(errors.LimitReached, match="limit of running workspaces"):
        await call


@pytest.mark.parametrize("body", ["{}", '{"workspace": {"id": "x"}}', "[]", '{"workspace": null}', ""])
async def test_an_answer_without_an_id_may_have_made_something(sphere: Rig, body):
    spec = await spec_of(sphere)
    sphere.inject_fault("/workspaces$", body=body, status=201)
    with pytest.raises(errors.UnknownOutcome):
        await sphere.provider.create(sphere.access, spec, "k")


async def test_what_a_lost_call_made_is_among_the_candidates_and_nothing_else_is(sphere: Rig):
    spec = await spec_of(sphere, name="mine")
    provider, since = sphere.provider, sphere.server_clock.now()
    assert await provider.find_created(sphere.access, spec, "k", since) == OutcomeSearch()  # made otherwise
    elsewhere = Spec("mine", {"project": SHAKY})
    await provider.create(sphere.access, elsewhere, "k")
    sphere.inject_fault("/workspaces$", drop=True, after=True)
    with pytest.raises(errors.UnknownOutcome):
        await provider.create(sphere.access, spec, "k")
    (found,) = (await provider.find_created(sphere.access, spec, "k", since)).candidates
    assert found.name == "mine"
    assert machine(sphere, found.remote_id).project.id == PYTHON
    assert await provider.find_created(sphere.access, spec, "k", since + 500) == OutcomeSearch()


async def test_what_a_list_tells_too_little_of_is_read_before_it_is_passed_over(sphere: Rig):
    spec = await spec_of(sphere, name="mine")
    provider = sphere.provider
    made = await provider.create(sphere.access, spec, "k")
    short = [
        {"id": one, "state": {"code": 2, "name": "running"}} for one in (made.remote_id, sphere.remote_id)
    ]
    sphere.inject_fault("/workspaces$", body=json.dumps({"items": short, "paging": {}}))
    found = (await provider.find_created(sphere.access, spec, "k", sphere.server_clock.now())).candidates
    assert [(one.remote_id, one.has_details) for one in found] == [(one["id"], False) for one in short]
    told = [await provider.read_creation_time(sphere.access, one.remote_id) for one in found]
    assert told == [pytest.approx(sphere.server_clock.now(), abs=5), None]  # the other was made otherwise
    assert await provider.read_creation_time(sphere.access, sphere.missing_id) is None


# -- states -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("single", ["bare", "workspace"])
@pytest.mark.parametrize("code", ["number", "string"])
async def test_both_forms_of_an_answer_are_read(sphere: Rig, single, code):
    sphere.server.state.switches.single = single
    sphere.server.state.switches.code = code
    seen = await sphere.observe(NOTES)
    assert (seen.state, seen.actions) == (State.RUNNING, frozenset({"open", "stop", "remove"}))
    assert seen.entry == SECRET_OF_NOTES
    assert SECRET_OF_NOTES not in repr(seen)
    assert seen.url is None


@pytest.mark.parametrize("code", [9, "9", "paused", 0, -1])
async def test_an_unknown_code_is_named(sphere: Rig, code):
    machine(sphere, NOTES).shown = (code, "odd")
    seen = await sphere.observe(NOTES)
    assert seen.state is State.UNKNOWN
    assert seen.detail.startswith(f"unknown state '{code} odd'")


async def test_state_without_a_code_is_unknown(sphere: Rig):
    machine(sphere, NOTES).shown = (None, None)
    seen = await sphere.observe(NOTES)
    assert (seen.state, seen.detail) == (State.UNKNOWN, "its state can't be read")
    assert "stop" in seen.actions


@pytest.mark.parametrize(
    "told", [{"enter": False}, {"stop": False}, {"remove": False}, {"enter": False, "stop": False}]
)
async def test_buttons_follow_the_permissions(sphere: Rig, told):
    machine(sphere, NOTES).overridden = told
    words = {"enter": "open", "stop": "stop", "remove": "remove"}
    assert (await sphere.observe(NOTES)).actions == {words[key] for key in words if key not in told}


async def test_a_failure_is_told_with_its_reason(sphere: Rig):
    created = await sphere.provider.create(sphere.access, Spec("n", {"project": BROKEN}), "k")
    seen = await sphere.observe(created.remote_id)
    assert (seen.state, seen.reason) == (State.FAILED, "image pull failed")
    assert seen.down_at is not None
    assert seen.actions == {"remove"}


async def test_a_set_up_that_failed_is_told_with_the_end_of_what_it_wrote(sphere: Rig):
    one = machine(sphere, NOTES)
    one.init_failed, one.init_error = True, f"{'x' * 500} {TOKEN} {SECRET_OF_NOTES} no such package\n"
    seen = await sphere.observe(NOTES)
    assert seen.state is State.RUNNING
    assert seen.detail.startswith("Its set-up failed: …")
    assert seen.detail.endswith("… … no such package")
    assert len(seen.detail) <= 200
    one.init_error = " https://logs.example.org/48dba362e85e/init.txt?sig=1\n"
    assert (await sphere.observe(NOTES)).detail == "Its set-up failed."
    # A secret is removed before the text is cut, so that no part of it is left.
    for length in range(100, 260):
        one.init_error = TOKEN + "y" * length
        seen = (await sphere.provider.status(sphere.access, [NOTES]))[NOTES]
        assert not re.search(r"acc3ss|account", seen.detail)


@pytest.mark.parametrize(
    ("times", "after", "why"),
    [
        ({"retention_time_total": 60}, 3600, "It was removed because its time was up."),
        ({"retention_time_stopped": 0}, 900, "It was removed because nobody was using it."),
        ({}, 900 + 1440 * 60, "It was removed because nobody was using it."),
        ({}, 60, None),
    ],
)
async def test_why_something_is_gone_follows_from_its_times(sphere: Rig, times, after, why):
    one = machine(sphere, NOTES)
    one.options = replace(one.options, **times)
    one.created_at, one.last_usage = NOW, None
    one.end(NOW + after)
    seen = await sphere.observe(NOTES)
    assert (seen.state, seen.detail, seen.down_at) == (State.GONE, why, NOW + after)


async def test_times_that_end_a_running_one_count_from_its_last_use(sphere: Rig):
    one = machine(sphere, NOTES)
    seen = await sphere.observe(NOTES)
    assert (seen.expires_at, seen.expiry_mode, seen.expires_after) == (NOW + 900, "stops", 900)
    assert seen.survives_stop is True
    one.options = replace(one.options, retention_time_stopped=0)
    assert (await sphere.observe(NOTES)).survives_stop is False
    one.options = replace(one.options, retention_time_stopped=60)
    one.last_usage = NOW + 60
    assert (await sphere.observe(NOTES)).expires_at == NOW + 960


async def test_a_stopped_one_is_removed_after_its_retention_whose_begin_is_not_told(sphere: Rig):
    seen = await sphere.observe(TRAINING)
    assert (seen.expires_at, seen.expiry_mode, seen.expires_after) == (None, "removed", 3600)
    assert seen.actions == {"start", "remove", "open"}  # it resumes by itself when it is looked at


@pytest.mark.parametrize("remote_id", [NOTES, TRAINING], ids=["running", "stopped"])
async def test_time_in_all_bounds_every_other_end(sphere: Rig, remote_id):
    one = machine(sphere, remote_id)
    one.options, one.created_at = replace(one.options, retention_time_total=120), NOW
    assert (await sphere.observe(remote_id)).removed_at == NOW + 7200


async def test_what_is_removed_behind_our_back_is_gone(sphere: Rig):
    machine(sphere, NOTES).end(NOW)
    assert (await sphere.observe(NOTES)).state is State.GONE
    del sphere.server.state.workspaces[NOTES]
    assert (await sphere.observe(NOTES)).state is State.GONE


async def test_a_rotated_token_is_told_by_the_next_read(sphere: Rig):
    fresh = machine(sphere, NOTES).rotate()
    assert (await sphere.observe(NOTES)).entry == fresh != SECRET_OF_NOTES


async def test_a_resume_while_it_is_stopping_is_for_later(sphere: Rig):
    machine(sphere, NOTES).stop_seconds = 5
    await sphere.provider.stop(sphere.access, build_row(sphere.provider, NOTES))
    with pytest.raises(errors.Conflict):
        await sphere.provider.start(sphere.access, build_row(sphere.provider, NOTES))
    await sphere.observe(NOTES)
    await sphere.provider.start(sphere.access, build_row(sphere.provider, NOTES))


NOT_YET = ("Workspace is still stopping", "It is being stopped, try again later")


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        *((status, message, errors.Conflict) for status in (400, 403, 409) for message in NOT_YET),
        (400, "Workspace is already running", None),
        (400, "no", errors.InvalidRequest),
        (402, "no", errors.LimitReached),
        (403, "no", errors.LimitReached),
    ],
)
async def test_a_refused_resume_is_read_by_its_words(sphere: Rig, status, message, kind):
    """The documentation doesn't say with which status the server sends these messages."""
    sphere.inject_fault("/resume$", status=status, body=json.dumps({"message": message, "error_code": 10}))
    with pytest.raises(kind) if kind else nullcontext():
        await sphere.provider.start(sphere.access, build_row(sphere.provider, TRAINING))


@pytest.mark.parametrize("call", ["start", "stop"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 403, "body": "<html>Blocked</html>"}, errors.RefusedInFront),
        ({"status": 401, "body": json.dumps({"message": "Your account is disabled."})}, errors.Forbidden),
    ],
    ids=["proxy", "account"],
)
async def test_refusal_not_for_the_state_is_no_conflict(sphere: Rig, call, fault, kind):
    sphere.inject_fault("/(resume|stop)$", **fault)
    state = State.STOPPED if call == "start" else State.RUNNING
    with pytest.raises(kind):
        await getattr(sphere.provider, call)(sphere.access, build_row(sphere.provider, TRAINING, state))


async def test_removal_refused_as_already_so_returns_the_words(sphere: Rig):
    words = "Workspace is already removed"
    sphere.inject_fault("/remove$", status=400, body=json.dumps({"message": words}))
    assert await sphere.provider.remove(sphere.access, build_row(sphere.provider, NOTES)) == words


async def test_removing_is_for_good_and_twice_does_no_harm(sphere: Rig):
    await sphere.provider.remove(sphere.access, build_row(sphere.provider, NOTES))
    await sphere.provider.remove(sphere.access, build_row(sphere.provider, NOTES))
    assert (await sphere.observe(NOTES)).state is State.GONE
    with pytest.raises(errors.NotFound):
        await sphere.provider.remove(sphere.access, build_row(sphere.provider, "0" * 32))


# -- the token --------------------------------------------------------------------------------------------


async def test_a_token_that_was_changed_is_refused_by_every_method(sphere: Rig):
    sphere.server.state.access_token = "another"
    provider, access = sphere.provider, sphere.access
    for call in (
        provider.probe(),
        provider.check_credential(access.credential),
        provider.status(access, [NOTES]),
        provider.start(access, build_row(provider, NOTES)),
        provider.stop(access, build_row(provider, NOTES)),
        provider.remove(access, build_row(provider, NOTES)),
        provider.read_offer(access),
        provider.create(access, Spec("n", {"project": PYTHON}), "k"),
        provider.find_created(access, Spec("", {"project": PYTHON}), "k", 0.0),
    ):
        with pytest.raises(errors.CredentialRefused) as refused:
            await call
        for error in chain(refused.value):
            assert TOKEN not in repr(error) + str(error) + repr(vars(error))


async def test_it_travels_in_the_address_alone_and_comes_back_in_no_form():
    odd = "a/b?c=d&e f%+".replace(" ", "")
    async with sphere_rig(seed={"access_token": odd, "projects": []}, access_token=odd) as rig:
        assert (await rig.provider.read_offer(rig.access)) == SphereOffer(())
        said = "no: a/b?c=d&ef%+ a%2Fb%3Fc%3Dd%26ef%25%2B"
        rig.harness.faults.append(Fault(re.compile("/test"), status=422, body=f'{{"message": "{said}"}}'))
        with pytest.raises(errors.InvalidRequest) as error:
            await rig.provider.probe()
        assert error.value.message == "no: … …"


async def test_a_list_without_end_is_given_up(sphere: Rig):
    page = '{"items": [], "paging": {"next_page_token": "again"}}'
    sphere.inject_fault("/projects", body=page, times=5)
    with pytest.raises(errors.BadAnswer, match="no end"):
        await sphere.provider.read_offer(sphere.access)
