"""Tests that the chaos run's verdict finds lost, duplicated, unseen, untrue, leaked and unfinished work."""

import asyncio
import itertools
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from functools import partial

import pytest

from benchmarks.chaos.crowd import ACCEPTED, Acknowledged
from benchmarks.chaos.rows import unsettled
from benchmarks.chaos.stage import SPOKEN_JOB, Called, stage
from benchmarks.chaos.verdict import Verdict
from bot.domain.audit import AuditEntry
from bot.domain.hours import HoursRule
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.time_parsing import EVERY_DAY
from bot.domain.work_items import Outcome
from bot.messages.texts import answers, cards
from bot.reconciler import outcomes
from bot.store import hours as hours_store
from bot.store import notices, open_store, operations, workspaces
from bot.store.audit import append_audit
from bot.support.clock import SystemClock, SystemIds
from playground.slack.records import Message, View
from tests.rigs.store import accept_operation, launched

NAME = "u00000"
SAID = "Starting *red* on Saturn Cloud. I'll message you when it's ready."


class Scene:
    """An operation that was started once, succeeded and was reported, with the verdict on it."""

    def __init__(self, made, operation, folder):
        self.stage = made
        self.operation = operation
        self.log = folder / "log"
        self.log.write_text("")
        self.key = f"{operation.id}/ready/end"
        self.acknowledged = [
            Acknowledged(
                self.person, "red", "start", operation.created_at - 0.1, operation.created_at + 0.1, SAID
            )
        ]
        self.hours_set = []
        self.message = self.says(self.key)

    @property
    def person(self):
        return self.stage.people[0]

    def says(self, key, text="It is ready."):
        state = self.person.slack.state
        told = {"event_type": "usher_notice", "event_payload": {"key": key}}
        channel = state.direct_message(self.person.user)
        return state.add(Message(state.new_ts(), channel.id, state.app.bot_user, text, "T", metadata=told))

    def forget(self):
        """Remove the messages, as if nothing had ever been posted."""
        self.person.slack.state.messages[f"D{self.person.user[1:]}"].clear()
        self.stage.histories[0].readings.clear()

    def lose_first(self):
        """Record a failover that lost the reason for the first message."""
        at = self.stage.histories[0].readings[0].since
        self.run(f"INSERT INTO database_timeline VALUES (1, '', {at - 1.0}, {at})")

    def run(self, query):
        with closing(sqlite3.connect(self.stage.folder / "usher.db")) as database:
            database.execute(query)
            database.commit()

    @property
    def resource(self):
        return next(
            one for one in self.stage.saturn.state.resources.values() if one.runs and one.type == "workspace"
        )

    @property
    def verdict(self):
        return Verdict(self.stage, self.acknowledged, self.log, hours_set=self.hours_set)


@pytest.fixture
async def scene(tmp_path):
    async with stage(tmp_path, 1, random.Random(1)) as made:
        store = await open_store(made.database, SystemClock(), SystemIds())
        principal = made.people[0].principal
        workspace = next(
            w for w in await store.perform(workspaces.read_workspaces, principal) if w.name == "red"
        )
        accepted = await accept_operation(store, workspace, interaction="i1")
        await store.write(
            operations.save_step, outcomes.make_end_update(accepted.operation, Outcome.FULFILLED)
        )
        ended = Scene(made, accepted.operation, tmp_path)
        resource = made.saturn.state.resources[workspace.remote_id]
        # The workspace was running before its owner was notified, and still is.
        resource.start(operation_time := accepted.operation.created_at)
        (run,) = resource.runs
        run.status, run.started_at, run.due_at = "running", operation_time, None
        made.calls.append(Called(operation_time, resource.id, "start", [run.name]))
        ended.run(f"UPDATE workspaces SET state = 'running' WHERE id = '{workspace.id}'")
        await store.write(notices.add_notices, [NewNotice("x", NoticeKind.CARD, "1", principal)])
        (await store.perform(notices.claim_notices, 10, 60.0))
        await store.close()
        yield ended


async def test_what_went_well_is_found_well(scene):
    verdict = scene.verdict
    assert (verdict.lost(), verdict.told_twice(), verdict.leaks(), verdict.dead()) == ([], [], [], [])
    assert (verdict.truth.unseen(), verdict.truth.untrue(), verdict.unlinked()) == ([], [], [])
    assert list(verdict.truth.starts().values()) == [1]
    assert (verdict.truth.most_runs(), verdict.truth.most_creations()) == (0, 0)
    assert (verdict.exceptions(), verdict.alarms()) == ([], 0)
    assert verdict.longest_hold(set()) < 1.0
    assert await verdict.audit() == "whole"
    assert unsettled(scene.stage.database, 1e10) == (0, 0, 2, 0)


async def test_only_stops_planned_before_the_end_of_the_wait_are_waited_for(scene):
    scene.run("UPDATE workspaces SET stop_at = 1000.0 WHERE name = 'red'")
    assert [unsettled(scene.stage.database, until)[3] for until in (999.0, 1001.0)] == [0, 1]


async def test_an_end_that_nobody_was_told_is_lost(scene):
    scene.forget()
    assert scene.verdict.lost() == [
        f"start {scene.operation.id}: ended as fulfilled, and {scene.person.principal.key} doesn't read it"
    ]


async def test_warning_that_became_the_card_tells_the_end(scene):
    scene.forget()
    message = scene.says("workspace_1/stop_warning/1", "*red* will stop in five minutes.")
    assert len(scene.verdict.lost()) == 1
    scene.run(f"UPDATE cards SET message_ts = '{message.ts}' WHERE id = '{scene.operation.id}'")
    assert len(scene.verdict.lost()) == 1
    told = "🟢 *red* is ready."
    scene.stage.histories[0].note("edited", message.channel, message.ts, told, message.metadata)
    assert scene.verdict.lost() == []


async def test_second_run_of_one_message_is_found(scene):
    store = await open_store(scene.stage.database, SystemClock(), SystemIds())
    for _ in range(2):
        assert scene.verdict.repeated() == []
        await launched(store, scene.person.principal, name=SPOKEN_JOB)
    await store.close()
    assert scene.verdict.repeated() == [f"{SPOKEN_JOB} of {scene.person.principal.key}: 2 runs"]


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ("red has stopped on Saturn Cloud.", True),
        ("I cancelled the creation of red before anything was created on Saturn Cloud.", True),
        ("red · Saturn Cloud It has since been started again.", True),
        ("red · Saturn Cloud Stopping since 3:21 PM).", False),
    ],
)
async def test_the_end_of_a_stop_is_told_by_its_card(scene, said, is_told):
    scene.forget()
    scene.run("UPDATE operations SET verb = 'stop'")
    scene.acknowledged.clear()
    scene.says(f"{scene.operation.id}/card/1", said)
    assert (scene.verdict.lost() == []) == is_told


async def test_what_one_message_told_after_a_silence_was_told(scene):
    reader = scene.person.principal.key
    scene.forget()
    columns = "id, subject, kind, occasion, principal, body, state, urgency, created_at, due_at"
    scene.run(f"INSERT INTO notices ({columns}) VALUES ('s', '', 'summary', 's', '', '', 'sent', 1, 0, 0)")
    scene.run("UPDATE notices SET combined_into = 's', state = 'sent' WHERE kind = 'ready'")
    assert len(scene.verdict.lost()) == 1
    scene.says(f"{reader}/summary/s")
    assert (scene.verdict.lost(), scene.verdict.told_twice()) == ([], [])
    # The end counts as reported twice, whether on its own or in a summary.
    scene.says(scene.key)
    assert len(scene.verdict.told_twice()) == 1


async def test_end_that_was_deleted_is_lost(scene):
    """The outcome was reported, but the owner can no longer see it, because the message was deleted."""
    scene.person.slack.state.remove(scene.message)
    assert len(scene.verdict.lost()) == 1
    assert scene.verdict.told_twice() == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ready/end", "🟢 red is ready."),
        ("failed/end", "It failed."),
        ("card/1", "🟢 red is ready. It took 7 s."),
        ("card/1", "🟢 red is already running."),
        ("card/1", "I couldn't start red on Saturn Cloud."),
        ("card/1", "red · Saturn Cloud It was running, and has since been stopped on Saturn Cloud."),
    ],
)
@pytest.mark.parametrize("becomes", ["deleted", "changed", "kept"])
async def test_end_in_second_message_is_told_twice(scene, kind, text, becomes):
    """Deleted messages count as well, and so do cards that reported the end only for a while."""
    state = scene.person.slack.state
    second = scene.says(f"{scene.operation.id}/{kind}", text)
    if becomes == "deleted":
        state.remove(second)
    elif becomes == "changed":
        state.edit(second, text="red · Saturn Cloud")
    (told,) = scene.verdict.told_twice()
    assert told.startswith(f"the end of {scene.operation.id} to {scene.person.principal.key}: ")
    is_there = becomes == "kept" or (becomes == "changed" and kind != "card/1")
    assert told.endswith(f"{second.ts} it stays" if is_there else f"{second.ts} 0.0 s")
    assert told.count(" it stays") == 1 + is_there


async def test_end_that_a_card_told_in_lost_seconds_may_be_told_again(scene):
    """After a failover, the card was changed back to the state that the database still knew."""
    scene.forget()
    card = scene.says(f"{scene.operation.id}/card/1", "🟢 red is ready. It took 1 s.")
    scene.person.slack.state.edit(card, text="red · Saturn Cloud Starting since 3:21 PM).")
    scene.says(scene.key)
    assert len(scene.verdict.told_twice()) == 1
    scene.lose_first()
    assert scene.verdict.told_twice() == []


async def test_what_ended_in_lost_seconds_may_end_otherwise_but_is_not_sent_again(scene):
    scene.forget()
    scene.says(scene.key)
    scene.says(f"{scene.operation.id}/card/1", "I couldn't start red on Saturn Cloud.")
    assert len(scene.verdict.told_twice()) == 1
    scene.lose_first()
    assert scene.verdict.told_twice() == []
    scene.says(scene.key)
    assert len(scene.verdict.told_twice()) == 2


async def test_start_of_hours_that_is_tried_again_is_told_by_the_later_one(scene):
    scene.forget()
    scene.acknowledged.clear()
    scene.run("UPDATE operations SET outcome = 'failed', planned_for = 60.0, ended_at = created_at + 1.0")
    assert len(scene.verdict.lost()) == 1
    scene.run(
        "INSERT INTO operations (id, principal, workspace_id, connection, verb, created_at, next_step_at,"
        " reference, outcome, planned_for) SELECT 'later', principal, workspace_id, connection, verb,"
        " created_at + 60.0, 0, 'R2', 'fulfilled', planned_for FROM operations"
    )
    scene.says("later/ready/end")
    assert (scene.verdict.lost(), scene.verdict.hours_doubled()) == ([], [])
    scene.run("UPDATE operations SET outcome = 'fulfilled'")
    assert len(scene.verdict.hours_doubled()) == 1


async def test_card_of_open_operation_tells_no_end(scene):
    card = scene.says(f"{scene.operation.id}/card/1", "red · Saturn Cloud Starting since 3:21 PM).")
    scene.person.slack.state.edit(card, text="red · Saturn Cloud Waiting to start since 3:21 PM.")
    scene.says("other/ready/end", "blue is ready.")
    assert scene.verdict.told_twice() == []


async def test_what_was_lost_and_told_so_is_not_lost(scene):
    scene.acknowledged.append(Acknowledged(scene.person, "blue", "start", 0.0, 1.0, SAID))
    assert len(scene.verdict.lost()) == 1
    scene.says(f"workspace/{NoticeKind.WRITES_LOST}/1")
    assert (scene.verdict.lost(), scene.verdict.told_of_loss()) == ([], 1)


async def test_an_acknowledged_operation_without_a_row_is_lost(scene):
    scene.acknowledged.append(Acknowledged(scene.person, "blue", "start", 0.0, 9e9, SAID))
    assert scene.verdict.lost() == [f"start of {NAME}'s blue: acknowledged, and not written"]


async def test_an_open_operation_and_one_replaced_by_nothing_are_lost(scene):
    scene.run("UPDATE operations SET outcome = NULL")
    assert scene.verdict.lost() == [f"start {scene.operation.id}: has not ended"]
    assert unsettled(scene.stage.database, 0.0)[0] == 1
    scene.run("UPDATE operations SET outcome = 'replaced'")
    assert scene.verdict.lost() == [f"start {scene.operation.id}: replaced by nothing"]


async def test_message_that_came_twice_is_told_twice(scene):
    first = scene.says("workspace/stop_warning/1", "It will stop soon.")
    assert scene.verdict.told_twice() == []
    second = scene.says("workspace/stop_warning/1", "It will stop soon.")
    assert scene.verdict.told_twice() == [
        f"workspace/stop_warning/1 to {scene.person.principal.key}: {first.ts} it stays, {second.ts} it stays"
    ]


async def test_a_message_that_came_to_somebody_else_is_astray(scene):
    assert scene.verdict.astray() == []
    state = scene.person.slack.state
    told = {"event_type": "usher_notice", "event_payload": {"key": scene.key}}
    channel = state.direct_message("U0ADMIN")
    state.add(Message(state.new_ts(), channel.id, state.app.bot_user, "It is ready.", "T", metadata=told))
    assert scene.verdict.astray() == [f"{scene.key} to -:{state.team.id}:U0ADMIN"]


async def test_work_and_workspaces_in_views_of_somebody_else_are_astray(scene):
    operation, mine = scene.operation, scene.person.principal.key
    state, button = scene.person.slack.state, {"value": f"{operation.workspace_id} 3"}
    state.views["V1"] = View("V1", scene.person.user, {"blocks": [button]}, "1", "V1")
    assert scene.verdict.astray() == []
    state.views["V2"] = View(
        "V2", "U0ADMIN", {"private_metadata": operation.id, "blocks": [button]}, "1", "V2"
    )
    reader = mine.replace(scene.person.user, "U0ADMIN")
    assert sorted(scene.verdict.astray()) == [
        f"{one} in a view to {reader}" for one in sorted((operation.id, operation.workspace_id))
    ]


async def test_a_second_start_and_one_that_nobody_asked_for_are_one_too_many(scene):
    resource = scene.resource
    resource.restart(resource.runs[0].created_at + 1)
    assert max(scene.verdict.truth.starts().values()) == 2
    resource.runs[:] = resource.runs[:1]
    scene.stage.calls.clear()
    resource.runs[0].created_at -= 100
    assert max(scene.verdict.truth.starts().values()) == 2


async def test_a_start_counts_for_who_was_asked_when_it_was_called_however_late_it_comes(scene):
    scene.run("UPDATE operations SET created_at = created_at - 50")
    scene.run(
        "INSERT INTO operations (id, principal, workspace_id, connection, verb, created_at, next_step_at,"
        " reference, outcome) SELECT 'later', principal, workspace_id, connection, verb, created_at + 40, 0,"
        " 'R2', 'replaced' FROM operations"
    )
    early, late = scene.operation.created_at - 49, scene.operation.created_at - 9
    resource = scene.resource
    resource.runs[0].created_at = late + 1
    resource.stop(late + 2)
    resource.settle(late + 5)
    resource.start(late + 6)
    scene.stage.calls[:] = [
        Called(early, resource.id, "start", [resource.runs[0].name]),
        Called(late, resource.id, "start", [resource.runs[1].name]),
    ]
    assert max(scene.verdict.truth.starts().values()) == 1


async def test_what_runs_and_is_shown_as_down_is_unseen_and_the_reverse_is_untrue(scene):
    scene.run("UPDATE workspaces SET state = 'stopped'")
    assert scene.verdict.truth.unseen() == ["u00000's red: running, and shown as stopped"]
    scene.run("UPDATE workspaces SET state = 'running' WHERE name IN ('red', 'blue')")
    (said,) = scene.verdict.truth.untrue()
    assert said.startswith("blue of")
    assert said.endswith("stopped, and shown as running")
    scene.run("UPDATE workspaces SET state = 'gone' WHERE name = 'blue'")
    (said,) = scene.verdict.truth.untrue()
    assert said.endswith("stopped, and shown as gone")


async def test_a_ready_that_was_not_and_a_failure_that_came_up_are_untrue(scene):
    resource = scene.resource
    resource.runs[0].started_at = scene.operation.created_at + 60
    (said,) = scene.verdict.truth.untrue()
    assert said == f"start {scene.operation.id} of red: told ready, and it did not run"
    scene.run("UPDATE operations SET outcome = 'failed'")
    scene.forget()
    scene.says(f"{scene.operation.id}/failed/end")
    (said,) = scene.verdict.truth.untrue()
    assert said == f"start {scene.operation.id} of red: told failed, and it came up all the same"


async def test_runs_and_workspaces_that_nobody_asked_for_or_that_came_twice_are_found(scene):
    state = scene.stage.saturn.state
    job = next(one for one in state.resources.values() if one.type == "job" and one.name == "nightly")
    job.start(state.clock.now())
    truth = scene.verdict.truth
    assert truth.most_runs() == 2
    assert truth.unseen() == [f"u00000's run of nightly: {job.runs[0].name} is not known"]
    job.runs.clear()
    person = state.accounts.people["u00000"]
    state.add(state.cloned(person, {"type": "workspace", "spec": {"name": "own"}}))
    truth = scene.verdict.truth
    assert truth.most_creations() == 2
    assert truth.unseen() == ["u00000's own: stands at the provider, stopped, and is not known"]


async def test_a_link_that_is_gone_and_an_alarm_are_counted(scene):
    scene.run("DELETE FROM accounts")
    assert scene.verdict.unlinked() == [NAME]
    scene.run(
        "UPDATE notices SET subject = 'outage:saturn:U0ADMIN', occasion = 'away:1.000' WHERE kind = 'card'"
    )
    assert scene.verdict.alarms() == 1


async def test_a_secret_in_a_log_or_a_message_is_a_leak(scene):
    token = scene.stage.secrets()[-1]
    scene.log.write_text(f"sent {token}")
    assert scene.verdict.leaks() == ["log"]
    scene.says("other", f"your token is {token}")
    assert len(scene.verdict.leaks()) == 2
    scene.person.slack.state.views["V1"] = View("V1", scene.person.user, {"text": token}, "1", "V1")
    assert scene.verdict.leaks()[2:] == [scene.person.principal.key]


#: A program that logs an error as the bot does.
LOGS = """
import structlog
from bot.support import errors, logs
logs.configure("info", logs.Redactor())
try:
    raise {error}
except Exception:
    structlog.get_logger("bot").exception("step failed", where="channel")
"""


@pytest.mark.parametrize(
    ("error", "count"), [("errors.StoreBusy('away')", 0), ("ZeroDivisionError()", 1)], ids=["away", "fault"]
)
async def test_errors_with_a_trace_are_found_in_the_log(scene, error, count):
    """Errors of an unavailable database are expected in a storm."""
    program = [sys.executable, "-c", LOGS.format(error=error)]
    run = partial(subprocess.run, program, capture_output=True, text=True, check=True)
    done = await asyncio.to_thread(run)
    scene.log.write_text(done.stderr)
    assert '"event": "step failed"' in done.stderr
    assert len(scene.verdict.exceptions()) == count


async def test_a_notice_that_was_given_up_and_a_broken_audit_are_found(scene):
    scene.run("UPDATE notices SET state = 'dead', error = 'no_text' WHERE kind = 'card'")
    assert scene.verdict.dead() == ["card: no_text"]
    scene.run("UPDATE audit SET result = 'refused' WHERE seq = (SELECT max(seq) FROM audit)")
    assert (await scene.verdict.audit()).startswith("broken at row")


def test_the_crowd_knows_every_word_of_acceptance_and_no_other():
    constants = {name.lower(): text for name, text in vars(answers).items() if name.isupper()}
    texts = constants | dict(answers.REMARKS)
    said = {name for name, text in texts.items() if isinstance(text, str) and ACCEPTED.search(text)}
    known = {"starting_running", "stopping_pending", "stopping_stopped"}
    # Messages about workspaces that don't exist yet, special restarts, or an opposite call that is in
    # progress.
    others = {
        "calling_off",
        "restarting_keeps",
        "starting_another",
        "stopping_started",
        "starting_after_stop",
    }
    assert known <= said <= known | others
    asked_for = {OperationVerb.START, OperationVerb.STOP, OperationVerb.RESTART}
    for verb, template in itertools.product(OperationVerb, (answers.ACCEPTED, answers.JOINED)):
        sentence = " ".join(template).format(**cards.FORMS[verb].words(), name="x", title="T")
        assert bool(ACCEPTED.search(sentence)) is (verb in asked_for)


async def test_a_stop_by_hours_that_does_not_come_or_comes_too_often_is_found(scene):
    at = datetime.fromtimestamp(scene.operation.created_at + 120.0, UTC).replace(second=0, microsecond=0)
    workspace = scene.operation.workspace_id
    rule = HoursRule(
        id="rule_1",
        principal=scene.person.principal,
        connection="saturn",
        workspace_id=workspace,
        days=EVERY_DAY,
        starts=None,
        stops=at.hour * 60 + at.minute,
        zone="UTC",
        processed_until=0.0,
    )
    store = await open_store(scene.stage.database, SystemClock(), SystemIds())
    await store.engine.write(partial(hours_store.save_rule, new=rule))
    entry = AuditEntry("u", "workspace.hours", workspace, "accepted", detail={"workspace": workspace})
    await store.engine.write(partial(append_audit, entries=[entry]))
    await store.close()
    assert scene.verdict.hours_lost() == ["hours rule_1: nothing became of their stop"]
    scene.hours_set = [Acknowledged(scene.person, name, "hours", 1.0, 2.0, "") for name in ("red", "blue")]
    assert scene.verdict.hours_lost()[:-1] == ["hours of u00000's blue: acknowledged, and not written"]
    scene.run(f"INSERT INTO occurrences VALUES ('rule_1', 'l', 'stop', 'timer', {at.timestamp()})")
    scene.hours_set = []
    assert scene.verdict.hours_lost() == ["hours rule_1: their stop was not carried out"]
    scene.run("UPDATE operations SET verb = 'stop', planned_for = 1.0")
    assert (scene.verdict.hours_lost(), scene.verdict.hours_doubled()) == ([], [])
    assert scene.verdict.unwarned() == [f"red of {scene.person.principal.key}"]
    scene.says(f"{workspace}/stop_warning/1", "It will be stopped.")
    assert scene.verdict.unwarned() == []
    stopped = Called(scene.operation.created_at, scene.resource.id, "stop")
    scene.stage.calls.append(stopped)
    assert scene.verdict.unwarned() == [f"red of {scene.person.principal.key}"]
    scene.run("UPDATE occurrences SET result = 'needless'")
    assert scene.verdict.hours_doubled() == ["hours rule_1: 1 stops"]
    assert scene.verdict.hours_ended() == []
    del scene.stage.saturn.state.resources[scene.resource.id]
    assert scene.verdict.hours_ended() == [f"red of {scene.person.principal.key}"]
