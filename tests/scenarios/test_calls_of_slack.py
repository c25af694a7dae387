"""The number of posts, edits and deletions in Slack for a start, a job and a class."""

import asyncio

import pytest
import pytest_asyncio

from bot.domain.durations import start_kind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.work_items import Call, Outcome
from bot.store import workspaces
from bot.store.tables import OPERATIONS
from tests.rigs.scenario import world
from tests.rigs.scenario.people import GENERAL
from tests.scenarios.class_seeds import PUPILS, TRAINER, _saturn_seed, _slack_seed

CLASS = PUPILS[:30]
#: For each of ten starts, the seconds between being up and being seen as ready. Reads are ten seconds apart.
SEEN_LATER = (3, 9, 5, 7, 4, 8, 6, 5, 7, 6)
METHODS = ("post(Message|Ephemeral)", "update", "delete")


@pytest.fixture
def calls(request):
    """Return a function that counts the posts, edits and deletions since its last call."""
    before = [0, 0, 0]

    def count(made):
        total = [made.calls(rf"/api/chat\.{method}$", made.slack) for method in METHODS]
        since = tuple(now - then for now, then in zip(total, before, strict=True))
        before[:] = total
        return since

    return count


async def have_history(made, user, name, seconds):
    """Store ten earlier starts of a workspace that each took about this many seconds."""
    principal, now = made.principal(user), made.clock.now()
    rows = await made.bot.store.perform(workspaces.read_workspaces, principal)
    (workspace_id,) = [row.id for row in rows if row.name == name]
    kind = start_kind(OperationVerb.START, principal, "saturn", None)

    def write(tx):
        for number, more in enumerate(SEEN_LATER):
            at = now - 86_400.0 * (number + 1)
            past = Operation(
                id=f"past_{number}",
                principal=principal,
                workspace_id=workspace_id,
                connection="saturn",
                verb=OperationVerb.START,
                created_at=at,
                called_at=at,
                ended_at=at + seconds + more,
                next_step_at=at,
                start_call=Call.ACCEPTED,
                outcome=Outcome.FULFILLED,
                reference=f"past {number}",
            )
            OPERATIONS.add_new(tx, past, start_kind=kind)

    await made.bot.store.carry_out(write)


@pytest.mark.parametrize(
    ("usual", "takes", "by_command", "by_message"),
    [
        pytest.param(120, 120, (1, 0, 0), (2, 0, 1), id="120-known"),
        pytest.param(300, 300, (1, 0, 0), (2, 0, 1), id="300-known"),
        pytest.param(120, 300, (2, 0, 1), (2, 1, 1), id="120-late"),
        pytest.param(None, 120, (2, 0, 1), (2, 0, 1), id="120-unknown"),
    ],
)
@pytest.mark.parametrize("way", ["command", "message"])
async def test_start_takes_few_calls(linked, calls, way, usual, takes, by_command, by_message):
    """The expected numbers are of posts, edits and deletions.

    The answer to a command needs no call. The answer to a message is its card.
    """
    alice = linked.alice
    if usual is not None:
        await have_history(linked, alice.id, "training", usual)
    linked.resource("training").start_seconds = takes
    calls(linked)
    await (alice.types if way == "command" else alice.writes)("start training")
    await linked.pass_time(takes + 30, step=2)
    assert alice.only("ready")
    assert calls(linked) == (by_command if way == "command" else by_message)


async def test_start_that_waits_its_turn_says_so(tmp_path, calls):
    """The card says that the start is waiting, and later that the workspace is starting.

    It isn't edited otherwise.
    """
    async with world(tmp_path, saturn_connection={"starts_per_second": 0.02}) as made:
        alice = made.alice
        await alice.has_linked("alice")
        await have_history(made, alice.id, "training", 120)
        made.resource("training").start_seconds = 120
        calls(made)
        await alice.writes("start training")
        assert "Starting since" in alice.only("card").text
        # At such a low rate, a process pauses before it sends its first start.
        await made.pass_time(40, step=1)
        waiting = alice.only("card").text
        assert "Waiting to start since" in waiting
        assert "sually" not in waiting
        await made.pass_time(30, step=1)
        assert "usually ready by" in alice.only("card").text
        await made.pass_time(150, step=2)
        assert alice.only("ready")
        assert calls(made) == (2, 2, 1)


@pytest.mark.parametrize("way", ["command", "message"])
async def test_job_of_twenty_minutes_takes_few_calls(cloud, calls, way):
    """The job writes all the time.

    Its card shows the output every 15 seconds at first, and later every minute.
    """
    alice, job = cloud.alice, cloud.job("nightly")
    # The provider's list of jobs has been read before.
    await alice.types("schedule", command="/job")
    job.run_seconds = 1200
    calls(cloud)
    if way == "command":
        await alice.types("run saturn nightly", command="/job")
    else:
        await alice.writes("job run saturn nightly")
    while not alice.told("job_ended"):
        job.log_lines += 1
        cloud.clock.advance(3.0)
        # The output stream uses a real socket.
        await asyncio.sleep(0.001)
        await cloud.settle()
    posts, edits, deletes = calls(cloud)
    assert 15 <= edits <= 23
    assert posts + edits + deletes <= 25


@pytest_asyncio.fixture
async def class_room(tmp_path):
    async with world(tmp_path, slack_seed=_slack_seed(), saturn_seed=_saturn_seed()) as made:
        for user in CLASS:
            await made.person(user).has_linked(user.lower())
        await made.settle()
        await made.pass_time(15, step=5)
        yield made


async def test_class_of_thirty_takes_few_calls(class_room, calls):
    """Each member is told that their workspace is ready. The card counts them every ten seconds."""
    made, trainer = class_room, class_room.person(TRAINER)
    await have_history(made, PUPILS[0], "notebook", 120)
    for user in CLASS:
        made.resource("notebook", user.lower()).start_seconds = 120
    await trainer.types("card notebook --title Statistics")
    await made.pass_time(2)
    (card,) = [one for one in trainer.sees(GENERAL) if one.kind == "class_card"]
    button = card.button("Get my workspace")["action_id"]
    calls(made)
    for user in CLASS:
        made.clock.advance(1.0)
        assert (await made.slack.press(user, GENERAL, card.ts, button))["ok"]
        await made.settle()
    await made.pass_time(150, step=1)
    posts, edits, deletes = calls(made)
    assert all(made.person(user).only("ready") for user in CLASS)
    (card,) = [one for one in trainer.sees(GENERAL) if one.kind == "class_card"]
    assert "30 of 30 ready" in card.text
    assert (posts, deletes) == (len(CLASS), 0)
    assert posts + edits <= 45
