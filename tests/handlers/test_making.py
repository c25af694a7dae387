"""Commands that suspend, resume, force, remove and re-create workspaces, and the command ``about``."""

from dataclasses import replace
from typing import ClassVar

import pytest

from bot.domain.forms import Spec
from bot.domain.installations import Installation
from bot.domain.notices import NoticeKind
from bot.domain.observations import Created, Observed
from bot.domain.operations import OperationVerb
from bot.domain.snapshots import Snapshot
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.providers import facets
from bot.services.accounts import refuse_account
from bot.services.operation_requests import begin_operation, create_workspace
from bot.services.snapshots import list_stale
from bot.services.workspaces import add_workspace
from bot.store import creations, operations, snapshots, tasks
from bot.store import workspaces as workspace_rows
from bot.store.cards import CARD_DELAY_SECONDS
from bot.store.tables import GATES
from bot.support.errors import Refused
from handlers.replaying import replay
from tests.handlers.rig import COLLEAGUE, buttons, one_cloud, rig, submit, words
from tests.rigs.golden import check_golden
from tests.rigs.providers import FakeMachines
from tests.rigs.store import ALICE, BOB, observe, within


class Plain(FakeMachines, facets.Lists, facets.Revocation, facets.Renewal, facets.Tokens):
    """A provider without any of the newer facets."""

    stop_modes: ClassVar = frozenset({"stop"})


@pytest.fixture
async def plain():
    async with one_cloud(Plain) as one:
        yield one


async def operation_of(bot, name="notebook"):
    return await bot.store.read(operations.find_latest_operation, (await bot.workspace(name)).id)


async def make(bot, name="lab"):
    return await bot.services.create_caller(ALICE, f"make {name}").run(create_workspace, "saturn", Spec(name))


@pytest.mark.parametrize(
    ("text", "verb", "said"),
    [
        ("suspend notebook", OperationVerb.SUSPEND, "Suspending *notebook*"),
        ("stop notebook --force --yes", OperationVerb.FORCE, "Forcing *notebook*"),
    ],
)
async def test_an_operation_is_written_with_its_card(bot, text, verb, said):
    await bot.link(state=State.RUNNING)
    assert said in words(await bot.say(text))
    assert (await operation_of(bot)).verb is verb
    assert (await bot.audit())[-1]["action"] == f"workspace.{verb}"
    assert "is already being" in words(await bot.say(text))
    bot.clock.advance(CARD_DELAY_SECONDS)
    assert [one.kind for one in await bot.notices()] == [NoticeKind.CARD]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("suspend notebook", "can't be suspended"),
        ("stop notebook --force", "can't force a workspace to quit"),
        ("remove notebook", "can't remove workspaces from"),
    ],
)
async def test_what_a_provider_does_not_have_is_said_and_not_begun(plain, text, said):
    await plain.link(state=State.RUNNING)
    assert said in words(await plain.say(text))
    assert await operation_of(plain) is None


async def test_list_offers_a_new_workspace_only_where_an_account_works(bot):
    linked = await bot.link()
    assert "New workspace" in buttons(await bot.say("list"))
    await bot.store.carry_out(lambda tx: refuse_account(tx, linked.account, "credential_refused"))
    answer = await bot.say("list")
    assert "notebook" in words(answer)
    assert not any(label.startswith("New workspace") for label in buttons(answer))


async def test_nobody_makes_anything_where_nothing_can_be_made(plain):
    await plain.link()
    with pytest.raises(Refused) as refused:
        await make(plain)
    assert refused.value.rule == "workspace.no_create"


async def test_what_a_workspace_does_not_allow_just_now_is_said_while_that_is_news(bot):
    await bot.link(state=State.RUNNING)
    await bot.sees(State.RUNNING, actions=frozenset({"open", "stop"}))
    assert "doesn't offer that for it right now" in words(await bot.say("suspend notebook"))
    assert await operation_of(bot) is None
    bot.clock.advance(60)
    assert "Suspending" in words(await bot.say("suspend notebook"))


@pytest.mark.parametrize(
    ("state", "text", "said"),
    [
        (State.STOPPED, "stop notebook", "is already stopped"),
        (State.STOPPED, "suspend notebook", "isn't running"),
        (State.SUSPENDED, "suspend notebook", "isn't running"),
    ],
)
async def test_what_has_come_true_is_said_and_not_forbidden(bot, state, text, said):
    await bot.link()
    await bot.sees(state, actions=frozenset({"start"}))
    assert said in words(await bot.say(text))


async def test_start_of_a_suspended_workspace_says_that_it_resumes(bot):
    await bot.link()
    await bot.sees(State.SUSPENDED)
    assert "Resuming *notebook*" in words(await bot.say("start notebook"))
    assert (await operation_of(bot)).verb is OperationVerb.START


async def test_what_is_busy_is_suspended_once_that_is_agreed_to(bot):
    await bot.link()
    busy = Observed(State.RUNNING, stop_risks=frozenset({"busy"}))
    await observe(bot.store, bot.clock, await bot.workspace(), busy)
    asked = await bot.say("suspend notebook")
    assert "interrupts what's running" in words(asked)
    assert await operation_of(bot) is None
    assert "Suspending *notebook*" in words(await bot.say("suspend notebook --yes"))
    assert (await operation_of(bot)).verb is OperationVerb.SUSPEND


async def test_force_quit_takes_the_place_of_the_stop(bot):
    await bot.link(state=State.RUNNING)
    await bot.say("stop notebook")
    stop = await operation_of(bot)
    await bot.press("force", (await bot.workspace()).id)
    assert (await operation_of(bot)).verb is OperationVerb.FORCE
    assert (await bot.store.read(operations.find_operation, stop.id)).outcome == "replaced"


async def test_an_old_button_of_what_was_taken_off_the_list_says_so(bot):
    await bot.link()
    workspace = await bot.workspace()
    await bot.say("forget notebook")
    for verb in ("start", "stop", "suspend"):
        assert "You took it off your list" in words(await bot.press(verb, workspace.id))
    assert await bot.store.read(operations.find_latest_operation, workspace.id) is None


# -- removing --------------------------------------------------------------------------


async def type_name(bot, view, name, principal=ALICE):
    values = {"name": {"name": {"type": "plain_text_input", "value": name}}}
    bot.count += 1
    sent = {**view, "state": {"values": values}}
    return await submit(bot.services, principal, sent, f"view:{bot.count}")


async def test_a_removal_is_asked_for_once_and_the_name_is_typed(bot):
    await bot.link()
    answer = await bot.say("remove notebook")
    assert "permanently delete" in words(answer)
    assert await operation_of(bot) is None
    button = buttons(answer)["Remove"]
    assert "confirm" not in button
    pressed = await bot.press("remove", button["value"])
    check_golden("views/remove", pressed.view)
    wrong = await type_name(bot, pressed.view, "note")
    assert "That isn't its name" in wrong["errors"]["name"]
    assert await operation_of(bot) is None
    assert await type_name(bot, pressed.view, " notebook ") == {"response_action": "clear"}
    operation = await operation_of(bot)
    assert (operation.verb, operation.principal) == (OperationVerb.REMOVE, ALICE)
    assert [one.kind for one in await bot.notices()] == [NoticeKind.CARD]


async def test_without_a_name_none_is_guessed(bot):
    await bot.link()
    answer = await bot.say("remove")
    assert "Which workspace" in words(answer)
    assert buttons(answer)["Remove notebook"]["action_id"] == "remove:0"
    assert await operation_of(bot) is None


async def test_somebody_elses_form_removes_nothing(bot):
    await bot.link()
    view = (await bot.press("remove", (await bot.workspace()).id)).view
    refused = await type_name(bot, view, "notebook", COLLEAGUE)
    assert refused["response_action"] == "errors"
    assert await operation_of(bot) is None


async def test_a_form_whose_key_was_changed_removes_nothing_of_others(bot):
    await bot.link()
    await bot.link(BOB, ("secret",), username="bob")
    view = (await bot.press("remove", (await bot.workspace()).id)).view
    theirs = await bot.workspace("secret", BOB)
    refused = await type_name(bot, {**view, "private_metadata": theirs.id}, "secret")
    assert refused["response_action"] == "errors"
    assert await bot.store.read(operations.find_latest_operation, theirs.id) is None


# -- making again --------------------------------------------------------------------------


async def test_what_is_being_made_is_listed_and_can_be_called_off(bot):
    await bot.link(names=())
    await make(bot)
    listed = await bot.say("list")
    assert "Waiting to be created" in words(listed)
    assert "Stop" in buttons(listed)
    assert "is already being created" in words(await bot.say("start lab"))
    assert "hasn't created it yet" in words(await bot.say("restart lab"))
    assert "hasn't created it yet" in words(await bot.say("suspend lab"))
    assert "Cancelling the creation of *lab*" in words(await bot.say("stop lab"))
    assert (await operation_of(bot, "lab")).verb is OperationVerb.STOP


async def lost(bot, name="lab"):
    """Create a workspace that is then gone."""
    provider = bot.connections["saturn"]
    accepted = await make(bot, name)
    made = await bot.store.write(
        creations.name_created, accepted.operation.id, Created("m1", name), provider.gate_key("m1")
    )
    await bot.store.write(operations.save_step, Update(accepted.operation.id, 0.0, outcome=Outcome.FULFILLED))
    await observe(bot.store, bot.clock, made, Observed(State.GONE))
    return await bot.store.read(workspace_rows.find_workspace, made.id)


async def test_start_a_new_one_pressed_twice_makes_one(bot):
    await bot.link(names=())
    gone = await lost(bot)
    first = await bot.press("again", gone.id)
    await bot.press("again", gone.id)
    assert "Creating *lab*" in words(first)
    assert len(await bot.store.perform(workspace_rows.read_workspaces, ALICE)) == 1


async def test_a_failed_creation_is_tried_anew_by_its_card(bot):
    await bot.link(names=())
    accepted = await make(bot)
    failed = Update(accepted.operation.id, 0.0, outcome=Outcome.FAILED, cause="limit", hides=True)
    await bot.store.write(operations.save_step, failed)
    assert await bot.store.perform(workspace_rows.read_workspaces, ALICE) == []
    assert "Creating *lab*" in words(await bot.press("try_again", accepted.operation.id))
    assert [row.is_provisional for row in await bot.store.perform(workspace_rows.read_workspaces, ALICE)] == [
        True
    ]


async def test_a_failed_removal_is_asked_for_again(bot):
    await bot.link()
    workspace = await bot.workspace()
    operation = (
        await bot.services.create_caller(ALICE, "r").run(begin_operation, workspace.id, OperationVerb.REMOVE)
    ).operation
    await bot.store.write(
        operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FAILED, cause="not_removed")
    )
    assert (await bot.press("try_again", operation.id)).view["callback_id"] == "remove"
    assert not (await operation_of(bot)).is_open


async def test_at_a_connection_without_people_nothing_is_added_by_its_id(bot):
    shared = bot.connections["saturn"]
    shared.settings = shared.settings.model_copy(update={"linking": ("none",)})
    await bot.link(names=())
    with pytest.raises(Refused) as refused:
        await bot.services.create_caller(ALICE).run(add_workspace, "saturn", "id-1", None)
    assert refused.value.rule == "add.not_here"
    assert await bot.services.create_caller(ALICE).read(list_stale, TaskKind.DISCOVER) == []


# -- about --------------------------------------------------------------------------


@pytest.fixture
async def administered():
    async with rig(administrators=frozenset({ALICE.user_id})) as one:
        yield one


def snapshot(bot, count=150, age=0.0):
    users = [{"username": f"user-{n:03}", "is_active": n != 1, "level": "admin"} for n in range(count)]
    payload = {"facts": [["Version", "2026.09 <b>"], ["Features", "jobs"]], "users": users}
    return Snapshot("saturn", "", "about", payload, bot.clock.now() - age)


async def test_a_server_is_asked_first_and_the_answer_follows(administered):
    bot = administered
    assert "Checking Saturn Cloud…" in words(await bot.say("about saturn"))
    [task] = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
    assert task.subject == "connection:saturn/about"
    await bot.store.write(snapshots.save_snapshot, snapshot(bot))
    await replay(bot.services, ALICE, {**task.payload["then"][0], "task": task.id})
    [notice] = await bot.notices()
    assert "user-000" in str(notice.body["blocks"])


async def test_what_it_tells_is_paged_and_escaped(administered):
    bot = administered
    await bot.store.write(snapshots.save_snapshot, snapshot(bot))
    first = await bot.say("about saturn")
    check_golden("answers/about", first)
    assert "2026.09 &lt;b&gt;" in words(first)
    assert "`user-001` admin (not active)" in words(first)
    assert "and 90 more" in words(first)
    more = buttons(first)["More"]
    last = await bot.press("about:more", "saturn 3")
    assert "user-149" in words(await bot.press("about:more", "saturn 99999"))
    assert "don't have a connection" in words(await bot.press("about:more", "saturn 100000"))
    assert more["value"] == "saturn 2"
    assert last.replaces
    assert "user-149" in words(last)
    assert "More" not in buttons(last)


async def test_old_news_are_shown_and_asked_for_anew(administered):
    bot = administered
    await bot.store.write(snapshots.save_snapshot, snapshot(bot, age=400))
    assert "user-000" in words(await bot.say("about saturn"))
    assert len(await bot.store.claim(tasks.claim_tasks, 10, 60.0)) == 1


async def test_a_refusal_of_the_server_is_said(administered):
    bot = administered
    waiting = {"text": "about saturn", "problem": "forbidden: super admins only", "interaction": "x"}
    await replay(bot.services, ALICE, waiting)
    [notice] = await bot.notices(NoticeKind.MESSAGE)
    assert "super admins only" in str(notice.body)


async def test_about_names_the_connections(administered):
    assert "`Hub`, `Saturn Cloud`" in words(await administered.say("about"))


async def test_a_connection_without_the_secret_for_it_is_not_asked(administered):
    bot, (hub, saturn) = administered, (administered.connections[one] for one in ("hub", "saturn"))
    hub.has_own_secret = False
    assert "about` and its name: `Saturn Cloud`." in words(await bot.say("about"))
    assert "nothing to show" in words(await bot.say("about hub"))
    saturn.has_own_secret = False
    assert "and its name" not in words(await bot.say("about"))


async def test_a_provider_with_nothing_to_tell_says_so(plain):
    plain.services = replace(
        plain.services,
        context=replace(
            plain.services.context,
            installation=Installation("T1", administrators=frozenset({ALICE.user_id})),
        ),
    )
    assert "nothing to show" in words(await plain.say("about saturn"))
    assert "about CONNECTION" not in words(await plain.say("about"))


async def test_start_of_what_runs_has_its_state_read_again(bot):
    await bot.link()
    row = await bot.sees(State.RUNNING)
    bot.clock.advance(600)
    await bot.say("start notebook")
    gate = await within(bot.store, GATES.row, gate_key=row.gate_key)
    assert gate["requested_at"] == bot.clock.now()


async def test_start_of_what_is_being_stopped_is_a_start(bot):
    await bot.link(names=())
    operation = (await make(bot)).operation
    provider = bot.connections["saturn"]
    row = await bot.store.write(
        creations.name_created, operation.id, Created("m1", "lab"), provider.gate_key("m1")
    )
    await bot.store.write(operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED))
    await observe(bot.store, bot.clock, row, Observed(State.RUNNING))
    for verb in (OperationVerb.STOP, OperationVerb.START):
        accepted = await bot.services.create_caller(ALICE, verb.value).run(begin_operation, row.id, verb)
        assert accepted.operation.verb is verb


async def test_error_below_a_field_is_plain_text(bot):
    await bot.link(names=("R & D <b>",))
    pressed = await bot.press(
        "remove", buttons(await bot.say('remove "R &amp; D &lt;b&gt;"'))["Remove"]["value"]
    )
    wrong = await type_name(bot, pressed.view, "R")
    assert wrong["errors"] == {"name": "That isn't its name. Type R & D <b> exactly."}


async def test_several_are_suspended_at_their_time(bot):
    await bot.link(names=("notebook", "report"))
    for name in ("notebook", "report"):
        await bot.sees(State.RUNNING, name)
    await bot.say("suspend notebook and report at 18:00 --yes")
    rows = await bot.store.perform(workspace_rows.read_workspaces, ALICE)
    assert [row.stop_mode for row in rows] == ["suspend", "suspend"]
