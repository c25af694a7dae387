"""A process that lost a connection and can't get another: it either works fully or counts as absent."""

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest

from bot.services.owners import RENEWAL_SECONDS, SharedOwners
from bot.store import maintenance, operations
from bot.store import owners as owner_rows
from bot.store.owners import LEASE_SECONDS
from bot.store.store import Store
from bot.store.transaction import Priority
from bot.support.clock import SystemIds
from bot.support.errors import StoreBusy, StoreError, StoreRefused
from tests.contract.store.postgres_faults import cut
from tests.rigs import postgres, postgres_tls
from tests.rigs.store import accept_operation, first_sight, hurry, linked
from tests.support.certificates import own_certificate

PASSWORD = "canary-1"
WAYS = ("limit", "password", "certificate")
#: Indexes of an engine's connections, in the order in which they are opened; one of them reads.
WRITES, CLAIMS, RECORDS, READS = 0, 1, 2, -1


class Place:
    """A database that can refuse its owner any further connections."""

    def __init__(self, url, role, certificate, folder):
        self.url, self.role, self._certificate, self._folder = url, role, certificate, folder
        #: How often a connection was requested.
        self.asked = 0
        certificate.sni_callback = self._count

    def _count(self, *_):
        self.asked += 1

    def alter(self, change):
        with postgres.connected(self.url) as other:
            other.execute(f"ALTER ROLE {self.role} {change}".encode())

    def shut(self, way, connections):
        """Refuse all new connections."""
        if way == "limit":
            self.alter(f"CONNECTION LIMIT {connections}")
        elif way == "password":
            self.alter("PASSWORD 'another'")
        else:
            # Of somebody whom nobody trusts.
            (self._folder / "other").mkdir()
            own_certificate(self._folder / "other")
            self._certificate.load_cert_chain(self._folder / "other" / "both.pem")

    def open(self, way):
        if way == "certificate":
            self._certificate.load_cert_chain(self._folder / "both.pem")
        else:
            self.alter("CONNECTION LIMIT -1" if way == "limit" else f"PASSWORD '{PASSWORD}'")


@pytest.fixture
async def place(tmp_path):
    role, url = f"usher_half_{os.getpid()}", postgres.new_database("usher_half")
    certificate = own_certificate(tmp_path)
    with postgres_tls.owned_by(url, role, PASSWORD):
        yield Place(url, role, certificate, tmp_path)


@asynccontextmanager
async def half_and_whole(place, clock):
    """Open two stores on the database, as two workers would. Only the first can be shut out."""
    async with postgres_tls.tls_before(place.url, place._certificate) as port:
        trust = f"sslmode=verify-full&sslrootcert={place._folder / 'both.pem'}"
        name = urlsplit(place.url).path
        given = f"postgresql://{place.role}:{PASSWORD}@localhost:{port}{name}?hostaddr=127.0.0.1&{trust}"
        async with AsyncExitStack() as opened:
            stores = []
            for url in (given, place.url):
                engine = postgres.engine(url, clock, SystemIds(), patience=dict(postgres.PATIENT))
                await engine.open()
                stores.append(Store(engine))
                opened.push_async_callback(stores[-1].close)
                await stores[-1].begin_serving()
            yield stores


async def lose(place, way, store, connection):
    """Cut one of a store's connections, and keep it from being replaced."""
    engine = store.engine
    sessions = [*engine._writing, *engine._reading]
    place.shut(way, len(sessions) - 1)
    cut(place.url, sessions[connection]._connection.info.backend_pid)
    # Wait until the network has reported the cut.
    await until(lambda: sessions[connection].is_cut or sessions[connection].is_away)


async def until(holds):
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)


async def present(store):
    return {one.name for one in await store.read(owner_rows.list_ownerships)}


@pytest.mark.parametrize("way", WAYS)
async def test_who_cannot_write_claims_nothing_and_lets_go_of_what_it_owns(place, clock, way):
    async with half_and_whole(place, clock) as (half, whole):
        first = SharedOwners(half, clock.monotonic, "half", "worker:half")
        second = SharedOwners(whole, clock.monotonic, "whole", "worker:whole")
        await first.renew()
        things = {"starts:saturn", "output:r1"}
        assert (await first.own_all(things)).keys() == things
        asked = (await accept_operation(whole, (await linked(whole)).workspaces[0])).operation.id
        await lose(place, way, half, WRITES)
        # Make the first requests since the cut; nobody has noticed yet that the connection is gone.
        hurry(half, 2.0)
        with pytest.raises(StoreBusy):
            await half.claim(operations.claim_operations, 10, 40.0, "half")
        # If the server refuses the sign-in, the error says so before the callers' patience ends; any other
        # fault may pass.
        hurry(half, 60.0 if way == "password" else 2.0)
        with pytest.raises(StoreRefused if way == "password" else StoreBusy):
            await half.write(maintenance.try_writing)
        assert not half.engine.is_whole
        hurry(half, 2.0)
        for _ in range(4):
            clock.advance(RENEWAL_SECONDS)
            await first.renew()
        assert LEASE_SECONDS < 4 * RENEWAL_SECONDS
        assert await first.own_all(things) == {}
        assert "worker:half" not in await present(whole)
        assert (await second.own_all(things)).keys() == things
        assert [
            one.subject.id for one in await whole.claim(operations.claim_operations, 10, 40.0, "whole")
        ] == [asked]
        # The process keeps trying to reconnect by itself, even without any requests or abandoned work.
        before = place.asked
        await until(lambda: place.asked > before + 2)
        place.open(way)
        hurry(half, 60.0)
        await until(lambda: half.engine.is_whole)
        await first.renew()
        assert "worker:half" in await present(whole)


@pytest.mark.parametrize("connection", [CLAIMS, RECORDS, READS])
async def test_who_lost_another_connection_claims_and_owns_nothing_either(place, clock, connection):
    async with half_and_whole(place, clock) as (half, whole):
        owners = SharedOwners(half, clock.monotonic, "half", "worker:half")
        await owners.renew()
        await lose(place, "limit", half, connection)
        hurry(half, 2.0)
        with suppress(StoreError):
            if connection == READS:
                await half.engine.read(lambda _: None)
            else:
                await half.engine.write(lambda _: None, [Priority.CLAIMS, Priority.RECORDS][connection - 1])
        # People's requests are still accepted.
        hurry(half, 60.0)
        assert await first_sight(half, "i1")
        hurry(half, 2.0)
        with pytest.raises(StoreBusy):
            await half.claim(operations.claim_operations, 10, 40.0, "half")
        clock.advance(LEASE_SECONDS - 1.0)
        await owners.renew()
        clock.advance(1.0)
        assert await owners.own("starts:saturn") is None
        assert await present(whole) == set()
        place.open("limit")
        hurry(half, 60.0)
        # The process recovers by itself, without any request.
        await until(lambda: half.engine.is_whole)
        await owners.renew()
        assert await present(whole) == {"worker:half"}
