"""Tests that a stolen database or backup contains no secret, and swapped rows don't decrypt."""

import sqlite3
from contextlib import closing

import pytest

from bot.commands import store_checks
from bot.store import accounts
from playground.demo.browser import Browser


def dump(world):
    """Return a dump of the database, as a thief would make it."""
    with closing(sqlite3.connect(world.folder / "usher.db")) as database:
        return "\n".join(database.iterdump())


async def test_a_dump_holds_no_secret(bare):
    """The database is dumped before a link, at each of its steps, after it, and at the end."""
    page, address = await bare.alice.invited()
    nonce, token = address.rpartition("/")[2], bare.token_of("alice")
    secrets = {nonce, token, "refresh-of-alice", bare._keys, *bare.watch.secrets}
    async with Browser() as browser:
        opened = await browser.get(address)
        assert not [secret for secret in secrets if secret in dump(bare)]
        asked = await browser.submit(opened, token=token)
        assert not [secret for secret in secrets if secret in dump(bare)]
        shown = await browser.submit(asked)
    code = shown.source.partition("<code>")[2].partition("</code>")[0]
    assert code
    secrets |= {code, code.replace("-", "")}
    assert not [secret for secret in secrets if secret in dump(bare)]
    bare.watch.may_read(bare.alice.id, "alice")
    await bare.alice.types_back(page, shown)
    await bare.alice.types("start training")
    await bare.pass_time(30)
    assert bare.alice.only("ready")
    assert not [secret for secret in secrets if secret in dump(bare)]


async def test_where_an_answer_was_sent_is_not_kept(bare):
    """An answer's address allows anybody to post for half an hour, so it is deleted with the answer."""
    asked = await bare.alice.types("start training")
    await bare.alice.links("alice", asked=asked)
    await bare.pass_time(40)
    shown = await bare.alice.types("status training")
    await bare.alice.presses(shown, "Stop")
    await bare.pass_time(40)
    written = dump(bare)
    assert "response_url" not in written
    assert "/commands/" not in written
    assert "/actions/" not in written


async def test_swapped_rows_open_nothing(linked):
    """In this database, two people's secrets are swapped. Each is refused, and no call is made."""
    await linked.bob.links("bob")
    # Carol's secret stays intact, since the bot doesn't start if it can't decrypt any.
    await linked.carol.links("carol")
    principals = [linked.principal(person.id) for person in (linked.alice, linked.bob)]
    hers, his = [await linked.bot.store.read(accounts.find_account, one, "saturn") for one in principals]
    await linked.stop_bot()
    with closing(sqlite3.connect(linked.folder / "usher.db")) as database:
        for account, other in ((hers, his), (his, hers)):
            database.execute("UPDATE accounts SET secret = ? WHERE id = ?", [other.secret, account.id])
        database.commit()
    await linked.start_bot()
    before = linked.calls("")
    await linked.alice.types("start notebook")
    await linked.bob.types("start analysis")
    await linked.pass_time(60)
    assert linked.calls("") == before
    for person in (linked.alice, linked.bob):
        assert "I can no longer read your stored link. Link again." in person.card.text
        assert not person.told("ready")


@pytest.mark.parametrize("column", ["principal", "connection"])
async def test_a_secret_moved_to_another_row_opens_nothing(linked, column):
    await linked.carol.links("carol")
    account = await linked.bot.store.read(accounts.find_account, linked.principal(), "saturn")
    moved = {"principal": linked.principal(linked.bob.id).key, "connection": "elsewhere"}[column]
    await linked.stop_bot()
    with closing(sqlite3.connect(linked.folder / "usher.db")) as database:
        database.execute(f"UPDATE accounts SET {column} = ? WHERE id = ?", [moved, account.id])
        database.execute(
            f"UPDATE workspaces SET {column} = ? WHERE principal = ?", [moved, linked.principal().key]
        )
        database.commit()
    await linked.start_bot()
    before = linked.calls("")
    person = linked.bob if column == "principal" else linked.alice
    await person.types("start notebook")
    await linked.pass_time(30)
    assert linked.calls("POST .*/start") == 0
    assert linked.calls("") == before


async def test_the_key_is_never_beside_the_database(linked):
    files = [path for path in linked.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if linked._keys.encode() in path.read_bytes()]
    assert all(check.is_good for check in await store_checks.read_store(linked.bot.store))
