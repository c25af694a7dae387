"""Tests of every doctor check, passing and failing, against local servers, some of which misbehave."""

import json
import re
import sqlite3
import time
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.fernet import Fernet

from bot.commands import connection_checks, store_checks
from bot.commands.doctor import check_address, check_pages
from bot.commands.installed_checks import check_listed
from bot.commands.slack_checks import check_clock, check_slack
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.providers import base, build_providers, facets
from bot.providers.requests import ApiClient
from bot.services.checks import as_text
from bot.slack.manifest import BOT_SCOPES
from bot.store import notices, open_store, operations, schema
from bot.store.schema import CREATE_MIGRATIONS, read_migrations, record_migration
from bot.store.sqlite import SqliteTransaction
from bot.store.transaction import StoreTime
from bot.support.clock import SystemClock, SystemIds
from bot.support.http import Http
from bot.support.settings import Settings
from bot.support.vault import Vault
from bot.web.app import proving
from playground.harness import Clock
from playground.processes import reserved_port
from tests.app.command_line import KEY, environment, of_slack, run
from tests.playground.saturn_help import saturn_server
from tests.playground.slack_help import slack
from tests.rigs.clock import FakeClock
from tests.rigs.connections import load_connections
from tests.rigs.internal_names import internal_names
from tests.rigs.providers import FakeProvider, fake_settings
from tests.rigs.store import ALICE, BOB, accept_operation, hold, linked, memory_store
from tests.rigs.strangers import stranger


def settings(folder: Path, **changes) -> Settings:
    return Settings(**environment(folder, **changes))


@pytest.fixture
async def http():
    async with Http.new_session() as session:
        yield Http(session)


@asynccontextmanager
async def server(answer):
    """Serve the same answer for every request."""

    async def handle(_request):
        return answer() if callable(answer) else answer

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as made:
        yield str(made.make_url("/api/"))


def by_name(checks):
    return {check.name: check for check in checks}


async def test_a_good_slack(tmp_path, http):
    async with slack() as (local, _client):
        app_token = local.credentials["app_token"]
        checks = await check_slack(settings(tmp_path, **of_slack(local, SLACK_APP_TOKEN=app_token)), http)
    assert [(check.name, check.is_good) for check in checks] == [
        ("slack token", True),
        ("slack scopes", True),
        ("slack app token", True),
    ]


async def test_a_missing_scope_is_named_with_what_to_do(tmp_path, http):
    async with slack(seed={"app": {"scopes": ["chat:write", "commands"]}}) as (local, _client):
        checks = by_name(await check_slack(settings(tmp_path, **of_slack(local)), http))
    assert checks["slack token"].is_good
    missing = "missing: app_mentions:read, files:write, im:history, im:write, users:read"
    assert checks["slack scopes"].found == missing
    assert "reinstall" in checks["slack scopes"].advice
    # `usher manifest` alone prints the Socket Mode form.
    assert "manifest" not in checks["slack scopes"].advice


async def test_user_group_that_may_not_be_read_is_reported_with_the_scope(tmp_path, http):
    """People may decline the scope when they install the app."""
    async with slack(seed={"app": {"scopes": [*BOT_SCOPES]}}) as (local, _client):
        given = settings(tmp_path, **of_slack(local), USHER_ADMINS="S0ADMINS")
        check = by_name(await check_slack(given, http))["administrators"]
    assert check.found == "S0ADMINS can't be read, as the app lacks usergroups:read"
    assert "reinstall" in check.advice


@pytest.mark.parametrize(
    ("ahead", "found"), [(50.0, None), (-330.0, "behind Slack's"), (330.0, "ahead of Slack's")]
)
async def test_a_clock_that_is_a_minute_from_slacks(tmp_path, http, ahead, found):
    now = time.time()
    async with slack(clock=Clock(lambda: now - ahead)) as (local, _client):
        # Slack's time can be read without a valid token, even if Slack refuses the bot's.
        given = settings(tmp_path, **of_slack(local, SLACK_BOT_TOKEN="xoxb-no"))
        (check,) = await check_clock(given, http)
    assert check.is_good is (found is None)
    if found is not None:
        assert re.fullmatch(rf"this machine's is 3[23]\d s {found}", check.found)


async def test_scopes_that_slack_does_not_tell_are_unknown(tmp_path, http):
    async with slack(seed={"app": {"tells_scopes": False}}) as (local, _client):
        checks = by_name(await check_slack(settings(tmp_path, **of_slack(local)), http))
    check = checks["slack scopes"]
    assert (check.is_good, check.is_warning, check.found) == (True, True, "unknown: Slack doesn't say")
    assert "`usher manifest`" in check.advice


async def test_each_administrator_is_looked_up(tmp_path, http):
    async with slack() as (local, _client):
        good = settings(tmp_path, **of_slack(local, USHER_ADMINS="U0AMIR,T0ACME:U0OLIVIA"))
        checks = by_name(await check_slack(good, http))
        assert checks["administrators"].is_good
        assert checks["administrators"].found == "olivia (T0ACME:U0OLIVIA), amir (U0AMIR)"
        wrong = settings(tmp_path, **of_slack(local, USHER_ADMINS="U0AMIR,U0NOBODY,U0GRETA,U0PAVEL,U0ROBOT"))
        check = by_name(await check_slack(wrong, http))["administrators"]
    assert not check.is_good
    for part in (
        "U0NOBODY (Slack says user_not_found)",
        "U0GRETA (greta is a guest)",
        "U0PAVEL (pavel belongs to another Slack workspace)",
        "U0ROBOT (deploys is a bot)",
    ):
        assert part in check.found
    assert ("U0AMIR" in check.found, "Copy their member ids" in check.advice) == (False, True)


async def test_wrong_tokens(tmp_path, http):
    async with slack() as (local, _client):
        api = local.credentials["api_url"]
        (wrong,) = await check_slack(settings(tmp_path, USHER_SLACK_API_URL=api), http)
        assert (wrong.is_good, wrong.found) == (False, "Slack says invalid_auth")
        assert "OAuth & Permissions" in wrong.advice
        with_app = settings(tmp_path, **of_slack(local, SLACK_APP_TOKEN="xapp-canary"))
        checks = by_name(await check_slack(with_app, http))
    assert checks["slack app token"].found == "Slack says invalid_auth"
    assert "connections:write" in checks["slack app token"].advice


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=503, text="<html>away</html>", content_type="text/html"),
        lambda: web.Response(text="<html>log in to this network</html>", content_type="text/html"),
        lambda: web.json_response(None),
        lambda: web.json_response({"ok": False, "error": "\x1b[2Jboo\n" + "x" * 500}),
        lambda: web.json_response({}),
    ],
    ids=["5xx", "html", "null", "odd word", "nothing"],
)
async def test_a_slack_that_answers_oddly_is_one_line(tmp_path, http, answer):
    async with server(answer) as url:
        (check,) = await check_slack(settings(tmp_path, USHER_SLACK_API_URL=url), http)
    assert not check.is_good
    assert check.advice
    text = as_text([check])
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) < 240
    assert len(text.splitlines()) == 2


async def test_it_warns_where_any_slack_workspace_may_install_usher(tmp_path):
    by_oauth = {"SLACK_BOT_TOKEN": None, "SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "canary"}
    clock = FakeClock()
    providers = {
        "courses": FakeProvider(clock, fake_settings("courses", linking=("none",))),
        "lab": FakeProvider(clock, fake_settings("lab", linking=("none",), workspaces=("T0ACME",))),
        "saturn": FakeProvider(clock, fake_settings("saturn")),
    }
    (warned,) = check_listed(settings(tmp_path, **by_oauth, USHER_SLACK_WORKSPACES="*"), providers)
    assert warned.is_good
    text = as_text([warned])
    assert text.startswith("warn slack workspaces: any Slack workspace of the world may install Usher")
    # If the provider has one account for everybody, the operator pays for strangers.
    assert "workspaces of courses are made on your account" in text
    for served in (settings(tmp_path, **by_oauth, USHER_SLACK_WORKSPACES="T0ACME"), settings(tmp_path)):
        assert check_listed(served, providers) == []
    # Without a list of Slack workspaces nothing is served. Doctor says so together with all other problems.
    ended = await run("doctor", env=environment(tmp_path, **by_oauth))
    assert ended.status == 2
    assert "BAD  settings: USHER_SLACK_WORKSPACES is required without SLACK_BOT_TOKEN" in ended.out


async def test_a_slack_that_is_away(tmp_path, http):
    url = f"http://127.0.0.1:{reserved_port()}/api/"
    (check,) = await check_slack(settings(tmp_path, USHER_SLACK_API_URL=url), http)
    assert (check.is_good, check.advice) == (False, "Check that this machine can reach Slack.")


def providers_of(folder, http, url, extra=""):
    path = folder / "connections.toml"
    path.write_text(f'[connections.saturn]\nprovider = "saturn"\nbase_url = "{url}"\n{extra}')
    path.chmod(0o600)
    return build_providers(load_connections(path), http)["saturn"]


async def test_a_hub_whose_address_for_people_is_out_of_reach_is_well_and_says_so(tmp_path, http):
    path = tmp_path / "connections.toml"
    gone = f"http://127.0.0.1:{reserved_port()}"
    for public, remark in ((gone, f"{gone} can't be reached from here."), (None, "")):
        async with stranger("jupyterhub") as made:
            base = made.url
            told = f'public_url = "{public}"\n' if public else ""
            path.write_text(f'[connections.hub]\nprovider = "jupyterhub"\nbase_url = "{base}"\n{told}')
            path.chmod(0o600)
            hub = build_providers(load_connections(path), http)["hub"]
            check = await connection_checks.check_connection("hub", hub)
        assert check.is_good
        assert check.found.startswith(f"{base} answers (JupyterHub 6.1.1).")
        assert (remark in check.found, "public_url" in check.found) == (True, bool(remark))
        told = (public or base).removeprefix("http://")
        assert f"Servers open at {told}, or at NAME.{told} if the hub sets subdomain_host." in check.found


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=502, text="bad gateway"),
        lambda: web.Response(text="<html>a page</html>", content_type="text/html"),
        lambda: web.json_response({"version": "1"}, status=400),
    ],
    ids=["5xx", "html", "4xx"],
)
async def test_a_connection_that_answers_something_else(tmp_path, http, answer):
    async with server(answer) as url:
        base = url.removesuffix("/api/")
        check = await connection_checks.check_connection("saturn", providers_of(tmp_path, http, base))
    assert not check.is_good
    assert check.advice.startswith("Check its address")
    assert internal_names(as_text([check]), keys=True) == []


async def test_a_connection_that_is_away(tmp_path, http):
    provider = providers_of(tmp_path, http, f"http://127.0.0.1:{reserved_port()}")
    check = await connection_checks.check_connection("saturn", provider)
    assert not check.is_good
    assert check.found == "no usable answer: no connection"
    assert check.advice == "Check its address, and whether this machine can reach it."


async def test_workspaces_that_open_in_a_page_need_sign_in_with_slack(tmp_path):
    class Page(facets.EmbeddedPage):
        def embedding(self):
            raise AssertionError("nothing is opened here")

    class Elsewhere:
        pass

    providers = {"courses": Page(), "saturn": Elsewhere()}
    assert connection_checks.check_sign_in(settings(tmp_path), {"saturn": Elsewhere()}) == []
    (check,) = connection_checks.check_sign_in(settings(tmp_path), providers)
    assert not check.is_good
    assert check.found == "not set up, so nobody can open a workspace on courses"
    client = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "canary"}
    (check,) = connection_checks.check_sign_in(settings(tmp_path, **client), providers)
    assert check.is_good


async def test_the_script_of_a_page_is_loaded_and_its_hosts_are_named(http):
    class Page(facets.EmbeddedPage):
        api: Any = None
        loads: facets.Embedding

        def embedding(self):
            return self.loads

    page = Page()
    page.api = ApiClient(
        http, "http://127.0.0.1", base.CredentialPlacement(), lambda: {page.loads.sdk_host: False}
    )
    script = (
        b"load('https://cdn.example.org/a.js'); load(\"//fonts.example.net/f\"); // a comment"
        b"\nsvg('http://www.w3.org/2000/svg'); frame('https://x.ide.example.org/')"
    )

    async def served(request):
        return web.Response(body=script, status=200 if request.path == "/static/sdk/sdk.min.js" else 500)

    app = web.Application()
    app.router.add_get("/{path:.*}", served)
    async with TestServer(app) as server:
        host = f"127.0.0.1:{server.port}"
        page.loads = facets.Embedding(host, False, f"http://{host}", ("*.ide.example.org",))
        (check,) = await connection_checks.check_page("courses", page)
        assert check.is_good
        assert "also names cdn.example.org, fonts.example.net. " in check.found
        page.loads = replace(page.loads, hosts=("*.example.org", "fonts.example.net"))
        (check,) = await connection_checks.check_page("courses", page)
        assert check.found == f"http://{host}/static/sdk/sdk.min.js loads"
    (check,) = await connection_checks.check_page("courses", page)
    assert (check.is_good, check.advice) == (False, "Check sdk_base, and the network.")
    assert await connection_checks.check_page("saturn", object()) == []


async def test_a_database_that_is_not_there_is_told_and_not_made(tmp_path):
    (check,) = await store_checks.check_store(settings(tmp_path))
    assert check.is_good
    assert "the first start creates it" in check.found
    assert not (tmp_path / "usher.db").exists()
    (nowhere,) = await store_checks.check_store(
        settings(tmp_path, USHER_DATABASE_URL="sqlite:////nowhere/x.db")
    )
    assert (nowhere.is_good, nowhere.found) == (False, "there is no folder /nowhere")


async def test_a_database_that_is_none_or_is_old(tmp_path):
    file = tmp_path / "usher.db"
    file.write_bytes(b"canary " * 1000)
    (check,) = await store_checks.check_store(settings(tmp_path))
    assert not check.is_good
    assert "isn't a SQLite database" in check.found
    file.write_bytes(b"")
    (old,) = await store_checks.check_store(settings(tmp_path))
    assert not old.is_good
    assert "usher migrate" in old.found


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["0001_schema"], "made by a development version"),
        (["0001_schema", "0002_messages"], "made by a development version"),
        (["0001_initial"], "needs 99.0.0 or later"),
    ],
)
async def test_a_database_that_this_release_cannot_use_is_one_sentence(tmp_path, names, says):
    store = await open_store(f"sqlite:///{tmp_path}/usher.db", FakeClock(), SystemIds())
    await store.migrate()
    await store.close()
    with closing(sqlite3.connect(tmp_path / "usher.db")) as database:
        database.execute("DELETE FROM migrations")
        database.executemany("INSERT INTO migrations VALUES (?, 0)", [[name] for name in names])
        database.execute("INSERT INTO schema_changes VALUES ('9000_next', 0, '99.0.0')")
        database.commit()
    (check,) = await store_checks.check_store(settings(tmp_path))
    assert not check.is_good
    assert says in check.found
    assert check.advice == "", "the sentence says what to do"
    ended = await run("migrate", env=environment(tmp_path))
    # Status 2 keeps systemd from starting the service again.
    assert (ended.status, ended.err.splitlines()[-1]) == (2 if "99" in says else 1, check.found)


async def test_what_was_left_before_the_required_stop_ends_the_start_with_the_next_step(tmp_path):
    with closing(sqlite3.connect(tmp_path / "usher.db")) as database:
        database.execute(
            "CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at DOUBLE PRECISION NOT NULL)"
        )
        database.execute("INSERT INTO migrations VALUES ('0001_initial', 0)")
        database.commit()
    (check,) = await store_checks.check_store(settings(tmp_path))
    assert (check.is_good, "Install 0.4.1 and start it once" in check.found) == (False, True)
    for command in ("migrate", "serve"):
        ended = await run(command, env=environment(tmp_path))
        # Status 2 keeps systemd from starting the service again.
        assert (ended.status, ended.err.splitlines()[-1]) == (2, check.found)


async def test_a_database_of_an_earlier_release_waits_for_the_next_start(tmp_path):
    with closing(sqlite3.connect(tmp_path / "usher.db")) as database:
        name, script = next(iter(read_migrations().items()))
        for statements in (*CREATE_MIGRATIONS, script):
            database.executescript(statements)
        record_migration(SqliteTransaction(database, StoreTime(FakeClock()), SystemIds()), name, script)
        database.commit()
    (check,) = await store_checks.check_store(settings(tmp_path))
    assert (check.is_good, "the next start brings it up to date" in check.found) == (True, True)


async def test_dead_notices_are_counted_with_cause_and_person(tmp_path):
    made = settings(tmp_path)
    store = await open_store(made.database_url, SystemClock(), SystemIds())
    try:
        await store.migrate()
        good = by_name(await store_checks.read_store(store))
        assert good["store"].is_good
        assert good["dead notices"].found == "none"
        await dies(store, NoticeKind.REPLY, "expired")
        await dies(store, NoticeKind.CLASS_CARD, "not_in_channel")
        await dies(store, NoticeKind.READY, "user_disabled")
        # Undelivered notices that nobody misses aren't reported as a problem.
        harmless = by_name(await store_checks.read_store(store))
        assert harmless["dead notices"].found == "none"
        await dies(store, NoticeKind.LINKED, "messages_tab_disabled")
        await dies(store, NoticeKind.FAILED, "undrawable")
    finally:
        await store.close()
    bad = by_name(await store_checks.check_store(made))["dead notices"]
    assert (bad.is_good, bad.found) == (False, "2 (messages_tab_disabled, undrawable), the newest for UALICE")
    assert "Messages Tab" in bad.advice
    assert "the log" in bad.advice
    assert "Slack accounts" not in bad.advice


async def test_refused_sign_ins_are_counted_and_are_no_trouble_by_themselves():
    async with memory_store() as store:
        assert by_name(await store_checks.read_store(store))["refused sign-ins"].found == "none"
        for principal, connection in ((ALICE, "saturn"), (BOB, "saturn"), (BOB, "hub")):
            account = (await linked(store, principal, connection=connection)).account
            await hold(store, account)
        check = by_name(await store_checks.read_store(store))["refused sign-ins"]
    said = "hub 1, saturn 2: tried again now and then, until accepted or linked again"
    assert (check.is_good, check.found) == (True, said)


async def test_what_a_team_needs_is_ticked_off_as_it_comes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"an https address", "keys apart", "backups", "a machine that stays on"}

    async def lacking(store, **changes):
        checks = await store_checks.check_team(store, settings(tmp_path, **changes))
        assert all(check.is_good for check in checks)
        assert all(bool(check.advice) == check.is_warning for check in checks)
        return {check.name.removeprefix("for a team, ") for check in checks if check.is_warning}

    async def serves(store, clock, days):
        for _ in range(days * 48):
            clock.advance(1800.0)
            await store.perform(schema.write_heartbeat)

    clock = FakeClock()
    async with memory_store(clock) as store:
        (tmp_path / ".env").write_text(f"USHER_ENCRYPTION_KEYS={KEY}\n")
        assert await lacking(store, USHER_PUBLIC_URL="http://localhost:3000") == names
        (tmp_path / ".env").write_text("USHER_ENCRYPTION_KEYS=file:/etc/usher/keys\n")
        await serves(store, clock, 6)
        # Of backups test_backups.py has more.
        assert await lacking(store) == {"a machine that stays on", "backups"}
        await serves(store, clock, 2)
        assert await lacking(store) == {"backups"}
        clock.advance(2 * 3600.0)
        await store.perform(schema.write_heartbeat)
        assert await lacking(store) == {"a machine that stays on", "backups"}
        assert await lacking(store, USHER_DATABASE_URL="postgresql://u@db.example/usher") == {"backups"}


async def dies(store, kind, code):
    await store.write(notices.add_notices, [NewNotice(f"{kind} {code}", kind, "1", ALICE)])
    (notice,) = await store.perform(notices.claim_notices, 1, 60.0)
    await store.write(notices.give_up_notice, notice.id, code)


@asynccontextmanager
async def usher(*keys, page_url=""):
    """Serve a public address that answers like an Usher with these keys."""
    app = web.Application()
    app.router.add_routes([proving(Vault(keys), page_url)])
    async with TestServer(app, host="127.0.0.1") as made:
        yield str(made.make_url("")).rstrip("/")


async def test_the_public_address_is_looked_at(tmp_path, http):
    """Doctor checks whether this Usher answers at the public address, or something else, or nothing.

    This Usher is also recognised while its keys change.
    """

    async def looked(url, **changes):
        return await check_address(settings(tmp_path, USHER_PUBLIC_URL=url, **changes), http)

    another = Fernet.generate_key().decode()
    async with usher(KEY) as url, usher(another) as other, server(lambda: web.Response(status=502)) as page:
        good = await looked(url)
        assert (good.is_good, good.found) == (True, f"{url} leads to this Usher")
        assert (await looked(other, USHER_ENCRYPTION_KEYS=f"{KEY},{another}")).is_good
        for elsewhere, status in ((other, 200), (page.removesuffix("/api/"), 502)):
            check = await looked(elsewhere)
            assert not check.is_good
            assert f"{elsewhere} leads to something else (HTTP {status}" in check.found
        gone = f"http://127.0.0.1:{reserved_port()}"
        here = await looked(gone, PORT=url.rpartition(":")[2])
        assert (here.is_good, "though Usher runs here" in here.found) == (False, True)
        assert url in here.advice
    nothing = await looked(gone, PORT=str(reserved_port()))
    assert not nothing.is_good
    assert nothing.found.startswith(f"nothing answers at {gone}")
    assert "start it" in nothing.advice


async def test_the_second_host_name_is_looked_at_and_without_one_doctor_says_what_remains(tmp_path, http):
    class Page(facets.EmbeddedPage):
        def embedding(self):
            raise AssertionError("nothing is opened here")

    pages, none = {"courses": Page()}, {"saturn": object()}
    assert await check_pages(settings(tmp_path), http, none) == []
    (remains,) = await check_pages(settings(tmp_path), http, pages)
    assert (remains.is_good, remains.is_warning) == (True, True)
    assert "the provider's script runs at the public address" in remains.found
    assert "USHER_PAGE_URL" in remains.advice
    # An address that answers alike for every host name wasn't told which one was requested. It would show
    # Usher's pages there, too.
    for at, is_good in (("http://127.0.0.1", True), ("http://pages.usher.localhost", False)):
        async with usher(KEY, page_url=at) as url:
            told = {"USHER_PUBLIC_URL": f"http://localhost:{url.rpartition(':')[2]}", "USHER_PAGE_URL": url}
            for providers in (pages, none):
                (check,) = await check_pages(settings(tmp_path, **told), http, providers)
                assert (check.is_good, check.is_warning) == (is_good, False)
            assert is_good or "with its name as Host" in check.advice


async def test_the_whole_answer_for_people_and_for_machines(tmp_path):
    async with AsyncExitStack() as stack:
        local, _client = await stack.enter_async_context(slack(clock=Clock()))
        saturn = await stack.enter_async_context(saturn_server())
        connections = tmp_path / "connections.toml"
        connections.write_text(f'[connections.saturn]\nprovider = "saturn"\nbase_url = "{saturn.url}"\n')
        connections.chmod(0o600)
        url = await stack.enter_async_context(usher(KEY))
        env = environment(tmp_path, **of_slack(local, USHER_PUBLIC_URL=url))
        good = await run("doctor", env=env)
        assert good.status == 0, good.out
        assert [line.partition(":")[0] for line in good.out.splitlines()] == [
            *("ok   settings", "ok   public address", "ok   slack token", "ok   slack scopes", "ok   clock"),
            *("ok   connection saturn", "ok   room for outputs", "ok   time zones", "ok   store"),
        ]
        bad = await run("doctor", "--json", env={**env, "USHER_PUBLIC_URL": "", "SLACK_BOT_TOKEN": "xoxb-no"})
    told = json.loads(bad.out)
    assert bad.status == 1
    assert told["ok"] is False
    assert {check["name"] for check in told["checks"] if not check["is_good"]} == {
        "public address",
        "slack token",
    }
    assert all(check["advice"] for check in told["checks"] if not check["is_good"])
    for text in (good.out + good.err, bad.out + bad.err):
        assert local.credentials["bot_token"] not in text
        assert KEY not in text


async def test_wrong_settings_are_findings_too(tmp_path):
    env = environment(tmp_path, SLACK_BOT_TOKEN=None, USHER_ENCRYPTION_KEYS="canary")
    ended = await run("doctor", "--json", env=env)
    assert ended.status == 2
    told = json.loads(ended.out)
    assert told["ok"] is False
    bad = [check for check in told["checks"] if not check["is_good"]]
    assert [check["found"].partition(":")[0] for check in bad if check["name"] == "settings"] == [
        "SLACK_BOT_TOKEN",
        "USHER_ENCRYPTION_KEYS",
    ]
    assert all(check["advice"] for check in bad)
    text = await run("doctor", env=env)
    assert text.status == 2
    assert "BAD  settings: SLACK_BOT_TOKEN: is not set" in text.out
    assert "canary" not in text.out + text.err


async def test_everything_that_is_wrong_comes_at_once_and_each_with_what_to_do(tmp_path):
    """Broken settings, connections or variable names don't keep doctor from making its other checks."""
    gone = f"http://127.0.0.1:{reserved_port()}"
    connections = tmp_path / "connections.toml"
    connections.write_text(
        f'[connections.saturn]\nprovider = "saturn"\nbase_url = "{gone}"\n'
        '[connections.hub]\nprovider = "jupiter"\n'
    )
    connections.chmod(0o600)
    async with slack() as (local, _client):
        env = environment(
            tmp_path,
            **of_slack(local, SLACK_BOT_TOKEN="xoxb-canary", SLACK_SIGNING_SECRET=None),
            SLACK_CLIENT_ID="1.2",
            USHER_PUBLIC_URL=None,
            USHER_PUBLIC_URI="https://canary.example",
            USHER_LOG_LEVEL="canary",
            USHER_DATABASE_URL="sqlite:////nowhere/x.db",
            USHER_LEFTOVER="canary",
        )
        ended = await run("doctor", "--json", env=env)
        started = await run("serve", env=env)
    assert ended.status == started.status == 2
    checks = json.loads(ended.out)["checks"]
    assert internal_names(ended.out) == []
    bad = {f"{check['name']}: {check['found']}" for check in checks if not check["is_good"]}
    for begin in (
        "settings: USHER_LOG_LEVEL: needs to be",
        "settings: SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)",
        "settings: SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together",
        "settings: USHER_PUBLIC_URI: there is no such setting. Did you mean USHER_PUBLIC_URL?",
        "settings: USHER_LEFTOVER: there is no such setting, so it does nothing",
        "settings: connections.hub.provider: needs one of",
        "public address: not set",
        "slack token: Slack says invalid_auth",
        "connection saturn: no usable answer",
        "store: there is no folder /nowhere",
    ):
        assert sum(found.startswith(begin) for found in bad) == 1, (begin, bad)
    assert all(check["advice"] for check in checks if not check["is_good"])
    (slack_side,) = [check for check in checks if check["found"].startswith("SLACK_APP_TOKEN")]
    assert slack_side["advice"].startswith("Create an app-level token")
    assert "canary" not in ended.out + ended.err + started.err
    assert started.err.endswith(
        "`usher doctor` says what to do about each; `usher up` asks for what is missing.\n"
    )
    # A refused start, too, names all problems at once.
    for named in (
        "USHER_LOG_LEVEL",
        "SLACK_APP_TOKEN",
        "belong together",
        "USHER_PUBLIC_URI",
        "hub",
    ):
        assert named in started.err


async def test_where_there_are_no_settings_nothing_else_is_said_to_be_wrong(tmp_path):
    ended = await run("doctor", cwd=tmp_path)
    assert (ended.status, ended.err) == (2, "")
    first, advice = ended.out.splitlines()
    assert first == f"BAD  settings: there are none here ({tmp_path})"
    assert "Run it where Usher runs: `usher docs incidents`" in advice
    rotated = await run("keys", "rotate", cwd=tmp_path)
    assert rotated.status == 2
    assert rotated.err.endswith(f"{advice.strip().removeprefix('→ ')}\n"), (rotated.err, advice)


async def test_what_says_itself_what_to_do_gets_no_other_advice(tmp_path):
    env = environment(tmp_path)
    (tmp_path / "connections.toml").chmod(0o622)
    key = tmp_path / "elsewhere" / "key"
    key.parent.mkdir()
    key.write_text(KEY)
    key.chmod(0o644)
    ended = await run("doctor", "--json", env={**env, "USHER_ENCRYPTION_KEYS": f"file:{key}"})
    wrong = [check for check in json.loads(ended.out)["checks"] if check["name"] == "settings"]
    assert [(check["found"].endswith("chmod 600 it"), check["advice"]) for check in wrong] == [
        (True, ""),
        (False, ""),
    ]
    assert "can write connections.toml: chmod 600 connections.toml" in wrong[1]["found"]


async def test_where_secrets_are_systemds_it_says_how_it_gets_them(tmp_path):
    env = environment(tmp_path, SLACK_BOT_TOKEN="credential:secret_slack_bot_token")
    ended = await run("doctor", "--json", env=env)
    (wrong,) = [check for check in json.loads(ended.out)["checks"] if check["name"] == "settings"]
    assert "CREDENTIALS_DIRECTORY is not set" in wrong["found"]
    assert "`usher-run doctor`" in wrong["advice"]


async def test_what_only_does_nothing_is_said_and_keeps_nothing_from_starting(tmp_path):
    async with slack() as (local, _client):
        env = environment(tmp_path, **of_slack(local), USHER_LEFTOVER="canary")
        ended = await run("doctor", env=env)
        migrated = await run("migrate", env=env)
    assert ended.status == 1
    assert "BAD  settings: USHER_LEFTOVER: there is no such setting, so it does nothing" in ended.out
    assert (migrated.status, "USHER_LEFTOVER" in migrated.err) == (0, True)


async def rights(folder, http, url, store, extra):
    return await store_checks.check_rights(store, {"saturn": providers_of(folder, http, url, extra)})


async def test_a_server_that_wants_the_administrators_token_is_named(tmp_path, http):
    by_admin = 'linking = ["admin"]\nadmin_token = "adm"\n'
    async with saturn_server() as saturn, memory_store() as store:
        assert await rights(tmp_path, http, saturn.url, store, "") == []
        (good,) = await rights(tmp_path, http, saturn.url, store, by_admin)
        assert (good.is_good, good.found) == (True, "the admin token is accepted")
        workspace = (await linked(store)).workspaces[0]
        operation = (
            await accept_operation(
                store, workspace, interaction="i1", deadline_seconds=1800.0, reference="R-1"
            )
        ).operation
        await store.write(
            operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FAILED, cause="forbidden: no")
        )
        (bad,) = await rights(tmp_path, http, saturn.url, store, by_admin)
        assert not bad.is_good
        assert "refused the right to 1 of their operations" in bad.found
        assert 'act_as = "admin"' in bad.advice
        (good,) = await rights(tmp_path, http, saturn.url, store, by_admin + 'act_as = "admin"\n')
        assert good.is_good
        wrong = by_admin.replace('adm"\n', 'wrong"\n')
        (bad,) = await rights(tmp_path, http, saturn.url, store, wrong)
        assert bad.found == "the admin token is refused"
