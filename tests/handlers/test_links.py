"""link, unlink, whoami and help: linking one's own accounts, and people's first questions."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bot.domain.message_context import Facts
from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.people import Person, Principal
from bot.domain.surfaces import Where
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.messages.blocks.links import unlink_button
from bot.messages.blocks.notices import render
from bot.providers import facets
from bot.services import accounts, linking, waitlist
from bot.store import accounts as account_rows
from bot.store import courses, installations, operations
from bot.support.errors import StoreBusy
from handlers.requests import routes
from tests.handlers.rig import (
    COLLEAGUE,
    PAGE,
    TEAM,
    Cloud,
    Hub,
    PlainProvider,
    activate,
    buttons,
    invited,
    one_cloud,
    rig,
    unlinked,
    without_nonces,
    words,
)
from tests.rigs.clock import FakeClock
from tests.rigs.golden import check_golden
from tests.rigs.providers import FakeMachines, fake_settings
from tests.rigs.store import ALICE, hold, link_account, observe, refuse
from tests.rigs.verbs import VERBS


async def test_link_offers_every_connection(bot):
    answer = await bot.say("link")
    pressed = {label: one.get("url", "").startswith(PAGE) for label, one in buttons(answer).items()}
    assert pressed == {"Link Hub": True, "Link Saturn Cloud": True, "Enter code": False}
    check_golden("answers/link", without_nonces(answer))
    assert {(who, where) for who, where, _ in await invited(bot)} == {(ALICE, "hub"), (ALICE, "saturn")}


@pytest.mark.parametrize("name", ["saturn", "SATURN", "sat", "Saturn Cloud", "“saturn cloud”"])
async def test_link_has_the_page_of_the_one_that_is_named(bot, name):
    answer = await bot.say(f"link {name}")
    assert words(answer).startswith("Link your Saturn Cloud account.")
    assert buttons(answer)["Link Saturn Cloud"]["url"].startswith(PAGE)
    assert [(who, where) for who, where, _ in await invited(bot)] == [(ALICE, "saturn")]


@pytest.mark.parametrize(
    ("text", "doing"),
    [
        ("start notebook", "start *notebook*"),
        ("start notebook --wait until 18:00", "start *notebook* and wait for room"),
        ("start 'my {name}' for 2h", "start *my {name}* for 2h"),
        ("launch notebook until 18:00", "launch *notebook* until 18:00"),
        ("forget notebook", "take *notebook* off your list"),
        ("status notebook", "show *notebook*"),
        ("card notebook until 18:00", "post a card for notebook until 18:00"),
        ("card Biology skip 24 Dec", "skip Biology 24 Dec"),
        ("card", ""),
        ("new", ""),
        ("add nonsense", ""),
        ("could you start notebook", ""),
        ("job list", ""),
        ("forget", ""),
    ],
)
async def test_what_waits_for_a_link_is_repeated(text, doing):
    async with one_cloud() as bot:
        said = words(await bot.press("invite", f"saturn {text}"))
    assert said.startswith(
        f"To {doing}, link your" if doing else "Link your Saturn Cloud account and I'll carry on"
    )


async def test_an_unknown_connection_is_said_with_the_known_ones(bot):
    assert words(await bot.say("link moon")).startswith(
        "I don't have a connection called *moon*. I have: `Hub`, `Saturn Cloud`."
    )


async def test_the_button_answers_with_a_fresh_link(bot):
    answer = await bot.press("invite:0", "saturn start notebook", is_question=True)
    check_golden("answers/invitation", without_nonces(answer))
    ((principal, connection, waiting),) = await invited(bot)
    assert (principal, connection) == (ALICE, "saturn")
    assert waiting["text"] == "start notebook"
    assert waiting["response_url"] == "https://hooks.example.org/1"
    assert buttons(answer)["Link Saturn Cloud"]["url"].startswith(PAGE)


async def test_the_button_of_another_makes_a_link_of_ones_own(bot):
    await bot.press("invite:0", "saturn start notebook", COLLEAGUE)
    ((principal, _, _),) = await invited(bot)
    assert principal == COLLEAGUE


async def test_a_plain_link_has_no_command_waiting(bot):
    await bot.press("invite:0", "saturn")
    ((principal, connection, waiting),) = await invited(bot)
    assert (principal, connection, waiting.get("text", "")) == (ALICE, "saturn", "")


@pytest.mark.parametrize("text", ["start notebook", "link", "list"])
async def test_request_is_answered_with_each_page_and_waits_for_each(bot, text):
    answer = await bot.say(text)
    assert {"Link Hub", "Link Saturn Cloud"} <= {
        label for label, one in buttons(answer).items() if one.get("url", "").startswith(PAGE)
    }
    waits = {where: (waiting.get("text", ""), waiting["linked"]) for _, where, waiting in await invited(bot)}
    text = "" if text == "link" else text
    assert waits == {"hub": (text, "hub"), "saturn": (text, "saturn")}


async def test_offer_that_waited_is_answered_with_pages_only_after_a_press(bot):
    """A page is valid for ten minutes, and the person may not be there to press its button in time."""
    answer = await bot.say("start notebook", kind="replay")
    (row,) = [block for block in answer.blocks if block["type"] == "actions"]
    assert row["block_id"].startswith(kit.QUESTION)
    assert await invited(bot) == []
    assert (await bot.push(answer, "Link Saturn Cloud", is_question=True)).replaces


async def test_press_in_a_public_message_keeps_no_way_to_replace_it(bot):
    await bot.press("invite:0", "saturn")
    ((_, _, waiting),) = await invited(bot)
    assert "response_url" not in waiting


async def test_press_of_the_page_keeps_where_its_message_is(bot):
    await bot.say("link saturn")
    caller = bot.services.create_caller(ALICE)
    await caller.run(linking.keep_response_url, "saturn", "https://hooks.example.org/9", 5.0)
    ((_, _, waiting),) = await invited(bot)
    assert (waiting["response_url"], waiting["response_until"]) == ("https://hooks.example.org/9", 5.0)
    await bot.services.create_caller(COLLEAGUE).run(linking.keep_response_url, "saturn", "https://x", 5.0)
    assert (await invited(bot))[0][2] == waiting


async def test_without_an_address_the_click_says_so(bot):
    given = replace(bot.services.context, public_url=None)
    bot.services = replace(bot.services, context=given)
    assert "I don't have a public web address yet." in words(await bot.press("invite", "saturn"))


async def test_the_code_is_asked_for_by_a_form(bot):
    answer = await bot.say("link code")
    check_golden("answers/code", answer)
    check_golden("views/code", answer.view)
    assert (await bot.press("enter_code")).view == answer.view


async def test_unlink_asks_which_and_then_before_it_does(bot):
    for connection in ("saturn", "hub"):
        await activate(bot.store, ALICE, connection)
    answer = await bot.say("unlink")
    check_golden("answers/unlink", answer)
    done = await bot.push(answer, "Unlink Hub")
    assert words(done) == (
        "You're unlinked from Hub. I no longer use my access to your account there. "
        "I'll tell you when Hub has deleted it too."
    )
    assert await unlinked(bot) == [(ALICE.key, ALICE, "hub", "person")]
    assert await bot.notices(NoticeKind.UNLINKED) == []


async def test_unlink_asks_which_of_two_with_one_title(bot):
    """A removed connection may have the same title as one added later."""
    for connection in ("saturn", "hub"):
        await activate(bot.store, ALICE, connection)
    renamed = fake_settings("hub", title="Saturn Cloud")
    bot.connections["hub"] = PlainProvider(FakeClock(), renamed)
    answer = await bot.say("unlink saturn cloud")
    assert list(buttons(answer)) == ["Unlink Saturn Cloud (hub)", "Unlink Saturn Cloud (saturn)"]
    assert await unlinked(bot) == []
    await bot.push(answer, "Unlink Saturn Cloud (saturn)")
    assert await unlinked(bot) == [(ALICE.key, ALICE, "saturn", "person")]


async def test_in_a_direct_message_the_notice_alone_tells_of_an_unlink(bot):
    await activate(bot.store, ALICE, "saturn")
    button = unlink_button("saturn", "Saturn Cloud")
    done = await bot.press(button["action_id"], button["value"], channel_id="D1", where=Where.DIRECT)
    assert done.text == ""
    assert await unlinked(bot) == [(ALICE.key, ALICE, "saturn", "person")]
    assert len(await bot.notices(NoticeKind.UNLINKED)) == 1


@pytest.mark.parametrize("typed", ["unlink saturn", "unlink Saturn Cloud", "unlink all", "logout saturn"])
async def test_what_is_typed_is_asked_in_the_words_of_the_button(bot, typed):
    await activate(bot.store, ALICE, "saturn")
    asked = await bot.say(typed)
    dialog = unlink_button("saturn", "Saturn Cloud")["confirm"]["text"]["text"]
    assert words(asked) == f"{dialog} To continue, press *Unlink*."
    assert await unlinked(bot) == []
    await bot.push(asked, "Unlink")
    assert await unlinked(bot) == [(ALICE.key, ALICE, "saturn", "person")]


async def test_an_administrator_is_asked_about_somebody_elses_link_too():
    async with rig(administrators=frozenset({"UALICE"})) as other:
        await activate(other.store, COLLEAGUE, "saturn", "chen")
        asked = await other.say("unlink saturn <@UCHEN>")
        assert words(asked).startswith("This will delete my access to <@UCHEN>'s account on Saturn Cloud.")
        assert await unlinked(other) == []
        assert words(await other.push(asked, "Unlink")) == "<@UCHEN> is unlinked from Saturn Cloud."
        other.clock.advance(1)
        await activate(other.store, COLLEAGUE, "saturn", "chen")
        asked = await other.say("unlink <@UCHEN>")
        assert words(asked).startswith("This will delete my access to <@UCHEN>'s account on ")
        assert words(await other.push(asked, "Unlink")) == "<@UCHEN> is unlinked from Saturn Cloud."


async def test_link_with_a_workspaces_name_offers_to_open_it(bot):
    await bot.link()
    offered = buttons(await bot.say("link notebook")).values()
    assert any("notebook" in str(button.get("value")) for button in offered)


async def test_what_is_not_linked_can_not_be_unlinked(bot):
    assert "You haven't linked an account." in words(await bot.say("unlink"))
    await activate(bot.store, ALICE, "saturn")
    assert "You have no account linked on Hub." in words(await bot.say("unlink hub"))
    assert "I don't have a connection called *moon*." in words(await bot.say("unlink moon"))
    assert await unlinked(bot) == []


async def test_a_link_of_a_connection_that_was_taken_away_can_be_ended(bot):
    await activate(bot.store, ALICE, "saturn")
    del bot.connections["saturn"]
    assert "unlinked from" in words(await bot.say("unlink saturn --yes"))


async def test_unlinking_by_an_admin_tells_its_person_what_runs_on(bot):
    """Without the list, a person might learn only from a bill that Usher no longer stops a workspace."""
    made = await bot.link(names=("notebook", "training"))
    await observe(bot.store, bot.clock, made.workspaces[0], Observed(State.RUNNING))
    end = partial(accounts.end_accounts, actor="an admin", cause="administrator")
    await bot.services.create_caller(ALICE, "ends").run(end, ALICE)
    (told,) = [one for one in await bot.notices() if one.kind is NoticeKind.UNLINKED]
    assert told.body["running"] == ["notebook"]
    facts = Facts(now=0.0, connection="saturn", connection_title="Saturn Cloud", body=told.body)
    assert (
        words(render(NoticeKind.UNLINKED, facts)).count("I won't stop what's running there: *notebook*.") == 1
    )


@pytest.mark.parametrize("by", ["its person", "an administrator"])
async def test_what_was_planned_ends_in_the_message_that_says_that_the_link_has(bot, by):
    made = await bot.link(names=("notebook", "training", "gpu", "report"))
    await observe(bot.store, bot.clock, made.workspaces[0], Observed(State.RUNNING))
    await bot.say("stop notebook in 2 hours")
    await bot.say("hours training weekdays 9:00-17:00")
    await bot.services.create_caller(ALICE, "waits").run(waitlist.join, made.workspaces[2].id)
    await bot.say("start report")
    await bot.say("card training@saturn --title Biology --hours tue 8:00-9:30", COLLEAGUE)
    (card,) = await bot.store.read(courses.list_courses)
    await bot.press("class_press", card.id)
    before = len(await bot.notices())
    asked = words(await bot.say("unlink saturn"))
    for sentence in (
        "I won't stop what's running there: *notebook*.",
        "The planned stop of *notebook* will be dropped.",
        "The hours of *training* will pause until you link it again.",
        "The waiting start of *report* will be cancelled.",
        "I'll stop waiting for room for *gpu*.",
        "You'll leave *Biology*.",
    ):
        assert sentence in asked
    if by == "its person":
        said = words(await bot.say("unlink saturn --yes"))
        assert len(await bot.notices()) == before
    else:
        end = partial(accounts.end_accounts, actor="an admin", cause="administrator")
        await bot.services.create_caller(ALICE, "ends").run(end, ALICE)
        (told,) = await bot.notices(NoticeKind.UNLINKED)
        facts = Facts(now=0.0, connection="saturn", connection_title="Saturn Cloud", body=told.body)
        said = words(render(NoticeKind.UNLINKED, facts))
    for sentence in (
        "I won't stop what's running there: *notebook*.",
        "I've dropped the planned stop of *notebook*.",
        "I've paused the hours of *training*. Link it again, and they'll resume.",
        "I've cancelled the waiting start of *report*.",
        "I've stopped waiting for room for *gpu*.",
        "You've left *Biology*.",
    ):
        assert sentence in said


async def test_only_administrators_end_the_links_of_others(bot):
    await activate(bot.store, COLLEAGUE, "saturn")
    answer = await bot.say("unlink saturn <@UCHEN>")
    assert "only an usher admin can do that, and nobody is one yet" in words(answer).casefold()
    async with rig(administrators=frozenset({"T1:UALICE"})) as other:
        await activate(other.store, COLLEAGUE, "saturn")
        assert "Only Usher admins" in words(await other.say("unlink all <@UALICE>", principal=COLLEAGUE))
        assert "hasn't linked that account" in words(await other.say("unlink hub <@UCHEN|chen>"))
        done = await other.say("unlink <@UCHEN> --yes")
        assert words(done) == "<@UCHEN> is unlinked from Saturn Cloud."
        assert await unlinked(other) == [(ALICE.key, COLLEAGUE, "saturn", "administrator")]
        assert len(await other.notices(NoticeKind.UNLINKED)) == 1


async def test_an_administrator_ends_a_link_from_before_the_workspace_joined_an_organisation():
    """A person's key may still contain the enterprise that Slack reported when they linked their account."""
    earlier = Principal("E1", "T1", "UCHEN")
    place = replace(TEAM, other_enterprises={"UCHEN": "E1"})
    async with rig(installation=place, administrators=frozenset({"UALICE"})) as other:
        await activate(other.store, earlier, "saturn")
        assert words(await other.say("unlink <@UCHEN> --yes")) == "<@UCHEN> is unlinked from Saturn Cloud."
        assert await unlinked(other) == [(ALICE.key, earlier, "saturn", "administrator")]


async def test_about_says_who_and_which_version(bot, monkeypatch):
    monkeypatch.setattr("handlers.linking.metadata.version", lambda _: "1.2.3")
    await activate(bot.store, ALICE, "saturn")
    account = await activate(bot.store, ALICE, "hub")
    await refuse(bot.store, account)
    check_golden("answers/about-oneself", await bot.say("about"))


async def test_whoami_says_how_long_counts_what_nobody_proved(bot):
    until = bot.clock.now() + 86_400.0
    await link_account(bot.store, ALICE, "saturn", username="alice", link_source="approval", expires_at=until)
    said = words(await bot.say("about"))
    assert "linked as alice (approved by an Usher admin, until <!date^" in said


async def test_whoami_tells_of_a_sign_in_that_was_refused_and_is_tried_on(bot):
    account = await activate(bot.store, ALICE, "saturn")
    assert "Link again" not in buttons(await bot.say("about"))
    await hold(bot.store, account)
    answer = await bot.say("about")
    assert "linked as alice (proven with a token), but your sign-in has been refused since <!date^" in words(
        answer
    )
    await bot.push(answer, "Link again")
    assert [connection for _, connection, _ in await invited(bot)] == ["saturn"]


@pytest.mark.parametrize("text", ["", " start lab"], ids=["alone", "for-a-command"])
async def test_late_press_of_a_link_button_says_that_it_is_linked(bot, text):
    await activate(bot.store, ALICE, "saturn", username="alice")
    said = words(await bot.press("invite", f"saturn{text}"))
    assert said.startswith("Your Saturn Cloud account alice is linked. Linking again replaces it.")


async def test_whoami_of_an_administrator_without_links():
    async with one_cloud(administrators=frozenset({"UALICE"})) as bot:
        answer = await bot.say("about")
        assert "You are an Usher admin." in words(answer)
        assert "*Saturn Cloud*: not linked" in words(answer)
        await activate(bot.store, ALICE, "saturn", username="")
        assert "*Saturn Cloud*: linked" in words(await bot.say("about"))


async def test_help_is_five_lines_and_the_first_steps(bot):
    await activate(bot.store, ALICE, "saturn")
    answer = await bot.say("help")
    check_golden("answers/help", answer)
    assert words(answer).count("`/workspace ") == 5
    assert list(buttons(answer))[-1] == "Show all commands"
    check_golden("answers/help-direct", await bot.direct("help"))


async def test_all_of_help_is_made_from_the_catalogue():
    async with one_cloud(Everything, administrators=frozenset({"T1:UALICE"})) as bot:
        await activate(bot.store, ALICE, "saturn")
        answer = await bot.say("help all")
        check_golden("answers/help-all", answer)
        entries = VERBS["workspace"].values()
        shown = {one.usage for one in entries if f"/workspace {one.usage}`" in words(answer)}
        assert shown == {one.usage for one in entries if not one.is_hidden}
        pressed = await bot.push(await bot.say("help"), "Show all commands")
        assert pressed.replaces
        assert words(pressed) == words(answer)


class OnlyStops(PlainProvider):
    """A provider that can't suspend workspaces."""

    stop_modes = frozenset({"stop"})


class Everything(Cloud, facets.Overview):
    """A provider with all the features that help looks for."""

    stop_modes = frozenset({"stop", "suspend", "force"})

    async def read_overview(self) -> Any:
        raise NotImplementedError


async def test_help_lists_what_the_person_may_do(bot):
    said = words(await bot.say("help all"))
    # Nothing is linked yet, so help says what can be linked.
    assert "`/workspace link" in said
    assert "`/workspace unlink" not in said
    await activate(bot.store, ALICE, "saturn")
    said = words(await bot.say("help all"))
    assert "`/workspace unlink" in said
    assert "`/workspace suspend" in said
    assert "For jobs, type" not in said
    plain = OnlyStops(FakeClock(), fake_settings("plain", title="Plain"))
    shared = FakeMachines(FakeClock(), fake_settings("hub", title="Hub", linking=("none",)))
    async with rig(connections={"plain": plain, "hub": shared}) as other:
        listed = [f"`/workspace {verb}" for verb in ("new", "remove", "suspend", "unlink")]
        said = words(await other.say("help all"))
        assert [verb in said for verb in listed] == [False, False, True, False]
        await activate(other.store, ALICE, "plain")
        said = words(await other.say("help all"))
        assert [verb in said for verb in listed] == [True, True, True, True]
    async with rig(connections={"plain": plain}) as other:
        said = words(await other.say("help all"))
        assert [verb in said for verb in listed] == [True, True, False, False]


async def test_help_is_given_when_the_records_are_out_of_reach(bot):
    bot.store.fails[account_rows.list_accounts] = StoreBusy("full")
    assert "`/workspace list`" in words(await bot.say("help"))


@pytest.mark.parametrize("verb", sorted(routes.get_verbs("workspace")))
async def test_help_on_every_verb(bot, verb):
    check_golden(f"help/{verb}", await bot.say(f"help {verb}"))


async def test_help_on_an_unknown_verb_offers_the_nearest(bot):
    assert "`/workspace help start`" in words(await bot.say("help strat"))


@pytest.mark.parametrize("command", routes.list_commands())
def test_every_verb_has_its_words_and_the_other_way_round(command):
    assert set(VERBS[command]) == set(routes.get_verbs(command))


async def test_with_one_connection_link_names_it():
    saturn = Cloud(FakeClock(), fake_settings("saturn", title="Saturn Cloud"))
    async with rig(connections={"saturn": saturn}) as bot:
        assert words(await bot.say("link")).startswith("Link your Saturn Cloud account.")
    none = Cloud(FakeClock(), fake_settings("hub", title="Hub", linking=("none",)))
    async with rig(connections={"hub": none}) as bot:
        for typed in ("link", "link hub"):
            answer = await bot.say(typed)
            assert words(answer).startswith("You don't need to link an account on Hub.")
            (button,) = buttons(answer).values()
            assert (button["action_id"], button["value"]) == ("make:0", "workspace hub")
    async with rig(connections={"saturn": saturn, "hub": none}) as bot:
        answer = await bot.say("list")
        assert list(buttons(answer)) == ["Link Saturn Cloud", "New workspace on Hub", "Enter code"]
    async with one_cloud(linking=("admin",)) as bot:
        assert list(buttons(await bot.say("list"))) == ["Ask to link Saturn Cloud"]


@pytest.mark.parametrize("name", ["saturn", "all"])
async def test_a_link_that_ended_meanwhile_is_not_ended_twice(bot, name):
    await activate(bot.store, ALICE, "saturn")
    await bot.say(f"unlink {name} --yes", interaction="command:same")
    bot.clock.advance(1)
    await activate(bot.store, ALICE, "saturn")
    answer = await bot.say(f"unlink {name} --yes", interaction="command:same")
    assert "You have no account linked on Saturn Cloud." in words(answer)
    assert len(await bot.store.read(account_rows.list_accounts, ALICE)) == 1


async def test_where_nobody_has_an_account_of_their_own_nothing_is_unlinked():
    clock = FakeClock()
    shared = Cloud(clock, fake_settings("sphere", title="Sphere", linking=("none",)))
    own = Hub(clock, fake_settings("hub", title="Hub", base_url="https://hub.example.test"))
    async with rig(connections={"sphere": shared, "hub": own}) as made:
        shared_one = await activate(made.store, ALICE, "sphere", "")
        assert "You don't have an account of your own on" in words(await made.say("unlink sphere"))
        assert "haven't linked an account" in words(await made.say("unlink all"))
        await activate(made.store, ALICE, "hub")
        assert "unlinked from Hub" in words(await made.say("unlink all --yes"))
        assert await made.store.read(account_rows.list_accounts, ALICE) == [shared_one]


async def test_an_administrator_unlinks_only_what_a_colleague_has_linked():
    """On a connection without user accounts, only the account's row shows who owns what, so it is kept."""
    clock = FakeClock()
    shared = Cloud(clock, fake_settings("sphere", title="Sphere", linking=("none",)))
    own = Hub(clock, fake_settings("hub", title="Hub", base_url="https://hub.example.test"))
    cloud = Hub(clock, fake_settings("cloud", title="Cloud", base_url="https://cloud.example.test"))
    connections = {"sphere": shared, "hub": own, "cloud": cloud}
    async with rig(connections=connections, administrators=frozenset({"UALICE"})) as made:
        shared_one = await activate(made.store, COLLEAGUE, "sphere", "")
        for name in ("sphere", "all"):
            assert "hasn't linked that account" in words(await made.say(f"unlink {name} <@UCHEN> --yes"))
        await activate(made.store, COLLEAGUE, "hub", "chen")
        asked = await made.say("unlink <@UCHEN>")
        assert words(asked).startswith("This will delete my access to <@UCHEN>'s account on Hub. ")
        assert words(await made.push(asked, "Unlink")) == "<@UCHEN> is unlinked from Hub."
        assert await made.store.read(account_rows.list_accounts, COLLEAGUE) == [shared_one]


# -- links made under a former identity ----------------------------------------------------------------------


OTHER_PLACE = Principal("E1", "E1", ALICE.user_id)
OTHER_ID = Principal(None, "T1", "UALICE2")


@pytest.mark.parametrize(
    ("other", "seen", "is_ended", "expected"),
    [
        pytest.param(OTHER_PLACE, {}, False, True, id="place-served-no-more"),
        pytest.param(OTHER_PLACE, {}, True, True, id="place-removed"),
        pytest.param(OTHER_ID, {"email": "alice@example.org", "is_deleted": True}, True, True, id="other-id"),
        pytest.param(OTHER_ID, {"email": "alice@example.org"}, False, True, id="other-id-not-deactivated"),
        pytest.param(OTHER_ID, {"is_deleted": True}, True, False, id="same-name-only"),
        pytest.param(Principal("E1", "E1", "UBOB"), {}, False, False, id="another-person"),
    ],
)
async def test_link_under_a_former_key_is_explained(bot, other, seen, is_ended, expected):
    """Nobody can take over a link that was made under a former Slack ID, or learn its username."""
    for person, more in ((ALICE, {"email": "alice@example.org"}), (other, seen)):
        await bot.store.save_people([Person(person, "Alice", seen_at=bot.clock.now(), **more)])
    await activate(bot.store, other, "saturn", username="alice at saturn")
    if other.team_id != "T1":
        await bot.store.write(installations.keep_place, other.team_id, other.enterprise_id)
    if is_ended:
        await bot.services.create_caller(other).run(
            accounts.end_accounts, other, actor="slack", cause="uninstalled"
        )
    for said in ("link saturn", "list"):
        shown = json.dumps((await bot.say(said)).blocks)
        assert ("a link can't move to a new ID." in shown) is expected
        assert "alice at saturn" not in shown
    assert await bot.store.read(account_rows.list_accounts, ALICE) == []


async def test_an_unknown_verb_offers_the_nearest_and_runs_none(bot):
    await bot.link()
    check_golden("answers/verb-unknown", await bot.say("lsit notebook"))
    assert await bot.store.read(operations.open_operations, ALICE) == []
    assert "`help`" in words(await bot.direct("good morning"))
    assert "Show all commands" in buttons(await bot.say("qzqzqz"))


@pytest.mark.parametrize("typed", ["unlink sat --yes", "unlink saturn c --yes"])
async def test_beginning_of_a_connection_is_unlinked_only_by_a_press(bot, typed):
    await activate(bot.store, ALICE, "saturn")
    asked = await bot.say(typed)
    assert await unlinked(bot) == []
    await bot.push(asked, "Unlink")
    assert await unlinked(bot) == [(ALICE.key, ALICE, "saturn", "person")]
