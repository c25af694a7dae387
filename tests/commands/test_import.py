"""Tests of linking people from a file: dry runs, checks of each row, and problems with their line."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.commands.account_import import read_rows
from bot.store import accounts, open_store
from bot.support.clock import SystemClock, SystemIds
from bot.support.errors import NotDone
from bot.support.vault import Vault, row_key
from playground.slack.records import Person
from tests.app.command_line import KEY, environment, run
from tests.playground.posit_help import posit_server
from tests.playground.slack_help import slack

HEADER = "slack_user,connection,username\n"


@pytest.fixture
async def place(tmp_path):
    """Return a folder with a connections file for a local Workbench, and the environment for commands."""
    async with posit_server() as posit, slack() as (local, _client):
        (tmp_path / "connections.toml").write_text(
            '[connections.bench]\nprovider = "posit"\ntitle = "Workbench"\n'
            f'base_url = "{posit.url}"\nlinking = ["admin"]\nsuper_admin_token = "su"\n'
        )
        (tmp_path / "connections.toml").chmod(0o600)
        credentials = local.credentials
        env = environment(
            tmp_path,
            SLACK_BOT_TOKEN=credentials["bot_token"],
            USHER_SLACK_API_URL=credentials["api_url"],
        )
        for user in ("UALICE", "UDORA", "UEVE", "UBOB"):
            local.state.people[user] = Person(user, user.lower(), user, local.state.team.id)
        local.state.people["UGUEST"] = replace(local.state.people["UBOB"], id="UGUEST", is_restricted=True)
        migrated = await run("migrate", env=env)
        assert migrated.status == 0, migrated.err
        yield tmp_path, env


async def read_accounts(folder):
    store = await open_store(f"sqlite:///{folder / 'usher.db'}", SystemClock(), SystemIds())
    try:
        return {
            account.principal.user_id: account
            for account in await store.perform(accounts.list_active_accounts)
        }
    finally:
        await store.close()


async def test_a_dry_run_writes_nothing_and_says_what_it_would(place):
    folder, env = place
    (folder / "people.csv").write_text(f"{HEADER}UALICE,bench,alice\nUDORA,bench,dora\nUEVE,bench,nobody\n")
    ended = await run("accounts", "import", str(folder / "people.csv"), env=env)
    assert ended.status == 1
    assert ended.out.splitlines() == [
        "ok   line 2: UALICE at bench as alice: would be linked",
        "BAD  line 3: UDORA at bench as dora: dora is inactive, or Usher isn't allowed to act for them",
        "BAD  line 4: UEVE at bench as nobody: there's no user nobody on Workbench",
        "1 to be linked, 0 already linked, 2 with a problem.",
        "Nothing was written. Add --apply to link them.",
    ]
    assert await read_accounts(folder) == {}


async def test_applied_it_links_once_and_a_second_time_changes_nothing(place):
    folder, env = place
    (folder / "people.csv").write_text(f"\ufeff{HEADER.replace(',', ';')}UALICE;bench;alice\n")
    words = ("accounts", "import", str(folder / "people.csv"), "--apply")
    first = await run(*words, env=env)
    assert (first.status, first.out.splitlines()[0]) == (
        0,
        "ok   line 2: UALICE at bench as alice: is linked, and gets a direct message about it",
    ), first.err
    [account] = (await read_accounts(folder)).values()
    secret = Vault([KEY]).open(row_key(account.principal.key, "bench"), account.secret)
    assert secret == {"token": "", "x_acts": "admin"}
    second = await run(*words, env=env)
    assert second.out.startswith("same line 2")
    assert list((await read_accounts(folder)).values()) == [account]
    listed = await run("accounts", "list", env=env)
    until = datetime.fromtimestamp(account.expires_at, UTC)
    line = f"{account.principal.key} at bench as alice: not proven (import) until {until:%Y-%m-%d}\n"
    assert (listed.status, listed.out) == (0, line), listed.err


async def test_rows_that_cannot_be_are_named_by_their_line(place):
    folder, env = place
    rows = [
        "alice,bench,alice",
        "T9ELSE:UALICE,bench,alice",
        "UALICE,nowhere,alice",
        "UALICE,bench,al ice",
        "UALICE,bench,alice",
        "UALICE,bench,bob",
    ]
    (folder / "people.csv").write_text(HEADER + "\n".join(rows) + "\n")
    ended = await run("accounts", "import", str(folder / "people.csv"), env=env)
    told = [line.partition(": ")[2] for line in ended.out.splitlines()[:6]]
    assert "needs a Slack user id" in told[0]
    assert "isn't installed in the Slack workspace T9ELSE" in told[1]
    assert "there's no connection nowhere" in told[2]
    assert "without spaces" in told[3]
    assert "would be linked" in told[4]
    assert "line 6 names the same person and connection" in told[5]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "needs the columns slack_user, connection, username"),
        (b"slack_user,username\nU1,a\n", "missing: connection"),
        (b"\xff\xfe\x00", "isn't UTF-8 text"),
        (HEADER.encode() + b'"U1"x,bench,alice', r"Line 2 of people\.csv isn't valid CSV"),
        (b'"slack_user" ,"connection","username"\n', r"Line 1 of people\.csv isn't valid CSV"),
        (b'"slack_user,connection,username\n', r"Line 1 of people\.csv isn't valid CSV"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path, content, sentence):
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    with pytest.raises(NotDone, match=sentence):
        read_rows(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotDone, match=r"people\.csv can't be read"):
        read_rows(tmp_path / "people.csv")


async def test_whoever_slack_does_not_know_or_who_may_not_use_it_is_not_linked(place):
    folder, env = place
    (folder / "people.csv").write_text(f"{HEADER}UGUEST,bench,alice\nUNOBODY,bench,bob\n")
    ended = await run("accounts", "import", str(folder / "people.csv"), "--apply", env=env)
    assert ended.status == 1
    guest, nobody = ended.out.splitlines()[:2]
    assert guest.startswith("BAD  line 2: UGUEST at bench as alice: UGUEST can't use Usher: a guest,")
    assert nobody.startswith("BAD  line 3: UNOBODY at bench as bob: Slack doesn't say who UNOBODY is:")
    assert await read_accounts(folder) == {}


async def test_list_says_which_ids_are_the_first_ones_seen_and_which_links_rest(place):
    folder, env = place
    (folder / "people.csv").write_text(f"{HEADER}UALICE,bench,alice\nUBOB,bench,bob\n")
    assert (await run("accounts", "import", str(folder / "people.csv"), "--apply", env=env)).status == 0
    store = await open_store(f"sqlite:///{folder / 'usher.db'}", SystemClock(), SystemIds())
    at, columns = 1_795_923_403.0, "remote_id = 'uid=1', remote_id_source = 'seen', remote_id_at = :at"
    rests = "state = 'refused', secret = '', resting_since = :at, other_id = 'uid=2'"
    for username, changed in (("alice", columns), ("bob", rests)):
        query = f"UPDATE accounts SET {changed} WHERE username = :username"
        await store.engine.write(lambda tx, query=query, name=username: tx.run(query, at=at, username=name))
    await store.close()
    listed = (await run("accounts", "list", env=env)).out.splitlines()
    alice = next(line for line in listed if " as alice: " in line)
    bob = next(line for line in listed if " as bob: " in line)
    assert alice.endswith("; its account id is the first one seen, on 2026-11-29")
    assert bob.endswith("; rests since 2026-11-29, as bob is another account there now")
    # Importing the same file again approves the accounts whose links were suspended.
    again = await run("accounts", "import", str(folder / "people.csv"), "--apply", env=env)
    assert "1 linked, 1 already linked" in again.out
    listed = (await run("accounts", "list", env=env)).out
    assert "rests" not in listed


async def test_link_that_was_proven_is_not_replaced(place):
    folder, env = place
    (folder / "people.csv").write_text(f"{HEADER}UALICE,bench,bob\n")
    assert (await run("accounts", "import", str(folder / "people.csv"), "--apply", env=env)).status == 0
    store = await open_store(f"sqlite:///{folder / 'usher.db'}", SystemClock(), SystemIds())
    await store.engine.write(lambda tx: tx.run("UPDATE accounts SET link_source = 'token'"))
    await store.close()
    (folder / "people.csv").write_text(f"{HEADER}UALICE,bench,alice\n")
    ended = await run("accounts", "import", str(folder / "people.csv"), "--apply", env=env)
    sentence = "UALICE has proven to be bob there, and would first have to unlink that account"
    assert ended.out.splitlines()[0] == f"BAD  line 2: UALICE at bench as alice: {sentence}"
    assert (await read_accounts(folder))["UALICE"].username == "bob"
