"""Tests of what is specific to Coder: deadlines, failure reasons, quotas, parameters and links."""

import json
import time
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from coder_rig import AGENT, DOCUMENT, HELD, READ, coder_rig, shared_seed
from usher_coder.local import SEED
from usher_coder.provider import DORMANT

from usher.conformance.rigs import KEY, PRINCIPAL
from usher.provider import Allowance, FormProblems, MachineKind, Price, Spec, State, errors

SLOW = "^(a+)+$"


async def test_a_running_one_says_when_it_stops_by_itself(open_rig):
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        seen = (await rig.read_until(State.RUNNING))[-1]
        assert seen.expiry_mode == "stops"
        assert seen.expires_at == seen.started_at + 8 * 3600
        assert seen.url.endswith("/@alice/training.main/apps/code-server/")


@pytest.mark.parametrize(
    ("deadline", "last", "ends_at", "mode"),
    [
        ("2026-11-29T18:00:00Z", "2026-11-29T20:00:00Z", "2026-11-29T18:00:00Z", "stops"),
        ("2026-11-29T20:00:00Z", "2026-11-29T20:00:00Z", "2026-11-29T20:00:00Z", "stops_anyway"),
        ("2026-11-29T21:00:00Z", "2026-11-29T20:00:00Z", "2026-11-29T20:00:00Z", "stops_anyway"),
        ("0001-01-01T00:00:00Z", "2026-11-29T20:00:00Z", "2026-11-29T20:00:00Z", "stops_anyway"),
        ("2026-11-29T18:00:00Z", "0001-01-01T00:00:00Z", "2026-11-29T18:00:00Z", "stops"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", None, None),
    ],
)
async def test_earliest_real_end_is_told_and_whether_use_puts_it_off(open_rig, deadline, last, ends_at, mode):
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        await rig.read_until(State.RUNNING)
        build = {"/latest_build/deadline": deadline, "/latest_build/max_deadline": last}
        seen = await seen_with(rig, **build)
        wanted = None if ends_at is None else datetime.fromisoformat(ends_at).timestamp()
        assert (seen.expires_at, seen.expiry_mode) == (wanted, mode)


@pytest.mark.parametrize(
    ("reason", "dormant_at", "detail"),
    [
        ("autostop", None, "It was stopped there because its time was up."),
        ("autostop", "2026-11-29T18:00:00Z", DORMANT),
        ("initiator", None, None),
        (None, None, None),
    ],
)
async def test_stopped_one_says_why_coder_stopped_it_and_guesses_nothing(
    open_rig, reason, dormant_at, detail
):
    async with open_rig() as rig:
        seen = await seen_with(rig, **{"/latest_build/reason": reason, "/dormant_at": dormant_at})
        assert (seen.state, seen.detail) == (State.STOPPED, detail)


@pytest.mark.parametrize(
    ("cost", "currency", "price"),
    [
        (24, None, Price(Decimal(1), "credits")),
        (1, "EUR", Price(Decimal("0.0417"), "EUR")),
        (0, "EUR", None),
        (-1, "EUR", None),
        ("much", "EUR", None),
    ],
)
async def test_running_one_says_its_template_and_what_an_hour_costs(open_rig, cost, currency, price):
    async with open_rig() as rig:
        settings = rig.provider.settings.model_copy(update={"currency": currency})
        rig.provider.settings = settings
        await rig.provider.start(rig.access, await rig.read_row())
        await rig.read_until(State.RUNNING)
        seen = await seen_with(rig, **{"/latest_build/daily_cost": cost})
        assert seen.machine == MachineKind("docker", None, price)


async def test_extension_goes_no_further_than_the_last_deadline(open_rig):
    seed = {
        **SEED,
        "templates": [{**SEED["templates"][0], "autostop_requirement": 9}, *SEED["templates"][1:]],
    }
    async with open_rig(seed=seed) as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        before = (await rig.read_until(State.RUNNING))[-1]
        assert before.expiry_mode == "stops"
        ends_at = await rig.provider.extend(rig.access, await rig.read_row(), before.expires_at + 7200)
        assert before.expires_at < ends_at < before.expires_at + 3600
        rig.server_clock.advance(10)
        after = (await rig.provider.status(rig.access, [rig.remote_id]))[rig.remote_id]
        assert (after.expires_at, after.expiry_mode) == (ends_at, "stops_anyway")


@pytest.mark.parametrize("use", [0.0, 600.0], ids=["at-the-last-deadline", "before-it"])
async def test_extension_close_to_the_last_deadline_reports_the_present_one(use):
    """Coder refuses deadlines less than 30 minutes ahead, so it already ends as late as possible."""
    seed = {**SEED, "templates": [{**SEED["templates"][0], "autostop_requirement": 8}]}
    async with coder_rig(seed=seed) as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        await rig.read_until(State.RUNNING)
        build = rig.server.workspaces[rig.remote_id].builds[-1]
        build.extended = build.at + 8 * 3600.0 - use
        rig.server_clock.advance(8 * 3600.0 - 1500.0 - (rig.server_clock.now() - build.at))
        seen = (await rig.provider.status(rig.access, [rig.remote_id]))[rig.remote_id]
        assert seen.expires_at == build.extended
        ends_at = await rig.provider.extend(rig.access, await rig.read_row(), seen.expires_at + 7200)
        assert ends_at == seen.expires_at


async def test_refused_extension_keeps_the_words(open_rig):
    async with open_rig() as rig:
        row = await rig.read_row()
        with pytest.raises(errors.Conflict, match="Workspace must be started"):
            await rig.provider.extend(rig.access, row, time.time() + 7200)


async def test_what_waits_says_its_place(open_rig):
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        seen = (await rig.provider.status(rig.access, [rig.remote_id]))[rig.remote_id]
        assert (seen.state, seen.detail) == (State.STARTING, "Number 2 in the queue.")


DOWN = {"/latest_build/transition": "stop"}


async def seen_with(rig, **values):
    """Read a workspace while Coder reports these values instead of the real ones."""
    patch = [{"op": "add", "path": path, "value": value} for path, value in values.items()]
    rig.inject_fault(READ, patch=patch)
    return (await rig.provider.status(rig.access, [rig.remote_id]))[rig.remote_id]


@pytest.mark.parametrize(
    ("path", "word", "lacks", "said"),
    [
        ("status", "disconnected", "agent", "Its agent has lost its connection."),
        ("status", "timeout", "agent", "Its agent hasn't connected in time."),
        ("lifecycle_state", "shutting_down", "agent", "Its agent is shutting down."),
        ("lifecycle_state", "shutdown_error", "agent", "Its shutdown script failed."),
        ("lifecycle_state", "shutdown_timeout", "agent", "Its agent hasn't shut down in time."),
        ("lifecycle_state", "off", "agent", "Its agent is off."),
        ("lifecycle_state", "start_error", None, "Its start script failed."),
        ("lifecycle_state", "start_timeout", None, "Its start script is taking longer than it should."),
        ("apps/1/health", "unhealthy", "app", "Its app isn't healthy."),
        ("apps/1/health", "disabled", None, None),
        ("apps", [], None, "It has no app with a page."),
    ],
)
async def test_running_one_says_what_it_lacks(open_rig, path, word, lacks, said):
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        await rig.read_until(State.RUNNING)
        seen = await seen_with(rig, **{f"{AGENT}/{path}": word})
        assert (seen.state, seen.lacks, seen.detail) == (State.RUNNING, lacks, said)


async def test_agent_that_is_being_set_up_is_waited_for(open_rig):
    """An agent that doesn't connect in time counts as lost; a start doesn't wait for non-blocking scripts."""
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        await rig.read_until(State.RUNNING)
        late = await seen_with(rig, **{f"{AGENT}/lifecycle_state": "created", f"{AGENT}/status": "timeout"})
        assert (late.state, late.lacks) == (State.RUNNING, "agent")
        for behavior, state in (("blocking", State.STARTING), ("non-blocking", State.RUNNING)):
            scripts = {"lifecycle_state": "starting", "startup_script_behavior": behavior}
            seen = await seen_with(rig, **{f"{AGENT}/{path}": value for path, value in scripts.items()})
            assert (seen.state, seen.lacks) == (state, None)
        inner = {"parent_id": rig.remote_id, "name": "inner", "status": "connecting", "apps": []}
        seen = await seen_with(rig, **{f"{AGENT}/apps": [], "/latest_build/resources/0": {"agents": [inner]}})
        assert (seen.state, seen.lacks) == (State.RUNNING, None)


async def test_build_that_cannot_be_read_leaves_the_state_unknown(open_rig):
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        await rig.read_until(State.RUNNING)
        for path, value in (("", None), ("/status", 3.5), ("/status", None), ("/transition", "")):
            assert (await seen_with(rig, **{f"/latest_build{path}": value})).state is State.UNKNOWN


async def test_agent_without_an_app_counts(open_rig):
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        await rig.read_until(State.RUNNING)
        lost = {f"{AGENT}/apps": [], f"{AGENT}/status": "disconnected"}
        assert (await seen_with(rig, **lost)).lacks == "agent"
        bare = await seen_with(rig, **{"/latest_build/resources": []})
        assert (bare.state, bare.lacks) == (State.RUNNING, None)


@pytest.mark.parametrize(
    ("matched", "place", "said"),
    [
        ({"count": 0, "available": 0}, 3, "No provisioner there can build it. Ask your The cloud admin."),
        (
            {"count": 2, "available": 0},
            0,
            "What could build it is away at the moment. If that lasts, ask your The cloud admin.",
        ),
        ({"count": 2, "available": 1}, 3, "Number 3 in the queue."),
        ({}, 0, None),
        (None, True, None),
    ],
    ids=["none", "away", "queue", "empty", "odd"],
)
async def test_pending_one_says_what_it_waits_for(open_rig, matched, place, said):
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        build = {"matched_provisioners": matched, "job/queue_position": place}
        seen = await seen_with(rig, **{f"/latest_build/{path}": value for path, value in build.items()})
        assert (seen.state, seen.detail) == (State.STARTING, said)
        down = await seen_with(
            rig, **{f"/latest_build/{path}": value for path, value in build.items()}, **DOWN
        )
        assert (down.state, down.detail) == (State.STOPPING, said)


async def test_a_failed_one_says_why_from_the_log_of_its_build(open_rig):
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row(rig.broken_id))
        failed = (await rig.read_until(State.FAILED, remote_id=rig.broken_id))[-1]
        assert (failed.reason, failed.has_reason) == ("terraform apply: exit status 1", True)
        said = await rig.provider.read_reason(rig.access, rig.broken_id)
        assert said == "no such image: images.example.org/gone:latest"


FAULTS = [
    pytest.param("start", {"cancels": ["start"]}, "start canceled", id="start-canceled"),
    pytest.param("start", {"fails": ["no disk", "Error: no disk"]}, "no disk", id="start-failed"),
    pytest.param("stop", {"cancels": ["stop"]}, "stop canceled", id="stop-canceled"),
    pytest.param("stop", {"stop_fails": ["in use", "Error: in use"]}, "in use", id="stop-failed"),
    pytest.param("delete", {"cancels": ["delete"]}, "delete canceled", id="removal-canceled"),
]


@pytest.mark.parametrize(("transition", "fault", "reason"), FAULTS)
async def test_build_that_is_not_done_leaves_something(open_rig, transition, fault, reason):
    """A failed or canceled build may have left something running, so the workspace can still be stopped."""
    async with open_rig() as rig:
        made = rig.server.workspaces[rig.remote_id]
        for name, value in fault.items():
            setattr(made, name, value)
        rig.server.begin(made, transition, 0)
        seen = (await rig.provider.status(rig.access, [rig.remote_id]))[rig.remote_id]
        assert (seen.state, seen.actions, seen.reason) == (State.FAILED, None, reason)
        made.stop_fails, made.cancels = None, ()
        await rig.provider.stop(rig.access, await rig.read_row())
        assert (await rig.read_until(State.STOPPED))[-1].state is State.STOPPED
        assert [build.transition for build in made.builds[-2:]] == [transition, "stop"]


async def test_job_status_decides_about_a_build(open_rig):
    """A build whose job failed is treated as failed, whatever the build's own status is."""
    async with open_rig() as rig:
        made = rig.server.workspaces[rig.remote_id]
        shown = rig.server.shown(made)
        shown["latest_build"]["job"] |= {"status": "failed", "error": "the disk is still attached"}
        rig.server.shown = lambda _: shown
        seen = (await rig.provider.status(rig.access, [rig.remote_id]))[rig.remote_id]
        assert (seen.state, seen.reason) == (State.FAILED, "the disk is still attached")


async def test_reason_without_a_log_is_the_jobs(open_rig):
    """If the build's log can't be read, the reason for a failure is the job's error."""
    async with open_rig() as rig:
        await rig.provider.start(rig.access, await rig.read_row(rig.broken_id))
        await rig.read_until(State.FAILED, remote_id=rig.broken_id)
        rig.inject_fault("/logs$", status=500)
        assert await rig.provider.read_reason(rig.access, rig.broken_id) == "terraform apply: exit status 1"


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
async def test_no_time_is_no_last_use(open_rig, value):
    async with open_rig() as rig:
        shown = rig.server.shown(rig.server.workspaces[rig.remote_id])
        rig.server.shown = lambda _: shown | {"last_used_at": value}
        seen = (await rig.provider.status(rig.access, [rig.remote_id]))[rig.remote_id]
        assert seen.last_used_at is None


async def test_a_quota_that_is_used_up_is_told_as_no_room():
    from bot.domain.failure_causes import Reason, find_reason

    async with coder_rig(seed={**SEED, "quota": 0}) as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        failed = (await rig.read_until(State.FAILED))[-1]
        assert find_reason(failed.reason) is Reason.QUOTA
        assert find_reason(await rig.provider.read_reason(rig.access, rig.remote_id)) is Reason.QUOTA


@pytest.mark.parametrize(
    ("quota", "left"),
    [(3, [Allowance("credits", 2.0, 3.0)]), (0, [Allowance("credits", 0.0, 0.0)]), (-1, [])],
    ids=["some", "used_up", "without_licence"],
)
async def test_quota_says_what_is_left(quota, left):
    async with coder_rig(seed=SEED) as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        await rig.read_until(State.RUNNING)
        rig.server.seed = {**SEED, "quota": quota}
        assert [*await rig.provider.read_allowances(rig.access)] == left


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, {"message": "Route not found."}),
        (403, {"message": "Forbidden"}),
        (200, {"budget": "3", "credits_consumed": 1}),
        (200, {"budget": 3}),
    ],
    ids=["old_server", "forbidden", "no_number", "no_use"],
)
async def test_quota_that_is_not_told_is_none(status, answer):
    async with coder_rig() as rig:
        rig.inject_fault("workspace-quota$", status=status, body=json.dumps(answer))
        assert [*await rig.provider.read_allowances(rig.access)] == []


async def offered(rig):
    offer = await rig.provider.read_offer(rig.access)
    return offer, next(one.id for one in offer.templates if one.name == "docker")


async def test_parameters_are_asked_checked_and_sent(open_rig):
    async with open_rig() as rig:
        offer, docker = await offered(rig)
        form = rig.provider.form(offer, "workspace", {"template": docker}, PRINCIPAL)
        assert [(one.name, one.kind, one.initial) for one in form.fields[2:]] == [
            ("p_cpu", "number", "2"),
            ("p_ide", "choice", "code"),
            ("p_repo", "text", ""),
            ("p_gpu", "choice", "false"),
            ("p_tools", "text", "git"),
        ]
        values = {"template": docker, "name": "Paper-1", "p_cpu": "4", "p_ide": "lab", "p_tools": "git, make"}
        spec = rig.provider.spec(offer, "workspace", values, PRINCIPAL)
        assert spec.name == "paper-1"
        assert spec.chosen["p_tools"] == '["git", "make"]'
        created = await rig.provider.create(rig.access, spec, KEY)
        assert (await rig.read_until(State.RUNNING, remote_id=created.remote_id))[-1].url is not None


def without_template_id(spec):
    """Return a spec as earlier releases stored it."""
    return replace(spec, chosen={key: one for key, one in spec.chosen.items() if key != "template_id"})


@pytest.mark.parametrize("archives", [True, False], ids=["archived", "outdated"])
@pytest.mark.parametrize("is_earlier", [True, False], ids=["spec-of-earlier-release", "spec"])
async def test_stored_spec_creates_from_the_active_version(archives, is_earlier):
    """Stored specs are used again after the template was updated: by whoever joins a class, for example."""
    async with coder_rig(seed=training()) as rig:
        offer, docker = await offered(rig)
        spec = rig.provider.spec(offer, "workspace", {"template": docker, "name": "made"}, PRINCIPAL)
        rig.server.update_template("docker", archives=archives)
        stored = without_template_id(spec) if is_earlier else spec
        created = await rig.provider.create(rig.access, stored, KEY)
        assert rig.server.shown(rig.server.workspaces[created.remote_id])["outdated"] is False


async def test_stored_spec_of_an_unknown_template_is_refused(open_rig):
    async with open_rig() as rig:
        offer, docker = await offered(rig)
        spec = rig.provider.spec(offer, "workspace", {"template": docker, "name": "made"}, PRINCIPAL)
        rig.server.templates.clear()
        for stored in (spec, without_template_id(spec)):
            with pytest.raises(errors.InvalidRequest, match="doesn't exist"):
                await rig.provider.create(rig.access, stored, KEY)


DAY = 86_400.0


@pytest.mark.parametrize("later", [(), ("stop", "start")], ids=["just-claimed", "built-again"])
async def test_claimed_prebuild_is_found(open_rig, later):
    """Coder builds workspaces in advance, so what a creation claimed may look older than the creation."""
    async with open_rig() as rig:
        offer, docker = await offered(rig)
        spec = rig.provider.spec(offer, "workspace", {"template": docker, "name": "made"}, PRINCIPAL)
        rig.server.prebuild("docker")
        rig.server_clock.advance(DAY)
        since = rig.server_clock.now()
        created = await rig.provider.create(rig.access, spec, KEY)
        for transition in later:
            rig.server.begin(rig.server.workspaces[created.remote_id], transition, 0)
        found = await rig.provider.find_created(rig.access, spec, KEY, since)
        assert found.match == created
        rig.server_clock.advance(DAY)
        # A creation on the next day didn't claim it.
        later_on = await rig.provider.find_created(rig.access, spec, KEY, since + DAY)
        assert (later_on.match, later_on.is_conclusive) == (None, True)


async def test_older_workspace_that_was_just_started_is_not_a_claimed_one(open_rig):
    async with open_rig() as rig:
        rig.server_clock.advance(DAY)
        since = rig.server_clock.now()
        await rig.provider.start(rig.access, await rig.read_row())
        found = await rig.provider.find_created(rig.access, Spec("training"), KEY, since)
        assert (found.match, found.is_conclusive) == (None, True)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("p_cpu", "9", "Needs a number from 1 to 8."),
        ("p_cpu", "many", "Needs a number."),
        ("p_ide", "emacs", "That isn't offered. Choose another one."),
        ("p_repo", "a\u202eb", "Needs to have no invisible characters."),
        (
            "name",
            "a--b",
            "Lower-case letters, digits and single hyphens, with a letter or digit at both ends.",
        ),
        ("name", "training", "You already have a workspace with that name. Choose another name."),
        ("name", "x" * 33, "At most 32 characters."),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(open_rig, field, value, said):
    async with open_rig() as rig:
        offer, docker = await offered(rig)
        with pytest.raises(FormProblems) as caught:
            rig.provider.spec(
                offer, "workspace", {"template": docker, "name": "made", field: value}, PRINCIPAL
            )
        assert caught.value.problems == {field: said}


EMPTY_CHOICES = {
    "name": "empty",
    "parameters": [
        {
            "name": "gpu",
            "default_value": "a100",
            "options": [{"name": "None", "value": ""}, {"name": "A100", "value": "a100"}],
        },
        {"name": "region", "required": True, "options": [{"name": "Any", "value": ""}]},
        {"name": "repo", "default_value": "acme/reef"},
        {"name": "cpu", "type": "number", "default_value": "2"},
        {
            "name": "tools",
            "type": "list(string)",
            "default_value": '["git"]',
            "options": [{"name": "Git", "value": "git"}, {"name": "Make", "value": "make"}],
        },
    ],
}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"p_gpu": "", "p_region": "", "p_repo": "", "p_cpu": ""}, {"gpu": "", "region": "", "repo": ""}),
        ({"p_gpu": "a100", "p_region": "", "p_repo": "x"}, {"gpu": "a100", "region": "", "repo": "x"}),
        ({"p_region": "", "p_tools": ()}, {"region": "", "tools": "[]"}),
        ({"p_region": "", "p_tools": ("git",)}, {"region": "", "tools": '["git"]'}),
        ({"p_region": ""}, {"region": ""}),
    ],
    ids=["emptied", "filled", "none of several", "one of several", "left alone"],
)
async def test_empty_choice_and_emptied_text_are_sent(given, sent):
    async with coder_rig(seed={**SEED, "templates": [EMPTY_CHOICES]}) as rig:
        offer = await rig.provider.read_offer(rig.access)
        form = rig.provider.form(offer, "workspace", {"template": "empty"}, PRINCIPAL)
        assert [one.label for one in form.field("p_gpu").choices] == ["None", "A100"]
        values = {"template": "empty", "name": "made", **given}
        spec = rig.provider.spec(offer, "workspace", values, PRINCIPAL)
        assert {name[2:]: one for name, one in spec.chosen.items() if name[:2] == "p_"} == sent
        with pytest.raises(FormProblems):
            rig.provider.spec(offer, "workspace", {"template": "empty", "name": "made"}, PRINCIPAL)


async def test_a_pattern_from_the_server_is_matched_by_the_server_alone():
    template = {
        "name": "slow",
        "parameters": [{"name": "word", "validation_regex": SLOW, "validation_error": "a's"}],
    }
    async with coder_rig(seed={**SEED, "templates": [template]}) as rig:
        offer = await rig.provider.read_offer(rig.access)
        began = time.monotonic()
        values = {"template": "slow", "name": "made", "p_word": "a" * 60 + "!"}
        spec = rig.provider.spec(offer, "workspace", values, PRINCIPAL)
        assert time.monotonic() - began < 1.0
        assert rig.provider.form(offer, "workspace", values, PRINCIPAL).fields[-1].hint == "a's"
        rig.inject_fault(
            rig.create_requests, status=400, body='{"message": "can\'t validate build parameter"}'
        )
        with pytest.raises(errors.InvalidRequest, match="can't validate"):
            await rig.provider.create(rig.access, spec, KEY)


async def test_apps_with_a_host_of_their_own():
    async with coder_rig(seed={**SEED, "subdomain": True}, wildcard_host="*.apps.localhost") as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        seen = (await rig.read_until(State.RUNNING))[-1]
        assert seen.url is None or seen.url.startswith(
            "http://code-server--main--training--alice.apps.localhost"
        )
    async with coder_rig(seed={**SEED, "subdomain": True}) as rig:
        await rig.provider.start(rig.access, await rig.read_row())
        assert (await rig.read_until(State.RUNNING))[-1].url is None


async def test_a_start_of_what_runs_and_a_stop_of_what_is_down_send_nothing(open_rig):
    async with open_rig() as rig:
        down = await rig.read_row()
        before = rig.count_requests()
        await rig.provider.stop(rig.access, down)
        assert rig.count_requests() == before
        await rig.provider.start(rig.access, down)
        await rig.read_until(State.RUNNING)
        running = await rig.read_row()
        before = rig.count_requests()
        await rig.provider.start(rig.access, running)
        assert rig.count_requests() == before


def training(**held):
    """Return a seed in which the workspace *training* can't be started until something else is done."""
    first, *others = SEED["workspaces"]
    templates = [{**one, "require_active_version": True} for one in SEED["templates"]]
    return {**SEED, "templates": templates, "workspaces": [{**first, **held}, *others]}


async def test_dormant_workspace_says_so_and_is_woken_by_its_start():
    async with coder_rig(seed=training(dormant=True)) as rig:
        before = await rig.read_row()
        assert before.state is State.STOPPED
        assert before.detail.startswith("It's dormant")
        rig.harness.requests.clear()
        # The detail from the last read is meant only for people, so starting works without it.
        await rig.provider.start(rig.access, replace(before, detail=None))
        sent = {one.partition(" ")[0]: count for one, count in rig.harness.requests.items()}
        assert sent == {"POST": 2, "PUT": 1}
        assert (await rig.read_until(State.RUNNING))[-1].detail is None
        # Someone else has woken the workspace before the call is sent.
        await rig.provider.stop(rig.access, await rig.read_row())
        await rig.read_until(State.STOPPED)
        await rig.provider.start(rig.access, before)


async def test_dormant_workspace_that_cannot_be_woken_says_where():
    async with coder_rig(seed=training(dormant=True)) as rig:
        rig.inject_fault("/dormant$", status=403, body=json.dumps({"message": "Forbidden."}))
        with pytest.raises(errors.InvalidRequest, match=r"It's dormant\. Open its page on The cloud"):
            await rig.provider.start(rig.access, await rig.read_row())


@pytest.mark.parametrize("status", [401, 403])
async def test_dormant_and_outdated_workspace_is_woken_and_needs_an_update(status):
    async with coder_rig(seed=training(dormant=True, outdated=True)) as rig:
        before = await rig.read_row()
        assert before.detail.startswith("It's dormant")
        assert "wakes it" not in before.detail
        rig.inject_fault("/builds$", status=status, body=json.dumps({"message": "Forbidden."}), times=2)
        with pytest.raises(errors.InvalidRequest, match=r"newest version\. Update it on its page on"):
            await rig.provider.start(rig.access, before)
        assert not rig.server.workspaces[rig.remote_id].is_dormant


async def test_dormant_and_outdated_workspace_that_cannot_be_woken_says_both():
    async with coder_rig(seed=training(dormant=True, outdated=True)) as rig:
        rig.inject_fault("/dormant$", status=403, body=json.dumps({"message": "Forbidden."}))
        with pytest.raises(errors.InvalidRequest, match="Activate and update it on its page on The cloud"):
            await rig.provider.start(rig.access, await rig.read_row())


@pytest.mark.parametrize("status", [401, 403])
async def test_outdated_workspace_says_that_it_needs_an_update(status):
    async with coder_rig(seed=training(outdated=True)) as rig:
        before = await rig.read_row()
        assert "requires it to be updated" in before.detail
        rig.inject_fault("POST .*/builds$", status=status, body=json.dumps({"message": "Forbidden."}))
        with pytest.raises(errors.InvalidRequest, match="Update it on its page on The cloud"):
            await rig.provider.start(rig.access, before)


@pytest.mark.parametrize("is_new", [True, False], ids=["id-kept", "earlier-link"])
async def test_renamed_account_keeps_its_workspaces(open_rig, is_new):
    """Workspaces belong to an account by its id, so whoever takes over its former name gets none of them."""
    async with open_rig() as rig:
        alice = rig.access
        kept = (await rig.provider.check_credential(alice.credential)).credential
        access = replace(alice, credential=kept) if is_new else alice
        bound = rig.provider.bind_access(access, "read")
        rig.server.rename("alice", "alice-b")
        rig.server.rename("bob", "alice")
        seen = (await rig.provider.status(bound, [rig.remote_id]))[rig.remote_id]
        assert seen.state is State.STOPPED
        assert {one.name for one in await rig.provider.discover(bound)} == rig.names
        foreign = await rig.provider.status(bound, [rig.foreign_id])
        assert foreign[rig.foreign_id].state is State.GONE


@pytest.mark.parametrize("name", ["Alice", ""])
async def test_owner_without_the_accounts_name_is_told_by_id(open_rig, name):
    async with open_rig() as rig:
        shown = rig.server.shown(rig.server.workspaces[rig.remote_id])
        rig.server.shown = lambda _: shown | {"owner_name": name}
        seen = (await rig.provider.status(rig.access, [rig.remote_id]))[rig.remote_id]
        assert seen.state is State.STOPPED


async def test_shared_workspace_of_somebody_with_the_name_is_left_out(open_rig):
    """The workspace's owner took over the account's former name; the link was made before ids were stored."""
    async with open_rig() as rig:
        shown = rig.server.shown

        def renamed(made):
            return shown(made) | {"owner_name": "alice"}

        rig.server.shown = renamed
        foreign = renamed(rig.server.workspaces[rig.foreign_id])
        rig.inject_fault(
            "GET /api/v2/workspaces", patch=[{"op": "add", "path": "/workspaces/0", "value": foreign}]
        )
        listed = {one.remote_id for one in await rig.provider.discover(rig.access)}
        assert rig.foreign_id not in listed
        assert rig.remote_id in listed


async def test_the_token_has_its_own_header_and_is_in_no_other(open_rig):
    async with open_rig() as rig:
        await rig.provider.discover(rig.access)
        identity = await rig.provider.check_credential(rig.access.credential)
        assert identity.credential.expires_at is not None
        found = await rig.provider.read_account(rig.access)
        assert (found.account_id, found.username) == (identity.credential.account_id, identity.username)
        assert found.account_id
        assert rig.harness.violations == []


async def test_all_that_is_used_is_in_the_document(open_rig):
    async with open_rig() as rig:
        await rig.provider.probe()
        await rig.provider.check_credential(rig.access.credential)
        offer, docker = await offered(rig)
        spec = rig.provider.spec(offer, "workspace", {"template": docker, "name": "made"}, PRINCIPAL)
        await rig.provider.create(rig.access, spec, KEY)
        await rig.provider.create(rig.access, replace(without_template_id(spec), name="made-2"), KEY)
        await rig.provider.find_created(rig.access, spec, KEY, 0.0)
        rig.server_clock.advance(DAY)
        await rig.provider.start(rig.access, await rig.read_row())
        await rig.provider.find_created(rig.access, Spec("training"), KEY, rig.server_clock.now())
        await rig.provider.read_reason(rig.access, rig.remote_id)
        await rig.read_until(State.RUNNING)
        await rig.provider.extend(rig.access, await rig.read_row(), rig.server_clock.now() + 36_000)
        rig.server.workspaces[rig.broken_id].is_dormant = True
        await rig.provider.start(rig.access, await rig.read_row(rig.broken_id))
    async with coder_rig(seed=shared_seed(groups={"team": ["alice"]})) as rig:
        await rig.provider.discover(rig.access)
        await rig.provider.read_allowances(rig.access)
    assert HELD.used == set(DOCUMENT["operations"])


@pytest.mark.parametrize(
    ("path", "is_it"),
    [
        ("/@alice/training", True),
        ("/@Alice/Training/", True),
        ("/@me/training", True),
        ("/@alice/training.main/apps/code/", True),
        ("/@alice/training/builds/3", True),
        ("/@bob/training", False),
        ("/@alice/training-2", False),
        ("/workspaces", False),
    ],
)
async def test_page_has_owner_and_name_in_its_address(open_rig, path, is_it):
    async with open_rig() as rig:
        root = rig.provider.settings.base_url
        assert rig.provider.is_page_of(f"{root}{path}", "training", "alice") is is_it
        assert not rig.provider.is_page_of(f"https://evil.example.org{path}", "training", "alice")
