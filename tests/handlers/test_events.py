"""Events: direct messages and mentions, people who join, change or leave, and removal of the app."""

import json
from dataclasses import replace

import pytest

from bot.domain.hours import HoursRule
from bot.domain.installations import Installation
from bot.domain.notices import NoticeKind
from bot.domain.people import Person, Principal
from bot.domain.policy import find_flaw
from bot.domain.time_parsing import EVERY_DAY
from bot.store import accounts, notices, operations, tasks
from bot.store import hours as hours_store
from bot.store.tables import ACCOUNTS
from bot.support.errors import SlackLimited, SlackPermanent, SlackUnknownOutcome, StoreBusy
from bot.web.bolt import dispatch
from handlers.events import on_tokens_revoked, on_user_change
from handlers.requests.event_request import EventRequest
from tests.handlers.rig import COLLEAGUE, STRANGER, activate, rig, unlinked
from tests.handlers.slack import LittleSlack, bolt_for, event, mention, message, send
from tests.rigs.clock import FakeClock
from tests.rigs.providers import FakeMachines, fake_settings
from tests.rigs.store import ALICE

OWN_INSTALLATION = Installation("T1", bot_user_id="UBOT", bot_id="BBOT", team_name="Acme Research")


@pytest.fixture
def app(bot):
    return bolt_for(bot.services, LittleSlack())


async def replies(bot):
    return [notice.body for notice in await bot.notices(NoticeKind.REPLY)]


# -- direct messages -------------------------------------------------------------------------------


async def test_messages_without_an_id_are_all_answered(bot, app):
    for _ in range(2):
        # The front rejects messages without an id; this is what the bot would do with one.
        await dispatch(app, message("about", event_id=None, ts=None))
    assert len(await replies(bot)) == 2


@pytest.mark.parametrize(
    "keys",
    [
        {"bot_id": "B1", "user": None},
        {"bot_id": "BBOT", "user": "UBOT"},
        {"bot_id": "B1", "edited": {"user": "UALICE", "ts": "1"}},
        {"subtype": "message_changed", "hidden": True},
        {"subtype": "message_deleted"},
        {"subtype": "bot_message"},
        {"subtype": "file_share", "user": "UBOT"},
        {"subtype": "channel_topic"},
        {"edited": {"user": "UALICE", "ts": "1"}},
        {"user": None},
        {"user": "USLACKBOT"},
        {"user": "USLACKBOT", "subtype": "slackbot_response"},
        {"channel_type": "channel"},
        {"channel_type": "mpim"},
    ],
)
async def test_what_nobody_said_to_the_bot_is_passed_over(bot, app, keys):
    await bot.link()
    assert (await send(app, message("start notebook", **keys))).status == 200
    assert await bot.notices() == []


@pytest.mark.parametrize("keys", [{"bot_id": "B1"}, {"bot_profile": {"id": "B1"}}], ids=["id", "profile"])
async def test_what_an_app_writes_in_a_persons_name_is_explained_once_a_day(bot, app, keys):
    await bot.link()
    for _ in range(3):
        await send(app, message("start notebook", **keys))
    (reply,) = await replies(bot)
    assert "An app wrote that in your name, so I haven't done anything" in reply["text"]
    assert await bot.store.read(operations.open_operations, ALICE) == []
    bot.clock.advance(86_400)
    await send(app, message("start notebook", **keys))
    assert len(await replies(bot)) == 2


@pytest.mark.parametrize(
    "keys", [{"subtype": "file_share", "files": [{"id": "F1"}]}, {"subtype": "me_message"}]
)
async def test_what_is_said_with_a_file_or_about_oneself_is_said(bot, app, keys):
    await bot.link()
    await send(app, message("start notebook", **keys))
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1


async def test_an_empty_direct_message_is_greeted(bot, app):
    await bot.link()
    await send(app, message(" "))
    (body,) = await replies(bot)
    assert "Hi! " in json.dumps(body["blocks"])


@pytest.mark.parametrize("say", [message, mention])
async def test_a_file_without_a_word_gets_one_sentence_once(bot, app, say):
    text = "" if say is message else "<@UBOT> "
    for _ in range(2):
        await send(app, say(text, subtype="file_share", files=[{"id": "F1"}]))
    (body,) = await replies(bot)
    typed = "help" if say is message else "@usher help"
    assert f"I can't use files. Tell me what you need, or type `{typed}`." in json.dumps(body["blocks"])


SHARED_MESSAGE = {
    "is_share": True,
    "is_msg_unfurl": True,
    "author_id": "UCARLA",
    "from_url": "https://a.slack.com/p1?thread_ts=1.2&cid=C1",
}
FORWARDED_MESSAGES = [
    SHARED_MESSAGE | {"text": "start notebook", "message_blocks": [{"message": {"blocks": []}}]}
]


@pytest.mark.parametrize("subtype", [{}, {"subtype": "message_share"}], ids=["plain", "message_share"])
@pytest.mark.parametrize(
    ("say", "text"),
    [
        (message, ""),
        (message, "<https://a.slack.com/p1?thread_ts=1.2&amp;cid=C1>"),
        (message, "<@UBOT>"),
        (mention, "<@UBOT>"),
    ],
    ids=["nothing", "its link", "a mention", "in a channel"],
)
async def test_forwarded_message_is_not_read(say, text, subtype):
    async with rig(installation=OWN_INSTALLATION) as bot:
        await bot.link()
        await send(
            bolt_for(bot.services, LittleSlack()), say(text, attachments=FORWARDED_MESSAGES, **subtype)
        )
        (body,) = await replies(bot)
        typed = "help" if say is message else "@usher help"
        sentence = "I don't read forwarded messages. Tell me what you need in your own words"
        assert f"{sentence}, or type `{typed}`." in json.dumps(body["blocks"])
        assert await bot.store.read(operations.open_operations, ALICE) == []


@pytest.mark.parametrize("subtype", [{}, {"subtype": "message_share"}], ids=["plain", "message_share"])
@pytest.mark.parametrize("say", [message, mention], ids=["direct", "channel"])
async def test_own_words_above_a_forwarded_message_count(say, subtype):
    async with rig(installation=OWN_INSTALLATION) as bot:
        await bot.link(names=("notebook", "report"))
        told = say("<@UBOT> stop report", attachments=FORWARDED_MESSAGES, **subtype)
        await send(bolt_for(bot.services, LittleSlack()), told)
        (operation,) = await bot.store.read(operations.open_operations, ALICE)
        assert (operation.verb, operation.workspace_id) == ("stop", (await bot.workspace("report")).id)


async def test_mention_within_a_forwarded_message_asks_nothing():
    async with rig(installation=OWN_INSTALLATION) as bot:
        await bot.link()
        attachments = [SHARED_MESSAGE | {"text": "<@UBOT> start notebook"}]
        app = bolt_for(bot.services, LittleSlack())
        assert (await send(app, mention("fyi start notebook", attachments=attachments))).status == 200
        assert await bot.notices() == []


@pytest.mark.parametrize("user", ["USLACKBOT", "UBOT"], ids=["slackbot", "usher itself"])
@pytest.mark.parametrize("say", [message, mention], ids=["direct", "channel"])
async def test_slackbot_and_usher_itself_are_not_answered(say, user):
    """Slack isn't even asked who the author is."""
    async with rig(installation=OWN_INSTALLATION) as bot:
        told = say("<@UBOT> start notebook", user=user)
        assert (await send(bolt_for(bot.services, LittleSlack()), told)).status == 200
        assert await bot.notices() == []
        assert await bot.store.claim(tasks.claim_tasks, 50, 30.0) == []


async def test_a_message_of_nobody_is_passed_over(bot, app):
    odd = message("start", team=None, outer={"is_ext_shared_channel": True})
    assert (await send(app, odd)).status == 200
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_what_could_not_be_written_down_is_not_acknowledged(bot, app):
    bot.store.fails[notices.add_notices] = StoreBusy("2 s")
    assert (await send(app, message("about"))).status == 503
    del bot.store.fails[notices.add_notices]
    assert (await send(app, message("about"))).status == 200
    assert len(await replies(bot)) == 1


async def test_a_fault_of_ours_does_not_come_back_with_every_redelivery(bot, app):
    bot.store.fails["save_people"] = ValueError("a fault")
    assert (await send(app, event("team_join", user={"id": "U5", "team_id": "T1"}))).status == 200


async def test_an_event_that_nobody_listens_to_is_acknowledged(bot, app):
    assert (await send(app, event("reaction_added", user="UALICE"))).status == 200


# -- mentions --------------------------------------------------------------------------------------


async def test_a_mention_by_a_bot_is_passed_over(bot, app):
    await send(app, mention("<@UBOT> list", bot_id="B1"))
    assert await bot.notices() == []


# -- people ----------------------------------------------------------------------------------------


def user(principal=ALICE, **keys):
    return {"id": principal.user_id, "team_id": principal.team_id, "real_name": "Alice"} | keys


async def test_who_leaves_loses_every_link_and_can_do_nothing_more(bot, app):
    for connection in ("saturn", "hub"):
        await activate(bot.store, ALICE, connection)
    await activate(bot.store, COLLEAGUE, "saturn", username="chen")
    bot.people.marks[ALICE.user_id] = {"is_deleted": True}
    await send(app, event("user_change", user=user(deleted=True)))
    assert await bot.store.read(accounts.list_accounts, ALICE) == []
    assert len(await bot.store.read(accounts.list_accounts, COLLEAGUE)) == 1
    assert await unlinked(bot) == [("slack", ALICE, name, "left") for name in ("hub", "saturn")]
    assert await bot.notices(NoticeKind.UNLINKED) == []
    assert "This Slack account is deactivated" in (await bot.say("list")).text


async def test_who_becomes_a_guest_keeps_no_link_and_no_hours_and_is_told(bot, app):
    """A guest keeps links on connections without user accounts, as only Usher knows who owns what there."""
    shared = bot.connections["hub"]
    shared.settings = shared.settings.model_copy(update={"linking": ("none",)})
    for name in ("saturn", "hub"):
        await activate(bot.store, ALICE, name)
    rule = HoursRule("rule_1", ALICE, "hub", "workspace_1", "UTC", 0.0, days=EVERY_DAY, starts=540)
    await bot.store.carry_out(lambda tx: hours_store.save_rule(tx, rule))
    bot.people.marks[ALICE.user_id] = {"is_guest": True}
    await send(app, event("user_change", user=user(is_restricted=True)))
    assert [one.connection for one in await bot.store.read(accounts.list_accounts, ALICE)] == ["hub"]
    assert await bot.store.read(hours_store.list_rules_of_person, ALICE) == []
    (told,) = await bot.notices(NoticeKind.UNLINKED)
    assert (told.principal, told.body["cause"]) == (ALICE, "guest")


@pytest.mark.parametrize(
    "keys",
    [{"deleted": True}, {"is_restricted": True}, {"is_ultra_restricted": True}, {"is_bot": True}],
    ids=lambda keys: next(iter(keys)),
)
async def test_event_that_is_not_so_any_more_refuses_nobody(bot, app, keys):
    """If two events arrive in the wrong order, the second one is older."""
    await activate(bot.store, ALICE, "saturn")
    for told in (user(), user(**keys)):
        await send(app, event("user_change", user=told))
    assert len(await bot.store.read(accounts.list_accounts, ALICE)) == 1
    assert find_flaw(await bot.store.person(ALICE)) is None


async def test_event_that_is_not_so_any_more_lets_nobody_in(bot, app):
    bot.people.marks[ALICE.user_id] = {"is_guest": True}
    for told in (user(is_restricted=True), user()):
        await send(app, event("user_change", user=told))
    assert find_flaw(await bot.store.person(ALICE)) == "guest"


async def test_leaver_whom_slack_no_longer_describes_has_left(bot, app, monkeypatch):
    async def look_up(_principal):
        raise SlackPermanent("users.info", "user_not_found")

    await activate(bot.store, ALICE, "saturn")
    monkeypatch.setattr(bot.people, "look_up", look_up)
    await send(app, event("user_change", user=user(deleted=True)))
    assert await bot.store.read(accounts.list_accounts, ALICE) == []


async def test_changes_of_people_as_they_are_known_ask_slack_nothing(bot, app):
    bot.people.marks["U2"] = {"is_guest": True}
    guest = Principal(None, ALICE.team_id, "U2")
    seen = user(guest, is_restricted=True)
    for told in (user(), user(real_name="A."), seen, seen):
        await send(app, event("user_change", user=told))
    assert bot.people.asked == ["U2"]


async def test_who_only_changes_their_name_keeps_their_links(bot, app):
    await activate(bot.store, ALICE, "saturn")
    await send(app, event("user_change", user=user(real_name="Alice B.")))
    assert (await bot.store.person(ALICE)).name == "Alice B."
    assert len(await bot.store.read(accounts.list_accounts, ALICE)) == 1


@pytest.mark.parametrize("seconds", [0.001, 1.0, 45.0])
async def test_older_event_brings_no_former_time_zone_back(bot, app, seconds):
    now = bot.services.clock.now()
    bot.people.marks[ALICE.user_id] = {"time_zone": "Asia/Tokyo"}
    for zone, at in (("Asia/Tokyo", now), ("Europe/Berlin", now - seconds)):
        changed = {**user(), "tz": zone}
        await send(app, event("user_change", user=changed, event_ts=f"{at:.6f}", event_time=int(now)))
    assert (await bot.store.person(ALICE)).time_zone == "Asia/Tokyo"
    assert bot.people.asked == [ALICE.user_id]


@pytest.mark.parametrize(
    "told",
    [
        event("user_change", user="UALICE"),
        event("user_change", user={"id": "UALICE"}),
        event("user_change", user=user(STRANGER)),
        event("user_change", user=user(), outer={"team_id": "T9", "authorizations": [{"team_id": "T9"}]}),
    ],
)
async def test_a_change_that_names_nobody_of_ours_changes_nothing(bot, told):
    await on_user_change(EventRequest(told, bot.services, "event:1"))
    assert [await bot.store.person(one) for one in (ALICE, STRANGER)] == [None, None]


# -- the app ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (event("app_uninstalled"), set()),
        (event("tokens_revoked", tokens={"bot": ["UBOT"]}), set()),
        (event("tokens_revoked", tokens={"oauth": ["UALICE"], "bot": []}), {COLLEAGUE}),
        (event("tokens_revoked", tokens={}), {ALICE, COLLEAGUE}),
        (event("tokens_revoked"), {ALICE, COLLEAGUE}),
    ],
)
async def test_an_app_that_is_removed_ends_the_links(bot, app, told, left):
    for principal in (ALICE, COLLEAGUE):
        await activate(bot.store, principal, "saturn", username=principal.user_id)
    assert (await send(app, told)).status == 200
    assert {account.principal for account in await bot.store.perform(accounts.list_active_accounts)} == left
    # A person who only revoked their own authorisation can still be sent messages.
    is_alone = left == {COLLEAGUE}
    assert len(await bot.notices(NoticeKind.UNLINKED)) == is_alone
    causes = {cause for *_, cause in await unlinked(bot)}
    assert causes == ({"revoked"} if is_alone else set() if left else {"uninstalled"})


@pytest.mark.parametrize("is_resting", [False, True], ids=["refused", "resting"])
@pytest.mark.parametrize(
    "told",
    [event("app_uninstalled"), event("tokens_revoked", tokens={"oauth": ["UALICE"]})],
    ids=["removed", "revoked"],
)
async def test_links_that_are_not_in_use_end_with_the_others(bot, app, told, is_resting):
    account = await activate(bot.store, ALICE, "saturn")
    await bot.store.write(accounts.refuse, account, None)
    if is_resting:
        await bot.store.carry_out(lambda tx: ACCOUNTS.change(tx, {"id": account.id}, resting_since=tx.now()))
    bot.clock.advance(5)
    assert (await send(app, told)).status == 200
    assert await bot.store.read(accounts.list_accounts, ALICE) == []


removals = pytest.mark.parametrize(
    ("kind", "tokens"),
    [
        pytest.param("app_uninstalled", {}, id="uninstalled"),
        pytest.param("tokens_revoked", {"bot": ["UBOT"]}, id="revoked"),
        pytest.param("tokens_revoked", {"bot": ["UBOT"], "oauth": ["UALICE"]}, id="revoked-with-a-persons"),
    ],
)


@removals
@pytest.mark.parametrize("age", [0, 290, 86_400], ids=["now", "minutes", "a-day"])
async def test_removal_ends_nothing_while_slack_takes_the_token(bot, app, kind, tokens, age):
    await activate(bot.store, ALICE, "saturn")
    bot.services.context.tenants.is_taken = True
    told = event(kind, tokens=tokens, outer={"event_time": int(bot.clock.now()) - age})
    assert (await send(app, told)).status == 200
    assert len(await bot.store.read(accounts.list_accounts, ALICE)) == 1
    bot.services.context.tenants.is_taken = False
    await send(app, told)
    assert await bot.store.read(accounts.list_accounts, ALICE) == []
    assert bot.services.context.tenants.forgotten == ["token of T1"]


@removals
async def test_removal_is_delivered_again_while_slack_is_away(bot, app, kind, tokens):
    await activate(bot.store, ALICE, "saturn")
    for error in (SlackLimited("auth.test", 30.0), SlackUnknownOutcome("auth.test", "no_answer")):
        bot.services.context.tenants.error = error
        assert (await send(app, event(kind, tokens=tokens))).status == 503
    assert len(await bot.store.read(accounts.list_accounts, ALICE)) == 1


@pytest.mark.parametrize(
    "tokens", [{"bot": ["UOTHER"]}, {"bot": ["UOTHER"], "oauth": ["UALICE"]}], ids=["alone", "with-a-persons"]
)
async def test_revocation_of_another_bot_ends_nothing(tokens):
    async with rig(installation=Installation("T1", bot_user_id="UBOT", bot_id="BBOT")) as bot:
        await activate(bot.store, ALICE, "saturn")
        revoked = event("tokens_revoked", tokens=tokens)
        assert (await send(bolt_for(bot.services, LittleSlack()), revoked)).status == 200
        assert len(await bot.store.read(accounts.list_accounts, ALICE)) == 1


@pytest.mark.parametrize(
    ("seconds", "is_kept"),
    [pytest.param(-5, False, id="before"), pytest.param(5, True, id="since")],
)
async def test_revoked_sign_in_ends_what_was_linked_before(bot, app, seconds, is_kept):
    await activate(bot.store, ALICE, "saturn")
    told = event(
        "tokens_revoked",
        tokens={"oauth": ["UALICE"]},
        outer={"event_time": int(bot.clock.now() - seconds)},
    )
    await send(app, told)
    assert bool(await bot.store.read(accounts.list_accounts, ALICE)) is is_kept


async def test_revoked_sign_in_keeps_what_was_linked_since_and_what_needs_no_link():
    clock = FakeClock()
    shared = FakeMachines(clock, fake_settings("sphere", linking=("none",)))
    connections = {"sphere": shared} | {
        one: FakeMachines(clock, fake_settings(one)) for one in ("hub", "sat")
    }
    async with rig(connections=connections) as bot:
        for name in ("sphere", "hub"):
            await activate(bot.store, ALICE, name)
        at = int(bot.clock.now())
        bot.clock.advance(60)
        await activate(bot.store, ALICE, "sat")
        told = event("tokens_revoked", tokens={"oauth": ["UALICE"]}, outer={"event_time": at})
        await on_tokens_revoked(EventRequest(told, bot.services, "event:1"))
        left = await bot.store.read(accounts.list_accounts, ALICE)
        assert [one.connection for one in left] == ["sat", "sphere"]


async def test_events_of_an_enterprise_are_ours_where_all_of_it_has_installed_us():
    told = event("app_uninstalled") | {
        "authorizations": [{"team_id": None, "enterprise_id": "E1"}],
        "team_id": "T5",
    }
    async with rig(installation=Installation(None, "E1", is_org_wide=True)) as bot:
        assert EventRequest(told, bot.services, "").installation is not None
    async with rig(installation=Installation("T1", "E1")) as bot:
        assert EventRequest(told, bot.services, "").installation is None
        assert EventRequest({"event": None}, bot.services, "").event == {}


async def test_member_of_another_team_of_the_enterprise_is_served():
    colleague = Principal("E1", "T2", "UFAR")
    async with rig(installation=Installation("T1", "E1", is_org_wide=True)) as bot:
        await bot.link(colleague)
        assert (await bot.say("start", colleague)).text.startswith("Starting notebook")
        await bot.store.save_people([Person(colleague, "Far", is_guest=True, seen_at=bot.clock.now() + 1)])
        assert "Guests" in (await bot.say("start", replace(colleague))).text
