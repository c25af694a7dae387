"""Each alert fires for the fault that it is meant for.

The faults are made in a real bot, and promtool gets its metrics.
"""

import asyncio
import math
import sqlite3
import time
from contextlib import AsyncExitStack, closing
from functools import partial

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from bot.app import Process, StartError
from bot.commands.store_checks import check_messages, check_others
from bot.services.backups import make_backup
from bot.slack.notifier import MIN_ABSENCE_SECONDS
from bot.store.audit import append_audit
from bot.support.errors import SlackFailed, SlackPermanent
from bot.support.settings import Settings
from tests.app.command_line import environment
from tests.playground.slack_help import OLIVIA, slack
from tests.rigs import postgres
from tests.rigs.clock import FakeClock
from tests.rigs.connections import load_connections
from tests.rigs.endings import read_beginning
from tests.rigs.prometheus import EVERY, Scrapes, fire_after
from tests.rigs.scenario import world
from tests.rigs.scenario.people import GENERAL
from tests.rigs.scenario.stage import inject_fault
from tests.rigs.store import ACTION, run_pragma
from tests.scenarios.webs import Webs
from tests.web.sockets import until

FOREVER = 1_000_000


@pytest_asyncio.fixture
async def live(tmp_path):
    async with world(tmp_path, live=True) as ready:
        yield ready


async def watched(world, scrapes, seconds):
    """Advance the clock, and scrape as often as Prometheus would."""
    for _ in range(int(seconds // EVERY)):
        await world.pass_time(EVERY)
        await scrapes.take(world.port)


async def test_a_day_without_faults_fires_nothing(linked, tmp_path):
    scrapes = Scrapes()
    await linked.alice.types("start training")
    await watched(linked, scrapes, 300)
    assert linked.alice.told("ready")
    scrapes.fire([], tmp_path)


async def test_messages_that_slack_does_not_take_are_late(linked, tmp_path):
    scrapes = Scrapes()
    await scrapes.take(linked.port)
    linked.slack_fails("chat.postMessage", status=503, times=FOREVER)
    await linked.alice.types("start training")
    await watched(linked, scrapes, 240)
    assert scrapes.last("usher_oldest_notice_seconds") > 200
    said = [line for line in linked.watch.lines() if line["event"] == "outcome of a send unknown"]
    assert {line["problem"] for line in said} == {"internal_error"}
    scrapes.fire(["UsherMessagesLate"], tmp_path)


async def test_slack_that_does_not_answer_is_away(linked, tmp_path):
    scrapes = Scrapes()
    await scrapes.take(linked.port)
    inject_fault(linked.slack.harness, "/api/", status=503, times=FOREVER)
    await linked.alice.types("start training")
    await watched(linked, scrapes, 300)
    assert scrapes.last("usher_outage_seconds", kind="slack") > 200
    assert not linked.bot.notifier.is_sending
    check = await check_messages(linked.bot.store)
    assert not check.is_good
    assert "Slack doesn't answer since 2027-01-15 08:0" in check.found
    scrapes.fire(["UsherMessagesLate", "UsherSlackAway"], tmp_path)
    linked.heal()
    await watched(linked, scrapes, 60)
    assert linked.alice.told("ready")
    assert linked.bot.notifier.is_sending
    assert (await check_messages(linked.bot.store)).is_good
    lines = [line for line in linked.watch.lines() if "slack" in line["event"] and line["level"] == "warning"]
    assert [line["event"] for line in lines] == ["slack doesn't answer", "slack answers again"]
    scrapes.fire([], tmp_path)


async def test_while_slack_does_not_answer_it_sends_nothing_and_answers_people(tmp_path):
    clock, scrapes = FakeClock(), Scrapes()
    async with slack() as (local, _client), AsyncExitStack() as stack:
        given = local.credentials
        told = environment(tmp_path, SLACK_BOT_TOKEN=given["bot_token"], USHER_SLACK_API_URL=given["api_url"])
        settings = Settings(**told)
        process = Process(settings, load_connections(settings.connections), stack, clock=clock)
        await process.start()
        assert process.check_background()["sending"]
        inject_fault(local.harness, "/api/", status=503, times=FOREVER)
        for calls in (1, 2):
            with pytest.raises(SlackFailed):
                await process.context.people.sync()
            await process.notifier.step_notices()
            assert process.check_background()["sending"] is (calls == 1), "one call is no absence"
            clock.advance(MIN_ABSENCE_SECONDS)
        await scrapes.take(process.port)
        assert scrapes.last("usher_check", check="sending") == 0
        assert scrapes.last("usher_outage_seconds", kind="slack") > 0


async def test_a_message_that_somebody_misses_is_lost_and_no_other(linked, tmp_path):
    scrapes = Scrapes()
    await scrapes.take(linked.port)
    for code, lost in (("user_disabled", 0), ("messages_tab_disabled", 1)):
        linked.slack_fails("chat.postMessage", times=FOREVER, body=f'{{"ok": false, "error": "{code}"}}')
        await linked.alice.types("start training" if lost else "start notebook")
        await watched(linked, scrapes, 60)
        assert scrapes.last("usher_dead_notices") >= lost
        scrapes.fire(["UsherMessagesLost"] if lost else [], tmp_path)
        linked.heal()


async def test_a_provider_that_does_not_answer_is_away(linked, tmp_path):
    scrapes = Scrapes()
    await scrapes.take(linked.port)
    linked.saturn_fails("/api/", status=503, times=FOREVER)
    await linked.alice.types("start training")
    await watched(linked, scrapes, 300)
    assert scrapes.last("usher_outage_seconds", connection="saturn", kind="away") > 120
    scrapes.fire(["UsherProviderAway"], tmp_path)
    linked.heal()
    await watched(linked, scrapes, 60)
    assert scrapes.last("usher_outage_seconds") is None
    scrapes.fire([], tmp_path)


async def test_a_database_that_may_only_be_read_is_not_written(linked, tmp_path):
    scrapes = Scrapes()
    await scrapes.take(linked.port)

    async def only_read(word):
        await run_pragma(linked.bot.store, f"query_only = {word}")
        await scrapes.take(linked.port)

    await only_read("ON")
    assert scrapes.last("usher_check", check="store") == 0
    scrapes.stays()
    scrapes.fire(["UsherDatabase"], tmp_path)
    await only_read("OFF")
    scrapes.fire([], tmp_path)


async def test_work_that_holds_everything_up_is_a_block(live, tmp_path):
    scrapes = Scrapes()
    await scrapes.take(live.port)
    for _ in range(3):
        counted = scrapes.last("usher_loop_late_seconds_total")
        asyncio.get_running_loop().call_soon(time.sleep, 2.2)
        looks = Scrapes()
        await looks.take(live.port)
        while looks.last("usher_loop_late_seconds_total") == counted:
            await looks.take(live.port)
        await scrapes.take(live.port)
    scrapes.fire(["UsherBlocked"], tmp_path)


async def test_a_loop_that_always_fails_stands_still(tmp_path):
    """A table that tasks need is removed from the database, as if by mistake.

    Everything else keeps working.
    """
    clock, scrapes = FakeClock(), Scrapes()
    async with slack() as (local, _client), AsyncExitStack() as stack:
        given = local.credentials
        told = environment(tmp_path, SLACK_BOT_TOKEN=given["bot_token"], USHER_SLACK_API_URL=given["api_url"])
        settings = Settings(**told)
        process = Process(settings, load_connections(settings.connections), stack, clock=clock)
        await process.start()
        await scrapes.take(process.port)
        assert scrapes.last("usher_check", check="loops") == 1
        (tasks,) = (one for one in process.scheduler._loops if one.name == "tasks")
        while tasks.began < math.inf:  # A step that is under way would end well.
            process.scheduler.wake()
            await asyncio.sleep(0)
        with closing(sqlite3.connect(tmp_path / "usher.db")) as database:
            database.execute("ALTER TABLE tasks RENAME TO lost")
        clock.advance(6)
        while tasks.began == math.inf:
            process.scheduler.wake()
            await asyncio.sleep(0)
        clock.advance(61)
        while process.scheduler.stalled != ["tasks"]:
            process.scheduler.wake()
            await asyncio.sleep(0)
        await scrapes.take(process.port)
        assert scrapes.last("usher_check", check="loops") == 0
        scrapes.stays()
        scrapes.fire(["UsherStalled"], tmp_path)


async def test_a_token_that_slack_refuses_is_seen(tmp_path):
    scrapes = Scrapes()
    async with world(tmp_path, live=True) as live:
        await scrapes.take(live.port)
        tokens = list(live.slack.state.tokens.values())
        for token in tokens:
            token.revoked = True
        with pytest.raises(SlackPermanent):
            await live.bot.context.people.sync()
        await scrapes.take(live.port)
    assert scrapes.last("usher_check", check="sending") == 0
    scrapes.stays(180)
    scrapes.fire(["UsherSlack"], tmp_path)


async def test_a_wrong_secret_is_counted_and_who_forges_requests_pages_nobody(linked, tmp_path):
    await linked.alice.types("help")
    scrapes = Scrapes()
    await scrapes.take(linked.port)
    accepted = scrapes.last("usher_slack_requests_accepted_total")
    linked.slack.state.app.signing_secret = "another one"
    for _ in range(6):
        for _ in range(2):
            await linked.slack.say(linked.alice.id, GENERAL, "/workspace list")
        await watched(linked, scrapes, EVERY)
    assert scrapes.last("usher_slack_requests_refused_total", reason="signature") == 12
    assert scrapes.last("usher_slack_requests_accepted_total") == accepted
    # An alert about missing requests compares with earlier weeks; see the next test.
    scrapes.fire([], tmp_path)


ACCEPTED = 'usher_slack_requests_accepted_total{job="usher",instance="web"}'
REFUSED = 'usher_slack_requests_refused_total{job="usher",instance="web",reason="%s"}'
WEEK = 7 * 24
#: The usual number of requests in each hour of a week: ten per hour on weekdays from nine to five, otherwise
#: none.
USUAL = [10.0 if day < 5 and 9 <= hour < 17 else 0.0 for day in range(7) for hour in range(24)]
#: The hours of the third week that are tested: Wednesday at ten and at two in the morning.
BY_DAY, BY_NIGHT = 2 * 24 + 10, 2 * 24 + 2


@pytest.mark.parametrize(
    ("weeks", "hour", "accepted", "refused", "alerts"),
    [
        # The secret was changed at Slack, or this machine's clock is wrong.
        ([USUAL, USUAL], BY_DAY, 0, 10, ["UsherRequestsRefused"]),
        ([USUAL, USUAL], BY_DAY, 0, 9, []),
        # Somebody floods the address, while people use Usher or while nobody does.
        ([USUAL, USUAL], BY_DAY, 1, 100_000, []),
        ([USUAL, USUAL], BY_NIGHT, 0, 100_000, []),
        # Nobody sends anything, and nothing is refused.
        ([USUAL, USUAL], BY_DAY, 0, 0, []),
        # There are too few weeks to know how many requests are usual.
        ([USUAL], BY_DAY, 0, 10, []),
        ([[0.0] * WEEK, USUAL], BY_DAY, 0, 10, []),
        ([USUAL, [0.0] * WEEK], BY_DAY, 0, 10, []),
    ],
)
def test_refusals_count_where_what_is_usual_is_missed(tmp_path, weeks, hour, accepted, refused, alerts):
    before = [count for week in weeks for count in week] + USUAL[:hour]
    quiet = [0.0] * len(before)
    counted = {ACCEPTED: [*before, accepted]}
    counted |= {REFUSED % reason: [*quiet, refused / 2] for reason in ("signature", "time")}
    fire_after(counted, alerts, tmp_path)


async def test_with_keys_that_open_nothing_it_does_not_start(linked, tmp_path):
    scrapes = Scrapes()
    await scrapes.take(linked.port)
    await linked.stop_bot()
    good, linked._keys = linked._keys, Fernet.generate_key().decode()
    with pytest.raises(StartError, match="opens none of the 1 stored secrets"):
        await linked.start_bot()
    await scrapes.take(linked.port)
    scrapes.stays()
    scrapes.fire(["UsherDown"], tmp_path)
    await linked.stop_bot()
    linked._keys = good
    await linked.start_bot()
    await scrapes.take(linked.port)
    scrapes.fire([], tmp_path)


async def test_a_key_that_was_taken_away_too_early_leaves_secrets_closed(linked, tmp_path):
    scrapes = Scrapes()
    old, new = linked._keys, Fernet.generate_key().decode()
    for keys, links in ((f"{new},{old}", True), (new, False)):
        await linked.stop_bot()
        linked._keys = keys
        await linked.start_bot()
        if links:
            await linked.bob.has_linked("bob")
        await scrapes.take(linked.port)
    assert scrapes.last("usher_closed_secrets") == 1
    scrapes.fire(["UsherSecretsClosed"], tmp_path)


async def test_a_second_usher_with_the_same_app_is_seen_by_both(tmp_path):
    """The laptop on which Usher was tried out is still running it when the server is started.

    Each has its own database.
    """
    clock, scrapes, ushers = FakeClock(), Scrapes(), []
    async with slack() as (local, _client), AsyncExitStack() as stack:
        given = local.credentials
        told = {"SLACK_BOT_TOKEN": given["bot_token"], "SLACK_APP_TOKEN": given["app_token"]}
        told |= {"USHER_SLACK_API_URL": given["api_url"], "SLACK_SIGNING_SECRET": None}
        told |= {"USHER_ADMINS": OLIVIA}

        async def start(name):
            (tmp_path / name).mkdir()
            settings = Settings(**environment(tmp_path / name, **told))
            process = Process(settings, load_connections(settings.connections), stack, clock=clock)
            await process.start(loops=False)
            ushers.append(process)
            await until(lambda: len(local.sockets.open) == 2 * len(ushers))

        async def renewed(side, before):
            await until(lambda: side.count is not before)
            for old in side._open - set(side._live.values()):
                old.gone.set()
            await until(lambda: len(local.sockets.open) == 2 * len(ushers))

        async def watch(seconds):
            for _ in range(int(seconds // 30)):
                clock.advance(30)
                for process in ushers:
                    side, before = process._socket, process._socket.count
                    await process.others.step()
                    if any(one.ending.is_set() for one in side._live.values()):
                        await renewed(side, before)

        await start("laptop")
        await scrapes.take(ushers[0].port)
        await start("server")
        await watch(3600 + 600)
        for process in ushers:
            await process.notifier.step_notices()
            await scrapes.take(process.port)
            assert scrapes.last("usher_outage_seconds", kind="twice") >= 0
            assert not (await check_others(process.store))[0].is_good
        said = [read_beginning(one.text) for messages in local.state.messages.values() for one in messages]
        assert said == ["Two copies of me are connected to the same Slack app."] * 2
        scrapes.stays()
        scrapes.fire(["UsherTwice"], tmp_path)


async def test_a_nightly_backup_that_fails_is_seen_until_one_is_made(linked, tmp_path):
    scrapes, backups = Scrapes(), tmp_path / "backups"
    backups.touch()
    await linked.bot.store.write(append_audit, [ACTION])
    make = partial(make_backup, linked.bot.context, linked.settings().nightly_backups())
    linked.bot.scheduler.nightly["backup"] = make
    for _ in range(3):
        await linked.bot.scheduler._run_daily()
        await watched(linked, scrapes, 600)
    assert scrapes.last("usher_outage_seconds", kind="backup") >= 0
    said = {line["problem"] for line in linked.watch.lines() if line["event"] == "database not backed up"}
    assert len(said) == 1
    scrapes.fire(["UsherBackup"], tmp_path)
    backups.unlink()
    await linked.bot.scheduler._run_daily()
    await watched(linked, scrapes, 60)
    assert [one.name for one in backups.iterdir()]
    scrapes.fire([], tmp_path)


async def test_webs_without_a_worker_are_seen(tmp_path):
    scrapes = Scrapes()
    settings = {"USHER_DATABASE_URL": await postgres.migrated()}
    async with Webs(tmp_path, {"settings": settings}).running() as webs:
        ports = [web.port for web in webs.webs]
        await scrapes.take(*ports)
        assert scrapes.last("usher_processes", role="worker") == 1
        # The worker was killed, so it no longer renews its lease.
        for _ in range(4):
            webs.clock.advance(3)
            for web in webs.webs:
                await web.owners.renew()
        await scrapes.take(*ports)
        assert scrapes.last("usher_processes", role="worker") == 0
        scrapes.stays()
        scrapes.fire(["UsherNoWorker"], tmp_path)
