"""Tests of an installation's state parameter: issued by Usher, for one browser, one use and ten minutes."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from bot.commands.installed_checks import check_installations
from bot.store import installations
from bot.support.vault import Vault
from bot.web.install import STATE_SECONDS
from tests.rigs.scenario.several import FIRST, ORG, SECOND, several
from tests.rigs.scenario.stage import inject_fault

REFUSED = '{"ok": false, "error": "no_permission"}'


@pytest_asyncio.fixture
async def places(tmp_path):
    async with several(tmp_path) as ready:
        yield ready


async def allowed(places, team=FIRST):
    """Return the address to which Slack redirects, and the state of the browser that began."""
    address, state = await places.begins(team)
    return (await places.visits(f"{address}&as=U0OLIVIA")).address, state


def with_state(address, state):
    parts = urlsplit(address)
    query = {**{name: values[0] for name, values in parse_qs(parts.query).items()}, "state": state}
    return parts._replace(query=urlencode(query)).geturl()


async def test_a_state_is_taken_once_from_the_browser_that_began(places):
    back, state = await allowed(places)
    # An attacker's link does nothing in other browsers, whether they have a state of their own or none.
    _, others = await places.begins(FIRST)
    assert (await places.visits(back)).status == 400
    assert (await places.visits(back, others)).status == 400
    assert await places.bot.store.read(installations.list_installations) == []
    assert (await places.visits(back, state)).status == 200
    again, _ = await allowed(places)
    assert (await places.visits(with_state(again, state), state)).status == 401
    assert len(await places.audit("slack.installed")) == 1


async def test_a_forged_and_an_old_state_are_refused(places):
    back, state = await allowed(places)
    for sealed in (
        "x" * 40,
        Vault([Fernet.generate_key().decode()]).seal("state of an installation", {"at": "1"}),
    ):
        page = await places.visits(with_state(back, sealed), sealed)
        assert (page.status, "Start again" in page.text) == (401, True)
    places.clock.advance(STATE_SECONDS + 1)
    assert (await places.visits(back, state)).status == 401
    assert await places.bot.store.read(installations.list_installations) == []


async def test_only_the_slack_workspaces_that_the_operator_named_are_served(tmp_path):
    async with several(tmp_path) as places:
        await places.installs(SECOND)
        await places.stop_bot()
        places._options["settings"] = {"USHER_SLACK_WORKSPACES": f"{FIRST}, E0OTHER"}
        await places.start_bot()
        # Earlier installations aren't served any more, and nobody else can install Usher.
        assert "not installed in your Slack" in (await places.at(SECOND, "U0OLIVIA").types("list")).text
        for team in (SECOND, ORG):
            page = await places.installs(team)
            assert (page.status, "isn't set up to work in your Slack workspace" in page.text) == (409, True)
            # Usher uninstalls itself there immediately, and every token that was issued is revoked.
            assert not places.slacks[team].state.app.installed
            tokens = places.slacks[team].state.tokens.values()
            assert [one.value for one in tokens if one.kind == "bot" and not one.revoked] == []
        assert [one.id for one in await places.bot.store.read(installations.list_installations)] == [SECOND]
        assert (await places.installs(FIRST)).status == 200
        checks = await check_installations(places.bot.store, places.settings(), places.bot.http)
        (bad,) = [one for one in checks if not one.is_good]
        assert bad.name == f"slack workspace Beta Labs ({SECOND})"
        assert "nobody there is served" in bad.found
        settings = places.settings().model_copy(update={"administrators": "T0GONE:U0AMIR"})
        checks = await check_installations(places.bot.store, settings, places.bot.http)
        homeless = next(check for check in checks if check.name == "administrators")
        assert (homeless.is_good, "T0GONE:U0AMIR" in homeless.found) == (False, True)
        refused = [row for row in await places.audit("slack.installed") if row["result"] == "refused"]
        assert [row["target"] for row in refused] == [SECOND, ORG]
        assert all(re.search(r"['\"]slack['\"]: ?['\"]ok['\"]", str(row["detail"])) for row in refused)


async def test_where_slack_does_not_uninstall_usher_its_token_is_revoked(tmp_path):
    async with several(tmp_path, settings={"USHER_SLACK_WORKSPACES": FIRST}) as places:
        inject_fault(places.slacks.harness, "/api/apps.uninstall", status=200, body=REFUSED)
        assert (await places.installs(SECOND)).status == 409
        slack = places.slacks[SECOND].state
        assert slack.app.installed
        assert [one.revoked for one in slack.tokens.values() if one.kind == "bot"] == [True]
        (refused,) = await places.audit("slack.installed")
        assert "no_permission" in str(refused["detail"])


async def test_whoever_cancels_or_is_sent_elsewhere_installs_nothing(places):
    address, state = await places.begins(FIRST)
    refused = await places.visits((await places.visits(f"{address}&deny=1")).address, state)
    assert "You cancelled in Slack" in refused.text
    # Slack only redirects to the app's own address, and doesn't accept a used code.
    elsewhere = address.replace("oauth_redirect", "elsewhere")
    assert (await places.visits(f"{elsewhere}&as=U0OLIVIA")).status == 400
    back, state = await allowed(places)
    assert (await places.visits(back, state)).status == 200
    _, fresh = await places.begins(SECOND)
    replayed = await places.visits(with_state(back, fresh), fresh)
    assert (replayed.status, "didn't accept" in replayed.text) == (401, True)
    # A link may name a Slack workspace. Anything else in it isn't passed on to Slack.
    page = await places.visits(f"{places.origin}/slack/install?team=T1%26scope%3Dadmin")
    assert "admin" not in page.text.partition("oauth/v2/authorize")[2].partition('"')[0]


@pytest.mark.parametrize("ends", ["&as=U0OLIVIA", "&deny=1"], ids=["allowed", "cancelled"])
async def test_tab_that_began_earlier_leaves_the_newest_tab_its_state(places, ends):
    """A browser has one state, that of the newest tab. An answer to another tab doesn't end it."""
    (first, _), (second, state) = [await places.begins(FIRST) for _ in range(2)]
    earlier = await places.visits((await places.visits(first + ends)).address, state)
    assert (earlier.status, places.state) == (400, "")
    newest = await places.visits((await places.visits(f"{second}&as=U0OLIVIA")).address, state)
    assert (newest.status, places.state) == (200, "deleted")


@pytest.mark.parametrize("public_url", ["https://usher.example", None])
async def test_the_state_is_kept_for_this_host_and_for_slacks_redirect_and_https_stays_https(
    tmp_path, public_url
):
    chosen = {"USHER_PUBLIC_URL": public_url} if public_url is not None else {}
    async with (
        several(tmp_path, settings=chosen) as places,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser,
    ):
        is_https = public_url is not None
        began = f"{places.origin}/slack/install"
        state = ""
        # The second request is refused, and its response deletes the cookie.
        for address in (began, f"{places.origin}/slack/oauth_redirect?code=x&state="):
            headers = {"Cookie": state}
            url = address + state.partition("=")[2]
            async with browser.get(url, headers=headers, allow_redirects=False) as answer:
                (cookie,) = answer.cookies.values()
                state = f"{cookie.key}={cookie.value}"
                survives_stop = answer.headers.get("Strict-Transport-Security") == "max-age=31536000"
            assert cookie.key == ("__Host-usher-install" if is_https else "usher-install")
            assert (cookie["path"], cookie["domain"]) == ("/", "")
            assert (bool(cookie["secure"]), cookie["httponly"], cookie["samesite"]) == (is_https, True, "Lax")
            assert survives_stop == is_https
