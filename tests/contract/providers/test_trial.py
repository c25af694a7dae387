"""A trial creates and stops workspaces at each provider, touches nothing else, and may be interrupted."""

import argparse
import asyncio
import json
from contextlib import asynccontextmanager
from importlib import import_module

import pytest
import pytest_asyncio

from bot.commands.trial import STEM, TRIAL_STEP_TIMEOUT_SECONDS, Trial, TrialRecord
from bot.commands.try_connection import access_of, give_back, tried
from bot.domain.workspaces import State
from bot.providers.assumptions import RecordingHttp, load_assumptions
from bot.providers.facets import Creation, Removal
from bot.store import gates
from bot.support import errors
from bot.support.errors import NotDone
from tests.contract.providers.conftest import KINDS, RIGS, class_of
from tests.contract.providers.rigs import provider_of
from tests.rigs.internal_names import internal_names
from tests.rigs.store import memory_store
from usher.conformance.rigs import build_row

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def ready(kind, hubs, folder):
    """Yield a rig, and a function that makes a trial on it.

    Each trial reads the record that the one before left.
    """
    rig_of = hubs.rig if kind == "jupyterhub" else RIGS[kind]
    async with rig_of(client=RecordingHttp) as rig, memory_store(rig.clock) as store:
        if makes := rig.facet_values.settings.get("creation"):
            base = rig.provider.settings.base_url
            rig.provider = provider_of(rig.provider.kind, rig.provider.api._http, base, **makes)

        async def sleep(seconds):
            rig.clock.advance(seconds)
            if rig.server_clock is None:
                await asyncio.sleep(0.05)  # a real hub lives in real time
            else:
                rig.server_clock.advance(seconds)

        said = []

        def trial(sleep=sleep):
            record = TrialRecord(folder / "usher-try.json")
            http = rig.provider.api._http
            return Trial(rig.provider, http, store, rig.clock, record, rig.access, said.append, sleep)

        rig.said = said
        yield rig, trial
        assert internal_names("\n".join(said), keys=True) == []


#: Kinds that can create workspaces, which is what a trial does.
MAKERS = [kind for kind in KINDS if issubclass(class_of(kind), Creation)]


@pytest_asyncio.fixture(loop_scope="session", params=MAKERS)
async def prepared(request, hubs, tmp_path):
    async with ready(request.param, hubs, tmp_path) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def at_posit(hubs, tmp_path):
    async with ready("posit", hubs, tmp_path) as found:
        yield found


async def states(rig):
    """Return the states of the account's own workspaces, as far as they can be listed.

    Stopped workspaces of trials don't count if Usher can't remove them.
    """
    if not rig.names:
        return {rig.remote_id: (await rig.observe()).state}
    return {
        one.remote_id: one.observed.state
        for one in await rig.provider.discover(rig.access)
        if isinstance(rig.provider, Removal)
        or not (one.name.startswith(STEM) and one.observed.state is State.STOPPED)
    }


async def test_it_plays_the_main_job_and_leaves_things_as_they_were(prepared, tmp_path):
    rig, new_trial = prepared
    before = await states(rig)
    if rig.provider.has_link_method("token"):
        await access_of(rig.provider, input, lambda _: rig.secret, lambda _: None)
    trial = new_trial()
    plans = await trial.plan({})
    assert all(made.spec.name.startswith(STEM) for made in plans)
    assert await trial.play(plans), rig.said
    assert await states(rig) == before
    assert not (tmp_path / "usher-try.json").exists()
    taken = [name for name, _, _ in trial.steps]
    assert taken[0] == "create"
    assert {"run", "open", "stop", "down"} <= set(taken)
    assert ("output" in taken) == any(made.purpose == "job" for made in plans)
    # The local servers behave as the providers' pages say.
    verdicts = {one.name: seen for one, seen in trial.facts()}
    assert "seen so" in verdicts.values()
    assert [name for name, seen in verdicts.items() if seen == "seen otherwise"] == []
    # The report to be published contains no names, hosts or secrets.
    report = trial.report(f"{rig.provider.settings.base_url} says 2026.2.1")
    assert json.loads(report)["version"] == "2026.2.1"
    host = rig.provider.settings.base_url.partition("//")[2]
    for word in (rig.secret, rig.access.username or "alice", host, plans[0].spec.name):
        assert word not in report


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_what_an_interrupted_one_made_is_put_away_by_the_next(prepared, tmp_path, moment):
    """The trial is interrupted right after the provider created it, before or after the id is recorded."""
    rig, new_trial = prepared
    before = await states(rig)
    first = new_trial()
    [made, *_] = await first.plan({})
    first.record.keep(made)
    created = await rig.provider.create(rig.access, made.spec, made.key)
    if moment == "after":
        first.record.keep(type(made)(made.purpose, made.spec, made.key, made.since, created.remote_id))
    second = new_trial()
    assert await second.put_away(), rig.said
    assert await states(rig) == before
    assert not (tmp_path / "usher-try.json").exists()


async def test_what_cannot_be_put_away_stays_written_down(at_posit, tmp_path):
    rig, new_trial = at_posit
    trial = new_trial()
    rig.inject_fault("stop_session", status=503, times=50)
    assert not await trial.play((await trial.plan({}))[:1])
    assert (tmp_path / "usher-try.json").exists()
    assert rig.said[-1].startswith(f"Left on the provider: {STEM}-")
    rig.harness.faults.clear()
    assert await new_trial().put_away()


async def test_a_start_that_never_ends_is_given_up_and_put_away(at_posit):
    rig, new_trial = at_posit
    before = await states(rig)
    rig.server.state.settings.change({"starting_seconds": 10 * TRIAL_STEP_TIMEOUT_SECONDS})
    trial = new_trial()
    assert not await trial.play((await trial.plan({}))[:1])
    assert "BAD  run: it is still starting after 15 minutes" in rig.said
    assert await states(rig) == before


async def test_every_state_is_read_through_the_gate_of_its_row(at_posit):
    """A trial waits for gates that ``serve`` has closed, and its own reads close them for everybody."""
    rig, new_trial = at_posit
    waited = []

    async def sleep(seconds):
        waited.append(seconds)
        rig.clock.advance(seconds)

    trial = new_trial(sleep)
    key = (rig.provider.gate_key(rig.remote_id), rig.provider.settings.name, rig.remote_id)
    assert await trial.store.write(gates.close_gate, *key, 5.0)
    assert (await trial._read(rig.remote_id)).state is State.SUSPENDED
    assert sum(waited) == 5.0
    assert not await trial.store.write(gates.close_gate, *key, 1.0)


async def test_a_form_that_needs_more_says_what(at_posit):
    _, new_trial = at_posit
    with pytest.raises(NotDone, match=r"ide: .*Use --set"):
        await new_trial().plan({"ide": "Emacs"})


async def test_a_damaged_record_is_not_taken_for_an_empty_one(tmp_path):
    (tmp_path / "usher-try.json").write_text("[{}]")
    with pytest.raises(NotDone, match="delete the file"):
        TrialRecord(tmp_path / "usher-try.json")


async def test_what_may_yet_appear_stays_written_down(at_posit, tmp_path):
    """The answer to the creation is lost, and the list doesn't show the workspace yet."""
    rig, new_trial = at_posit
    before = await states(rig)
    rig.inject_fault("launch_session", drop=True, acts_after_s=60.0)
    assert not await new_trial().play((await new_trial().plan({}))[:1])
    assert rig.said[-1].startswith("Left on the provider")
    rig.clock.advance(60.0)
    rig.server_clock.advance(60.0)
    assert await new_trial().put_away(), rig.said
    assert await states(rig) == before
    assert not (tmp_path / "usher-try.json").exists()


async def test_a_refused_creation_is_said_and_leaves_nothing(at_posit, tmp_path):
    rig, new_trial = at_posit
    rig.inject_fault("launch_session", status=403, times=5)
    trial = new_trial()
    assert not await trial.play((await trial.plan({}))[:1])
    assert any(one.startswith("BAD  create") for one in rig.said)
    # The report is meant for Usher's developers.
    assert trial.steps[0][2] == errors.Forbidden.__name__
    assert not (tmp_path / "usher-try.json").exists()


def arguments(**changed):
    return argparse.Namespace(**{"set": [], "yes": False, "report": None, **changed})


async def test_nothing_is_made_without_a_yes(at_posit, capsys):
    rig, new_trial = at_posit
    asked = []

    def ask(question):
        asked.append(question)
        return "no"

    assert await tried(new_trial(), arguments(), ask) == 1
    said = capsys.readouterr().out
    assert f"a workspace called {STEM}-" in said
    assert "It costs what The cloud charges for some minutes of that. Nothing else is touched." in said
    assert said.endswith("Nothing was made.\n")
    assert asked == ["Type yes to go on: "]
    assert rig.harness.requests["POST /api/launch_session"] == 0


async def test_each_fact_is_printed_with_what_was_seen_and_the_report_is_written(at_posit, tmp_path, capsys):
    _, new_trial = at_posit
    report = tmp_path / "report.json"
    status = await tried(new_trial(), arguments(yes=True, report=report), input)
    said = capsys.readouterr().out
    assert status == 0, said
    facts = json.loads(report.read_text())["facts"]
    assert list(facts) == [one.name for one in load_assumptions("posit")]
    for name, found in facts.items():
        assert f"{found['basis']:10}  {found['seen']:14}  {name}: " in said


_ELSEWHERE_AT_SATURN = {"saturn-no-user", "saturn-stopping", "saturn-user-token"}
#: Checks that the local servers can't answer in a trial: limits and refusals that it doesn't meet, a session
#: of one's own, other versions. At Saturn Cloud a trial creates either from a form or from an existing
#: workspace.
UNMET = {
    "jupyterhub": [{"jupyterhub-bad-token", "jupyterhub-named-limit", "jupyterhub-start-limits"}],
    "posit": [{"posit-default-unlisted", "posit-session-username"}],
    "saturn": [
        {"saturn-create", "saturn-sizes", "saturn-started-at", *_ELSEWHERE_AT_SATURN},
        {"saturn-clone", *_ELSEWHERE_AT_SATURN},
    ],
    "sphere": [{"sphere-quota", "sphere-resume", "sphere-terminated-at"}],
}


async def test_each_check_is_of_a_call_that_is_made(prepared, capsys):
    """Every check is of a call that a trial makes, except those in ``UNMET``."""
    rig, new_trial = prepared
    if rig.provider.has_link_method("token"):
        await access_of(rig.provider, input, lambda _: rig.secret, lambda _: None)
    trial = new_trial()
    assert await tried(trial, arguments(yes=True), input) == 0
    checked = import_module(f"bot.providers.assumptions.{rig.provider.kind}").CHECKS
    said = capsys.readouterr().out
    facts = {one.name: seen for one, seen in trial.facts() if one.name in checked}
    unmet = {name for name, seen in facts.items() if seen == "not met"}
    assert unmet in UNMET[rig.provider.kind]
    assert all(f"  {seen:14}  {name}: " in said for name, seen in facts.items())


async def test_what_an_earlier_one_left_is_put_away_first(at_posit, tmp_path, capsys):
    rig, new_trial = at_posit
    before = await states(rig)
    first = new_trial()
    [made, *_] = await first.plan({})
    first.record.keep(made)
    await rig.provider.create(rig.access, made.spec, made.key)
    assert await tried(new_trial(), arguments(), lambda _: "") == 1
    assert capsys.readouterr().out.startswith("Putting away what an earlier trial left.\n")
    assert await states(rig) == before


async def test_a_token_is_asked_for_checked_and_hidden(at_posit):
    rig, _ = at_posit
    hidden = []
    found = await access_of(rig.provider, input, lambda _: f" {rig.secret}\n", hidden.append)
    assert found.credential.token.get_secret_value() == rig.secret
    assert hidden == [rig.secret]
    with pytest.raises(NotDone, match="The cloud doesn't accept that"):
        await access_of(rig.provider, input, lambda _: "wrong-token-of-alice", hidden.append)
    hidden.clear()
    with pytest.raises(NotDone, match="That's a Slack token"):
        await access_of(rig.provider, input, lambda _: "xoxb-1-of-slack", hidden.append)
    # It was sent nowhere.
    assert hidden == []


async def test_the_token_that_a_hub_made_for_a_trial_is_deleted_after_it(hubs, tmp_path, capsys):
    async with ready("jupyterhub", hubs, tmp_path) as (rig, _):
        found = await access_of(rig.provider, input, lambda _: rig.secret, lambda _: None)
        assert found.credential.token.get_secret_value() != rig.secret
        capsys.readouterr()
        rig.inject_fault("DELETE .*/tokens/", status=503)
        await give_back(rig.provider, found)
        assert "A token called Usher is left on " in capsys.readouterr().out
        await give_back(rig.provider, found)
        with pytest.raises(errors.CredentialRefused):
            await rig.provider.discover(found)
        await give_back(rig.provider, rig.access)
        assert capsys.readouterr().out == ""


async def test_a_start_that_fails_is_said_with_its_reason(at_posit):
    rig, new_trial = at_posit
    trial = new_trial()
    plans = (await trial.plan({}))[:1]
    changes = {"activity_state": "failed", "status_detail": "The image is missing"}
    patch = [
        {"op": "replace", "path": f"/result/sessions/0/{key}", "value": value}
        for key, value in changes.items()
    ]
    rig.inject_fault("get_session", patch=patch)
    assert not await trial.play(plans)
    assert "BAD  run: it failed: The image is missing" in rig.said


async def test_a_server_that_differs_is_seen_and_said(at_posit, tmp_path, capsys):
    rig, new_trial = at_posit
    elsewhere = [{"op": "replace", "path": "/result/url", "value": "/elsewhere/"}]
    rig.inject_fault("launch_session", patch=elsewhere, times=None)
    assert await tried(new_trial(), arguments(yes=True), input) == 1
    said = capsys.readouterr().out
    assert "assumed     seen otherwise  posit-session-path: a session's URL ends with the ids of" in said
    assert said.count("seen otherwise") == 1


async def test_without_a_template_it_starts_and_stops_what_is_there_and_says_what_a_template_needs(
    hubs, tmp_path, capsys
):
    async with ready("saturn", hubs, tmp_path) as (rig, new_trial):
        rig.provider = provider_of("saturn", rig.provider.api._http, rig.provider.settings.base_url)
        before = await states(rig)
        assert await tried(new_trial(), arguments(yes=True), input) == 0, rig.said
        assert "[[connections.saturn.templates]]" in rig.said[0]
        assert (
            "this will start, look at, and stop again:\n  a workspace called training\n"
            in capsys.readouterr().out
        )
        assert await states(rig) == before
        started = [path for path in rig.harness.requests if path.endswith("/start")]
        assert [rig.remote_id in one for one in started] == [True], started
        # If a trial is interrupted while the workspace runs, the next trial stops it and leaves it in place.
        trial = new_trial()
        [made] = await trial.plan({"workspace": "training"})
        trial.record.keep(made)
        await rig.provider.start(rig.access, build_row(rig.provider, made.remote_id))
        assert await new_trial().put_away(), rig.said
        assert await states(rig) == before
        # A workspace that is deleted when it stops isn't touched.
        rig.inject_fault(
            f"/api/workspaces/{made.remote_id}$",
            patch=[{"op": "add", "path": "/self_destruct", "value": True}],
        )
        with pytest.raises(NotDone, match="no stopped workspace"):
            await trial.plan({"workspace": "training"})
