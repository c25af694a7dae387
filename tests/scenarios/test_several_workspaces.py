"""Several Slack workspaces and an organisation: installed by OAuth, served side by side, and removed."""

import pytest
import pytest_asyncio

from bot.commands.installed_checks import check_installations
from bot.slack.tokens import REPLACE_EARLY_SECONDS
from bot.store import accounts, installations, slack_rate_limits
from bot.store.slack_rate_limits import CallQuota
from tests.rigs.scenario.several import FIRST, ORG, SECOND, several

HOUR = 3600.0
#: A channel shared by Acme Research, Beta Labs and other organisations.
SHARED = "C0SCIENCE"


@pytest_asyncio.fixture
async def places(tmp_path):
    async with several(tmp_path) as ready:
        yield ready


async def test_the_same_id_in_two_workspaces_is_two_people_with_own_tokens(places):
    olivia, other = places.at(FIRST, "U0OLIVIA"), places.at(SECOND, "U0OLIVIA")
    done = await places.installs(FIRST)
    assert (done.status, "Usher is installed in Acme Research" in done.text) == (200, True)
    await places.know_everybody()
    # However a request is signed, only people of that workspace are served.
    places.slacks[SECOND].state.app.installed = True
    assert "not installed in your Slack" in (await other.types("list")).text
    assert (await places.installs(SECOND)).status == 200
    await places.know_everybody()
    await olivia.links("alice")
    await other.links("bob")
    await olivia.types("start training")
    await places.pass_time(30)
    assert "*training* is ready" in olivia.only("ready").text
    assert other.told("ready") == []
    assert "analysis" in (await other.types("list")).text
    assert "training" not in (await other.types("list")).text
    people = {
        account.principal.key: account.username
        for account in await places.bot.store.perform(accounts.list_active_accounts)
    }
    assert people == {f"-:{FIRST}:U0OLIVIA": "alice", f"-:{SECOND}:U0OLIVIA": "bob"}
    assert "*Beta Labs*" in (await other.types("about")).text
    # Each Slack workspace has its own rate limits.
    left = [
        await places.bot.store.read(
            slack_rate_limits.count_remaining_calls, CallQuota(team, "chat.postMessage", 500)
        )
        for team in (FIRST, SECOND)
    ]
    assert left[0] < left[1]
    installed = await places.audit("slack.installed")
    assert [(row["actor"], row["target"]) for row in installed] == [
        (f"{FIRST}:U0OLIVIA", FIRST),
        (f"{SECOND}:U0OLIVIA", SECOND),
    ]


async def test_tokens_are_replaced_in_time_once_and_also_after_they_have_expired(places):
    await places.installs(FIRST)
    await places.know_everybody()
    olivia, tokens = places.at(FIRST, "U0OLIVIA"), places.slacks[FIRST].state.tokens
    await olivia.links("alice")

    def bots():
        return [one for one in tokens.values() if one.kind == "bot"]

    assert len(bots()) == 1
    places.clock.advance(12 * HOUR - REPLACE_EARLY_SECONDS + 60)
    await olivia.types("start training")
    await places.pass_time(30)
    assert "*training* is ready" in olivia.only("ready").text
    assert [one.refresh is None for one in bots()] == [True, False]
    # Nothing was sent for a long time after the token expired. The next call replaces the token.
    places.clock.advance(30 * HOUR)
    found = await check_installations(places.bot.store, places.settings(), places.bot.http)
    assert [one.is_good for one in found] == [True]
    await olivia.types("status training")
    assert (await olivia.writes("list"))[-1].text
    assert [one.refresh is None for one in bots()] == [True, True, False]
    # After a restart, the bot continues with the stored tokens.
    await places.stop_bot()
    await places.start_bot()
    assert "training" in (await olivia.types("list")).text
    assert len(bots()) == 3
    # Slack had already issued the next token, but the process that should have stored it was killed. The app
    # has to be installed again.
    bots()[-1].refresh = None
    places.clock.advance(12 * HOUR - REPLACE_EARLY_SECONDS + 60)
    await olivia.writes("list")
    await places.pass_time(10)
    assert any("*Your workspaces*" in one.text for one in olivia.sees("@bot")[-2:])
    assert "couldn't renew my access to *Acme Research*" in olivia.only("outage").text
    (lost,) = await check_installations(places.bot.store, places.settings(), places.bot.http)
    assert (lost.is_good, lost.advice) == (False, f"Install Usher there again: {places.origin}/slack/install")
    assert (await places.installs(FIRST)).status == 200
    found = await check_installations(places.bot.store, places.settings(), places.bot.http)
    assert [one.is_good for one in found] == [True, True, True]
    assert "training" in (await olivia.types("list")).text


async def test_a_removed_app_ends_links_there_alone_and_is_installed_again(places):
    await places.installs(FIRST)
    await places.installs(SECOND)
    await places.know_everybody()
    olivia, other = places.at(FIRST, "U0OLIVIA"), places.at(SECOND, "U0OLIVIA")
    await olivia.links("alice")
    await other.links("bob")
    await olivia.types("start notebook")
    slack = places.slacks[FIRST]
    events = await slack.uninstall()
    seen = len(olivia.sees())
    await places.pass_time(60)
    assert len(olivia.sees()) == seen
    assert [
        one.principal.team_id for one in await places.bot.store.perform(accounts.list_active_accounts)
    ] == [SECOND]
    assert [one.id for one in await places.bot.store.read(installations.list_installations)] == [SECOND]
    assert [row["target"] for row in await places.audit("slack.removed")] == [FIRST]
    unlinked = [row["target"] for row in await places.audit("account.unlinked")]
    assert len(unlinked) == 1
    assert "analysis" in (await other.types("list")).text
    found = await check_installations(places.bot.store, places.settings(), places.bot.http)
    assert [(one.name, one.is_good) for one in found] == [
        ("administrators", False),  # the one whom the settings name is of the workspace that is gone
        (f"slack token of Beta Labs ({SECOND})", True),
        (f"slack scopes of Beta Labs ({SECOND})", True),
    ]
    # After the app was installed again, people link again. A repeated event about the removal changes
    # nothing.
    assert (await places.installs(FIRST)).status == 200
    await olivia.links("alice")
    for event in filter(None, events):
        await slack.events.redeliver(event)
    await places.settle()
    assert [one.id for one in await places.bot.store.read(installations.list_installations)] == [
        FIRST,
        SECOND,
    ]
    await olivia.types("start training")
    await places.pass_time(40)
    assert "*training* is ready" in olivia.only("ready").text


async def test_a_connection_is_only_for_the_workspaces_that_are_named(tmp_path):
    async with several(tmp_path, saturn_connection={"workspaces": [SECOND, ORG]}) as places:
        await places.installs(FIRST)
        await places.installs(SECOND)
        await places.know_everybody()
        olivia, other = places.at(FIRST, "U0OLIVIA"), places.at(SECOND, "U0OLIVIA")
        for asked in ("link saturn", "link", "list", "new", "about"):
            shown = await olivia.types(asked)
            assert not [label for label in shown.labels if "Saturn" in label or "New" in label], shown.text
        assert "Saturn Cloud" not in (await olivia.opens_home()).text
        await other.links("bob")
        await other.types("start analysis")
        await places.pass_time(40)
        assert "*analysis* is ready" in other.only("ready").text
        # The connection no longer names that workspace, so nobody there can use it, whether linked or not.
        await places.stop_bot()
        places._options["saturn_connection"] = {"workspaces": [ORG]}
        await places.start_bot()
        await places.pass_time(2)
        assert "*analysis* on Saturn Cloud" in (await other.types("stop analysis")).text
        await places.pass_time(40)
        assert "Saturn Cloud isn't available in your Slack workspace" in other.only("failed").text
        assert not places.calls("POST .*/stop")


async def test_an_organisation_has_one_person_in_all_its_workspaces(places):
    done = await places.installs(ORG)
    assert "Usher is installed in Grid Holdings" in done.text
    assert f"https://app.slack.com/manage/{ORG}/" in done.text
    await places.know_everybody()
    sam = places.at("T0SOUTH", "U0SAM")
    await sam.links("alice")
    assert [one.principal.key for one in await places.bot.store.perform(accounts.list_active_accounts)] == [
        f"{ORG}:{ORG}:U0SAM"
    ]
    # His press names no workspace. After he moves to another workspace, he is still the same person.
    await sam.types("start notebook")
    await places.pass_time(2)
    shown = await sam.types("status notebook")
    places.slacks[ORG].state.people["U0SAM"].team_id = "T0NORTH"
    await sam.presses(shown, "Stop")
    await places.pass_time(60)
    assert "topped" in sam.only("stopped").text
    assert "notebook" in (await sam.types("list")).text
    assert "*Grid Holdings*" in (await sam.types("about")).text


async def test_neither_an_organisation_nor_one_of_its_workspaces_replaces_the_other(places):
    await places.installs(ORG)
    grid = places.slacks[ORG].state.app
    grid.is_enterprise_install = False
    refused = await places.installs(ORG)
    assert (refused.status, "already installed for your whole organisation" in refused.text) == (409, True)
    assert [one.id for one in await places.bot.store.read(installations.list_installations)] == [ORG]
    grid.is_enterprise_install = True
    await places.slacks[ORG].uninstall()
    grid.is_enterprise_install = False
    assert (await places.installs(ORG)).status == 200
    grid.is_enterprise_install = True
    refused = await places.installs(ORG)
    assert (refused.status, "remove it from that workspace first" in refused.text) == (409, True)
    assert [one.id for one in await places.bot.store.read(installations.list_installations)] == ["T0NORTH"]


async def mention_on_both_sides(places, sides, user, text):
    """Mention Usher in a channel shared by two workspaces. Each side gets the event, one after the other.

    The author belongs either to one of these workspaces or to another organisation.
    """
    slack = places.slacks[FIRST]
    slack.events.hold()
    await slack.say(user, SHARED, text)
    own = next(
        one.payload
        for one in reversed(slack.events.deliveries.values())
        if one.payload["event"]["type"] == "app_mention"
    )
    for team in sides:
        there = {"team_id": team, "context_team_id": team, "event_id": f"Ev0{team}"}
        authorized = own["authorizations"][0] | {"team_id": team}
        payload = own | there | {"authorizations": [authorized]}
        assert (await places.slacks[team].dispatcher.send("event", payload)).ok
        await places.settle()
    await slack.events.catch_up()
    await places.pass_time(30)


@pytest.mark.parametrize("sides", [(FIRST, SECOND), (SECOND, FIRST)], ids="-".join)
async def test_mention_in_a_shared_channel_is_done_once(places, sides):
    """In either order, the author is served as themselves, and is answered by their own workspace."""
    await places.installs(FIRST)
    await places.installs(SECOND)
    await places.know_everybody()
    olivia, other = places.at(FIRST, "U0OLIVIA"), places.at(SECOND, "U0OLIVIA")
    await olivia.links("alice")
    await mention_on_both_sides(places, sides, olivia.id, "@usher start training")
    assert places.calls("POST .*/start") == 1
    (answer,) = olivia.hears(channel=SHARED)
    assert "Starting *training*" in answer.text
    assert other.hears(channel=SHARED) == []


async def test_stranger_in_a_shared_channel_is_refused_once(places):
    """The author's own workspace doesn't have Usher, so the side that gets the event first refuses."""
    await places.installs(FIRST)
    await places.installs(SECOND)
    await places.know_everybody()
    pavel = [places.at(team, "U0PAVEL") for team in (FIRST, SECOND)]
    await mention_on_both_sides(places, (SECOND, FIRST), "U0PAVEL", "@usher list")
    said = [shown.text for one in pavel for shown in one.hears(channel=SHARED)]
    assert len(said) == 1
    assert "I only work for people in Slack workspaces" in said[0]
