"""Tests of noticing another Usher with the same app, from Slack's count of connections."""

from dataclasses import dataclass, field, replace

import pytest

from bot.commands.store_checks import check_others
from bot.domain.notices import NoticeKind
from bot.store import notices as notice_rows
from bot.store import open_store, outages, owners
from bot.store.outages import TWICE
from bot.support.errors import StoreBusy
from bot.web.other_instances import _IN_DOUBT, _RECOUNT_SECONDS, CONFIRM_SECONDS, LOOKS_EVERY, OtherInstances
from bot.web.socket import Count
from tests.reconciler.world import new_world
from tests.rigs import postgres
from tests.rigs.store import ALICE
from tests.web.sockets import connected, until


@dataclass
class Side:
    """A stand-in for SocketSide.

    Slack counts ``slack`` connections, of which this process holds ``held``.
    """

    monotonic: object
    slack: int = 2
    held: int = 2
    count: Count | None = None
    renewals: list = field(default_factory=list)
    connections: int = 0

    def replace_connection(self):
        self.renewals.append(self.monotonic())
        self.count = Count(self.monotonic(), self.slack, self.held)

    def hold_connections(self, connections):
        self.connections = connections


@pytest.fixture
async def admins():
    async with new_world() as admins:
        admins.administered_by(ALICE.user_id)
        yield admins


@pytest.fixture
def side(admins):
    side = Side(admins.clock.monotonic)
    side.replace_connection()
    return side


async def watch(admins, others, seconds):
    for _ in range(round(seconds / LOOKS_EVERY)):
        await others.step()
        admins.clock.advance(LOOKS_EVERY)


async def told(admins):
    notices = await admins.store.perform(notice_rows.claim_notices, 50, 0.01)
    return [(one.principal, one.body["what"]) for one in notices if one.kind is NoticeKind.OUTAGE]


async def test_more_connections_than_ours_for_minutes_are_another_usher(admins, side):
    others = OtherInstances(admins.context, side)
    await watch(admins, others, 2 * CONFIRM_SECONDS)
    assert (await admins.store.read(outages.list_outages), side.renewals[1:]) == ({}, [])
    side.slack = 4
    side.replace_connection()
    began = await admins.store.now()
    await watch(admins, others, CONFIRM_SECONDS)
    assert await admins.store.read(outages.list_outages) == {}
    await watch(admins, others, CONFIRM_SECONDS)
    assert 0 < (await admins.store.read(outages.list_outages))[TWICE] - began <= CONFIRM_SECONDS + 120
    assert await told(admins) == [(ALICE, "twice")]
    (check,) = await check_others(admins.store)
    assert (check.is_good, "another Usher" in check.found) == (False, True)
    # A process that starts meanwhile doesn't send or log it again.
    await watch(admins, OtherInstances(admins.context, side), 2 * CONFIRM_SECONDS)
    assert await told(admins) == [(ALICE, "twice")]
    side.slack = 2
    await watch(admins, others, 900)
    assert (await admins.store.read(outages.list_outages), await check_others(admins.store)) == (
        {},
        [],
    )
    assert sorted(await told(admins)) == [(ALICE, "alone"), (ALICE, "twice")]


async def test_what_a_killed_process_held_passes(admins, side):
    others = OtherInstances(admins.context, side)
    side.slack = 4
    side.replace_connection()
    await watch(admins, others, CONFIRM_SECONDS - 60)
    assert await admins.store.read(outages.list_outages) == {}
    side.slack = 2
    await watch(admins, others, 2 * CONFIRM_SECONDS)
    side.slack = 4
    await watch(admins, others, CONFIRM_SECONDS)
    assert await admins.store.read(outages.list_outages) == {}


async def test_one_old_count_is_not_minutes_of_it_nor_its_end(admins, side):
    others = OtherInstances(admins.context, side)
    side.count = Count(admins.clock.monotonic(), 4, 2)
    side.replace_connection = lambda: None
    await watch(admins, others, 4 * CONFIRM_SECONDS)
    assert await admins.store.read(outages.list_outages) == {}
    side.count = Count(admins.clock.monotonic(), 2, 2)
    admins.clock.advance(60)
    await admins.store.write(outages.begin_outage, TWICE, await admins.store.now())
    await watch(admins, others, CONFIRM_SECONDS)
    assert TWICE in await admins.store.read(outages.list_outages)


async def test_connections_of_processes_on_the_same_database_are_ours(admins, side):
    store = await open_store(await postgres.migrated(), admins.clock, admins.ids)
    for name in ("web:one", "web:two", "web:three", "worker:four"):
        await store.write(owners.own, name, [name])
    others = OtherInstances(replace(admins.context, store=store, clock=store.engine.clock), side)
    for counted, waits in ((6, _RECOUNT_SECONDS), (7, _IN_DOUBT)):
        assert await others._compare(Count(store.engine.clock.monotonic(), counted, 2)) == waits
    await others.step()
    assert side.connections == 2
    # Slack allows ten connections per app.
    for name in ("web:five", "serve:six"):
        await store.write(owners.own, name, [name])
    await others.step()
    assert side.connections == 1
    assert await others._excess(Count(store.engine.clock.monotonic(), 7, 2)) == 1
    await store.close()


async def test_without_an_answer_of_the_database_it_looks_again(admins, side):
    class Away:
        engine = admins.store.engine

        async def read(self, *_arguments):
            raise StoreBusy("not now")

    others = OtherInstances(admins.context, side)
    others._store = Away()
    await others.step()
    side.count = None
    await others.step()


async def test_slack_counts_what_others_hold_whenever_a_connection_opens():
    async with connected(connections=2) as (server, socket):
        await until(lambda: socket.count is not None and len(socket._open) == 2)
        socket.replace_connection()
        await until(lambda: socket.count.counted == 3)
        assert socket.count.held == 3
        assert len(server.sockets.open) == 3
