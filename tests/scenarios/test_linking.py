"""Linking, as people experience it: links that expired, were used, or are somebody else's; unlinking."""

import pytest

from bot.store import accounts
from playground.demo.browser import Browser
from tests.rigs.scenario.people import BOT
from tests.rigs.store import unlink
from tests.scenarios.test_promises import give_token, take_token


async def is_linked(world, user=None):
    return bool(
        await world.bot.store.read(accounts.list_accounts, world.principal(*([user] if user else [])))
    )


#: Another connection that could be linked, but that nobody links.
LAB = {
    "name": "lab",
    "provider": "saturn",
    "title": "Lab",
    "linking": ["token"],
    "base_url": "http://127.0.0.1:9",
}


class Presses:
    """Records the buttons that a person presses on the way to a link."""

    def __init__(self, person):
        self.person, self.labels = person, []

    async def link(self, world, shown, label):
        """Link an account, from the button in a message to the last page."""
        self.labels.append(label)
        async with Browser() as browser:
            page = await browser.get(shown.address(label))
            self.labels.append("Sign in with Slack")
            page = await browser.get(page.link("/sign-in"))
            if page.url.startswith(world.slack_url):
                # On Slack's own page, the person who is signed in there agrees.
                page = await browser.get(page.link(f"as={self.person.id}"))
            self.labels.append("Check the token")
            page = await browser.submit(page, token=world.token_of("alice"))
            self.labels.append("Link Saturn Cloud")
            page = await browser.submit(page)
        assert "Saturn Cloud is linked as alice." in page.text
        world.watch.may_read(self.person.id, "alice")
        await world.pass_time(3)


async def unlinked(world):
    """Return the notice that the account was unlinked."""
    await world.alice.has_linked("alice")
    await unlink(world.bot.store, world.principal(), says=True)
    await world.pass_time(3)
    return world.alice.only("unlinked")


async def refused(world):
    """Return the notice that the provider refuses the sign-in.

    It accepts the sign-in again during linking.
    """
    await world.alice.has_linked("alice")
    take_token(world)
    await world.alice.types("status notebook")
    await world.pass_time(1200, step=20)
    told = world.alice.only("sign_in_refused")
    give_token(world)
    return told


async def newest(answers):
    return (await answers)[-1]


#: All places where a person may see a button for linking: the message with the button, and the button's
#: label.
SURFACES = {
    "a command": (lambda world: world.alice.types("start notebook"), "Link Saturn Cloud"),
    "link": (lambda world: world.alice.types("link"), "Link Saturn Cloud"),
    "about": (lambda world: world.alice.types("about"), "Link Saturn Cloud"),
    "the welcome": (lambda world: world.alice.types("help"), "Link Saturn Cloud"),
    "a mention": (lambda world: newest(world.alice.mentions("start notebook")), "Link Saturn Cloud"),
    "a direct message": (lambda world: newest(world.alice.writes("start notebook")), "Link Saturn Cloud"),
    "hello": (lambda world: newest(world.alice.writes("hello")), "Link Saturn Cloud"),
    "Home": (lambda world: world.alice.opens_home(), "Link Saturn Cloud"),
    "unlinked": (unlinked, "Link again"),
    "refused": (refused, "Link again"),
}


@pytest.mark.parametrize(
    "bare",
    [{"sign_in": True}, {"sign_in": True, "connections": {"lab": LAB}}],
    indirect=True,
    ids=["one account", "several accounts"],
)
@pytest.mark.parametrize("surface", SURFACES)
async def test_linking_takes_four_presses_everywhere_and_no_button_wears_out(bare, surface):
    asks, label = SURFACES[surface]
    shown, presses = await asks(bare), Presses(bare.alice)
    if label not in shown.labels:
        label = "Link Saturn Cloud"
    await bare.pass_time(3600, step=600)
    await presses.link(bare, shown, label)
    assert presses.labels == [label, "Sign in with Slack", "Check the token", "Link Saturn Cloud"]
    assert await is_linked(bare)
    assert "Link Saturn Cloud" not in (await bare.alice.opens_home()).labels


@pytest.mark.parametrize(
    "bare",
    [{"sign_in": True}, {"sign_in": True, "connections": {"lab": LAB}}],
    indirect=True,
    ids=["one account", "several accounts"],
)
@pytest.mark.parametrize(
    ("text", "follows"),
    [("start notebook", "Starting *notebook* on Saturn Cloud."), ("link", "")],
)
async def test_linking_leaves_one_message(bare, text, follows):
    alice = bare.alice
    asked = await alice.types(text)
    first = next(label for label in asked.labels if label != "Link Lab")
    assert len(asked.labels) == 1 + ("Link Lab" in asked.labels)
    await alice.presses(asked, first)
    await Presses(alice).link(bare, asked, first)
    (now,) = [shown for shown in alice.sees("C0GENERAL") if shown.ts == asked.ts]
    assert now.text.startswith(f"Saturn Cloud is linked as *alice*.\n{follows}".rstrip())
    assert not {first, "Link Lab"} & {*now.labels}
    assert "Sign in there as alice to open workspaces." in alice.only("linked").text


@pytest.mark.parametrize("bare", [{"sign_in": True}], indirect=True)
@pytest.mark.parametrize(("text", "follows"), [("start notebook", "Starting *notebook*"), ("link", "")])
async def test_command_typed_in_the_direct_message_says_once_that_it_is_linked(bare, text, follows):
    alice = bare.alice
    await alice.writes("help")
    asked = await alice.types(text, BOT)
    await alice.presses(asked, "Link Saturn Cloud")
    await Presses(alice).link(bare, asked, "Link Saturn Cloud")
    left = [shown.text for shown in alice.sees() if shown.ts == asked.ts]
    assert [text.startswith(follows) for text in left] == [True] * bool(follows)
    assert len([shown for shown in alice.sees() if "is linked" in shown.text]) == 1
    assert alice.only("linked").text.startswith("Saturn Cloud is linked as *alice*.")


@pytest.mark.parametrize(
    "bare",
    [{"sign_in": True}, {"sign_in": False}, {"sign_in": True, "connections": {"lab": LAB}}],
    indirect=True,
    ids=["lasting pages", "pages of ten minutes", "several accounts"],
)
async def test_greeting_loses_the_button_of_an_account_that_was_linked_elsewhere(bare):
    alice = bare.alice
    (greeting,) = await alice.writes("hi")
    assert "Link Saturn Cloud" in greeting.labels
    await alice.links("alice", asked=await alice.types("link saturn"))
    await bare.pass_time(60)
    (now,) = [shown for shown in alice.sees() if shown.ts == greeting.ts]
    assert now.labels == [label for label in greeting.labels if label != "Link Saturn Cloud"]
    assert now.text.startswith("Hi! I start, stop and open your cloud workspaces")


@pytest.mark.parametrize(
    "bare",
    [{"sign_in": sign_in, "connections": {"lab": LAB}} for sign_in in (True, False)],
    indirect=True,
    ids=["lasting pages", "pages of ten minutes"],
)
async def test_request_for_any_account_is_over_once_one_is_linked(bare):
    alice = bare.alice
    (asked,) = await alice.writes("start notebook")
    assert {"Link Saturn Cloud", "Link Lab"} <= {*asked.labels}
    await alice.links("alice", asked=await alice.types("link saturn"))
    await bare.pass_time(60)
    (now,) = [shown for shown in alice.sees() if shown.ts == asked.ts]
    assert not [label for label in now.labels if label.startswith("Link ")]


@pytest.mark.parametrize("bare", [{"sign_in": True}], indirect=True)
async def test_press_in_home_is_carried_on_after_linking(bare):
    """If a button in Home needs an account, its action is carried out after linking."""
    alice = bare.alice
    await alice.types("start notebook")
    await Presses(alice).link(bare, await alice.opens_home(), "Link Saturn Cloud")
    await bare.pass_time(5)
    (answer,) = [shown.text for shown in alice.sees("C0GENERAL") if "is linked" in shown.text]
    assert "Starting *notebook* on Saturn Cloud." in answer


@pytest.mark.parametrize(
    "bare",
    [{"sign_in": True}, {"sign_in": False}, {"sign_in": True, "connections": {"lab": LAB}}],
    indirect=True,
    ids=["lasting pages", "pages of ten minutes", "several accounts"],
)
async def test_everything_asked_before_linking_is_answered(bare):
    alice = bare.alice
    for text in ("start notebook", "hours notebook", "list"):
        asked = await alice.types(text)
        await bare.pass_time(30)
    if "Link Lab" in asked.labels:
        await Presses(alice).link(bare, asked, "Link Saturn Cloud")
    else:
        await alice.links("alice", asked=asked)
    await bare.pass_time(5)
    said = "\n".join(shown.text for shown in [*alice.sees(), *alice.sees("C0GENERAL")])
    for answer in ("Starting *notebook* on Saturn Cloud.", "*Your workspaces*", "hours"):
        assert answer in said


@pytest.mark.parametrize("bare", [{"sign_in": False, "connections": {"lab": LAB}}], indirect=True)
async def test_offer_of_several_accounts_ends_no_page_that_is_open(bare):
    """An offer with several link pages leaves an open page valid. A newer page for one connection doesn't."""
    alice = bare.alice
    first = (await alice.types("link saturn")).address("Link Saturn Cloud")
    offered = (await alice.types("start notebook")).address("Link Saturn Cloud")
    async with Browser() as browser:
        assert [(await browser.get(one)).status for one in (first, offered)] == [200, 200]
        newest = (await alice.types("link saturn")).address("Link Saturn Cloud")
        assert [(await browser.get(one)).status for one in (first, offered, newest)] == [410, 410, 200]


@pytest.mark.parametrize("bare", [{"sign_in": True}, {"sign_in": False}], indirect=True)
async def test_message_with_the_page_becomes_the_one_that_it_is_linked(bare):
    alice = bare.alice
    (asked,) = await alice.writes("link saturn")
    assert asked.labels[0] == "Link Saturn Cloud"
    await alice.links("alice", asked=asked)
    (linked,) = [shown for shown in alice.sees() if "Saturn Cloud" in shown.text]
    assert linked.ts == asked.ts
    assert linked.text.startswith("Saturn Cloud is linked as *alice*.")


async def test_a_wrong_code_is_said_at_its_field_and_the_right_one_still_works(bare):
    shown, address = await bare.alice.invited()
    async with Browser() as browser:
        page = await bare.alice.goes_through(browser, address, bare.token_of("alice"))
    await bare.alice.presses(shown, "Enter code")
    answer = await bare.alice.submits(code="WRONG-234")
    assert "4 tries are left" in answer["errors"]["code"]
    await bare.slack.close_view(bare.alice.id)
    assert (await bare.alice.types_back(shown, page))["ok"]
    modal = bare.alice.modal()
    assert modal is not None
    assert "Your Saturn Cloud account alice is linked." in str(modal["blocks"])


async def test_unlinking_by_the_button_deletes_the_secret_and_ends_what_is_under_way(just_linked):
    alice = just_linked.alice
    await alice.types("start notebook")
    await just_linked.pass_time(3)
    await alice.presses(alice.only("linked"), "Unlink")
    await just_linked.pass_time(5)
    assert "I've deleted my copy of your token." in alice.only("unlinked").text
    assert not await is_linked(just_linked)
    assert "cancelled" in alice.card.text
    assert "Your Saturn Cloud account was unlinked." in alice.card.text
    before = just_linked.calls("")
    await just_linked.pass_time(700, step=20)
    assert just_linked.calls("") == before
    assert (
        "To start *notebook*, link your Saturn Cloud account." in (await alice.types("start notebook")).text
    )
    assert just_linked.calls("") == before


async def test_question_before_unlinking_becomes_its_answer(just_linked):
    alice = just_linked.alice
    (asked,) = await alice.writes("unlink saturn")
    (answer,) = await alice.presses(asked, "Unlink")
    await just_linked.pass_time(20)
    assert answer.ts == asked.ts
    (told,) = [shown for shown in alice.sees() if "You're unlinked from Saturn Cloud." in shown.text]
    assert told.labels == ["Link Saturn Cloud"]
    assert not await is_linked(just_linked)


@pytest.mark.parametrize("bare", [{"sign_in": True}], indirect=True)
async def test_what_waited_for_a_link_is_answered_by_a_message_of_its_own(bare):
    """After linking, everybody in the conversation can see the answer, although it could be ephemeral."""
    alice = bare.alice
    (asked,) = await alice.writes("status notebook")
    await alice.presses(asked, "Link Saturn Cloud")
    await alice.links("alice", asked=asked)
    await bare.pass_time(5)
    assert [shown.is_private for shown in alice.sees() if "*notebook* · Saturn Cloud" in shown.text] == [
        False
    ]


async def test_unlinking_by_name_and_linking_anew_finds_everything_again(just_linked):
    alice = just_linked.alice
    await alice.types("alias notebook lab")
    assert "unlinked from" in (await alice.types("unlink saturn --yes")).text
    assert "haven't linked an account" in (await alice.types("unlink saturn --yes")).text
    await just_linked.pass_time(15)
    assert alice.told("unlinked") == [], "it was answered where it was typed"
    await just_linked.pass_time(20)
    assert "Unlink" not in alice.only("linked").labels
    await alice.links("alice")
    assert "notebook" in (await alice.types("list")).text


async def test_somebody_who_leaves_is_unlinked_and_nothing_goes_on_in_their_name(linked):
    await linked.alice.types("start notebook")
    await linked.pass_time(3)
    await linked.slack.change_person(linked.alice.id, deleted=True)
    # A workspace that is coming up is read once more, to find out whether somebody has to be told.
    await linked.pass_time(120, step=5)
    assert not await is_linked(linked)
    before = linked.calls("")
    await linked.pass_time(700, step=20)
    assert linked.calls("") == before


async def test_removing_the_app_ends_every_link(linked):
    await linked.slack.uninstall()
    await linked.settle()
    assert not await is_linked(linked)


async def test_linking_anew_replaces_the_old_link(linked):
    alice = linked.alice
    asked = await alice.types("link saturn")
    assert "Linking again replaces it." in asked.text
    await alice.links("carol", asked=asked)
    assert "course" in (await alice.types("list")).text
    assert "linked as carol" in (await alice.types("about")).text
    links = await linked.bot.store.read(accounts.list_accounts, linked.principal())
    assert [account.username for account in links] == ["carol"]


async def test_the_button_of_a_links_page_goes_with_the_page(just_linked):
    """When the page expires, the button asks for a new page instead. Slack lets Usher edit this message."""
    alice = just_linked.alice
    await alice.writes("unlink saturn --yes")
    await just_linked.pass_time(10)
    pages = [await alice.writes("link saturn") for _ in range(2)]
    assert all("Link Saturn Cloud" in page[-1].labels for page in pages)
    await just_linked.pass_time(660, step=30)
    asking = [one for one in alice.sees() if "Link Saturn Cloud" in one.labels]
    assert not any("url" in one.button("Link Saturn Cloud") for one in asking)
    (again,) = await alice.presses(asking[-1], "Link Saturn Cloud")
    assert again.address("Link Saturn Cloud").startswith("http")
