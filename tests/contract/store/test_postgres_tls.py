"""PostgreSQL over TCP and TLS with a password: it works, and no error message contains the password."""

import os
from urllib.parse import urlsplit

import pytest

from bot.commands import store_checks
from bot.store import open_store, workspaces
from bot.support.clock import SystemClock, SystemIds
from bot.support.settings import Settings
from tests.app.command_line import environment
from tests.rigs import postgres, postgres_tls
from tests.rigs.store import ALICE, linked
from tests.support.certificates import own_certificate

CANARY = "canary-1"


@pytest.fixture
def role():
    return f"usher_tls_{os.getpid()}"


@pytest.fixture
def url(role):
    url = postgres.new_database("usher_tls")
    with postgres_tls.owned_by(url, role, CANARY):
        yield url


async def test_over_tls_it_works_and_what_is_wrong_is_named(url, role, tmp_path):
    certificate = own_certificate(tmp_path)
    async with (
        postgres_tls.tls_before(url, certificate) as port,
        postgres_tls.tls_before(url, None) as plain,
    ):

        def given(*, port=port, password=CANARY, host="localhost", name=None, **query):
            ways = "&".join(f"{key}={value}" for key, value in query.items())
            path = name or urlsplit(url).path
            return f"postgresql://{role}:{password}@{host}:{port}{path}?hostaddr=127.0.0.1&{ways}"

        trusted = {"sslmode": "verify-full", "sslrootcert": str(tmp_path / "both.pem")}
        store = await open_store(given(**trusted), SystemClock(), SystemIds())
        await store.migrate()
        await linked(store)
        assert len(await store.perform(workspaces.read_workspaces, ALICE)) == 1
        await store.close()

        wrong = {
            "the user or the password in it is wrong": given(**trusted, password=f"{CANARY}-0"),
            "its certificate can't be verified": given(sslmode="verify-full", sslrootcert="system"),
            "the file of sslrootcert can't be read": given(sslmode="verify-full", sslrootcert="/nothing"),
            "its certificate is for another host": given(**trusted, host="other.example.org"),
            "it doesn't encrypt connections": given(**trusted, port=plain),
            "there is no such database": given(**trusted, name="/other"),
            "no server answers there": given(**trusted, port=1),
        }
        for found, tried in wrong.items():
            (check,) = await store_checks.check_store(
                Settings(**environment(tmp_path, USHER_DATABASE_URL=tried))
            )
            assert found in check.found
            assert not check.is_good
            assert CANARY not in f"{check.found} {check.advice}"
