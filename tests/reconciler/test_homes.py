"""Publishing Home tabs: retried as long as that may help, and repeated for requests made meanwhile."""

import pytest

from bot.domain.tasks import TaskKind
from bot.store import homes, tasks
from bot.store.tables import PEOPLE, TASKS
from bot.store.transaction import from_json
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent
from tests.rigs.store import ALICE


async def ask(world, **shown):
    await world.store.carry_out(lambda tx: homes.request_home(tx, ALICE, **shown))


async def waiting(world):
    return await world.store.carry_out(lambda tx: TASKS.row(tx, kind=TaskKind.HOME, subject=ALICE.key))


def failing(world, *errors):
    left = list(errors)

    async def publish(principal, shown):
        if left:
            raise left.pop(0)
        world.homes.append((principal, shown))

    world.publish_home = publish
    world.reborn()


@pytest.mark.parametrize(
    "error",
    [
        SlackFailed("views.publish", "unreachable"),
        SlackLimited("views.publish", 30.0),
        SlackPermanent("views.publish", "invalid_auth"),
    ],
    ids=["unreachable", "limited", "shut out"],
)
async def test_home_is_published_once_slack_takes_it(world, error):
    failing(world, *[error] * 12)
    await ask(world, blocks=[])
    for _ in range(60):
        await world.work()
        world.clock.advance(61)
    assert world.homes == [(ALICE, {"blocks": []})]
    assert await waiting(world) is None


@pytest.mark.parametrize("code", ["not_enabled", "user_not_found", "not_installed"])
async def test_home_that_slack_never_takes_is_given_up(world, code):
    failing(world, *[SlackPermanent("views.publish", code)] * 9)
    await ask(world)
    await world.work()
    assert await waiting(world) is None


async def test_home_is_given_up_after_a_week(world):
    failing(world, *[SlackFailed("views.publish", "unreachable")] * 999)
    await ask(world)
    await world.work()
    assert await waiting(world) is not None
    world.clock.advance(7 * 86_400.0 + 1)
    await world.work()
    assert await waiting(world) is None


async def test_only_people_who_opened_it_get_it_again(world):
    await world.store.carry_out(lambda tx: homes.republish_home(tx, ALICE))
    assert await waiting(world) is None
    await world.own()
    await ask(world)
    await world.work()
    await world.store.carry_out(lambda tx: homes.republish_home(tx, ALICE))
    assert await waiting(world) is not None
    row = await world.store.carry_out(lambda tx: PEOPLE.row(tx, principal=ALICE))
    assert row["home_at"] is not None


async def shown_after(world, *, is_leased, asks):
    """Return what the tab shows in the end, if these requests meet a task that is waiting or being done."""
    await world.own()
    await ask(world, blocks=["first"])
    claimed = await world.store.claim(tasks.claim_tasks, 1, 60.0, "", [TaskKind.HOME]) if is_leased else ()
    for shown in asks:
        if shown is None:
            await world.store.carry_out(lambda tx: homes.republish_home(tx, ALICE))
        else:
            await ask(world, **shown)
    for task in claimed:
        await world.store.write(tasks.finish_task, task)
    return from_json((await waiting(world))["payload"]).get("shown", {})


SECOND = {"blocks": ["second"]}


@pytest.mark.parametrize(
    ("is_leased", "asks", "shown"),
    [
        (False, [None], {"blocks": ["first"]}),
        (False, [SECOND, None], SECOND),
        (True, [None], {}),
        (True, [None, SECOND], SECOND),
        (True, [SECOND, None], SECOND),
        (True, [{}, SECOND], SECOND),
        (True, [SECOND, {}], {}),
    ],
)
async def test_answer_that_waits_is_replaced_only_by_a_newer_press(world, is_leased, asks, shown):
    assert await shown_after(world, is_leased=is_leased, asks=asks) == shown


async def test_answer_that_slack_has_not_taken_is_kept_for_the_next_attempt(world):
    await world.own()
    await ask(world, blocks=["first"])
    (task,) = await world.store.claim(tasks.claim_tasks, 1, 60.0, "", [TaskKind.HOME])
    await world.store.carry_out(lambda tx: homes.open_home(tx, ALICE))
    await world.store.write(tasks.retry_task, task, 0.0)
    assert from_json((await waiting(world))["payload"])["shown"] == {"blocks": ["first"]}
