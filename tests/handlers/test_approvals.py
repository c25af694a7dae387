"""Acting as a username that an administrator approves: asked, approved, denied, and never by anybody else."""

import re
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.people import Person, Principal
from bot.domain.tasks import TaskKind
from bot.messages.blocks import replies
from bot.messages.blocks.notices import redraw
from bot.store.transaction import from_json
from tests.handlers.rig import COLLEAGUE, activate, buttons, rig, submit, words
from tests.rigs.clock import FakeClock
from tests.rigs.golden import check_golden, check_limits
from tests.rigs.maker import Maker
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE, link_account, unlink

ADMINISTRATORS = frozenset({"UCHEN", "T1:UDANA"})


@pytest.fixture
async def bench():
    maker = Maker(FakeClock(), fake_settings("bench", title="Workbench", linking=("admin",)))
    async with rig(connections={"bench": maker}, administrators=ADMINISTRATORS) as made:
        yield made


async def requests(made) -> dict[str, dict]:
    """Return the buttons of the request that each administrator got."""
    return {
        notice.principal.user_id: await made.drawn(notice)
        for notice in await made.notices(NoticeKind.APPROVAL_ASKED)
    }


def button(body: dict, label: str) -> dict:
    [found] = [
        element
        for block in body["blocks"]
        for element in block.get("elements", ())
        if element.get("type") == "button" and element["text"]["text"] == label
    ]
    return found


async def test_the_question_is_a_form_and_words_for_where_none_opens(bench):
    answer = await bench.say("link", trigger_id="t1")
    check_golden("views/ask_link", answer.view)
    assert answer.view["callback_id"] == "ask_link"
    assert "`/workspace link Workbench USERNAME`" in words(answer)
    assert buttons(answer)["Ask to link Workbench"]["value"] == "bench"


async def test_the_form_asks_the_same_and_tells_what_is_wrong_at_its_field(bench):
    view = (await bench.say("link bench", trigger_id="t1")).view

    async def send(username: str) -> dict[str, Any]:
        state = {"values": {"username": {"username": {"type": "plain_text_input", "value": username}}}}
        return await submit(bench.services, ALICE, {**view, "state": state})

    # What an administrator would not see whole, or not at all, is not asked for.
    for username in ("al ice", "alice-" * 14, "&" * 20, "al\u200bice", "\u202eecila"):
        assert "without spaces" in (await send(username))["errors"]["username"]
    right = await send(" alice ")
    check_limits(right["view"])
    assert "to *alice*" in right["view"]["blocks"][0]["text"]["text"]
    assert set(await requests(bench)) == {"UCHEN", "UDANA"}


async def test_an_approval_becomes_a_task_once(bench):
    await bench.say("link bench alice")
    body = (await requests(bench))["UCHEN"]
    value = button(body, "Approve")["value"]
    first = await bench.press("approve", value, COLLEAGUE)
    assert first.replaces
    assert "Approved. I'll check *alice* on Workbench" in words(first)
    second = await bench.press("approve", value, COLLEAGUE)
    assert "already been decided: approved, being checked" in words(second)
    assert "already been decided" in words(await bench.press("deny", value, COLLEAGUE))
    tasks = [task for task in await bench.store.claim_tasks(10, 60.0) if task.kind is TaskKind.APPROVE]
    assert len(tasks) == 1
    kept = [(row["actor"], row["action"]) for row in await bench.audit() if "approval" in row["action"]]
    assert kept == [(ALICE.key, "approval.asked"), (COLLEAGUE.key, "approval.approved")]


async def test_a_request_that_names_another_user_by_now_is_not_approved_unseen(bench):
    await bench.say("link bench alice")
    seen = button((await requests(bench))["UCHEN"], "Approve")["value"]
    await bench.say("link bench root")
    assert "asked for another username since" in words(await bench.press("approve", seen, COLLEAGUE))
    assert [task for task in await bench.store.claim_tasks(10, 60.0) if task.kind is TaskKind.APPROVE] == []
    (request,) = await bench.store.asked_approvals(9)
    assert request.username == "root"


async def test_whoever_keeps_asking_is_one_message_and_three_usernames_a_day(bench):
    """Of 71 requests within 65 s, each administrator gets one message, which is redrawn."""
    answers = []
    for number in range(71):
        answers.append(words(await bench.say(f"link bench name{number}")))
        bench.clock.advance(65 / 71)
    assert ["I've asked the Usher admins" in said for said in answers] == [True] * 3 + [False] * 68
    assert all("several usernames on Workbench today" in said for said in answers[3:])
    told = await bench.notices(NoticeKind.APPROVAL_ASKED)
    assert sorted(one.principal.user_id for one in told) == ["UCHEN", "UDANA"]
    (request,) = await bench.store.asked_approvals(9)
    assert request.username == "name2"
    # The same one isn't another one; and a day later there are three more.
    assert "I've asked" in words(await bench.say("link bench name2"))
    bench.clock.advance(86_400)
    assert "I've asked" in words(await bench.say("link bench name9"))


OTHER = Principal(None, "T1", "UOTHER")


async def of_one_name(made):
    """Let two members show the same name; one of them has the handle and the address of the username."""
    now = made.clock.now()
    people = [
        Person(ALICE, "Alice Smith", handle="mallory", seen_at=now),
        Person(OTHER, "Alice Smith", handle="asmith", email="alice.smith@example.org", seen_at=now),
        Person(Principal(None, "T1", "UBOB"), "Bob Miller", handle="bmiller", seen_at=now),
        Person(Principal(None, "T1", "UGONE"), "Alice Smith", is_deleted=True, seen_at=now),
        Person(Principal(None, "T2", "UOTHER"), "Alice Smith", seen_at=now),
    ]
    await made.store.save_people(people)


async def test_of_two_members_of_one_name_the_request_shows_what_they_cannot_choose(bench):
    await of_one_name(bench)
    await bench.say("link bench asmith")
    said = str(await requests(bench))
    assert "<@UALICE> (id `UALICE`, handle `mallory`, e-mail unknown, shown as *Alice Smith*)" in said
    other = (
        "<@UOTHER> (id `UOTHER`, handle `asmith`, e-mail `alice.smith@example.org`, shown as *Alice Smith*)"
    )
    assert f"The username may mean somebody else: {other}." in said
    assert "I've asked <@UOTHER> whether the account is theirs." in said
    assert not {"UBOB", "UGONE"} & set(re.findall(r"U[A-Z]+", said))


async def test_no_name_disguises_what_nobody_can_choose(bench):
    now, hostile = bench.clock.now(), "asmith <!channel>` *boss*, id `UBOSS"
    people = [Person(ALICE, hostile, seen_at=now), Person(OTHER, hostile, handle="asmith", seen_at=now)]
    await bench.store.save_people(people)
    await bench.say("link bench asmith")
    body = (await requests(bench))["UCHEN"]
    assert "<!" not in str(body)
    said = str([block for block in body["blocks"] if block["type"] == "context"])
    assert "id `UBOSS" not in said
    assert "id `UALICE`" in said


async def test_where_nobody_is_called_like_it_the_request_says_so(bench):
    await of_one_name(bench)
    await bench.say("link bench dora")
    said = str(await requests(bench))
    assert "Nobody else here has a name, handle or e-mail address like that username." in said


async def asked_whose(made):
    return [
        notice
        for notice in await made.store.claim_notices(100, 60.0)
        if notice.kind is NoticeKind.ACCOUNT_ASKED
    ]


@pytest.mark.parametrize(
    ("label", "answer", "said"),
    [
        ("It's mine", "nobody else can use it", "<@UOTHER> says that *asmith* on Workbench is theirs."),
        ("It isn't", "I've told the Usher admins", "<@UOTHER> says that the account isn't theirs."),
    ],
)
async def test_whom_it_may_mean_is_asked_and_administrators_read_the_answer(bench, label, answer, said):
    await of_one_name(bench)
    await bench.say("link bench asmith")
    (asked,) = await asked_whose(bench)
    assert asked.principal == OTHER
    body = await bench.drawn(asked)
    assert body["text"] == "Someone asked to use asmith on Workbench. Is that your account?"
    pressed = button(body, label)
    # Nobody answers for them.
    with_rights = await bench.press(pressed["action_id"], pressed["value"], COLLEAGUE)
    assert "no longer open" in words(with_rights)
    assert answer in words(await bench.press(pressed["action_id"], pressed["value"], OTHER))
    (request,) = await bench.store.asked_approvals(9)
    drawn = replies.asked(
        await bench.services.gatherer.of_notice(replace(asked, kind=NoticeKind.APPROVAL_ASKED))
    )
    assert said in str(drawn.blocks)
    # Their own message says what they said; the request waits on.
    facts = await bench.services.gatherer.of_notice(asked)
    assert "You said that" in redraw(asked.kind, facts, is_closing=False).text
    assert request.state == "asked"
    entries = [(row["actor"], row["action"]) for row in await bench.store.audit_entries()]
    assert entries[-1] == (OTHER.key, "approval.owner")


async def test_nobody_is_asked_more_than_once_a_day(bench):
    await of_one_name(bench)
    for username in ("asmith", "alice.smith", "alices"):
        await bench.say(f"link bench {username}")
    await bench.say("link bench asmith", principal=Principal(None, "T1", "UBOB"))
    (first,) = await asked_whose(bench)
    assert first.principal == OTHER
    # By then it is about another username, so that what they were asked is over.
    answered = await bench.press("mine", f"{first.subject} asmith", OTHER)
    assert "no longer open" in words(answered)
    bench.clock.advance(86_400)
    await bench.say("link bench alice-smith")
    assert [one.principal for one in await asked_whose(bench)] == [OTHER, OTHER]


async def test_who_has_the_account_linked_is_named_first(bench):
    await of_one_name(bench)
    await link_account(bench.store, Principal(None, "T1", "UBOB"), "bench", username="asmith")
    await bench.say("link bench asmith")
    assert "somebody else: <@UBOB> (id `UBOB`, handle `bmiller`" in str(await requests(bench))


async def test_taking_a_request_back_begins_no_new_count(bench):
    for number in range(5):
        await bench.say(f"link bench name{number}")
        await unlink(bench.store, ALICE)
    assert len(await bench.notices(NoticeKind.APPROVAL_ASKED)) == 3 * 2


async def test_nobody_decides_about_themselves_while_somebody_else_can(bench):
    await bench.say("link bench root", principal=COLLEAGUE)
    told = await bench.notices(NoticeKind.APPROVAL_ASKED)
    assert [one.principal.user_id for one in told] == ["UDANA"]
    (request,) = await bench.store.asked_approvals(9)
    said = words(await bench.press("approve", f"{request.id} root", COLLEAGUE))
    assert said == "Nobody decides about themselves. Another Usher admin can do that."
    assert (await bench.store.approval(request.id)).state == "asked"
    assert (COLLEAGUE.key, "approve", "policy.own_request") in [
        (row["actor"], row["action"], from_json(row["detail"]).get("rule"))
        for row in await bench.store.audit_entries()
    ]


async def test_the_only_administrator_decides_about_themselves():
    maker = Maker(FakeClock(), fake_settings("bench", title="Workbench", linking=("admin",)))
    async with rig(connections={"bench": maker}, administrators=frozenset({"UCHEN"})) as made:
        await made.say("link bench chen", principal=COLLEAGUE)
        value = button((await requests(made))["UCHEN"], "Approve")["value"]
        assert "Approved" in words(await made.press("approve", value, COLLEAGUE))


@pytest.mark.parametrize("value", ["", "approval_nowhere alice", "x", "approval_1"])
async def test_a_button_of_no_request_says_so(bench, value):
    assert words(await bench.press("approve", value, COLLEAGUE))
    assert await bench.store.active_accounts() == []


async def test_without_administrators_it_is_said_whom_to_ask():
    maker = Maker(FakeClock(), fake_settings("bench", title="Workbench", linking=("admin",)))
    async with rig(connections={"bench": maker}) as made:
        assert "Ask the person who installed me to name one." in words(await made.say("link bench alice"))
        assert await made.notices() == []


async def test_who_is_linked_already_may_ask_for_another(bench):
    await activate(bench.store, ALICE, "bench")
    answer = await bench.say("link bench", trigger_id="t1")
    assert "You're linked to *alice* on Workbench" in words(answer)
