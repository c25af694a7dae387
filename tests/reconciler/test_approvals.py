"""Approved usernames are checked with the provider's own secret; then both people are told, once."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bot.domain.accounts import Approval
from bot.domain.approvals import find_next_morning
from bot.domain.notices import NoticeKind
from bot.domain.people import Principal
from bot.domain.tasks import TaskKind
from bot.services import approvals as use_cases
from bot.store import accounts, notices, tasks
from bot.store import approvals as approval_rows
from bot.store.tables import CARDS
from bot.store.tasks import NewTask
from bot.support.errors import CredentialRefused, Forbidden, NotFound, Unreachable
from tests.reconciler.world import World
from tests.rigs.approvals import ask_approval, decide_approval
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.maker import Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, BOB, memory_store, unlink

DANA = Principal(None, "T1", "UDANA")
ERIN = Principal(None, "T1", "UERIN")


@pytest.fixture
async def bench():
    clock, ids = FakeClock(), CountingIds()
    async with memory_store(clock, ids) as store:
        made = World(store, clock, ids, Maker(clock, fake_settings(linking=("admin",))))
        for principal in (ALICE, BOB, DANA):
            await made.know(principal)
        yield made


async def approved(made, username: str = "alice", principal: Principal = ALICE, **keys) -> Approval:
    now = await made.store.now()
    asked = Approval(made.ids.new("approval"), principal, "cloud", username, "requested", now, **keys)
    await ask_approval(made.store, asked)
    await decide_approval(made.store, asked.id, "approved", DANA.key)
    await made.store.write(tasks.add_tasks, [NewTask(TaskKind.APPROVE, asked.id)])
    return asked


def told(made, principal: Principal) -> str:
    return "\n".join(str(message.get("blocks")) for message in messages(made, principal))


def messages(made, principal: Principal) -> list[dict]:
    return [one for one in made.slack.messages if one["channel"] == f"D{principal.user_id}"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NotFound("no such user", status=404), "no such user"),
        (Forbidden("inactive"), "lists that user as inactive"),
        (CredentialRefused("wrong token", status=401), "doesn't accept the admin token"),
    ],
)
async def test_who_is_not_there_is_refused_with_a_reason_to_both(bench, error, sentence):
    asked = await approved(bench)
    bench.provider.fail("check_username", error)
    await bench.pass_time(5)
    assert await bench.store.read(accounts.find_account, ALICE, "cloud") is None
    assert (await bench.store.read(approval_rows.find_request, asked.id)).state == "failed"
    assert sentence in told(bench, ALICE)
    assert sentence in told(bench, DANA)


async def test_a_username_belongs_to_one_person(bench):
    await approved(bench, "shared", BOB)
    await bench.pass_time(5)
    await approved(bench, "shared", ALICE)
    await bench.pass_time(5)
    assert await bench.store.read(accounts.find_account, ALICE, "cloud") is None
    assert "Somebody else in Slack is already linked to that user" in told(bench, ALICE)
    # The owner learns that somebody else was approved for the account.
    assert "<@UALICE> was approved to act as *shared* on Fake Cloud" in told(bench, BOB)


async def test_of_requests_that_are_over_before_they_are_sent_nobody_hears(bench):
    """A changed request is sent only once, with the username as it is by then."""
    kind, now = NoticeKind.APPROVAL_REQUEST, await bench.store.now()
    for principal, username in ((ALICE, "alice"), (BOB, "bob"), (DANA, "dana")):
        asked = Approval(bench.ids.new("approval"), principal, "cloud", username, "requested", now)
        notice = use_cases.build_notice(asked, kind, f"asked:{DANA.key}", DANA)
        await ask_approval(bench.store, asked, [notice])
        if principal == ALICE:
            await decide_approval(bench.store, asked.id, "denied", DANA.key)
        elif principal == BOB:
            await unlink(bench.store, BOB)
        else:
            await ask_approval(bench.store, replace(asked, username="root"))
    await bench.pass_time(5)
    (message,) = messages(bench, DANA)
    assert "*root* on Fake Cloud" in str(message["blocks"])
    assert await bench.store.read(notices.list_dead_notices) == []
    assert len(await bench.store.engine.read(lambda tx: CARDS.rows(tx, subject=asked.id))) == 1
    assert await bench.store.engine.read(lambda tx: tx.one("statistics")["pending_notices"]) == 0


async def wanted(made, username="alice") -> Approval:
    """Let ALICE ask for a username, and queue the lookup of its email address at the provider."""
    now = await made.store.now()
    asked = Approval(made.ids.new("approval"), ALICE, "cloud", username, "requested", now)
    await ask_approval(
        made.store, asked, [use_cases.build_notice(asked, NoticeKind.APPROVAL_REQUEST, "asked", DANA)]
    )
    await made.store.write(tasks.add_tasks, [NewTask(TaskKind.LOOK_UP_USER, asked.id)])
    await made.pass_time(20)
    return asked


@pytest.mark.parametrize(
    ("in_slack", "line"),
    [
        (
            "mallory@example.org",
            "*The e-mail addresses differ:* on Fake Cloud, alice has `alice@example.org`; ",
        ),
        ("Alice@Example.org", "On Fake Cloud, alice has the e-mail address `alice@example.org`."),
        (None, "On Fake Cloud, alice has the e-mail address `alice@example.org`."),
    ],
)
async def test_the_first_line_says_that_the_addresses_differ(bench, in_slack, line):
    await bench.know(ALICE, email=in_slack)
    await wanted(bench)
    (message,) = messages(bench, DANA)
    first = message["blocks"][0]["text"]["text"]
    is_first = in_slack == "mallory@example.org"
    assert first.startswith(line) is is_first
    assert line in str(message["blocks"])


async def test_without_an_answer_about_the_address_the_request_is_as_it_was(bench):
    bench.provider.fail("read_email", Forbidden("not for you"))
    asked = await wanted(bench)
    assert (await bench.store.read(approval_rows.find_request, asked.id)).email is None
    assert "address `" not in str(messages(bench, DANA))
    # A request that has been decided by then is no longer looked up.
    await decide_approval(bench.store, asked.id, "denied", DANA.key)
    await bench.store.write(tasks.add_tasks, [NewTask(TaskKind.LOOK_UP_USER, asked.id)])
    await bench.pass_time(5)
    assert bench.provider.count("read_email") == 1


async def test_a_provider_that_is_away_is_asked_again(bench):
    bench.provider.fail("check_username", Unreachable("no connection"), times=3)
    await approved(bench)
    await bench.pass_time(120)
    assert (await bench.store.read(accounts.find_account, ALICE, "cloud")).username == "alice"


async def test_one_that_never_answers_is_given_up_and_told(bench):
    bench.provider.fail("check_username", Unreachable("no connection"), times=1000)
    asked = await approved(bench)
    await bench.pass_time(1200)
    assert (await bench.store.read(approval_rows.find_request, asked.id)).state == "failed"
    assert "hasn't answered for a long time" in told(bench, ALICE)


async def test_a_connection_that_stopped_approving_meanwhile_links_nobody(bench):
    asked = await approved(bench)
    bench.provider.settings = fake_settings(linking=("token",))
    await bench.pass_time(5)
    assert bench.provider.count("check_username") == 0
    assert await bench.store.read(accounts.find_account, ALICE, "cloud") is None
    assert (await bench.store.read(approval_rows.find_request, asked.id)).state == "failed"
    assert "is no longer set up for approvals" in told(bench, ALICE)


async def test_a_request_goes_on_by_itself_once_who_was_asked_had_a_day(bench):
    """A restart in between doesn't matter, although it brings tasks forward that are due much later."""
    bench.administered_by("UDANA")
    now = await bench.store.now()
    keys = {"awaits_answers": True, "similar_users": [BOB.key]}
    asked = Approval(bench.ids.new("approval"), ALICE, "cloud", "alice", "requested", now, **keys)
    await ask_approval(bench.store, asked)
    await bench.store.write(tasks.add_tasks, [NewTask(TaskKind.ASK_ACCOUNT_OWNERS, asked.id)])
    await bench.pass_time(20)
    assert "Is that your account?" in told(bench, BOB)
    await bench.store.begin_serving()
    await bench.pass_time(23 * 3600)
    assert (await bench.store.read(approval_rows.find_request, asked.id)).awaits_answers
    assert messages(bench, DANA) == []
    await bench.pass_time(2 * 3600)
    assert not (await bench.store.read(approval_rows.find_request, asked.id)).awaits_answers
    assert "'Approve'" in told(bench, DANA)


async def asked_of(bench, admins=("UDANA",), **keys) -> Approval:
    """Store a request of ALICE's, of which administrators will be reminded."""
    bench.administered_by(*admins)
    asked = Approval(
        bench.ids.new("approval"), ALICE, "cloud", "alice", "requested", await bench.store.now(), **keys
    )
    await ask_approval(bench.store, asked)
    await bench.store.write(tasks.add_tasks, [NewTask(TaskKind.FOLLOW_UP, asked.id)])
    return asked


async def test_undecided_request_is_reminded_of_once_and_ends(bench):
    """The reminder comes at nine in each administrator's morning.

    After a week, both sides learn that nobody decided.
    """
    zones = {ERIN: "America/New_York", DANA: "Europe/Berlin"}
    for who, zone in zones.items():
        await bench.know(who, time_zone=zone)
        bench.slack.add_user(who.user_id, who.team_id, tz=zone)
    began = await bench.store.now()
    asked = await asked_of(bench, ("UDANA", "UERIN"))
    reminded = {}
    for _ in range(4 * 32):
        await bench.pass_time(900, step=60)
        for who in (ERIN, DANA):
            if messages(bench, who) and who not in reminded:
                reminded[who] = await bench.store.now()
    for who, zone in zones.items():
        (said,) = messages(bench, who)
        assert "This request has been waiting since " in str(said)
        assert "'Approve'" in str(said)
        morning = find_next_morning(began, ZoneInfo(zone))
        assert 0 <= reminded[who] - morning <= 900
    await bench.pass_time(began + 7 * 86_400 + 60 - await bench.store.now(), step=600)
    await bench.pass_time(60)
    assert (await bench.store.read(approval_rows.find_request, asked.id)).state == "denied"
    assert [len(messages(bench, who)) for who in (ALICE, ERIN, DANA)] == [1, 2, 2]
    assert "Nobody has decided about your request for *alice*" in told(bench, ALICE)
    for who in (ERIN, DANA):
        assert "Nobody decided within 7 days" in str(messages(bench, who)[-1])
        assert "'Approve'" not in told(bench, who)


async def test_decided_request_is_followed_up_no_more(bench):
    asked = await asked_of(bench)
    await decide_approval(bench.store, asked.id, "denied", DANA.key)
    await bench.pass_time(8 * 86_400, step=3600)
    assert messages(bench, DANA) == []
