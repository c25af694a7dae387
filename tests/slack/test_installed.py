"""Tests of installations' tokens: one process at a time replaces a token; a refused one is read again."""

import asyncio
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from bot.domain.installations import Installation, Installations
from bot.domain.notices import NoticeKind
from bot.domain.people import Person, Principal
from bot.domain.policy import FOREIGN_TEAM
from bot.services.caller import decide_installed
from bot.slack.calls import NOT_INSTALLED_CODE, SlackAnswer
from bot.slack.errors import SHUT_OUT_SECONDS
from bot.slack.installed import MAX_UNKNOWN_TEAMS, UNKNOWN_SECONDS, InstalledSlack
from bot.slack.tokens import REPLACE_EARLY_SECONDS
from bot.store import installations, notices
from bot.store.installations import RENEWING_SECONDS
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome, StoreBusy
from bot.support.vault import Vault
from tests.rigs.clock import FakeClock
from tests.rigs.context import context
from tests.rigs.installed import ACME
from tests.rigs.store import memory_store

ALICE, STRANGER = Principal(None, "T1", "U1"), Principal(None, "T2", "U1")
LASTS = 43_200.0


class Web:
    """A Slack for any token. It accepts valid ones, and issues the next one for a refresh token."""

    def __init__(self) -> None:
        self.valid = {"token 1"}
        self.refreshed: list[str] = []
        self.sent: list[str] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.asked = asyncio.Event()
        self.error: Exception | None = None

    def make(self, token):
        web = self

        class Caller:
            async def call(self, method, arguments):
                if method == "oauth.v2.access":
                    return await web.refresh(arguments)
                if token not in web.valid:
                    raise SlackPermanent(method, "token_expired")
                web.sent.append(token)
                return SlackAnswer({"ok": True})

        return Caller()

    async def refresh(self, arguments):
        assert arguments["grant_type"] == "refresh_token"
        self.refreshed.append(arguments["refresh_token"])
        self.asked.set()
        await self.goes_on.wait()
        if self.error is not None:
            raise self.error
        number = len(self.refreshed) + 1
        self.valid.add(f"token {number}")
        data = {"access_token": f"token {number}", "token_type": "bot", "expires_in": int(LASTS)}
        return SlackAnswer({**data, "refresh_token": f"refresh {number}"})


class Unwritable:
    """A store that can be read, but can't save a new token while ``is_away``."""

    def __init__(self, store) -> None:
        self._store, self.is_away = store, True

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def write(self, work, *arguments, **named):
        if self.is_away and work is installations.renew_installation:
            raise StoreBusy("away")
        return await self._store.write(work, *arguments, **named)


class Rig:
    def __init__(self, store, clock) -> None:
        self.store, self.clock, self.web = store, clock, Web()
        self.administrators: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
        self.vault = Vault([Fernet.generate_key().decode()])

    async def process(self):
        slack = InstalledSlack(
            self.store,
            self.vault,
            Installations(*self.administrators),
            ("1.2", "secret"),
            self.web.make,
            self.clock,
        )
        await slack.read()
        return slack

    async def installed(self, lasts=LASTS):
        secret = self.vault.seal(ACME.row_key, {"token": "token 1", "refresh": "refresh 1"})
        at = None if lasts is None else self.clock.now() + lasts
        await self.store.write(installations.install, replace(ACME, secret=secret, expires_at=at))


@pytest.fixture
async def rig():
    clock = FakeClock()
    async with memory_store(clock) as store:
        yield Rig(store, clock)


async def says(slack, principal=ALICE):
    return await slack.find_client(principal).call("views.open", {})


async def test_nobody_is_refused_where_another_process_has_just_installed_usher(rig):
    worker, web = await rig.process(), await rig.process()
    await rig.installed()
    here = context(rig.store, installation=worker.installations, tenants=worker)
    assert (await decide_installed(here, ALICE, "start", None, Person(ALICE, "Alice", seen_at=0.0))).allowed
    assert await web.installation(ALICE.enterprise_id, ALICE.team_id) is not None
    other = replace(ALICE, team_id="T9")
    assert (await decide_installed(here, other, "start", None, None)).rule == FOREIGN_TEAM


async def test_an_unknown_team_is_looked_for_once_in_a_while_however_much_it_asks(rig):
    reads = 0

    class Counted:
        def __getattr__(self, name):
            return getattr(rig_store, name)

        async def read(self, work, *arguments):
            nonlocal reads
            reads += work is installations.list_installations
            return await rig_store.read(work, *arguments)

    rig_store, rig.store = rig.store, Counted()
    slack = await rig.process()
    here = context(rig_store, installation=slack.installations, tenants=slack)
    assert reads == 1
    for _ in range(100):
        assert await slack.installation("E8", "T8") is None
        assert (
            await decide_installed(here, replace(STRANGER, team_id="T9"), "start", None, None)
        ).rule == FOREIGN_TEAM
    assert reads == 3
    # An installation that the next regular read finds is used immediately.
    await rig.installed()
    await slack.read_again()
    assert (await slack.installation(None, "T1")).id == "T1"
    rig.clock.advance(UNKNOWN_SECONDS)
    assert await slack.installation("E8", "T8") is None
    assert reads == 5
    for number in range(2 * MAX_UNKNOWN_TEAMS):
        await slack.installation(None, f"T9{number}")
    assert len(slack._unknown) <= MAX_UNKNOWN_TEAMS


async def test_of_two_processes_one_replaces_a_token_and_the_others_go_on_with_the_old_one(rig):
    await rig.installed()
    one, other = await rig.process(), await rig.process()
    await says(one)
    assert rig.web.refreshed == []
    rig.clock.advance(LASTS - REPLACE_EARLY_SECONDS + 1)
    rig.web.goes_on.clear()
    first = asyncio.create_task(says(one))
    await rig.web.asked.wait()
    # Neither this process nor another one waits for the new token, or requests another.
    await says(one)
    await says(other)
    assert rig.web.sent == ["token 1"] * 3
    rig.web.goes_on.set()
    await first
    await says(other)
    await other.read()
    await says(other)
    assert rig.web.refreshed == ["refresh 1"]
    assert rig.web.sent[-1] == "token 2"
    await one.tokens.close()


async def test_what_one_process_replaced_the_other_reads_when_its_token_is_refused(rig):
    await rig.installed(lasts=None)
    one, other = await rig.process(), await rig.process()
    (row,) = await rig.store.read(installations.list_installations)
    sealed = rig.vault.seal(row.row_key, {"token": "token 9"})
    assert await rig.store.write(installations.renew_installation, "T1", row.secret, sealed, None)
    rig.web.valid = {"token 9"}
    await says(other)
    assert rig.web.sent == ["token 9"]
    # If there is no other token, the refusal stands, and nothing more is sent for now.
    rig.web.valid = set()
    with pytest.raises(SlackPermanent, match="token_expired"):
        await says(one)
    assert (one.find_client(ALICE).lockout_code, one.lockout_code) == ("token_expired", "token_expired")


async def test_a_token_that_has_expired_waits_for_the_next_and_is_asked_for_again_after_no_answer(rig):
    await rig.installed()
    one, other = await rig.process(), await rig.process()
    rig.clock.advance(LASTS + 1)
    rig.web.error = SlackUnknownOutcome("oauth.v2.access", "no_answer")
    for slack in (one, other):
        with pytest.raises(SlackLimited):
            await says(slack)
    assert len(rig.web.refreshed) == 1
    rig.clock.advance(RENEWING_SECONDS)
    rig.web.error = None
    await says(other)
    assert rig.web.sent == ["token 3"]


async def test_what_slack_has_given_out_is_written_when_the_database_is_back(rig):
    await rig.installed()
    rig.store = store = Unwritable(rig.store)
    one = await rig.process()
    rig.clock.advance(LASTS - REPLACE_EARLY_SECONDS + 1)
    await says(one)
    await one.read_again()
    assert rig.web.sent == ["token 1"]
    store.is_away = False
    rig.clock.advance(RENEWING_SECONDS)
    await one.tokens.close()
    await says(await rig.process())
    # A refresh token works only once, and no other was requested.
    assert (rig.web.refreshed, rig.web.sent[-1]) == (["refresh 1"], "token 2")


async def test_a_refresh_token_that_slack_takes_no_more_shuts_its_workspace_alone(rig):
    await rig.installed()
    slack = await rig.process()
    rig.clock.advance(LASTS + 1)
    rig.web.error = SlackFailed("oauth.v2.access", "invalid_refresh_token")
    for _ in range(2):
        # The process doesn't pause, since people in other Slack workspaces would have to wait, too.
        with pytest.raises(SlackPermanent, match="token_expired"):
            await says(slack)
        rig.clock.advance(RENEWING_SECONDS + SHUT_OUT_SECONDS)
    assert rig.web.refreshed == ["refresh 1"]
    rig.web.valid.clear()
    assert await slack.find_refused_token(Installation("T1")) is not None


async def test_a_token_that_was_given_out_and_lost_is_told_while_the_old_one_still_sends(rig):
    """The process was killed between Slack's answer and its own write.

    Slack issues that token only once.
    """
    await rig.installed()
    # T2's own administrator isn't notified, but the one who is an administrator for all is.
    await rig.store.write(installations.install, replace(ACME, id="T2", team_id="T2", expires_at=None))
    rig.administrators = frozenset({"T1:UA", "T2:UB"}), frozenset({"T2:UC"})
    slack, other = await rig.process(), await rig.process()
    rig.clock.advance(LASTS - REPLACE_EARLY_SECONDS + 1)
    rig.web.error = SlackFailed("oauth.v2.access", "invalid_refresh_token")
    await says(slack)
    rig.clock.advance(RENEWING_SECONDS + 1)
    for process in (slack, other, await rig.process()):
        await process.read_again()
        await says(process)
    assert (rig.web.refreshed, rig.web.sent) == (["refresh 1"], ["token 1"] * 4)
    told = await rig.store.perform(notices.claim_notices, 10, 60.0)
    assert {one.kind for one in told} == {NoticeKind.OUTAGE}
    those = {(one.principal.team_id, one.principal.user_id) for one in told}
    assert those == {("T1", ACME.installed_by), ("T1", "UA"), ("T2", "UC")}
    row, _ = await rig.store.read(installations.list_installations)
    assert told[0].body["until"] == row.expires_at
    # After a new installation, everything works as before.
    secret = rig.vault.seal(ACME.row_key, {"token": "token 2", "refresh": "refresh 2"})
    await rig.store.write(
        installations.install, replace(ACME, secret=secret, expires_at=rig.clock.now() + LASTS)
    )
    assert [one.lost_at for one in await rig.store.read(installations.list_installations)] == [None, None]


async def test_a_token_that_slack_does_not_replace_for_a_while_is_not_lost(rig):
    await rig.installed()
    slack = await rig.process()
    rig.clock.advance(LASTS - REPLACE_EARLY_SECONDS + 1)
    # Codes for a workspace that is moving to an organisation, or whose administrators have suspended
    # everything.
    for code in ("org_login_required", "ekm_access_denied"):
        rig.web.error = SlackPermanent("oauth.v2.access", code)
        await says(slack)
        rig.clock.advance(RENEWING_SECONDS + 1)
    rig.clock.advance(REPLACE_EARLY_SECONDS)
    with pytest.raises(SlackPermanent, match="token_expired"):
        await says(slack)
    assert await rig.store.perform(notices.claim_notices, 10, 60.0) == []
    rig.web.error = None
    rig.clock.advance(RENEWING_SECONDS + 1)
    await says(slack)
    assert (rig.web.refreshed, rig.web.sent[-1]) == (["refresh 1"] * 4, "token 5")


async def test_a_token_that_has_only_expired_does_not_say_that_usher_was_removed(rig):
    await rig.installed()
    slack = await rig.process()
    rig.clock.advance(LASTS + 1)
    rig.web.valid.clear()
    rig.web.error = SlackUnknownOutcome("oauth.v2.access", "no_answer")
    with pytest.raises(SlackLimited):
        await slack.find_refused_token(Installation("T1"))
    rig.clock.advance(RENEWING_SECONDS)
    rig.web.error = None
    assert await slack.find_refused_token(Installation("T1")) is None


async def test_nothing_is_sent_where_usher_is_not_installed_or_no_key_opens_the_token(rig):
    await rig.installed(lasts=None)
    slack = await rig.process()
    with pytest.raises(SlackPermanent, match=NOT_INSTALLED_CODE):
        await says(slack, STRANGER)
    # If another process removed an installation, the next read notices it.
    (row,) = await rig.store.read(installations.list_installations)
    await rig.store.write(installations.remove_installation, "T1", row.secret)
    await slack.read_again()
    with pytest.raises(SlackPermanent, match=NOT_INSTALLED_CODE):
        await says(slack)
    assert await slack.installation(None, "T1") is None
    await rig.installed(lasts=None)
    rig.clock.advance(UNKNOWN_SECONDS)
    # A request from an unknown Slack workspace makes the process read the installations.
    assert (await slack.installation(None, "T1")).id == "T1"
    rig.vault = Vault([Fernet.generate_key().decode()])
    closed = await rig.process()
    with pytest.raises(SlackPermanent, match="not_authed"):
        await says(closed)
    assert rig.web.sent == []
